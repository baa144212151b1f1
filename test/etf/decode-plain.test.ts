import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  atom,
  charlist,
  decode,
  EtfDecodeError,
  encode,
  ImproperList,
  type TermInput,
  TermMap,
  type ToPlainOptions,
  toPlain,
  tuple,
} from "../../etf/index.ts";
import { mutant, random } from "../support/mutate.ts";

const folder = new URL("../vectors/", import.meta.url);
const vectors = readdirSync(folder)
  .filter((name) => /^codec-.*\.json$/.test(name))
  .flatMap((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")).vectors)
  .map(([label, hex]: [string, string]) => ({ label, bytes: Buffer.from(hex, "hex") }));

const OPTIONS: ToPlainOptions[] = [
  {},
  { atoms: "atom" },
  { binaries: "bytes" },
  { integers: "string" },
];

/** The plain form, or the code of the error. */
function outcome(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    if (error instanceof EtfDecodeError) return { code: error.code };
    throw error;
  }
}

describe("one pass gives what two give", () => {
  test("vectors of OTP", () => {
    expect(vectors.length).toBeGreaterThan(600);
    for (const { label, bytes } of vectors) {
      for (const plain of OPTIONS) {
        expect(decode(bytes, { plain }), label).toEqual(toPlain(decode(bytes), plain));
      }
    }
  });

  test("mutated bytes, errors included", () => {
    const next = random(20260102);
    for (let i = 0; i < 20_000; i++) {
      const { bytes } = vectors[i % vectors.length]!;
      const changed = mutant(bytes, next);
      const exact = outcome(() => toPlain(decode(changed)));
      expect(
        outcome(() => decode(changed, { plain: true })),
        changed.toString("hex"),
      ).toEqual(exact);
    }
  });

  test.each<[string, TermInput]>([
    [
      "two keys of one text",
      new TermMap([
        [atom("a"), 1],
        ["a", 2],
      ]),
    ],
    ["a key __proto__", new TermMap([["__proto__", 1]])],
    [
      "keys of numbers",
      new TermMap([
        [2, 1],
        [1, 2],
      ]),
    ],
    ["a key that is a tuple", new TermMap([[tuple(atom("a"), 1), 2]])],
    ["a key that is no text", new TermMap([[new Uint8Array([255]), 2]])],
    ["an improper list", new ImproperList([1, 2], atom("x"))],
    ["a charlist", charlist("text")],
    [
      "text of each length",
      Array.from({ length: 100 }, (_, i) => "abcdefghij".repeat(10).slice(0, i)),
    ],
    ["text that is not ASCII", ["é", "aé", "\u{1f600}", "\ufeff", `${"a".repeat(60)}é`]],
    ["bytes that are no text", [new Uint8Array([0x61, 0xff]), new Uint8Array(100).fill(0x80)]],
  ])("%s", (_, term) => {
    const bytes = encode(term);
    const plain = decode(bytes, { plain: true });
    expect(plain).toEqual(toPlain(decode(bytes)));
    expect(JSON.stringify(plain)).toBe(JSON.stringify(toPlain(decode(bytes))));
  });

  test("deeper than calls go", () => {
    let term: TermInput = 1;
    for (let i = 0; i < 3000; i++) term = i % 2 === 0 ? [term, i] : tuple({ key: term });
    const bytes = encode(term);
    expect(decode(bytes, { plain: true })).toEqual(toPlain(decode(bytes)));
    const limits = { maxDepth: 2000, plain: true } as const;
    expect(() => decode(bytes, limits)).toThrow(/maxDepth \(2000\)/);
  });

  test("a list in several pieces", () => {
    const bytes = Buffer.from([131, 108, 0, 0, 0, 1, 97, 1, 108, 0, 0, 0, 1, 97, 2, 106]);
    expect(decode(bytes, { plain: true })).toEqual([1, 2]);
  });

  test("one key twice", () => {
    const bytes = Buffer.from([131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2]);
    expect(() => decode(bytes, { plain: true })).toThrow(
      expect.objectContaining({ code: "ETF_DUPLICATE_KEY" }),
    );
  });
});
