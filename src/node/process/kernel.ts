/**
 * What a process needs of its node: one object for all processes. Its parts are ports that the folders
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

/** The node, as its processes see it. */
export interface Kernel {
  readonly clock: Clock;
  readonly references: MadeReferences;
  /** The limit for the mailboxes of all processes together. */
  readonly mailboxBudget: MailboxBudget;
  readonly signals: SendPort;
  readonly links: LinkPort;
  readonly monitors: MonitorPort;
  readonly aliases: AliasPort;
  readonly spawner: SpawnPort;
  /** Ends a process whose mailbox holds more than `maxBytes`. */
  overfull(process: Process, maxBytes: number): void;
  newReference(): Reference;
  /** Makes a process, in the node's table, which does nothing yet. */
  newProcess(groupLeader: Pid, behaviour?: Behaviour): Process;
}

/** Messages and exit signals to processes of any node, and the end of a process. See SignalRouter. */
export interface SendPort {
  send(from: Process, to: Destination, message: TermInput, options?: SendOptions): Promise<void>;
  exit(process: Process, to: Pid, reason: Term, traceToken?: Term): void;
  register(process: Process, name: Atom): void;
  /** Notifies the links and monitors of a process, and removes it from the table. */
  processEnded(process: Process, reason: Term, encoded?: EncodedTerm): void;
}

/** See Links. */
export interface LinkPort {
  link(process: Process, to: Pid): void;
  unlink(process: Process, from: Pid): void;
}

/** See Monitors. */
export interface MonitorPort {
  monitor(process: Process, target: MonitorTarget, options: MonitorOptions): Reference;
  monitorWith(watcher: Process, target: MonitorTarget, ref: Reference, onDown: OnDown): void;
  demonitor(process: Process, ref: Reference): boolean;
}

/** See Aliases. */
export interface AliasPort {
  alias(process: Process, once: boolean): Reference;
  unalias(ref: Reference): boolean;
}

/** See Spawner. */
export interface SpawnPort {
  request(from: Process, node: Atom, what: RemoteFunction, options: RequestOptions): SpawnRequest;
  abandonRequest(from: Process, ref: Reference): boolean;
}
