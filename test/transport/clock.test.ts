import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../src/transport/clock.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([1, 1000, 2 ** 31 - 1, 2 ** 31, 1e11])("a timer of %d ms fires then", (delayMs) => {
  const fired = vi.fn();
  systemClock.setTimer(delayMs, fired);
  vi.advanceTimersByTime(delayMs - 1);
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test.each([1000, 1e11])("a timer of %d ms can be cancelled", (delayMs) => {
  const fired = vi.fn();
  const timer = systemClock.setTimer(delayMs, fired);
  vi.advanceTimersByTime(delayMs - 1);
  timer.cancel();
  vi.advanceTimersByTime(10);
  expect(fired).not.toHaveBeenCalled();
});
