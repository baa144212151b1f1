import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { atomTableSize, internAtom } from "../../etf/atom.ts";
import {
  type Atom,
  atom,
  atomOf,
  atomTerm,
  encode,
  fromPlain,
  namedAtom,
  TermDecoder,
  TermMap,
  toTerm,
  tuple,
} from "../../etf/index.ts";

function atomBytes(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  return Buffer.concat([Buffer.from([119, bytes.length]), bytes]);
}

test("an atom that is held stays the same, however many come after it", async () => {
  const decoder = new TermDecoder();
  const read = (name: string) => {
    const bytes = atomBytes(name);
    return decoder.decodeAt(bytes, 0, bytes.length) as Atom;
  };
  const held = read("held_by_the_test");
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 10_000; i++) read(`stranger_${round}_${i}`);
    await setImmediate();
  }
  expect(read("held_by_the_test")).toBe(held);
  expect(atom("held_by_the_test")).toBe(held);
  expect(internAtom("held_by_the_test")).toBe(held);
});

test("strangers do not stay", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const decoder = new TermDecoder();
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 5_000; i++) {
      const bytes = atomBytes(`passing_${round}_${i}`);
      decoder.decodeAt(bytes, 0, bytes.length);
    }
    await setImmediate();
    if (round % 8 === 7) collect();
  }
  expect(atomTableSize()).toBeLessThan(80_000);
});

test("true and false are the atoms of their names, and booleans as terms", () => {
  const [yes, no] = [namedAtom("true"), namedAtom("false")];
  expect([atomOf(true), atomOf(false), atomOf(atom("a"))]).toEqual([yes, no, atom("a")]);
  for (const none of ["true", 1, [], undefined, null, tuple(true)]) {
    expect(atomOf(none)).toBeUndefined();
  }
  expect([atomTerm(yes), atomTerm(no), atomTerm(atom("a"))]).toEqual([true, false, atom("a")]);
  expect(toTerm([yes, tuple(no)])).toEqual([true, tuple(false)]);
  expect(encode(yes)).toEqual(encode(true));
  expect(fromPlain({ true: 1 }, { keys: "atom" })).toEqual(new TermMap([[true, 1]]));
  expect(() => namedAtom("a".repeat(256))).toThrow(
    expect.objectContaining({ code: "ETF_ATOM_TOO_LONG" }),
  );
});
