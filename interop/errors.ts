/**
 * What can go wrong with Erlang nodes and the machine that runs them.
 *
 * As in the rest of the project: a stable `code`, and a sentence that names the offending value.
 */

/** The codes of `InteropError`. */
export type InteropErrorCode =
  /** A release that a test asks for is not installed. */
  | "INTEROP_OTP_MISSING"
  /** An Erlang node, a shell or an epmd did not start; the message ends with its output. */
  | "INTEROP_START_FAILED"
  /** The node ended before it answered. */
  | "INTEROP_NODE_ENDED"
  /** Something took longer than its time limit. */
  | "INTEROP_TIMEOUT"
  /** `erlc` did not compile a module; the message ends with its output. */
  | "INTEROP_COMPILE"
  /** Expressions given to `eval` raised an exception or could not be parsed: an `OtpEvalError`. */
  | "INTEROP_EVAL"
  /** This machine cannot make network namespaces, or has no firewall for them. */
  | "INTEROP_NO_NAMESPACES";

/** What the harness throws. */
export class InteropError extends Error {
  override readonly name: string = "InteropError";
  readonly code: InteropErrorCode;

  constructor(code: InteropErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Expressions evaluated in an Erlang node raised an exception, or could not be parsed. */
export class OtpEvalError extends InteropError {
  override readonly name = "OtpEvalError";
  /** `syntax` when the text is not Erlang; otherwise the exception's class. */
  readonly class: "error" | "exit" | "throw" | "syntax";
  /** The reason as `~0tp` prints it; for `syntax` the parser's message. */
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
