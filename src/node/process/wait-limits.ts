/** What can end a wait early: a timeout and an abort signal. */
import type { Clock } from "../../transport/clock.ts";

/** The limits of a wait. */
export interface WaitLimits {
  /** Milliseconds. Default: no limit, as with Infinity. */
  timeoutMs?: number | undefined;
  /** Ends the wait when it fires. */
  signal?: AbortSignal | undefined;
}

/**
 * Calls `timedOut` after the timeout, or `aborted` when the signal fires. Call the returned function to
 * release the timer and the signal. A signal that has already fired has no effect.
 */
export function limitWait(
  clock: Clock,
  { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitLimits,
  timedOut: (timeoutMs: number) => void,
  aborted: (reason: unknown) => void,
): () => void {
  const timer = Number.isFinite(timeoutMs)
    ? clock.setTimer(timeoutMs, () => timedOut(timeoutMs))
    : undefined;
  const onAbort = (): void => aborted(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  return () => {
    timer?.cancel();
    signal?.removeEventListener("abort", onAbort);
  };
}
