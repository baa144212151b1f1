/**
 * A client of I/O devices on any node, as module `io`: of a group leader, a registered device (`user`,
 * `standard_error`), or the pid that OTP's `file:open` returns.
 *
 *   {io_request, From, Ref, Request} -> {io_reply, Ref, Reply}; a monitor reports the device's end
 * Text is sent and received as Unicode. As in OTP, the device does the work of `read` and `format`.
 */
import {
  atom,
  atomOf,
  charlist,
  Float,
  format,
  isAtom,
  isList,
  isReference,
  isTuple,
  parse,
  type Reference,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import type { MonitorTarget } from "../../node/process/process.ts";
import { EOF, ERL_SCAN, IO_REPLY, IO_REQUEST, PUT_CHARS, REQUESTS, UNICODE } from "../gen/atoms.ts";
import { describeTarget } from "../gen/destination.ts";
import { MonitoredRequests, type RequestForm } from "../gen/monitored-requests.ts";
import { chardataToText } from "./chardata.ts";
import { IoError } from "./errors.ts";

/** Limits of a request. */
export interface IoOptions {
  /** Milliseconds to wait for the reply. Default: no limit, as in OTP. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Prints to I/O devices of any node and reads from them: `node.io`. Each method throws as `request`
 * does, and IoError IO_ERROR when the device answers `{error, Reason}`.
 *
 * ```ts
 * await node.io.putChars(["user", "b@host"], "hello\n");
 * const line = await node.io.getLine(["user", "b@host"], "name> ");
 * ```
 */
export class IoClient {
  readonly #requests: MonitoredRequests;

  constructor(node: NodeCore) {
    this.#requests = new MonitoredRequests(node, answerIn);
  }

  /** Prints text, as `io:put_chars/2`. */
  async putChars(device: MonitorTarget, text: string, options?: IoOptions): Promise<void> {
    await this.#done(device, tuple(PUT_CHARS, UNICODE, text), options);
  }

  /** Prints terms with a format, as `io:format/3`; the device does the formatting. */
  async format(
    device: MonitorTarget,
    template: string,
    args: readonly TermInput[] = [],
    options?: IoOptions,
  ): Promise<void> {
    const call = [charlist(template), args];
    const request = tuple(PUT_CHARS, UNICODE, atom("io_lib"), atom("format"), call);
    await this.#done(device, request, options);
  }

  /** Reads a line with its newline, as `io:get_line/2`; resolves with undefined at the end of the input. */
  getLine(device: MonitorTarget, prompt = "", options?: IoOptions): Promise<string | undefined> {
    return this.#text(device, tuple(atom("get_line"), UNICODE, prompt), options);
  }

  /** Reads up to `count` characters, as `io:get_chars/3`; undefined at the end of the input. */
  getChars(
    device: MonitorTarget,
    prompt: string,
    count: number,
    options?: IoOptions,
  ): Promise<string | undefined> {
    return this.#text(device, tuple(atom("get_chars"), UNICODE, prompt, count), options);
  }

  /**
   * Reads a term and its dot, as `io:read/2`; resolves with undefined at the end of the input.
   * @throws TermSyntaxError when the text up to the dot is not a term
   */
  async read(device: MonitorTarget, prompt = "", options?: IoOptions): Promise<Term | undefined> {
    const scan = [UNICODE, prompt, ERL_SCAN, atom("tokens"), [1]];
    const reply = await this.#done(device, tuple(atom("get_until"), ...scan), options);
    if (reply === EOF || (isTuple(reply) && reply[0] === EOF)) return undefined;
    const [ok, tokens] = isTuple(reply, 3) ? reply : [];
    if (!isAtom(ok, "ok") || !isList(tokens)) throw refused(device, reply);
    return parse(tokens.map(tokenText).join(""));
  }

  /** Returns the device's options, as `io:getopts/1`. */
  async getOptions(device: MonitorTarget, options?: IoOptions): Promise<Term[]> {
    const reply = await this.#done(device, atom("getopts"), options);
    if (!isList(reply)) throw refused(device, reply);
    return reply;
  }

  /** Sets options of the device, as `io:setopts/2`. */
  async setOptions(
    device: MonitorTarget,
    values: readonly TermInput[],
    options?: IoOptions,
  ): Promise<void> {
    await this.#done(device, tuple(atom("setopts"), values), options);
  }

  /** Returns the terminal's columns, as `io:columns/1`; undefined if the device is not a terminal. */
  columns(device: MonitorTarget, options?: IoOptions): Promise<number | undefined> {
    return this.#geometry(device, "columns", options);
  }

  /** Returns the terminal's rows, as `io:rows/1`; undefined if the device is not a terminal. */
  rows(device: MonitorTarget, options?: IoOptions): Promise<number | undefined> {
    return this.#geometry(device, "rows", options);
  }

  /** Sends several requests at once, as `io:requests/2`. Resolves with the first error, or the last reply. */
  requests(
    device: MonitorTarget,
    requests: readonly TermInput[],
    options?: IoOptions,
  ): Promise<Term> {
    return this.request(device, tuple(REQUESTS, requests), options);
  }

  /**
   * Sends any request of the I/O protocol; resolves with the reply, whatever it is.
   *
   * @throws IoError IO_TERMINATED when the device does not exist, or ends; CallError CALL_TIMEOUT,
   *   CALL_NO_CONNECTION; NodeError NODE_STOPPED; EtfEncodeError; the signal's reason
   */
  request(device: MonitorTarget, request: TermInput, options: IoOptions = {}): Promise<Term> {
    const form: RequestForm = {
      message: (caller, ref) => tuple(IO_REQUEST, caller, ref, request),
      ended: () => ended(device),
      aliased: false,
    };
    return this.#requests.ask(device, form, options);
  }

  async #done(device: MonitorTarget, request: TermInput, options?: IoOptions): Promise<Term> {
    const reply = await this.request(device, request, options);
    if (isTuple(reply) && isAtom(reply[0], "error")) throw refused(device, reply);
    return reply;
  }

  async #text(
    device: MonitorTarget,
    request: TermInput,
    options?: IoOptions,
  ): Promise<string | undefined> {
    const reply = await this.#done(device, request, options);
    if (reply === EOF) return undefined;
    const text = chardataToText(reply, false);
    if (text === undefined) throw refused(device, reply);
    return text;
  }

  async #geometry(
    device: MonitorTarget,
    which: "columns" | "rows",
    options?: IoOptions,
  ): Promise<number | undefined> {
    const reply = await this.request(device, tuple(atom("get_geometry"), atom(which)), options);
    return typeof reply === "number" ? reply : undefined;
  }
}

