/**
 * Monitors, as the two sides hold them.
 *
 * Spec: erl_dist_protocol, MONITOR_P, DEMONITOR_P, MONITOR_P_EXIT.
 */
import type { Atom, Pid, Reference, Term } from "../../etf/index.ts";
import type { Process } from "./process.ts";

/** How a connection was lost, or why it never came about. */
export interface Lost {
  readonly error: Error;
  /** False when nothing was ever sent. */
  readonly wasUp: boolean;
}

/** Takes the reason of an end; `lost` is set when it is `noconnection` because of us. */
export type OnDown = (reason: Term, lost?: Lost) => void;

/** Options of a monitor, as those of `monitor/3`. */
export interface MonitorOptions {
  /**
   * Makes the monitor's reference an alias of the watcher as well. It is taken back by `unalias`
   * only, with the monitor (`demonitor`), or with the monitor and both by the first message that
   * it brings (`reply_demonitor`).
   */
  alias?: "explicit_unalias" | "demonitor" | "reply_demonitor";
  /** Stands in the message in the place of `'DOWN'`. */
  tag?: Term;
}

/** A monitor set by a process of this node. */
export interface OutgoingMonitor {
  readonly ref: Reference;
  readonly watcher: Process;
  /** A pid, or a registered name with the node it is on. */
  readonly target: Pid | { readonly name: Atom; readonly node: Atom };
  /** Takes the reason instead of a DOWN message to the watcher. */
  readonly onDown?: OnDown | undefined;
  /** Instead of `'DOWN'`. */
  readonly tag?: Term | undefined;
}

/** A monitor set on a process of this node, by a process here or elsewhere. */
export interface IncomingMonitor {
  readonly ref: Reference;
  readonly watcher: Pid;
  readonly target: Process;
  /** The name it was set on, if it was not set on the pid. */
  readonly name: Atom | undefined;
}
