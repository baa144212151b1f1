/** What the processes of a node have in common: what each asks of it, one object for all. */
import type { Atom, Pid, Reference, Term, TermInput } from "../../../etf/index.ts";
import type { EncodedTerm } from "../../distribution/encoded-term.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Spawner } from "../spawn/spawner.ts";
import type { MadeReferences } from "./mailbox.ts";
import type { MailboxBudget } from "./mailbox-budget.ts";
import type { MonitorOptions, OnDown } from "./monitor.ts";
import type { Behaviour, Destination, MonitorTarget, Process, SendOptions } from "./process.ts";

export interface ProcessHost {
  readonly signals: Signals;
  readonly clock: Clock;
  readonly references: MadeReferences;
  /** What the mailboxes of all processes may hold. */
  readonly mailboxBudget: MailboxBudget;
  readonly spawner: Pick<Spawner, "request" | "abandonRequest">;
  /** Ends a process whose mailbox holds more than that many bytes. */
  overfull(process: Process, maxBytes: number): void;
  newReference(): Reference;
  /** A process that is in the node's table and does nothing yet. */
  newProcess(groupLeader: Pid, behaviour?: Behaviour): Process;
}

/** Signals to other processes, wherever they are. */
export interface Signals {
  send(from: Process, to: Destination, message: TermInput, options?: SendOptions): Promise<void>;
  link(process: Process, to: Pid): void;
  unlink(process: Process, from: Pid): void;
  monitor(process: Process, target: MonitorTarget, options: MonitorOptions): Reference;
  monitorWith(watcher: Process, target: MonitorTarget, ref: Reference, onDown: OnDown): void;
  demonitor(process: Process, ref: Reference): boolean;
  alias(process: Process, once: boolean): Reference;
  unalias(ref: Reference): boolean;
  exit(process: Process, to: Pid, reason: Term, traceToken?: Term): void;
  register(process: Process, name: Atom): void;
  /** Tells links and monitors, and forgets the process. */
  buried(process: Process, reason: Term, encoded?: EncodedTerm): void;
}
