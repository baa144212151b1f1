/**
 * Process aliases: references that receive, until they are taken back.
 *
 * Spec: erl_dist_protocol, ALIAS_SEND. A message to an alias that is no more is dropped, so a
 * reply that comes after a time-out disturbs nobody.
 */
import type { Term } from "../../../etf/index.ts";
import type { Process } from "./process.ts";

export interface Alias {
  readonly process: Process;
  /** Taken back by the first message. */
  readonly once: boolean;
  /** Made with a monitor of the same reference, and taken back with it; by `once` both are. */
  readonly ofMonitor?: boolean;
  /** Takes the message instead of the process. */
  readonly onMessage?: ((message: Term) => void) | undefined;
}
