/**
 * The events of a node: connections, as `net_kernel:monitor_nodes/2` reports them, and what OTP would log.
 *
 *   {nodeup, Node, [{node_type, Type}]}
 *   {nodedown, Node, [{nodedown_reason, Reason}, {node_type, Type}]}
 *
 * net_kernel documents reasons that only its own parts can cause: no_network, send_net_tick_failed,
 * get_status_failed. They do not occur here. Neither does connection_setup_failed: OTP reports it when a
 * set-up fails between nodeup and the first signal, and erldist emits nodeup only once the set-up can no
 * longer fail. A connection that was never established emits no nodedown.
 */
import { type Atom, atom, type Pid, type Term, TermMap, tuple } from "../../etf/index.ts";
import type { ConnectionClosedError, DistProtocolError } from "../distribution/errors.ts";
import { INFINITY, KILLED, LABEL, SHUTDOWN } from "./atoms.ts";
import type { Process } from "./process/process.ts";

/** `hidden` if either side of the connection is a hidden node. */
export type NodeType = "visible" | "hidden";

/** The event `nodeup`: the full name of the peer, and its type. */
export interface NodeUp {
  readonly name: string;
  readonly nodeType: NodeType;
}

/** The event `nodedown`: the full name of the peer, its type, and why the connection ended. */
export interface NodeDown {
  readonly name: string;
  readonly nodeType: NodeType;
  /** The reason as OTP names it: `connection_closed`, `disconnect`, `net_tick_timeout` and others. */
  readonly reason: Atom;
  /** The reason in words; `code` distinguishes the cases. */
  readonly error: Error;
}

/** The event `mailboxes`: how full the mailboxes of the node are. */
export interface MailboxesHalfFull {
  /** Bytes that the messages in all mailboxes take. */
  readonly bytes: number;
  /** The option `maxMailboxBytes`. */
  readonly maxBytes: number;
  /** The process with the largest mailbox. */
  readonly largest: { readonly pid: Pid; readonly registeredName?: string; readonly bytes: number };
}

/** The events of a node, with their arguments. */
export interface NodeEvents {
  /** A connection is up. */
  nodeup: [NodeUp];
  /** A connection has ended. */
  nodedown: [NodeDown];
  /** The node refused an incoming connection: wrong cookie, missing flags, not an Erlang node. */
  rejected: [{ readonly error: Error }];
  /**
   * The messages in all mailboxes take half of `maxMailboxBytes`. Emitted once, and again only after
   * they have dropped below a quarter.
   */
  mailboxes: [MailboxesHalfFull];
  /** What OTP would log: a server that crashed, a message that nobody handled. */
  log: [LogEvent];
}

const REASONS: Readonly<Record<ConnectionClosedError["code"], Atom>> = {
  CONN_CLOSED: atom("connection_closed"),
  CONN_DISCONNECTED: atom("disconnect"),
  CONN_NET_TICK_TIMEOUT: atom("net_tick_timeout"),
  CONN_OVERLOADED: SHUTDOWN,
};
const NET_KERNEL_TERMINATED = atom("net_kernel_terminated");

/** The nodedown reason that OTP would give. @param stopping whether this node is being stopped */
export function nodedownReason(
  error: ConnectionClosedError | DistProtocolError,
  stopping: boolean,
): Atom {
  if (error.name === "DistProtocolError") return KILLED;
  const { code } = error as ConnectionClosedError;
  return stopping && code === "CONN_DISCONNECTED" ? NET_KERNEL_TERMINATED : REASONS[code];
}

/** The level of a log event, as in OTP's logger. */
export type LogLevel = "error" | "warning" | "info" | "debug";

/** The event `log`: what OTP's logger would get. */
export interface LogEvent {
  readonly level: LogLevel;
  /** The report map of OTP's logger, such as `#{label => {gen_server,terminate}, ...}`. */
  readonly report: TermMap;
  /** The process that the report is about. */
  readonly pid: Pid;
}

/**
 * The log event for a process that is ended because its mailbox holds too much, as `max_heap_size` ends
 * one in OTP: `#{label => {process, mailbox_limit}, pid, registered_name, message_queue_len,
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

/** A report map, `#{label => {Who, What}, Key => Value, ...}`. */
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
