/**
 * Errors of the codec. Match on `code`; the sentences may change, the codes do not.
 */

export type EtfEncodeErrorCode =
  /** A value that is not a term: undefined, null, NaN, a function, a class instance ... */
  | "ETF_NOT_A_TERM"
  /** Text with a lone surrogate, which has no UTF-8 form. */
  | "ETF_BAD_TEXT"
  /** `atom("true")`: in JavaScript these two atoms are the booleans. */
  | "ETF_ATOM_BOOLEAN"
  /** An atom of more than 255 characters. */
  | "ETF_ATOM_TOO_LONG"
  /** Out of its range: a number that is an integer beyond 2^53, a pid's id, a tuple's size ... */
  | "ETF_OUT_OF_RANGE"
  /** A value that contains itself. */
  | "ETF_CYCLE"
  /** Nested deeper, or larger, than the options allow. */
  | "ETF_LIMIT";

export type EtfDecodeErrorCode =
  /** The bytes end inside a term, or promise more than there is. */
  | "ETF_TRUNCATED"
  /** The first byte is not 131. */
  | "ETF_BAD_VERSION"
  /** Bytes follow after the term. */
  | "ETF_TRAILING_BYTES"
  | "ETF_UNKNOWN_TAG"
  /** A field with a value of the wrong kind or out of its range. */
  | "ETF_BAD_FIELD"
  /** Atom text that is not UTF-8, or of more than 255 characters. */
  | "ETF_BAD_ATOM"
  /** A float that is not a finite number. */
  | "ETF_BAD_FLOAT"
  /** A map with the same key twice. */
  | "ETF_DUPLICATE_KEY"
  /** An atom cache reference that the distribution header does not define. */
  | "ETF_BAD_ATOM_REF"
  /** A compressed term that does not inflate, or not to its declared size. */
  | "ETF_BAD_COMPRESSED"
  /** Nested deeper, or larger, than the options allow. */
  | "ETF_LIMIT";

/** What all errors with a code have in common. */
export abstract class CodedError<Code extends string> extends Error {
  /** What happened, for programs: a code never changes, while the message may. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A value that cannot be written as a term. */
export class EtfEncodeError extends CodedError<EtfEncodeErrorCode> {
  override readonly name = "EtfEncodeError";
  /** Where inside the value, such as `[3].price`; empty for the value itself. */
  readonly path: string;

  constructor(code: EtfEncodeErrorCode, message: string, path = "", options?: ErrorOptions) {
    super(code, path === "" ? message : `${path}: ${message}`, options);
    this.path = path;
  }
}

/** An integer that a `number` cannot say exactly: the digits above 2^53 may be lost already. */
export function unsafeInteger(value: number): EtfEncodeError {
  return new EtfEncodeError(
    "ETF_OUT_OF_RANGE",
    `${value} is an integer beyond 2^53, where a number is not exact: write a bigint or float(${value})`,
  );
}

export function badText(): EtfEncodeError {
  return new EtfEncodeError("ETF_BAD_TEXT", "a string with a lone surrogate has no UTF-8 form");
}

/** Bytes that are not a term. */
export class EtfDecodeError extends CodedError<EtfDecodeErrorCode> {
  override readonly name = "EtfDecodeError";
  /** Offset in the bytes given to the decoder. */
  readonly offset: number;

  constructor(code: EtfDecodeErrorCode, message: string, offset: number, options?: ErrorOptions) {
    super(code, `${message} (at byte ${offset})`, options);
    this.offset = offset;
  }
}

export type TermSyntaxErrorCode =
  /** A character or word that does not belong here. */
  | "TERM_UNEXPECTED"
  /** The text ends inside a term. */
  | "TERM_INCOMPLETE"
  /** A number, escape, atom or segment that is out of its range. */
  | "TERM_BAD_VALUE"
  /** Correct Erlang, but a variable, a call or an operator: nothing that is a term by itself. */
  | "TERM_NOT_CONSTANT"
  /** Nested deeper than the options allow. */
  | "TERM_LIMIT";

/** Text that is not an Erlang term. */
export class TermSyntaxError extends CodedError<TermSyntaxErrorCode> {
  override readonly name = "TermSyntaxError";
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** The line of text with a caret below the place. */
  readonly excerpt: string;

  constructor(
    code: TermSyntaxErrorCode,
    message: string,
    line: number,
    column: number,
    excerpt: string,
  ) {
    super(code, `${message} (line ${line}, column ${column})\n${excerpt}`);
    this.line = line;
    this.column = column;
    this.excerpt = excerpt;
  }
}
