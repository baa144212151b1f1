/**
 * What OTP would hand to its logger: reports of crashes and of messages that nobody handled. The
 * library prints none of it; the node's event `log` tells it.
 */
import type { Pid, TermMap } from "../../etf/index.ts";

export type LogLevel = "error" | "warning" | "info" | "debug";

export interface LogEvent {
  readonly level: LogLevel;
  /** The report map of OTP's logger, such as `#{label => {gen_server,terminate}, ...}`. */
  readonly report: TermMap;
  /** The process that it is about. */
  readonly pid: Pid;
}
