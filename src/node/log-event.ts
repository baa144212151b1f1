/**
 * What OTP would hand to its logger: reports of crashes and of messages that nobody handled. The
 * library prints none of it; the node's event `log` tells it.
 */
import { atom, type Pid, type Term, TermMap, tuple } from "../../etf/index.ts";
import type { Process } from "./process/process.ts";

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
    ["max_bytes", Number.isFinite(maxBytes) ? Math.floor(maxBytes) : atom("infinity")],
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
    [atom("label"), tuple(atom(who), atom(what))],
    ...rows.map(([key, value]): [Term, Term] => [atom(key), value]),
  ]);
}
