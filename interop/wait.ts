/** Waiting for what happens, never for a time. */

import { setTimeout as sleep } from "node:timers/promises";
import { InteropError } from "./errors.ts";

/** Long enough for a machine that is busy with other work; success does not wait for it. */
const WAIT_TIMEOUT_MS = 60_000;

export interface WaitOptions {
  /** Default 60,000. */
  timeoutMs?: number;
  /** Between two looks; default 20. */
  intervalMs?: number;
  /** What is waited for, for the error's message. */
  description?: string;
}

/**
 * Calls `condition` until it gives something that is neither `false` nor `undefined` nor `null`,
 * and returns that.
 *
 * An exception of `condition` counts as "not yet"; the last one is the `cause` when time is up.
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
 * `promise`, or an error after `timeoutMs`. What the promise stands for goes on.
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
