/** The error for a server that did not start, with what OTP's `start_link` would have returned. */
import { format, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { ERROR } from "../../node/atoms.ts";
import { ALREADY_STARTED, IGNORE } from "./atoms.ts";

/** The codes of StartError: init failed or refused, or returned `ignore`. */
export type StartErrorCode = "START_FAILED" | "START_IGNORED";

/** A server or a supervisor's child did not start. */
export class StartError extends Error {
  readonly code: StartErrorCode;
  /** What start_link returned: `{error, Reason}`, or `ignore`. */
  readonly returned: Term;

  private constructor(code: StartErrorCode, message: string, returned: Term) {
    super(message);
    this.name = "StartError";
    this.code = code;
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
