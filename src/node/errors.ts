/** Errors of a node and of its calls to other nodes, by code. Erlang exceptions are in exceptions.ts. */
import { CodedError, type Pid } from "../../etf/index.ts";

/** The codes of NodeError. */
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

/** The node cannot do what the program asked for: a name, a cookie or an option is invalid, or it has stopped. */
export class NodeError extends CodedError<NodeErrorCode> {
  override readonly name = "NodeError";
}

/** The error for using a process that has ended: NodeError PROCESS_DEAD. */
export function deadError(process: { readonly pid: Pid }): NodeError {
  return new NodeError("PROCESS_DEAD", `The process ${process.pid} has ended.`);
}

/** The codes of CallError. */
export type CallErrorCode = "CALL_NO_CONNECTION" | "CALL_TIMEOUT" | "CALL_NOT_SUPPORTED";

/** A call to another node ended without a reply. */
export class CallError extends CodedError<CallErrorCode> {
  override readonly name = "CallError";
  /** False if the other node certainly did not run the call. */
  readonly mayHaveRun: boolean;
  constructor(code: CallErrorCode, message: string, mayHaveRun: boolean, options?: ErrorOptions) {
    super(code, message, options);
    this.mayHaveRun = mayHaveRun;
  }
}

/**
 * The error for a reply that did not arrive in time: CallError CALL_TIMEOUT. The other side may have
 * done what it was asked for.
 * @param who the node or process that did not reply
 */
export function timeoutError(who: string, timeoutMs: number): CallError {
  return new CallError("CALL_TIMEOUT", `No answer from ${who} within ${timeoutMs} ms.`, true);
}
