/**
 * What a node tells: of connections as `net_kernel:monitor_nodes/2` does, and what OTP would log.
 *
 *   {nodeup, Node, [{node_type, Type}]}
 *   {nodedown, Node, [{nodedown_reason, Reason}, {node_type, Type}]}
 * Of the reasons that net_kernel documents, those that only its own parts can bring do not occur here:
 * no_network, send_net_tick_failed, get_status_failed. A connection that never came about is no
 * nodedown, so connection_setup_failed does not occur either: OTP has it for a set-up that breaks
 * between nodeup and the first signal, and here nodeup is told when nothing can break any more.
 */

import { type Atom, atom, type Pid, type Term, TermMap, tuple } from "../../etf/index.ts";
import type { ConnectionClosedError, DistProtocolError } from "../distribution/errors.ts";
import { INFINITY, KILLED, LABEL, SHUTDOWN } from "./atoms.ts";
import type { Process } from "./process/process.ts";

/** Hidden when either side of the connection is a hidden node. */
export type NodeType = "visible" | "hidden";

export interface NodeUp {
  readonly name: string;
  readonly nodeType: NodeType;
}

export interface NodeDown {
  readonly name: string;
  readonly nodeType: NodeType;
  /** Why, as OTP names it: `connection_closed`, `disconnect`, `net_tick_timeout` and others. */
  readonly reason: Atom;
  /** Why, in words; its `code` tells the cases apart. */
  readonly error: Error;
}

export interface MailboxesHalfFull {
  /** Bytes of the messages waiting in all mailboxes. */
  readonly bytes: number;
  /** The option `maxMailboxBytes`. */
  readonly maxBytes: number;
  /** The process whose waiting messages take most. */
  readonly largest: { readonly pid: Pid; readonly registeredName?: string; readonly bytes: number };
}

export interface NodeEvents {
  /** A connection is up. */
  nodeup: [NodeUp];
  /** A connection is gone. */
  nodedown: [NodeDown];
  /** Somebody connected and was not let in: a wrong cookie, missing flags, no Erlang node at all. */
  rejected: [{ readonly error: Error }];
  /**
   * The messages waiting in all mailboxes take half of the option `maxMailboxBytes`: told once, and
   * again after they have taken less than a quarter.
   */
  mailboxes: [MailboxesHalfFull];
  /** What OTP would log: a server that ended badly, a message that nobody handled. */
  log: [LogEvent];
}

const REASONS: Readonly<Record<ConnectionClosedError["code"], Atom>> = {
  CONN_CLOSED: atom("connection_closed"),
  CONN_DISCONNECTED: atom("disconnect"),
  CONN_NET_TICK_TIMEOUT: atom("net_tick_timeout"),
  CONN_OVERLOADED: SHUTDOWN,
};
const NET_KERNEL_TERMINATED = atom("net_kernel_terminated");

/** The reason OTP would give for the end of a connection. */
export function nodedownReason(
  error: ConnectionClosedError | DistProtocolError,
  stopping: boolean,
): Atom {
  if (error.name === "DistProtocolError") return KILLED;
  const { code } = error as ConnectionClosedError;
  return stopping && code === "CONN_DISCONNECTED" ? NET_KERNEL_TERMINATED : REASONS[code];
}

export type LogLevel = "error" | "warning" | "info" | "debug";

export interface LogEvent {
  readonly level: LogLevel;
  /** The report map of OTP's logger, such as `#{label => {gen_server,terminate}, ...}`. */
  readonly report: TermMap;
  /** The process that it is about. */
  readonly pid: Pid;
}

/**
 * A process is ended because the messages that wait for it take too much, as `max_heap_size` ends one
 * in OTP: `#{label => {process, mailbox_limit}, pid, registered_name, message_queue_len,
 * message_queue_bytes, max_bytes, kill => true}`.
 */
export function overfullEvent(process: Process, maxBytes: number): LogEvent {
  const { pid, nameTerm, messageQueueLength, messageBytes } = process;
  const report = reportOf("process", "mailbox_limit", [
    ["pid", pid],
    ["registered_name", nameTerm ?? []],
    ["message_queue_len", messageQueueLength],
    ["message_queue_bytes", messageBytes],
    ["max_bytes", Number.isFinite(maxBytes) ? Math.floor(maxBytes) : INFINITY],
    ["kill", true],
  ]);
  return { level: "error", report, pid };
}

/** `#{label => {Who, What}, Key => Value, ...}`. */
export function reportOf(
  who: string,
  what: string,
  rows: readonly (readonly [string, Term])[],
): TermMap {
  return new TermMap<Term, Term>([
    [LABEL, tuple(atom(who), atom(what))],
    ...rows.map(([key, value]): [Term, Term] => [atom(key), value]),
  ]);
}
