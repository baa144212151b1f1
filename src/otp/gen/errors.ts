/** Errors of calls and starts: exceptions of the remote side, lost connections, and what OTP returns for each. */
import {
  type Atom,
  atom,
  CodedError,
  format,
  type Pid,
  type Term,
  tuple,
} from "../../../etf/index.ts";
import { ERROR, EXIT, NOCONNECTION, NOTSUP } from "../../node/atoms.ts";
import { CallError, type CallErrorCode, NodeError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Lost } from "../../node/process/ties.ts";
import { ALREADY_STARTED, ERPC, EXCEPTION, IGNORE, TIMEOUT } from "./atoms.ts";

/** The codes of RemoteError, one for each class of exception. */
export type RemoteErrorCode = "REMOTE_EXIT" | "REMOTE_ERROR" | "REMOTE_THROW";
/** The class of an Erlang exception. */
export type ExceptionClass = "exit" | "error" | "throw";

const CODE: Record<ExceptionClass, RemoteErrorCode> = {
  exit: "REMOTE_EXIT",
  error: "REMOTE_ERROR",
  throw: "REMOTE_THROW",
};
const BADRPC: Atom<"badrpc"> = atom("badrpc");
const SIGNAL: Atom<"signal"> = atom("signal");
const ERPC_REASON: Record<CallErrorCode, Atom> = {
  CALL_NO_CONNECTION: NOCONNECTION,
  CALL_TIMEOUT: TIMEOUT,
  CALL_NOT_SUPPORTED: NOTSUP,
};
const BADRPC_REASON: Record<CallErrorCode, Atom> = {
  CALL_NO_CONNECTION: atom("nodedown"),
  CALL_TIMEOUT: TIMEOUT,
  CALL_NOT_SUPPORTED: NOTSUP,
};
const SHOWN_CHARACTERS = 300;

/** The called function ended with an exception, whose class, reason and stack trace this error has. */
export class RemoteError extends CodedError<RemoteErrorCode> {
  override readonly name = "RemoteError";
  readonly class: ExceptionClass;
  readonly reason: Term;
  /** The Erlang stack trace of an `error`; undefined for the other classes. */
  readonly stackTrace: Term | undefined;
  /** Whether an exit signal ended the process that ran the function. */
  readonly signal: boolean;

  constructor(
    exceptionClass: ExceptionClass,
    reason: Term,
    stackTrace?: Term,
    options: { signal?: boolean } = {},
  ) {
    const shown = format(reason, { mode: "~0tp" });
    const cut = shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}...` : shown;
    super(CODE[exceptionClass], `The called function ended with ${exceptionClass}: ${cut}`);
    this.class = exceptionClass;
    this.reason = reason;
    this.stackTrace = stackTrace;
    this.signal = options.signal ?? false;
  }

  /** What OTP's `rpc:call` returns for this exception: `{badrpc, {'EXIT', _}}`. */
  get badrpc(): Term {
    const stacked = this.stackTrace !== undefined;
    const reason = stacked ? tuple(this.reason, this.stackTrace) : this.reason;
    return tuple(BADRPC, tuple(EXIT, reason));
  }
}

/**
 * The class and reason that OTP's `erpc:call` raises where erldist throws `error`.
 * @throws the error itself when it is not a call's
 */
export function erpcExceptionOf(error: unknown): { class: ExceptionClass; reason: Term } {
  if (error instanceof CallError) {
    return { class: "error", reason: tuple(ERPC, ERPC_REASON[error.code]) };
  }
  if (!(error instanceof RemoteError)) throw error;
  const { class: exceptionClass, reason, stackTrace } = error;
  switch (exceptionClass) {
    case "throw":
      return { class: "throw", reason };
    case "exit":
      return { class: "exit", reason: tuple(error.signal ? SIGNAL : EXCEPTION, reason) };
    case "error":
      return { class: "error", reason: tuple(EXCEPTION, reason, stackTrace ?? []) };
  }
}

/**
 * What OTP's `rpc:call` returns where erldist throws `error`.
 * @throws the error itself when it is not a call's: OTP raises there too
 */
export function badrpcOf(error: unknown): Term {
  if (error instanceof RemoteError) return error.badrpc;
  if (error instanceof CallError) return tuple(BADRPC, BADRPC_REASON[error.code]);
  throw error;
}

/** The error for a connection to `node` that was lost or never established. */
export function lostError(node: string, lost: Lost): CallError {
  const why = lost.error.message;
  return new CallError("CALL_NO_CONNECTION", `No answer from ${node}: ${why}`, lost.wasUp, {
    cause: lost.error,
  });
}

/** The error for a calling process that ended: with the node, or by an exit signal. */
export function callerEnded(node: NodeCore): NodeError {
  return node.stopped
    ? new NodeError("NODE_STOPPED", `The node ${node.name} has been stopped.`)
    : new NodeError("PROCESS_DEAD", "An exit signal ended the process that made the call.");
}

/** The codes of StartError: init failed or refused, or returned `ignore`. */
export type StartErrorCode = "START_FAILED" | "START_IGNORED";

/** A server or a supervisor's child did not start. */
export class StartError extends CodedError<StartErrorCode> {
  override readonly name = "StartError";
  /** What start_link returned: `{error, Reason}`, or `ignore`. */
  readonly returned: Term;

  private constructor(code: StartErrorCode, message: string, returned: Term) {
    super(code, message);
    this.returned = returned;
  }

  /** The error for `{error, Reason}`. */
  static failed(reason: Term): StartError {
    const shown = format(reason, { mode: "~0tp" });
    const returned = tuple(ERROR, reason);
    return new StartError("START_FAILED", `The server did not start: ${shown}`, returned);
  }

  /** The error for `{error, {already_started, Pid}}`. */
  static alreadyStarted(pid: Pid): StartError {
    return StartError.failed(tuple(ALREADY_STARTED, pid));
  }

  /** The error for `ignore`. */
  static ignored(): StartError {
    return new StartError("START_IGNORED", "The server's init returned ignore.", IGNORE);
  }
}
