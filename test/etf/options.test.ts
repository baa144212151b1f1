import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  atom,
  decode,
  EtfDecodeError,
  encode,
  exactEquals,
  float,
  format,
  LocalFun,
  parse,
  type Term,
  TermMap,
  TermSet,
  tuple,
} from "../../etf/index.ts";
import { inflateWeb } from "../../etf/inflate.web.ts";
import { random } from "../support/mutate.ts";

describe("deterministic", () => {
  const keys: Term[] = [2, 10, float(1), atom("b"), atom("a"), tuple(1), [1], Buffer.from("k")];

  test("maps that are =:= have the same bytes, keys in term order", () => {
    const forth = new TermMap(keys.map((key) => [key, 1]));
    const back = new TermMap(keys.toReversed().map((key) => [key, 1]));
    const bytes = encode([forth, { z: back }], { deterministic: true });
    expect(encode([back, { z: forth }], { deterministic: true })).toEqual(bytes);
    expect(encode([back, { z: forth }])).not.toEqual(encode([forth, { z: back }]));
    const [map] = decode(bytes) as [TermMap];
    expect(format([...map.keys()], { mode: "~0tp" })).toBe('[2,10,1.0,a,b,{1},[1],<<"k">>]');
  });

  test("plain objects and maps of JavaScript too, and what a fun captured", () => {
    const one = encode(new Map([["b", { d: 1, c: 2 }]]), { deterministic: true });
    expect(encode({ b: { c: 2, d: 1 } }, { deterministic: true })).toEqual(one);
  });
});

describe("compressed", () => {
  const term = ["text ".repeat(1000), 1];

  test.each([true, 1, 9])("%s", (compressed) => {
    const bytes = encode(term, { compressed });
    expect(bytes[1]).toBe(80);
    expect(bytes.length).toBeLessThan(200);
    expect(exactEquals(decode(bytes), term)).toBe(true);
  });

  test("stays plain where that is shorter, or nothing was asked", () => {
    expect(encode([1, 2], { compressed: true })).toEqual(encode([1, 2]));
    expect(encode(term, { compressed: false })).toEqual(encode(term));
    expect(encode(term, { compressed: 0 })).toEqual(encode(term));
  });
});

describe("inflating without zlib", () => {
  const next = random(7);
  const samples = Array.from({ length: 60 }, (_, i) => {
    const bytes = Buffer.alloc(i < 50 ? next(3000) : 50_000);
    for (let at = 0; at < bytes.length; at++) bytes[at] = next(1 + (i % 7) ** 3);
    return bytes;
  });

  test.each([0, 1, 6, 9])("level %i", (level) => {
    for (const sample of samples) {
      for (const strategy of [0, 2, 3, 4]) {
        const deflated = deflateSync(sample, { level, strategy });
        const { bytes, used } = inflateWeb(deflated, sample.length, 0);
        expect(sample.equals(bytes)).toBe(true);
        expect(used).toBe(deflated.length);
      }
    }
  });

  test("refuses what zlib refuses, and every other size", () => {
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const sample = samples[i % 50]!;
      const deflated = deflateSync(sample, { level: 1 + (i % 9), strategy: i % 5 });
      deflated[next(deflated.length)]! ^= 1 << next(8);
      let expected: Buffer | null = null;
      try {
        expected = inflateSync(deflated, { maxOutputLength: 100_000 });
      } catch {}
      try {
        const { bytes } = inflateWeb(deflated, expected?.length ?? sample.length, 0);
        expect(expected?.equals(bytes)).toBe(true);
      } catch (error) {
        if (!(error instanceof EtfDecodeError)) throw error;
        expect(expected).toBe(null);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
    const deflated = deflateSync(Buffer.alloc(1000));
    for (const size of [999, 1001]) {
      expect(() => inflateWeb(deflated, size, 5)).toThrow(
        expect.objectContaining({ code: "ETF_BAD_COMPRESSED", offset: 5 }),
      );
    }
    for (let cut = 0; cut < deflated.length; cut++) {
      expect(() => inflateWeb(deflated.subarray(0, cut), 1000, 0)).toThrow(
        expect.objectContaining({ code: "ETF_TRUNCATED" }),
      );
    }
  });
});

test("FUN_EXT, as R9 and earlier wrote funs, goes back as it came", () => {
  const bytes = Buffer.from(
    "8375 00000002 67 640003614062 00000005 00000000 01 6400016d 6103 6207654321 6101 6a".replaceAll(
      " ",
      "",
    ),
    "hex",
  );
  const fun = decode(bytes) as LocalFun;
  expect(fun).toBeInstanceOf(LocalFun);
  expect(fun).toMatchObject({ index: 3, oldUniq: 0x07654321, freeVariables: [1, []] });
  expect(fun.uniq.length).toBe(0);
  const again = encode(fun);
  expect(again[1]).toBe(117);
  expect(exactEquals(decode(again), fun)).toBe(true);
});

describe("TermSet", () => {
  test("holds each term once, by =:=", () => {
    const set = new TermSet<Term>([tuple(1, 2), "a", 1, float(1)]);
    set.add(tuple(1, 2)).add(Buffer.from("a"));
    expect(set.size).toBe(4);
    expect(set.has(tuple(1, 2)) && set.has("a") && !set.has(2)).toBe(true);
    expect(set.delete("a") && !set.delete("a")).toBe(true);
    expect([...set].length).toBe(3);
    set.clear();
    expect([...set.values()]).toEqual([]);
  });
});

describe("text cannot ask for any amount of memory", () => {
  test.each(["<<0:999999999999>>", "<<1:8589934592>>", `<<${"0:33554432,".repeat(20)}1>>`])(
    "%s",
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: "TERM_BAD_VALUE" }));
    },
  );

  test("a large segment is read within the limit", () => {
    const bytes = parse("<<-1:8000000, 3:2>>") as { bytes: Uint8Array };
    expect(bytes.bytes.length).toBe(1_000_001);
    expect(bytes.bytes[999_999]).toBe(255);
    expect(() => parse("<<0:8000>>", { maxBinaryBytes: 999 })).toThrow(/maxBinaryBytes/);
  });

  test("an integer larger than any of Erlang's", () => {
    expect(() => parse("9".repeat(11_000_000))).toThrow(
      expect.objectContaining({ code: "TERM_BAD_VALUE" }),
    );
  });
});
