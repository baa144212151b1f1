/**
 * What a process asks of its node: one object for all processes, whose parts are ports that the folders
 * above this one implement.
 */
import type { Atom, Pid, Reference, Term, TermInput } from "../../../etf/index.ts";
import type { EncodedTerm } from "../../distribution/encoded-term.ts";
import type { Clock } from "../../transport/clock.ts";
import type { MadeReferences } from "./mailbox.ts";
import type { MailboxBudget } from "./mailbox-budget.ts";
import type { Behaviour, Destination, MonitorTarget, Process, SendOptions } from "./process.ts";
import type { RemoteFunction, RequestOptions, SpawnRequest } from "./spawn-request.ts";
import type { MonitorOptions, OnDown } from "./ties.ts";

export interface Kernel {
  readonly clock: Clock;
  readonly references: MadeReferences;
  /** What the mailboxes of all processes may hold. */
  readonly mailboxBudget: MailboxBudget;
  readonly signals: SendPort;
  readonly links: LinkPort;
  readonly monitors: MonitorPort;
  readonly aliases: AliasPort;
  readonly spawner: SpawnPort;
  /** Ends a process whose mailbox holds more than that many bytes. */
  overfull(process: Process, maxBytes: number): void;
  newReference(): Reference;
  /** A process that is in the node's table and does nothing yet. */
  newProcess(groupLeader: Pid, behaviour?: Behaviour): Process;
}

/** Messages and exit signals to other processes, wherever they are, and the end of a process. */
export interface SendPort {
  send(from: Process, to: Destination, message: TermInput, options?: SendOptions): Promise<void>;
  exit(process: Process, to: Pid, reason: Term, traceToken?: Term): void;
  register(process: Process, name: Atom): void;
  /** Tells those linked to a process and those that monitor it, and forgets it. */
  processEnded(process: Process, reason: Term, encoded?: EncodedTerm): void;
}

export interface LinkPort {
  link(process: Process, to: Pid): void;
  unlink(process: Process, from: Pid): void;
}

export interface MonitorPort {
  monitor(process: Process, target: MonitorTarget, options: MonitorOptions): Reference;
  monitorWith(watcher: Process, target: MonitorTarget, ref: Reference, onDown: OnDown): void;
  demonitor(process: Process, ref: Reference): boolean;
}

export interface AliasPort {
  alias(process: Process, once: boolean): Reference;
  unalias(ref: Reference): boolean;
}

export interface SpawnPort {
  request(from: Process, node: Atom, what: RemoteFunction, options: RequestOptions): SpawnRequest;
  abandonRequest(from: Process, ref: Reference): boolean;
}
