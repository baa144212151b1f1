/**
 * An I/O device: a process, such as a group leader, to which code on any node prints and from which it
 * reads.
 *
 * Spec: stdlib, "The Erlang I/O Protocol". As Erlang terms:
 *   {io_request, From, ReplyAs, Request} -> {io_reply, ReplyAs, Reply} to From
 *   Output: {put_chars, Encoding, Chars}, {put_chars, Encoding, M, F, Args}
 *   Input:  {get_line, Encoding, Prompt}, {get_chars, Encoding, Prompt, N},
 *           {get_until, Encoding, Prompt, M, F, Args}
 *   The same without Encoding, as before R13; the encoding is then latin1.
 *   {requests, Requests}, getopts, {setopts, Opts}, {get_geometry, columns | rows}
 * The options are `binary`, `list` and `{encoding, latin1 | unicode}`; `echo` and `expand_fun` are
 * accepted and have no effect. M, F and Args may name a printing function of io_lib, or
 * `erl_scan:tokens`, which `io:read` and the like use. The answer to any other is `{error, Function}`,
 * as OTP answers for a function that fails. So `io:fread` is not supported, and neither is password
 * input. A reader that waits does not delay printing, and a reader that has died gets no input.
 */
import {
  type Atom,
  atom,
  atomOf,
  charlist,
  isAtom,
  isInteger,
  isList,
  isPid,
  isTuple,
  type Pid,
  type Term,
  tuple,
} from "../../../etf/index.ts";
import { ERROR, OK } from "../../node/atoms.ts";
import { exceptionOf } from "../../node/exceptions.ts";
import type { NodeCore } from "../../node/node.ts";
import { type Behaviour, type Process, READY } from "../../node/process/process.ts";
import { EOF, IO_REPLY, IO_REQUEST, PUT_CHARS, REQUESTS, UNICODE } from "../gen/atoms.ts";
import { chardataToText } from "./chardata.ts";
import { cutTokens, locationOf } from "./erl-scan.ts";
import { type Cut, cutCharacters, cutLine, TextInput, type TextSource } from "./io-input.ts";
import { ioLibCall, ioLibFormat } from "./io-lib.ts";

/** Receives printed text. */
export type TextSink = (text: string) => void;

/** Options of an I/O device. */
export interface DeviceOptions {
  /** Receives the printed text. */
  output: TextSink;
  /** The text to read. Default: none, so that readers get `eof`. */
  input?: TextSource;
  /** Returns the size of the terminal, if the device is one. Default: it is not a terminal. */
  geometry?: () => { readonly columns: number; readonly rows: number } | undefined;
}

const REQUEST: Atom<"request"> = atom("request");
const ENOTSUP: Atom<"enotsup"> = atom("enotsup");
const LATIN1: Atom<"latin1"> = atom("latin1");

type Encoding = typeof LATIN1 | typeof UNICODE;

function isEncoding(term: Term | undefined): term is Encoding {
  return term === UNICODE || term === LATIN1;
}

/** A request. One of the older form, without an encoding, has latin1. */
interface Request {
  readonly kind: string;
  readonly encoding: Encoding;
  readonly fields: readonly Term[];
}

/** How many fields each kind may have after its encoding. */
const FIELDS: Readonly<Record<string, readonly number[]>> = {
  put_chars: [1, 3],
  get_line: [1],
  get_chars: [2],
  get_until: [4],
};

/** Starts a device. It ends with the node. */
export function startDevice(node: NodeCore, options: DeviceOptions): Process {
  return node.runtime.spawnService(new IoDevice(node, options, inputOf(options)));
}

/** The input of a device, with the text that has been read and not taken yet. */
export function inputOf({ input }: DeviceOptions): TextInput | undefined {
  return input === undefined ? undefined : new TextInput(input);
}

/** The behaviour of a device's process. */
export class IoDevice implements Behaviour {
  readonly #node: NodeCore;
  readonly #options: DeviceOptions;
  readonly #input: TextInput | undefined;
  #binary = false;
  #encoding: Encoding = UNICODE;

  constructor(node: NodeCore, options: DeviceOptions, input: TextInput | undefined) {
    this.#node = node;
    this.#options = options;
    this.#input = input;
  }

