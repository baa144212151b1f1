import { describe, expect, test } from "vitest";
import { Pid, Reference } from "../../../etf/index.ts";
import { PidMap, ReferenceMap } from "../../../src/node/process/identifiers.ts";

const NODES = ["a@b", "a@c"];
const NUMBERS = [0, 1, 300];

/** Each field takes each value, so that many pids have one hash. */
const pids = NODES.flatMap((node) =>
  NUMBERS.flatMap((id) =>
    NUMBERS.flatMap((serial) =>
      Array.from({ length: 5 }, (_, creation) => new Pid(node, id, serial, creation)),
    ),
  ),
);
const references = NODES.flatMap((node) =>
  [1, 2, 3].flatMap((creation) =>
    [
      ...NUMBERS.map((word) => [word + 1]),
      ...NUMBERS.flatMap((word) => [
        [word, 7, 7],
        [7, word, 7],
        [7, 7, word],
        [1, 7, 7, word + 1],
        [1, 7, 7, 7, word + 1],
      ]),
    ]
      .filter((ids, at, all) => all.findIndex((other) => `${other}` === `${ids}`) === at)
      .map((ids) => new Reference(node, creation, ids)),
  ),
);

const copyOfPid = ({ node, id, serial, creation }: Pid) => new Pid(node, id, serial, creation);
const copyOfReference = ({ node, creation, ids }: Reference) => new Reference(node, creation, ids);

describe.each([
  ["pids", () => new PidMap<number>(), pids, copyOfPid],
  ["references", () => new ReferenceMap<number>(), references, copyOfReference],
] as [string, () => PidMap<number>, Pid[], (key: Pid) => Pid][])(
  "a map of %s",
  (_, make, keys, copy) => {
    test("keeps those apart that differ in one field, and finds each by a copy", () => {
      const map = make();
      keys.forEach((key, at) => {
        expect(map.has(key)).toBe(false);
        map.set(key, at);
      });
      expect(map.size).toBe(keys.length);
      expect(keys.map((key) => map.get(copy(key)))).toEqual(keys.map((_, at) => at));
      expect(map.values().sort((a, b) => a - b)).toEqual(keys.map((_, at) => at));
      expect(new Set(map.keys())).toEqual(new Set(keys));
    });

    test("replaces a value and does not count it twice", () => {
      const map = make();
      for (const key of keys) map.set(key, -1);
      keys.forEach((key, at) => {
        map.set(copy(key), at);
      });
      expect(map.size).toBe(keys.length);
      expect(keys.map((key) => map.get(key))).toEqual(keys.map((_, at) => at));
    });

    test.each([
      ["in their order", (all: Pid[]) => all],
      ["backwards", (all: Pid[]) => all.toReversed()],
      [
        "from the middle",
        (all: Pid[]) => [...all.slice(all.length >> 1), ...all.slice(0, all.length >> 1)],
      ],
    ])("forgets one at a time, %s", (_, order) => {
      const map = make();
      keys.forEach((key, at) => {
        map.set(key, at);
      });
      let { size } = map;
      for (const key of order([...keys])) {
        expect(map.take(copy(key))).toBe(keys.indexOf(key));
        expect(map.delete(key)).toBe(false);
        expect(map.take(key)).toBeUndefined();
        expect(map.size).toBe(--size);
      }
      expect(map.values()).toEqual([]);
    });

    test("is empty once cleared", () => {
      const map = make();
      keys.forEach((key, at) => {
        map.set(key, at);
      });
      map.clear();
      expect([map.size, map.has(keys.at(-1)!), map.values()]).toEqual([0, false, []]);
    });
  },
);
