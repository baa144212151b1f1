/** Errors of the node itself and of calls to other nodes, by code. Erlang exceptions are in exceptions.ts. */
import type { Pid } from "../../etf/index.ts";

export type NodeErrorCode =
  | "NODE_NAME_INVALID"
  | "NODE_NAME_KIND"
  | "NODE_COOKIE_INVALID"
  | "NODE_COOKIE_FILE"
  | "NODE_STOPPED"
  | "NODE_CONNECT_SELF"
  | "NODE_NO_AUTO_CONNECT"
  | "PROCESS_NAME_TAKEN"
  | "PROCESS_NAME_INVALID"
  | "PROCESS_NAME_UNKNOWN"
  | "PROCESS_DEAD"
  | "PROCESS_RECEIVE_TIMEOUT"
  | "FUNCTION_NAME_INVALID"
  | "FUNCTION_ARITY_UNKNOWN"
  | "TRACE_TOKEN_INVALID";

/** The node was asked for something it cannot do. */
export class NodeError extends Error {
  readonly code: NodeErrorCode;
  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NodeError";
    this.code = code;
  }
}

/** The error of whatever is done with a process that has ended. */
export function deadError(process: { readonly pid: Pid }): NodeError {
  return new NodeError("PROCESS_DEAD", `The process ${process.pid} has ended.`);
}

export type CallErrorCode = "CALL_NO_CONNECTION" | "CALL_TIMEOUT" | "CALL_NOT_SUPPORTED";

/** A call to another node ended without an answer. */
export class CallError extends Error {
  readonly code: CallErrorCode;
  /** False when the other side certainly did not run it. */
  readonly mayHaveRun: boolean;
  constructor(code: CallErrorCode, message: string, mayHaveRun: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallError";
    this.code = code;
    this.mayHaveRun = mayHaveRun;
  }
}

/** No answer of `who`, a node or a process, came in time; what was asked for may have been done. */
export function timeoutError(who: string, timeoutMs: number): CallError {
  return new CallError("CALL_TIMEOUT", `No answer from ${who} within ${timeoutMs} ms.`, true);
}
