/** What is said of a captured connection, and the words for it. */
import { atomOf, format, isBinary, isList, isTuple, type Term } from "../../etf/index.ts";

/** Who wrote the bytes; "unknown" where the capture does not tell. */
export type Side = "initiator" | "acceptor" | "unknown";

export type ExplainedKind =
  | "handshake"
  | "tick"
  /** A control message with its payload, if it has one. */
  | "message"
  /** A part of a message; the last one comes with the message. */
  | "fragment"
  /** Bytes that the protocol does not allow. */
  | "error"
  /** The capture ends here, in the middle of something. */
  | "incomplete";

export interface Explained {
  readonly side: Side;
  /** Where it begins in that side's bytes; of an error, where it was found. */
  readonly offset: number;
  /** How many bytes it is. */
  readonly bytes: number;
  readonly kind: ExplainedKind;
  readonly text: string;
}

export interface ExplainOptions {
  /** Whether payloads and reasons are shown. Default true. */
  payloads?: boolean;
  /** Characters shown of one term. Default 200. */
  maxTermCharacters?: number;
  /** A length above this is taken for an error. Default 512 MiB. */
  maxFrameBytes?: number;
}

const DEFAULT_CHARACTERS = 200;
/** Terms of more bytes than this are not printed, only described. */
const MAX_PRINTED_BYTES = 16 * 1024;

/** A term's text on one line, cut where it is long. */
export function termText(term: Term, bytes: number, options: ExplainOptions): string {
  if (bytes > MAX_PRINTED_BYTES) return `${kindOf(term)}, ${bytes} bytes encoded`;
  const most = options.maxTermCharacters ?? DEFAULT_CHARACTERS;
  const text = format(term, { mode: "~0tp", printableRange: "unicode" });
  return text.length <= most ? text : `${cut(text, most)} (${bytes} bytes encoded)`;
}

/** Text of at most that many characters, and dots for the others. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return `${text.slice(0, characters).replace(/[\ud800-\udbff]$/, "")}...`;
}

function kindOf(term: Term): string {
  if (isTuple(term)) {
    const tag = atomOf(term[0]) === undefined ? "" : ` that begins with ${format(term[0] as Term)}`;
    return `a tuple of ${term.length} elements${tag}`;
  }
  if (isList(term)) return `a list of ${term.length} elements`;
  if (isBinary(term)) return `a binary of ${term.length} bytes`;
  return "a term";
}

const ARROWS: Readonly<Record<Side, string>> = { initiator: "->", acceptor: "<-", unknown: "--" };

/** One line: direction, offset, bytes, what it is. */
export function explainedLine({ side, offset, bytes, kind, text }: Explained): string {
  const mark = kind === "error" ? "ERROR " : kind === "incomplete" ? "incomplete " : "";
  return `${ARROWS[side]} ${String(offset).padStart(8)} ${String(bytes).padStart(7)}  ${mark}${text}`;
}
