/**
 * What ties two processes together, as records: links, monitors and aliases. What happens to them is in
 * signals/links.ts, monitors.ts and aliases.ts.
 */
import type { Atom, Pid, Reference, Term } from "../../../etf/index.ts";
import type { Process } from "./process.ts";

/** A link, as one of the processes it links holds it. */
export interface Link {
  readonly local: Process;
  readonly other: Pid;
  /** Set while UNLINK_ID waits for its acknowledgement: the link is not in force. */
  unlinkId: number | undefined;
}

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
  /** The other side of it, when that is a process of this node. */
  incoming?: IncomingMonitor | undefined;
}

/** A monitor set on a process of this node, by a process here or elsewhere. */
export interface IncomingMonitor {
  readonly ref: Reference;
  readonly watcher: Pid;
  readonly target: Process;
  /** The name it was set on, if it was not set on the pid. */
  readonly name: Atom | undefined;
}

/** A reference by which a process receives. */
export interface Alias {
  readonly process: Process;
  /** Taken back by the first message. */
  readonly once: boolean;
  /** Made with a monitor of the same reference, and taken back with it; by `once` both are. */
  readonly ofMonitor?: boolean;
  /** Takes the message instead of the process. */
  readonly onMessage?: ((message: Term) => void) | undefined;
}
