/**
 * The records of what ties two processes together: links, monitors and aliases. The logic is in
 * signals/links.ts, monitors.ts and aliases.ts.
 */
import type { Atom, Pid, Reference, Term } from "../../../etf/index.ts";
import type { Process } from "./process.ts";

/** A link, as one of the two linked processes holds it. */
export interface Link {
  readonly local: Process;
  readonly other: Pid;
  /** Set while UNLINK_ID waits for its acknowledgement; the link is then not in force. */
  unlinkId: number | undefined;
}

/** Why a connection was lost, or was never established. */
export interface Lost {
  readonly error: Error;
  /** False if the connection was never established, so that nothing was sent. */
  readonly wasUp: boolean;
}

/** Gets the reason of an end; `lost` is set if this node lost the connection (`noconnection`). */
export type OnDown = (reason: Term, lost?: Lost) => void;

/** The options of a monitor, as in `monitor/3`. */
export interface MonitorOptions {
  /**
   * Makes the monitor's reference an alias of the watcher as well. `explicit_unalias`: only `unalias`
   * removes it; `demonitor`: it ends with the monitor; `reply_demonitor`: also the first message to it
   * removes both it and the monitor.
   */
  alias?: "explicit_unalias" | "demonitor" | "reply_demonitor";
  /** Replaces `'DOWN'` in the message. */
  tag?: Term;
}

/** A monitor set by a process of this node. */
export interface OutgoingMonitor {
  readonly ref: Reference;
  readonly watcher: Process;
  /** A pid, or a registered name with the node it is on. */
  readonly target: Pid | { readonly name: Atom; readonly node: Atom };
  /** Gets the reason in place of a DOWN message. */
  readonly onDown?: OnDown | undefined;
  /** Replaces `'DOWN'` in the message. */
  readonly tag?: Term | undefined;
  /** The record on the target's side, if the target is a process of this node. */
  incoming?: IncomingMonitor | undefined;
}

/** A monitor set on a process of this node, by a process here or elsewhere. */
export interface IncomingMonitor {
  readonly ref: Reference;
  readonly watcher: Pid;
  readonly target: Process;
  /** The name that the monitor was set on; undefined if it was set on the pid. */
  readonly name: Atom | undefined;
}

/** A reference through which a process receives messages. */
export interface Alias {
  readonly process: Process;
  /** The first message removes the alias. */
  readonly once: boolean;
  /** The alias belongs to the monitor with the same reference and ends with it; `once` ends both. */
  readonly ofMonitor?: boolean;
  /** Gets the messages in place of the process. */
  readonly onMessage?: ((message: Term) => void) | undefined;
}
