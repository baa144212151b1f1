import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  compare,
  decode,
  encode,
  equals,
  exactEquals,
  float,
  hashTerm,
  ImproperList,
  type Term,
  type TermInput,
  TermMap,
  tuple,
} from "../../etf/index.ts";
import { TermMapClass } from "../../etf/term-map.ts";

interface Vectors {
  release: string;
  pairs: [string, string, "<" | ">" | "==" | "=:="][];
  sorted: string[][];
}

const file = new URL("../vectors/compare.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const term = (hex: string): Term => decode(Buffer.from(hex, "hex"));

function relation(a: TermInput, b: TermInput): string {
  if (exactEquals(a, b)) return "=:=";
  const order = compare(a, b);
  return order < 0 ? "<" : order > 0 ? ">" : "==";
}

describe(`as OTP ${vectors.release} compares`, () => {
  test("pairs", () => {
    expect(vectors.pairs.length).toBe(700);
    for (const [left, right, expected] of vectors.pairs) {
      const a = term(left);
      const b = term(right);
      const hint = `${left} ${right}`;
      expect(relation(a, b), hint).toBe(expected);
      expect(equals(a, b), hint).toBe(expected.startsWith("="));
      expect(Math.sign(compare(b, a)) + Math.sign(compare(a, b)), hint).toBe(0);
      if (expected === "=:=") expect(hashTerm(a)).toBe(hashTerm(b));
    }
  });

  test("lists:sort", () => {
    for (const sorted of vectors.sorted) {
      const terms = sorted.map(term);
      const again = terms.toReversed().sort(compare);
      for (const [i, value] of again.entries()) expect(equals(value, terms[i]!)).toBe(true);
    }
  });
});

describe("values that are written as terms compare as those", () => {
  test.each<[TermInput, TermInput]>([
    ["abc", Buffer.from("abc")],
    [1.5, float(1.5)],
    [5n, 5],
    [{ a: 1 }, new TermMap([["a", 1]])],
    [new Map([[1, 2]]), new TermMap([[1, 2]])],
  ])("%o", (a, b) => {
    expect(exactEquals(a, b)).toBe(true);
    expect(compare(a, b)).toBe(0);
    expect(hashTerm(a)).toBe(hashTerm(b));
  });

  test("1 and 1.0 are == and not =:=", () => {
    expect(equals(1, float(1))).toBe(true);
    expect(exactEquals(1, float(1))).toBe(false);
    expect(exactEquals(0, -0)).toBe(false);
  });

  test("beyond 2^53 nothing is rounded", () => {
    expect(compare(2n ** 53n + 1n, float(2 ** 53))).toBeGreaterThan(0);
    expect(compare(2n ** 53n - 1n, float(2 ** 53))).toBeLessThan(0);
    expect(compare(2n ** 70n, float(2 ** 70))).toBe(0);
  });
});

describe("deep", () => {
  function deep(make: (inner: TermInput) => TermInput, leaf: TermInput): TermInput {
    let value = leaf;
    for (let i = 0; i < 50_000; i++) value = make(value);
    return value;
  }

  const makers: [string, (inner: TermInput) => TermInput][] = [
    ["lists", (inner) => [1, inner]],
    ["tuples", (inner) => tuple(inner, 1)],
    ["tails", (inner) => new ImproperList<Term, Term>([1], tuple(inner) as Term)],
    ["map values", (inner) => new TermMap<Term, TermInput>([[atom("k"), inner]])],
    ["map keys", (inner) => new TermMap<Term, TermInput>([[inner, 1]])],
  ];

  test.each(makers)("%s", (_, make) => {
    const a = deep(make, 1);
    const b = deep(make, 2);
    expect(exactEquals(a, deep(make, 1))).toBe(true);
    expect(exactEquals(a, b)).toBe(false);
    expect(compare(a, b)).toBeLessThan(0);
    expect(exactEquals(decode(encode(a)), a)).toBe(true);
  });

  test("maps with several map keys, nested in keys", () => {
    const map = deep(
      (inner) =>
        new TermMap<Term, TermInput>([
          [inner as Term, 1],
          [new TermMap(), 1],
        ]),
      1,
    );
    const again = deep(
      (inner) =>
        new TermMap<Term, TermInput>([
          [inner as Term, 1],
          [new TermMap(), 1],
        ]),
      1,
    );
    expect(exactEquals(map, again)).toBe(true);
    expect(compare(map, again)).toBe(0);
    expect(hashTerm(map)).toBe(hashTerm(again));
    expect(exactEquals(decode(encode(map)), again)).toBe(true);
  });
});

describe("TermMap", () => {
  const keys: TermInput[] = [
    1,
    float(1),
    atom("a"),
    "a",
    "b",
    true,
    false,
    tuple(1, 2),
    [1, 2],
    [],
    2n ** 64n,
    new TermMap([[1, 2]]),
    new BitString(Uint8Array.of(0x80), 1),
    -0,
    0,
    1.5,
  ];

  test.each([3, 8, keys.length])("finds every kind of key among %i", (size) => {
    const map = new TermMap<Term, number>();
    for (const [i, key] of keys.slice(0, size).entries()) map.set(key, i);
    expect(map.size).toBe(size);
    for (const [i, key] of keys.slice(0, size).entries()) {
      expect(map.get(decode(encode(key)))).toBe(i);
      expect(map.get(key)).toBe(i);
    }
    expect(map.has(tuple(9))).toBe(false);
    expect(map.get(99)).toBeUndefined();
  });

  test("set, delete and order of insertion", () => {
    const map = new TermMap<Term, number>();
    for (let i = 0; i < 1000; i++) map.set(tuple(i), i);
    for (let i = 0; i < 1000; i += 2) expect(map.delete(tuple(i))).toBe(true);
    expect(map.delete(tuple(0))).toBe(false);
    map.set(tuple(1), -1);
    map.set(tuple(0), -2);
    expect(map.size).toBe(501);
    expect([...map.values()].slice(0, 3)).toEqual([-1, 3, 5]);
    expect([...map.values()].at(-1)).toBe(-2);
    expect(map.get(tuple(999))).toBe(999);
    map.clear();
    expect([...map]).toEqual([]);
  });

  test("one key set and deleted ever again", () => {
    const map = new TermMapClass<Term, number>();
    for (let i = 0; i < 20; i++) map.set(tuple(i), i);
    for (let i = 0; i < 5000; i++) {
      map.set(tuple(-1), i);
      expect(map.delete(tuple(-1))).toBe(true);
    }
    expect(map.size).toBe(20);
    expect(map.toPairs().length).toBe(40);
  });

  test("entries deleted while going through them", () => {
    const map = new TermMap<number, number>();
    for (let i = 0; i < 100; i++) map.set(i, i);
    const seen: number[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key);
    }
    expect(seen.length).toBe(100);
    expect(map.size).toBe(0);
  });
});