  /** Answers an I/O request; other messages are dropped. */
  message(message: Term, self: Process): unknown {
    if (!isTuple(message, 4) || message[0] !== IO_REQUEST || !isPid(message[1])) return READY;
    const [, from, replyAs, request] = message as readonly Term[] as [Term, Pid, Term, Term];
    const answer = (reply: Term): Promise<void> =>
      self.alive ? self.reply(from, tuple(IO_REPLY, replyAs, reply)) : READY;
    let reply: Term | Promise<Term>;
    try {
      reply = this.#all([request], OK, self, from);
    } catch (error) {
      // The program's `output` threw: the caller gets an answer, and the program its error.
      void answer(failed(exceptionOf(error).reason));
      throw error;
    }
    if (!(reply instanceof Promise)) return answer(reply);
    // The process does not wait for the input, so that others can print meanwhile.
    reply.then(answer, () => {});
    return READY;
  }

  /**
   * Carries out the pending requests, the last of the array first, and lists of requests. The answer is
   * the reply of the first that fails, or of the last one.
   */
  #all(pending: Term[], before: Term, self: Process, from: Pid): Term | Promise<Term> {
    let reply = before;
    while (pending.length > 0) {
      const next = pending.pop() as Term;
      if (isTuple(next, 2) && next[0] === REQUESTS) {
        const requests = next[1];
        if (!isList(requests)) return failed(REQUEST);
        for (let index = requests.length - 1; index >= 0; index--) {
          pending.push(requests[index] as Term);
        }
        continue;
      }
      const got = this.#single(next, self, from);
      if (got instanceof Promise) {
        return got.then((answer) =>
          isFailure(answer) ? answer : this.#all(pending, answer, self, from),
        );
      }
      if (isFailure(got)) return got;
      reply = got;
    }
    return reply;
  }

  #single(term: Term, self: Process, from: Pid): Term | Promise<Term> {
    if (isAtom(term, "getopts")) {
      return [tuple(atom("binary"), this.#binary), tuple(atom("encoding"), this.#encoding)];
    }
    if (!isTuple(term)) return failed(REQUEST);
    const [kind, field, ...more] = term;
    if (field !== undefined && more.length === 0) {
      if (isAtom(kind, "setopts")) return this.#setOptions(field);
      if (isAtom(kind, "get_geometry")) return this.#geometry(field);
      if (isAtom(kind, "get_password")) return failed(ENOTSUP);
    }
    const request = readRequest(term);
    if (request === undefined) return failed(REQUEST);
    const { encoding, fields } = request;
    const [first, second] = fields as [Term, Term];
    const take = (cut: Cut<Term>): Promise<Term> => this.#take(cut, first, self, from);
    switch (request.kind) {
      case "put_chars":
        return this.#putChars(encoding, fields);
      case "get_line":
        return take(this.#text(cutLine, encoding));
      case "get_chars":
        if (typeof second !== "number" || second < 0) return failed(REQUEST);
        return take(this.#text(cutCharacters(second), encoding));
      default:
        return this.#until(fields.slice(1), take);
    }
  }

  #putChars(encoding: Encoding, fields: readonly Term[]): Term {
    const [chars, name, args] = fields as [Term, Term?, Term?];
    const text =
      name === undefined
        ? chardataToText(chars, encoding === LATIN1)
        : ioLibCall(chars, name, args ?? []);
    if (text === undefined) return failed(tuple(PUT_CHARS, encoding, chars));
    this.#print(text);
    return OK;
  }

  #print(text: string): void {
    const shown =
      this.#encoding === UNICODE
        ? text
        : text.replace(
            /[^\0-\xff]/gu,
            (character) => `\\x{${character.codePointAt(0)!.toString(16).toUpperCase()}}`,
          );
    this.#options.output(shown);
  }

  /** Waits for input, until the reader dies. */
  async #take(cut: Cut<Term>, prompt: Term, self: Process, from: Pid): Promise<Term> {
    const shown = promptText(prompt);
    const showPrompt = (): void => {
      if (shown !== "") this.#print(shown);
    };
    if (this.#input === undefined) {
      showPrompt();
      return cut("", true)!.value;
    }
    const asker = new AbortController();
    const ref = this.#node.newReference();
    this.#node.runtime.monitorWith(self, from, ref, () => asker.abort());
    try {
      return await this.#input.take(cut, showPrompt, asker.signal);
    } catch (error) {
      asker.signal.throwIfAborted();
      return failed(atom(errorCode(error)));
    } finally {
      if (self.alive) self.demonitor(ref);
    }
  }

  /** Converts the text as the options and the request ask. Text that has no Latin-1 form is not taken. */
  #text(cut: Cut<string | null>, encoding: Encoding): Cut<Term> {
    return (text, ended) => {
      const taken = cut(text, ended);
      if (taken === undefined) return undefined;
      if (taken.value === null) return { value: EOF, rest: taken.rest };
      if (encoding === LATIN1 && /[^\0-\xff]/.test(taken.value)) {
        return {
          value: failed(tuple(atom("no_translation"), UNICODE, LATIN1)),
          rest: text,
        };
      }
      const value = this.#binary
        ? Buffer.from(taken.value, encoding === LATIN1 ? "latin1" : "utf8")
        : charlist(taken.value);
      return { value, rest: taken.rest };
    };
  }

  #until(fields: readonly Term[], take: (cut: Cut<Term>) => Promise<Term>): Term | Promise<Term> {
    const [module, name, args] = fields as [Term, Term, Term];
    if (atomOf(name) === undefined || !isList(args)) return failed(REQUEST);
    const start = args.length <= 2 ? locationOf(args[0] ?? 1) : undefined;
    if (!isAtom(module, "erl_scan") || !isAtom(name, "tokens") || start === undefined) {
      return failed(name);
    }
    return take(cutTokens(start));
  }

  #setOptions(options: Term): Term {
    if (!isList(options)) return failed(ENOTSUP);
    let binary = this.#binary;
    let encoding = this.#encoding;
    for (const option of options) {
      const [name, value] = isTuple(option, 2) ? option : [option, true];
      const key = isAtom(name) ? name.name : "";
      if (key === "binary" && typeof value === "boolean") binary = value;
      else if (key === "list" && typeof value === "boolean") binary = !value;
      else if (key === "encoding" && isEncoding(value)) encoding = value;
      else if (key !== "echo" && key !== "expand_fun") return failed(ENOTSUP);
    }
    this.#binary = binary;
    this.#encoding = encoding;
    return OK;
  }

  #geometry(which: Term): Term {
    if (!isAtom(which, "columns") && !isAtom(which, "rows")) return failed(REQUEST);
    const size = this.#options.geometry?.();
    if (size === undefined) return failed(ENOTSUP);
    return isAtom(which, "columns") ? size.columns : size.rows;
  }
}