function answerIn(message: Term): readonly [Reference, Term] | undefined {
  if (!isTuple(message, 3) || message[0] !== IO_REPLY) return undefined;
  const [, ref, reply] = message as readonly Term[] as [Term, Term, Term];
  return isReference(ref) ? [ref, reply] : undefined;
}

function refused(device: MonitorTarget, reply: Term): IoError {
  const reason = isTuple(reply, 2) ? reply[1] : reply;
  const said = format(reply, { mode: "~0tp" });
  return new IoError("IO_ERROR", `The device ${describeTarget(device)} answered ${said}.`, reason);
}

function ended(device: MonitorTarget): IoError {
  const what = `The device ${describeTarget(device)} does not exist, or ended.`;
  return new IoError("IO_TERMINATED", what, atom("terminated"));
}

/**
 * A token of erl_scan as text, with a space behind it, but not between a sigil and its string. The string is
 * escaped, so the sigil is one that reads escapes.
 */
function tokenText(token: Term): string {
  const [category, , value] = isTuple(token) ? token : [];
  const kind = isAtom(category) ? category.name : "";
  if (kind === "sigil") return `~${(atomOf(value)?.name ?? "").toLowerCase()}`;
  return `${wordOf(kind, value)} `;
}

function wordOf(kind: string, value: Term | undefined): string {
  if (value === undefined) return kind === "dot" ? "." : kind;
  if (kind === "var") return isAtom(value) ? value.name : "_";
  if (kind === "sigil_suffix") return "";
  if (kind === "string" && isList(value)) return quoted(value);
  return value instanceof Float || kind !== "char" ? format(value, { mode: "~tw" }) : String(value);
}

/** A string as text; `format` would show one with unprintable characters as a list of numbers. */
function quoted(characters: readonly Term[]): string {
  const escaped = characters.map((code) => `\\x{${Number(code).toString(16)}}`);
  return `"${escaped.join("")}"`;
}
