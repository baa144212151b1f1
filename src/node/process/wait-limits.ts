/** What limits a wait: a time, and a signal. */
import type { Clock } from "../../transport/clock.ts";

export interface WaitLimits {
  /** Milliseconds. Default: no limit, as with Infinity. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Calls back when the time is over or the signal fires, unless what is returned is called before: it
 * lets go of both. A signal that has fired already is not heard.
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