function readRequest(term: readonly Term[]): Request | undefined {
  const [kind, encoding, ...fields] = term;
  const name = isAtom(kind) ? kind.name : "";
  const counts = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : [];
  if (counts.includes(fields.length)) {
    return isEncoding(encoding) ? { kind: name, encoding, fields } : undefined;
  }
  if (!counts.includes(term.length - 1)) return undefined;
  return { kind: name, encoding: LATIN1, fields: term.slice(1) };
}

/** The text of a prompt: of chardata, an atom, `{format, Format, Args}`, or any other term. */
function promptText(prompt: Term): string {
  if (isTuple(prompt, 3) && isAtom(prompt[0], "format") && isList(prompt[2])) {
    const text = ioLibFormat(prompt[1], prompt[2]);
    if (text !== undefined) return text;
  }
  const name = atomOf(prompt)?.name;
  if (name !== undefined) return name;
  const text = isInteger(prompt) ? undefined : chardataToText(prompt, false, true);
  return text ?? ioLibFormat(charlist("~tp"), [prompt])!;
}

/** The reason for a stream's failure, by its POSIX name. */
function errorCode(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code.toLowerCase() : "einval";
}

function isFailure(reply: Term): boolean {
  return isTuple(reply) && reply[0] === ERROR;
}

function failed(reason: Term): Term {
  return tuple(ERROR, reason);
}
