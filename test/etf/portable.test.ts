/**
 * What must hold on every platform: this file runs in Node, and by `npm run test:browser` in a
 * browser. So nothing of Node's here, `Buffer` least of all.
 */
import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  charlist,
  compare,
  decode,
  EtfDecodeError,
  encode,
  equals,
  exactEquals,
  float,
  format,
  fromPlain,
  Pid,
  parse,
  phash2,
  type Term,
  type TermInput,
  TermMap,
  toPlain,
  tuple,
} from "../../etf/index.ts";
import codec25 from "../vectors/codec-25.json" with { type: "json" };
import codec29 from "../vectors/codec-29.json" with { type: "json" };
import order from "../vectors/compare.json" with { type: "json" };
import hashes from "../vectors/phash2.json" with { type: "json" };
import texts from "../vectors/text-29-unicode.json" with { type: "json" };

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Forms that are read and never written. */
const OTHER_FORM = /EXT|compressed|as text|Latin-1/;

describe.each([codec25, codec29])("bytes of OTP", ({ release, vectors }) => {
  test(release, () => {
    let compressed = 0;
    for (const [label, hex] of vectors as [string, string, string][]) {
      const term = decode(fromHex(hex));
      const bytes = encode(term);
      expect(exactEquals(decode(bytes), term), label).toBe(true);
      if (Number(release) >= 26 && !OTHER_FORM.test(label)) expect(toHex(bytes), label).toBe(hex);
      if (label === "compressed") compressed++;
    }
    expect(compressed).toBe(2);
  });

  test(`${release}, cut anywhere`, () => {
    for (const [label, hex] of vectors as [string, string, string][]) {
      const bytes = fromHex(hex);
      for (let end = 1; end < bytes.length; end += 1 + (bytes.length >> 4)) {
        try {
          decode(bytes.subarray(0, end));
          expect.unreachable(label);
        } catch (error) {
          if (!(error instanceof EtfDecodeError)) throw error;
          expect(error.code, label).toBe("ETF_TRUNCATED");
        }
      }
    }
  });
});

test("order and equality", () => {
  for (const [left, right, expected] of order.pairs as [string, string, string][]) {
    const [a, b] = [decode(fromHex(left)), decode(fromHex(right))];
    const sign = compare(a, b);
    const found = exactEquals(a, b) ? "=:=" : sign < 0 ? "<" : sign > 0 ? ">" : "==";
    expect(found, `${left} ${right}`).toBe(expected);
    expect(equals(a, b)).toBe(expected.startsWith("="));
  }
});

test("phash2", () => {
  for (const [hex, hash] of hashes.vectors as [string, number, number][]) {
    expect(phash2(decode(fromHex(hex))), hex).toBe(hash);
  }
});

test("text", () => {
  const nodes = texts.nodes as Record<string, number>;
  for (const [hex, pretty, written, flat] of texts.terms as [string, string, string, string][]) {
    const term = decode(fromHex(hex));
    const nodeNumber = (node: { name: string }) => nodes[node.name] ?? -1;
    for (const [mode, expected] of [
      ["~tp", pretty],
      ["~tw", written],
      ["~0tp", flat],
    ] as const) {
      expect(format(term, { mode, printableRange: "unicode", release: 29, nodeNumber })).toBe(
        expected,
      );
    }
  }
});

test("values there and back", () => {
  const values: TermInput[] = [
    [1, -1, 2 ** 40, 2n ** 64n, -(2n ** 3000n), float(1), 0.1],
    [atom("ok"), atom("λ"), true, "text", "日本", charlist("abc"), new Uint8Array(100).fill(7)],
    tuple(tuple(), [], new BitString(Uint8Array.of(0xe0), 3), new Pid("a@b", 1, 2, 3)),
    new TermMap<Term, TermInput>([
      [tuple(1), "a"],
      [1, { b: [2] }],
    ]),
  ];
  for (const value of values) {
    expect(exactEquals(decode(encode(value)), value)).toBe(true);
    expect(exactEquals(decode(encode(value, { compressed: true })), value)).toBe(true);
    expect(exactEquals(decode(encode(value, { deterministic: true })), value)).toBe(true);
  }
  expect(toPlain(fromPlain({ a: [1, "b", null] }))).toEqual({ a: [1, "b", null] });
  expect(
    exactEquals(parse('{ok, #{a => <<"b">>}}'), tuple(atom("ok"), new Map([[atom("a"), "b"]]))),
  ).toBe(true);
});

test("a hundred thousand levels", () => {
  let term: TermInput = [];
  for (let i = 0; i < 100_000; i++) term = tuple([term]);
  expect(exactEquals(decode(encode(term)), term)).toBe(true);
  expect(format(term).length).toBe(400_002);
});
