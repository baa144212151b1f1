/** What goes wrong with I/O devices: its codes, which docs/errors.md explains. */
import { CodedError, type Term } from "../../../etf/index.ts";

/** The codes of IoError: the device refused a request, or does not exist or ended. */
export type IoErrorCode = "IO_ERROR" | "IO_TERMINATED";

/** A device refused a request, or ended. */
export class IoError extends CodedError<IoErrorCode> {
  override readonly name = "IoError";
  /** `Reason` of `{error, Reason}`, or another reply as a whole; `terminated` if the device ended. */
  readonly reason: Term;

  constructor(code: IoErrorCode, message: string, reason: Term) {
    super(code, message);
    this.reason = reason;
  }
}
