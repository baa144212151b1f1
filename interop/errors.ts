/**
 * What can go wrong with genuine nodes and the machine under them.
 *
 * Style as in the rest of the project: a stable `code`, and a sentence that names the offending value.
 */

export type InteropErrorCode =
  /** A release that a test asks for is not installed. */
  | "INTEROP_OTP_MISSING"
  /** An Erlang node, a shell or an epmd did not come up; the message ends with its output. */
  | "INTEROP_START_FAILED"
  /** The node ended while it was asked for something. */
  | "INTEROP_NODE_ENDED"
  /** Something took longer than it was given. */
  | "INTEROP_TIMEOUT"
  /** `erlc` refused a module; the message ends with what it said. */
  | "INTEROP_COMPILE"
  /** Expressions given to `eval` raised an exception or could not be read: an `OtpEvalError`. */
  | "INTEROP_EVAL"
  /** This machine cannot make network namespaces, or has no firewall for them. */
  | "INTEROP_NO_NAMESPACES";

export class InteropError extends Error {
  override readonly name: string = "InteropError";
  readonly code: InteropErrorCode;

  constructor(code: InteropErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Expressions evaluated in a genuine node raised an exception, or could not be read as Erlang. */
export class OtpEvalError extends InteropError {
  override readonly name = "OtpEvalError";
  /** `syntax` when the text is no Erlang; the node's own classes otherwise. */
  readonly class: "error" | "exit" | "throw" | "syntax";
  /** The reason as `~0tp` prints it; for `syntax` the parser's sentence. */
  readonly reason: string;
  /** The stack as `~0tp` prints it, without the frames of the evaluation itself; may be empty. */
  readonly erlangStack: string;

  constructor(
    node: string,
    text: string,
    exceptionClass: OtpEvalError["class"],
    reason: string,
    erlangStack: string,
  ) {
    super(
      "INTEROP_EVAL",
      `${node} evaluating \`${shorten(text)}\`: ${exceptionClass} ${reason}` +
        (erlangStack === "" ? "" : `\n  stack: ${erlangStack}`),
    );
    this.class = exceptionClass;
    this.reason = reason;
    this.erlangStack = erlangStack;
  }
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}...`;
}
