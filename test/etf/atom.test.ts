import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { atomTableSize, internAtom } from "../../etf/atom.ts";
import { type Atom, atom, TermDecoder } from "../../etf/index.ts";

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
