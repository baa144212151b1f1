import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { untilInterrupted } from "../../src/cli/signals.ts";
import { deferred } from "../../src/transport/deferred.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const before = SIGNALS.map((signal) => process.listeners(signal));
const added = (signal: NodeJS.Signals) =>
  process.listeners(signal).filter((one) => !before.flat().includes(one));
const send = (signal: NodeJS.Signals) => {
  for (const listener of added(signal)) listener(signal);
};
/** The timers that keep the program alive. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

let exit: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
});
afterEach(() => {
  exit.mockRestore();
  for (const signal of SIGNALS) {
    for (const listener of added(signal)) process.off(signal, listener);
  }
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the wait, and a second one the program with %i", async (signal, code) => {
  const wait = untilInterrupted();
  send(signal);
  await wait;
  expect(exit).not.toHaveBeenCalled();
  send(signal);
  expect(exit.mock.calls).toEqual([[code]]);
});

test("the wait keeps the program alive until its promise is fulfilled", async () => {
  const idle = timers();
  const over = deferred<void>();
  const wait = untilInterrupted(over.promise);
  expect(timers()).toBe(idle + 1);
  over.resolve(undefined);
  await wait;
  expect(timers()).toBe(idle);
});
