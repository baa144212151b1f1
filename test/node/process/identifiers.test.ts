import { describe, expect, test, vi } from "vitest";
import { atom, Pid, Reference } from "../../../etf/index.ts";
import {
  Identifiers,
  localPidKey,
  PidMap,
  ReferenceMap,
} from "../../../src/node/process/identifiers.ts";

const NODE = atom("gandalf@vm");
const nobody = () => false;

describe("pids", () => {
  test("have the node's name and creation and increasing numbers", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 0);
    expect(identifiers.newPid(nobody)).toEqual(new Pid("gandalf@vm", 1, 0, 9));
    expect(identifiers.newPid(nobody)).toEqual(new Pid("gandalf@vm", 2, 0, 9));
  });

  test("use 15 bits of id, then the serial", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 0);
    const full = identifiers.newPid((key) => key < 2 ** 15 - 1);
    expect(full).toMatchObject({ id: 2 ** 15 - 1, serial: 0 });
    expect(identifiers.newPid(nobody)).toMatchObject({ id: 0, serial: 1 });
  });

  test("skip those in use", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 0);
    const keys = [1, 2, 3].map(() => localPidKey(identifiers.newPid((key) => key % 10 !== 0)));
    expect(keys).toEqual([10, 20, 30]);
  });

  test("are never made twice while in use", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 0);
    const used = new Set<number>();
    for (let made = 0; made < 40_000; made++) {
      const key = localPidKey(identifiers.newPid((taken) => used.has(taken)));
      used.add(key);
    }
    expect(used.size).toBe(40_000);
  });
});

describe("references", () => {
  test("are distinguished by their order, and from those of other nodes", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 2 ** 32 - 2);
    const refs = [1, 2, 3, 4].map(() => identifiers.newReference());
    expect(identifiers.made).toBe(4);
    expect(refs.map((ref) => identifiers.madeBefore(ref))).toEqual([0, 1, 2, 3]);
    const again = new Identifiers({ node: NODE, creation: 9 }, 2 ** 32 - 2);
    expect(again.madeBefore(refs[0]!)).toBe(-1);
    for (const foreign of [
      new Reference("bilbo@vm", 9, [...refs[0]!.ids]),
      new Reference(NODE, 8, [...refs[0]!.ids]),
      new Reference(NODE, 9, [1]),
    ]) {
      expect(identifiers.madeBefore(foreign)).toBeLessThan(0);
    }
  });

  test("have three words, 18 bits in the first", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 2 ** 18 - 1);
    expect(identifiers.newReference()).toEqual(new Reference(NODE, 9, [2 ** 18 - 1, 0, 0]));
    expect(identifiers.newReference()).toEqual(new Reference(NODE, 9, [0, 1, 0]));
    expect(identifiers.newReference()).toEqual(new Reference(NODE, 9, [1, 1, 0]));
  });

  test("carry into the third word", () => {
    const identifiers = new Identifiers({ node: NODE, creation: 9 }, 2 ** 50 - 1);
    expect(identifiers.newReference().ids).toEqual([2 ** 18 - 1, 2 ** 32 - 1, 0]);
    expect(identifiers.newReference().ids).toEqual([0, 0, 1]);
  });

  test("differ by the seed after a restart with the same creation", () => {
    const [first, second] = [5, 6].map((seed) =>
      new Identifiers({ node: NODE, creation: 9 }, seed).newReference(),
    );
    expect(first!.equals(second)).toBe(false);
  });
});

