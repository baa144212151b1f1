/**
 * Time and deferral as handed to the protocol code, so that a test can move both by hand.
 */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the handle cancels it. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` when the current turn of the event loop has handled its input. */
  defer(callback: () => void): void;
}

export interface Timer {
  cancel(): void;
}

/** What is longer, `setTimeout` takes for 1 ms. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The platform's timers. They do not keep a program alive: open sockets do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const goesOn = leftMs > LONGEST_TIMEOUT_MS;
      handle = goesOn
        ? setTimeout(() => arm(leftMs - LONGEST_TIMEOUT_MS), LONGEST_TIMEOUT_MS)
        : setTimeout(callback, leftMs);
      handle.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  defer: (callback) => {
    setImmediate(callback);
  },
};
