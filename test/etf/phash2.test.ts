import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  atom,
  decode,
  NativeRecord,
  phash2,
  type TermInput,
  TermMap,
  tuple,
} from "../../etf/index.ts";

const file = new URL("../vectors/phash2.json", import.meta.url);
const { release, vectors } = JSON.parse(readFileSync(file, "utf8")) as {
  release: string;
  vectors: [hex: string, hash: number, whole: number][];
};

test(`as OTP ${release}`, () => {
  expect(vectors.length).toBeGreaterThan(300);
  for (const [hex, hash, whole] of vectors) {
    const term = decode(Buffer.from(hex, "hex"));
    expect(phash2(term), hex).toBe(hash);
    expect(phash2(term, 2 ** 32), hex).toBe(whole);
    expect(phash2(term, 10), hex).toBe(whole % 10);
  }
});

test("what stands for a term has the term's hash", () => {
  expect(phash2({ a: "b" })).toBe(phash2(new TermMap([["a", Buffer.from("b")]])));
  expect(phash2([1n, 1.5])).toBe(phash2([1, 1.5]));
});

test("a million levels", () => {
  let list: TermInput = [];
  let map: TermInput = 1;
  for (let i = 0; i < 1_000_000; i++) list = tuple([list]);
  for (let i = 0; i < 100_000; i++) map = new TermMap([[i, map]]);
  expect(phash2(list)).not.toBe(phash2(map));
});

test("what has none is refused", () => {
  const record = new NativeRecord(atom("m"), atom("r"), true, [], []);
  const notATerm = expect.objectContaining({ code: "ETF_NOT_A_TERM" });
  for (const value of [record, [Number.NaN], undefined, () => 1]) {
    expect(() => phash2(value as TermInput)).toThrow(notATerm);
  }
  for (const range of [0, 2 ** 32 + 1, 1.5]) {
    expect(() => phash2(1, range)).toThrow(expect.objectContaining({ code: "ETF_OUT_OF_RANGE" }));
  }
});