describe("a map keyed by identifiers", () => {
  const pid = (id: number, serial = 0, creation = 1) => new Pid("bilbo@vm", id, serial, creation);

  test("finds keys that are equal, not only identical", () => {
    const map = new PidMap<string>();
    map.set(pid(1), "one");
    expect(map.get(pid(1))).toBe("one");
    map.set(pid(1), "uno");
    expect(map.get(pid(1))).toBe("uno");
    expect(map.size).toBe(1);
    expect(map.get(new Pid("gandalf@vm", 1, 0, 1))).toBeUndefined();
    expect(map.get(pid(1, 0, 2))).toBeUndefined();
  });

  test("separates keys with the same hash, whichever is removed", () => {
    const keys = [1, 2, 3, 4].map((creation) => pid(1, 0, creation));
    for (const gone of keys) {
      const map = new PidMap<number>();
      for (const key of keys) map.set(key, key.creation);
      expect(map.delete(gone)).toBe(true);
      expect(map.delete(gone)).toBe(false);
      expect(map.size).toBe(3);
      const left = keys.filter((key) => key !== gone);
      expect(keys.map((key) => map.get(key))).toEqual(
        keys.map((key) => (key === gone ? undefined : key.creation)),
      );
      expect(map.values().sort()).toEqual(left.map((key) => key.creation));
      expect(new Set(map.keys())).toEqual(new Set(left));
    }
  });

  test("finds, replaces and removes each of many keys with the same hash", () => {
    const keys = Array.from({ length: 100_000 }, (_, creation) => pid(1, 0, creation));
    const map = new PidMap<number>();
    for (const key of keys) map.set(key, 0);
    for (const key of keys) map.set(key, key.creation);
    expect([map.size, map.values().length, map.keys().length]).toEqual([100_000, 100_000, 100_000]);
    expect(keys.every((key) => map.get(key) === key.creation)).toBe(true);
    expect(map.get(pid(1, 0, 100_000))).toBeUndefined();
    for (const key of keys) expect(map.take(key)).toBe(key.creation);
    expect([map.size, map.delete(keys[5]!), map.values()]).toEqual([0, false, []]);
    map.set(keys[5]!, 7);
    expect([map.get(keys[5]!), map.size]).toEqual([7, 1]);
  });

  test("compares each of many keys with the same hash with only a few others", () => {
    const keys = Array.from({ length: 5000 }, (_, creation) => pid(1, 0, creation));
    const equals = vi.spyOn(Pid.prototype, "equals");
    const map = new PidMap<number>();
    for (const key of keys) map.set(key, key.creation);
    for (const key of keys) map.set(pid(1, 0, key.creation), key.creation + 1);
    expect(map.size).toBe(5000);
    expect(map.values().reduce((sum, value) => sum + value, 0)).toBe((5000 * 5001) / 2);
    expect(map.keys()).toHaveLength(5000);
    expect(map.get(pid(1, 0, 5000))).toBeUndefined();
    for (const [at, key] of keys.entries()) {
      expect(map.get(key)).toBe(at + 1);
      // The first ones make room for new ones.
      if (at % 2 === 0) expect(map.take(key)).toBe(at + 1);
    }
    for (const [at, key] of keys.entries()) map.set(key, at);
    expect(map.size).toBe(5000);
    for (const [at, key] of keys.entries()) expect(map.take(key)).toBe(at);
    expect([map.size, map.keys()]).toEqual([0, []]);
    expect(equals.mock.calls.length).toBeLessThan(5000 * 100);
    equals.mockRestore();
  });

  test("takes values out, and clears", () => {
    const map = new PidMap<string>();
    map.set(pid(1), "one");
    map.set(pid(2), "two");
    expect(map.take(pid(1))).toBe("one");
    expect(map.take(pid(1))).toBeUndefined();
    map.clear();
    expect([map.size, map.values(), map.get(pid(2))]).toEqual([0, [], undefined]);
  });

  test("by reference: trailing words of 0 make no difference, others do", () => {
    const ref = (...ids: number[]) => new Reference("bilbo@vm", 1, ids);
    const map = new ReferenceMap<string>();
    map.set(ref(1), "short");
    map.set(ref(1, 2, 3), "long");
    map.set(ref(1, 2, 3, 4, 5), "longest");
    expect(map.get(ref(1, 0, 0))).toBe("short");
    expect(map.get(ref(1, 2, 3, 0))).toBe("long");
    expect(map.get(ref(1, 2, 3, 4, 5))).toBe("longest");
    expect(map.get(ref(1, 2))).toBeUndefined();
    expect(map.size).toBe(3);
  });
});
