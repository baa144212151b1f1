/**
 * Maps whose keys all have the same hash. Nobody can make such keys without the secrets of the
 * process, so here the hash itself is replaced.
 */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  atom,
  decode,
  encode,
  exactEquals,
  float,
  hashTerm,
  type Term,
  TermMap,
  tuple,
} from "../../etf/index.ts";

vi.mock("../../etf/hash.ts", () => ({
  mix: () => 0,
  startOf: () => 0,
  mixBytes: () => 0,
  mixText: () => 0,
  mixDouble: () => 0,
  hashName: () => 0,
}));

/** With comparisons of each key with all others this takes minutes. */
const COUNT = 100_000;

test("the hash is replaced", () => {
  expect([1, tuple(2), [3], "x", atom("a")].map(hashTerm)).toEqual([0, 0, 0, 0, 0]);
});

describe(`${COUNT} keys of one hash`, () => {
  test.each<[string, (i: number) => Term]>([
    ["integers", (i) => i],
    ["tuples", (i) => tuple(atom("k"), i)],
    ["binaries", (i) => Buffer.from(`key ${i}`)],
  ])("%s", (_, keyOf) => {
    const map = new TermMap<Term, number>();
    for (let i = 0; i < COUNT; i++) map.set(keyOf((i * 7919) % COUNT), i);
    expect(map.size).toBe(COUNT);
    const again = decode(encode(map)) as TermMap<Term, number>;
    expect(again.size).toBe(COUNT);
    expect(exactEquals(map, again)).toBe(true);
    for (let i = 0; i < COUNT; i++) expect(again.get(keyOf((i * 7919) % COUNT)) === i).toBe(true);
    expect(again.has(keyOf(COUNT))).toBe(false);
    for (let i = 0; i < COUNT; i++) if (!again.delete(keyOf(i))) expect.unreachable();
    expect(again.size).toBe(0);
  });
});

test("a key is there twice", () => {
  const keys = Array.from({ length: 2000 }, (_, i) => tuple(i));
  const bytes = (list: readonly Term[]): Uint8Array => {
    const head = Buffer.from([131, 116, 0, 0, list.length >> 8, list.length & 255]);
    return Buffer.concat(
      [head, ...list.flatMap((key) => [encode(key).subarray(1), [97, 1]])].map((part) =>
        Buffer.from(part),
      ),
    );
  };
  expect((decode(bytes(keys)) as TermMap).size).toBe(2000);
  for (const at of [0, 5, 999, 1998]) {
    const error = expect.objectContaining({ code: "ETF_DUPLICATE_KEY" });
    expect(() => decode(bytes([...keys.slice(0, 1999), tuple(at)]))).toThrow(error);
  }
});

test("set and deleted at random, a map is what a Map of texts is", () => {
  const key = fc.oneof(
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: 0, max: 30 }).map((value) => float(value)),
    fc.integer({ min: 0, max: 30 }).map((value) => tuple(value)),
    fc.integer({ min: 0, max: 30 }).map((value) => [value, tuple(value)]),
    fc.constantFrom(float(0), float(-0)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 300 }), (steps) => {
      const map = new TermMap<Term, number>();
      const expected = new Map<string, number>();
      for (const [i, [each, add]] of steps.entries()) {
        const text = Buffer.from(encode(each)).toString("hex");
        if (add) {
          map.set(each, i);
          expected.set(text, i);
        } else expect(map.delete(each)).toBe(expected.delete(text));
        expect(map.get(each)).toBe(expected.get(text));
      }
      expect([...map.values()]).toEqual([...expected.values()]);
    }),
    { numRuns: 300 },
  );
});
