import { expect, test } from "vitest";
import type { NodeEntry } from "../../src/epmd/messages.ts";
import { NameRegistry } from "../../src/epmd/registry.ts";

const node = (name: string, highestVersion = 6): NodeEntry => ({
  name,
  tcpPort: 1000,
  nodeType: 77,
  protocol: 0,
  highestVersion,
  lowestVersion: 5,
  extra: new Uint8Array(),
});

const NOW = 0x6b03de3f;

test("a name belongs to one node at a time", () => {
  const names = new NameRegistry();
  expect(names.register(node("a"), 1, NOW)).toMatchObject({ name: "a", descriptor: 1 });
  expect(names.register(node("a"), 2, NOW)).toBeUndefined();
  expect(names.find("a")?.descriptor).toBe(1);
  expect(names.unregister("a")?.descriptor).toBe(1);
  expect(names.unregister("a")).toBeUndefined();
  expect(names.register(node("a"), 2, NOW)).toMatchObject({ descriptor: 2 });
});

test("creations begin with the time and differ from life to life, as epmd's do", () => {
  const names = new NameRegistry();
  const lives: (number | undefined)[] = [];
  // What epmd of OTP 25 answered to the same registrations: 3, 1, 2, then 6b03de42.
  for (const version of [5, 5, 5, 6]) {
    lives.push(names.register(node("five", version), 1, NOW)?.creation);
    names.unregister("five");
  }
  expect(lives).toEqual([3, 1, 2, 0x6b03de42]);
  expect(names.register(node("other"), 1, NOW + 0.9)?.creation).toBe(NOW);
});

test("a creation is never one of 0 to 3 for a node of version 6", () => {
  const names = new NameRegistry();
  expect(names.register(node("a"), 1, 0)?.creation).toBe(4);
  expect(names.register(node("b"), 1, 2 ** 32 + 1)?.creation).toBe(4);
  expect(names.register(node("c"), 1, 2 ** 32 - 1)?.creation).toBe(2 ** 32 - 1);
  names.unregister("c");
  expect(names.register(node("c"), 1, 9)?.creation).toBe(4);
});

test("names come newest first, and unused ones are forgotten beyond a thousand", () => {
  const names = new NameRegistry();
  names.register(node("a"), 1, NOW);
  names.register(node("b"), 2, NOW);
  expect(names.active().map(({ name }) => name)).toEqual(["b", "a"]);
  for (let n = 0; n < 1500; n++) {
    names.register(node(`n${n}`), 3, NOW);
    names.unregister(`n${n}`);
  }
  expect(names.unused()).toHaveLength(1000);
  expect(names.unused()[0]).toEqual({ name: "n500", tcpPort: 1000 });
  expect(names.register(node("n499"), 3, NOW + 5)?.creation).toBe(NOW + 5);
  expect(names.register(node("n500"), 3, NOW + 5)?.creation).toBe(NOW + 1);
});
