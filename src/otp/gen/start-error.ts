/** A server that did not start, as `start_link` of OTP would have returned it. */
import { format, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { ERROR } from "../../node/atoms.ts";
import { ALREADY_STARTED, IGNORE } from "./atoms.ts";

export type StartErrorCode = "START_FAILED" | "START_IGNORED";

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

  static failed(reason: Term): StartError {
    const shown = format(reason, { mode: "~0tp" });
    const returned = tuple(ERROR, reason);
    return new StartError("START_FAILED", `The server did not start: ${shown}`, returned);
  }

  static alreadyStarted(pid: Pid): StartError {
    return StartError.failed(tuple(ALREADY_STARTED, pid));
  }

  static ignored(): StartError {
    return new StartError("START_IGNORED", "The server's init said ignore.", IGNORE);
  }
}
