import { expect, test } from "vitest";
import { atom, parse, type Term, tuple } from "../../../etf/index.ts";
import { STATE_TIMEOUT, StatemTimeouts } from "../../../src/otp/behaviours/gen-statem-timeouts.ts";
import { TIMEOUT } from "../../../src/otp/gen/atoms.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function timeouts() {
  const clock = new FakeClock();
  const delivered: Term[] = [];
  const all = new StatemTimeouts(clock, (message) => delivered.push(message));
  return { clock, delivered, all };
}

test("a time-out is delivered when its time has passed, and makes one event", async () => {
  const { clock, delivered, all } = timeouts();
  all.start(parse("{timeout, n}"), 10, 7);
  expect(all.status()).toStrictEqual(tuple(1, [tuple(parse("{timeout, n}"), 7)]));
  await clock.advance(10);
  expect(delivered.map((message) => all.isTimer(message))).toEqual([true]);
  expect(all.passed(delivered[0]!)).toEqual({ type: "timeout", name: atom("n"), content: 7 });
  expect(all.passed(delivered[0]!)).toBeUndefined();
  expect(all.status()).toStrictEqual(tuple(0, []));
});

test("a message of the same form is not a time-out", () => {
  const { all } = timeouts();
  expect(all.isTimer(tuple(atom("timeout"), atom("timeout")) as Term)).toBe(false);
  expect(all.isTimer(1)).toBe(false);
});

test("a restarted time-out replaces the one of its type, and a cancelled one makes no event", async () => {
  const { clock, delivered, all } = timeouts();
  all.start(STATE_TIMEOUT, 10, 1);
  all.start(STATE_TIMEOUT, 20, 2);
  all.start(TIMEOUT, 5, 3);
  await clock.advance(5);
  all.cancel(TIMEOUT);
  expect(all.passed(delivered[0]!)).toBeUndefined();
  await clock.advance(100);
  expect(delivered.slice(1).map((message) => all.passed(message))).toEqual([
    { type: "state_timeout", content: 2 },
  ]);
  all.start(STATE_TIMEOUT, Number.POSITIVE_INFINITY, 4);
  expect(clock.timerCount).toBe(0);
});

test("time-outs of 0 are taken in order", () => {
  const { all, clock } = timeouts();
  all.start(TIMEOUT, 0, 1);
  all.update(parse("{timeout, n}"), 2);
  all.update(TIMEOUT, 3);
  all.start(STATE_TIMEOUT, 10, 4);
  expect(all.takeZero()).toEqual({ type: "timeout", content: 3 });
  expect(all.takeZero()).toEqual({ type: "timeout", name: atom("n"), content: 2 });
  expect(all.takeZero()).toBeUndefined();
  all.cancelAll();
  expect(clock.timerCount).toBe(0);
});
