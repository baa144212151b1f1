/** Waiting for a condition or a promise, with a limit; never for a fixed time. */

import { setTimeout as sleep } from "node:timers/promises";
import { InteropError } from "./errors.ts";

/** Long enough for a busy machine; success does not wait for it. */
const WAIT_TIMEOUT_MS = 60_000;

/** Limits of `waitUntil`. */
export interface WaitOptions {
  /** Default 60,000. */
  timeoutMs?: number;
  /** Between two calls of the condition; default 20. */
  intervalMs?: number;
  /** What the test waits for, for the error's message. */
  description?: string;
}

/**
 * Calls `condition` until it returns something other than `false`, `undefined` and `null`, and returns
 * that.
 *
 * An exception of `condition` counts as "not yet"; the last one is the `cause` of the time-out.
 * @throws InteropError INTEROP_TIMEOUT
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | undefined | null>> {
  const timeoutMs = options.timeoutMs ?? WAIT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    let value: unknown;
    try {
      value = await condition();
      if (value !== false && value !== undefined && value !== null) {
        return value as Exclude<T, false | undefined | null>;
      }
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      const why = failure === undefined ? "" : `; last: ${String(failure)}`;
      throw new InteropError(
        "INTEROP_TIMEOUT",
        `waited ${timeoutMs} ms for ${options.description ?? condition.toString()}${why}`,
        { cause: failure },
      );
    }
    await sleep(options.intervalMs ?? 20);
  }
}

/**
 * Returns what `promise` resolves to, or throws after `timeoutMs`; the work behind the promise goes on.
 * @throws InteropError INTEROP_TIMEOUT
 */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  description: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new InteropError("INTEROP_TIMEOUT", `waited ${timeoutMs} ms for ${description}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
