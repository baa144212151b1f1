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

/** A monitor set by a process of this node. */
export interface OutgoingMonitor {
  readonly ref: Reference;
  readonly watcher: Process;
  /** A pid, or a registered name with the node it is on. */
  readonly target: Pid | { readonly name: Atom; readonly node: Atom };
  /** Takes the reason instead of a DOWN message to the watcher. */
  readonly onDown?: OnDown | undefined;
}

/** A monitor set on a process of this node, by a process here or elsewhere. */
export interface IncomingMonitor {
  readonly ref: Reference;
  readonly watcher: Pid;
  readonly target: Process;
  /** The name it was set on, if it was not set on the pid. */
  readonly name: Atom | undefined;
}
