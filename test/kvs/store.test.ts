import { expect, test } from "vitest";
import { atom, encode, Float, Pid, parse, type Term, tuple } from "../../etf/index.ts";
import { KvsStore } from "../../src/kvs/store.ts";

const UNDEFINED = atom("undefined");
const ok = (value: Term) => tuple(atom("ok"), value);

test("gives back the very term that was stored, false and undefined too", () => {
  const store = new KvsStore();
  const value = parse("{[1.5,<<3:2>>],#{a => 'b c'}}");
  expect(store.store(1, value)).toBe(true);
  expect((store.lookup(1) as unknown as Term[])[1]).toBe(value);
  store.store(2, false);
  store.store(3, UNDEFINED);
  expect(store.lookup(2)).toStrictEqual(ok(false));
  expect(store.lookup(3)).toStrictEqual(ok(UNDEFINED));
});

test("a second value takes the place of the first", () => {
  const store = new KvsStore();
  store.store(atom("weather"), atom("fine"));
  store.store(atom("weather"), atom("rain"));
  expect(store.lookup(atom("weather"))).toStrictEqual(ok(atom("rain")));
  expect(store.size).toBe(1);
});

test("what was never stored is undefined", () => {
  const store = new KvsStore();
  store.store(1, 1);
  expect(store.lookup(2)).toBe(UNDEFINED);
});

test("keys are told apart as =:= does, and found when they equal", () => {
  const store = new KvsStore();
  const keys = [
    "1",
    "1.0",
    "-0.0",
    "0.0",
    "0",
    "a",
    '"a"',
    '<<"a">>',
    "[]",
    "{}",
    "#{}",
    "{location,joe}",
    "[location,joe]",
    "[location|joe]",
    "#{1 => a}",
    "#{1.0 => a}",
    "<<1:1>>",
    "true",
    "18446744073709551616",
  ];
  for (const [place, key] of keys.entries()) store.store(parse(key), place);
  expect(store.size).toBe(keys.length);
  for (const [place, key] of keys.entries()) {
    expect(store.lookup(parse(key))).toStrictEqual(ok(place));
  }
  const pid = (creation: number) => new Pid("bilbo@vm", 1, 2, creation);
  store.store(pid(3), "joe" as unknown as Term);
  expect(store.lookup(pid(3))).not.toBe(UNDEFINED);
  expect(store.lookup(pid(4))).toBe(UNDEFINED);
  expect(encode(store.lookup(new Float(1)))).toEqual(encode(ok(1)));
});
