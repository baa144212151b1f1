/** The other side's exceptions, as errors here. */
import { type Atom, atom, format, type Term, tuple } from "../../etf/index.ts";
import { CallError, NodeError } from "../node/errors.ts";
import type { Lost } from "../node/monitors.ts";
import type { NodeCore } from "../node/node.ts";

export type RemoteErrorCode = "REMOTE_EXIT" | "REMOTE_ERROR" | "REMOTE_THROW";
export type ExceptionClass = "exit" | "error" | "throw";

const CODE: Record<ExceptionClass, RemoteErrorCode> = {
  exit: "REMOTE_EXIT",
  error: "REMOTE_ERROR",
  throw: "REMOTE_THROW",
};
const BADRPC: Atom<"badrpc"> = atom("badrpc");
const EXIT: Atom<"EXIT"> = atom("EXIT");
const SHOWN_CHARACTERS = 300;

/** The function called on another node ended with an exception; class, reason and stack are its. */
export class RemoteError extends Error {
  readonly code: RemoteErrorCode;
  readonly class: ExceptionClass;
  readonly reason: Term;
  /** The Erlang stack trace of an `error`, else undefined. */
  readonly stackTrace: Term | undefined;

  constructor(exceptionClass: ExceptionClass, reason: Term, stackTrace?: Term) {
    const shown = format(reason, { mode: "~0tp" });
    const cut = shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}...` : shown;
    super(`The function called ended with ${exceptionClass}: ${cut}`);
    this.name = "RemoteError";
    this.code = CODE[exceptionClass];
    this.class = exceptionClass;
    this.reason = reason;
    this.stackTrace = stackTrace;
  }

  /** What `rpc:call` of OTP returns in such a case. */
  get badrpc(): Term {
    const stacked = this.stackTrace !== undefined;
    const reason = stacked ? tuple(this.reason, this.stackTrace as Term) : this.reason;
    return tuple(BADRPC, tuple(EXIT, reason));
  }
}

/** The connection to `node` was lost, or never came about. */
export function lostError(node: string, lost: Lost): CallError {
  const why = lost.error.message;
  return new CallError("CALL_NO_CONNECTION", `No answer from ${node}: ${why}`, lost.wasUp, {
    cause: lost.error,
  });
}

export function timeoutError(node: string, timeoutMs: number): CallError {
  return new CallError("CALL_TIMEOUT", `No answer from ${node} within ${timeoutMs} ms.`, true);
}

/** The process that calls has ended: with the node, or by an exit signal from somewhere. */
export function callerEnded(node: NodeCore): NodeError {
  return node.stopped
    ? new NodeError("NODE_STOPPED", `The node ${node.name} has been stopped.`)
    : new NodeError("PROCESS_DEAD", "The process that made the call was ended by an exit signal.");
}
