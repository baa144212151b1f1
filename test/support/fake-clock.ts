/**
 * A clock that tests advance. Nothing happens between two calls of `advance` or `settle`.
 */
import type { Clock, Timer } from "../../src/transport/clock.ts";

interface Pending {
  at: number;
  order: number;
  callback: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Pending>();
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(pending);
    return { cancel: () => this.#timers.delete(pending) };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** How many timers are pending: set, and neither run nor cancelled. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** One turn of the event loop: promises first, then deferred calls. False if there were none. */
  async turn(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const callback of deferred) {
      callback();
      await Promise.resolve();
    }
    return deferred.length > 0;
  }

  /** Runs promises and deferred calls until nothing is left to run at this instant. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; ) idle = (await this.turn()) ? 0 : idle + 1;
  }

  /** Advances time and runs the timers that are due, in order, each at its own instant. */
  async advance(byMs: number): Promise<void> {
    const target = this.#now + byMs;
    await this.settle();
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.at <= target)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
      await this.settle();
    }
    this.#now = target;
  }
}
