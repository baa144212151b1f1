import { expect, test } from "vitest";
import { NamePool } from "../../../src/node/identity/name-pool.ts";

test("names are new, in OTP's form, until some are given back", () => {
  let next = 1n;
  const pool = new NamePool(() => next++ * 2n ** 60n + 7n);
  const first = pool.take("vm")!;
  expect(first.name).toMatch(/^[0-9A-Z]{12,13}@vm$/);
  expect(first.creation).toBe(8);
  const second = pool.take("vm")!;
  expect(second.name).not.toBe(first.name);
  pool.giveBack(first);
  expect(pool.take("moria")!.name).toMatch(/@moria$/);
  expect(pool.take("vm")).toEqual({ name: first.name, creation: 9 });
  expect(pool.take("vm")!.name).not.toBe(first.name);
});

test("creations wrap around and skip the lowest", () => {
  const pool = new NamePool(() => 2n ** 32n - 2n);
  const { name, creation } = pool.take("vm")!;
  expect(creation).toBe(2 ** 32 - 1);
  pool.giveBack({ name, creation });
  expect(pool.take("vm")).toEqual({ name, creation: 4 });
});

test("at most a thousand names are kept, whatever their hosts", () => {
  let next = 1n;
  const pool = new NamePool(() => next++);
  const given = Array.from({ length: 1500 }, (_, at) => pool.take(`h${at}`)!);
  for (const name of given) pool.giveBack(name);
  const again = given.map((_, at) => pool.take(`h${at}`)!);
  expect(again.filter(({ name }, at) => name === given[at]!.name)).toHaveLength(1000);
  for (const name of given) pool.giveBack(name);
  expect(pool.take("h0")!.name).toBe(given[0]!.name);
});

test.each(["two words", "x".repeat(250), ""])("the host %j gets no name", (host) => {
  expect(new NamePool(() => 1n << 63n).take(host)).toBeUndefined();
});
