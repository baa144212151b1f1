/**
 * An I/O device: the process that is a group leader, to which code prints and from which it reads,
 * here or on another node.
 *
 * Spec: stdlib, "The Erlang I/O Protocol". As Erlang terms:
 *   {io_request, From, ReplyAs, Request} -> {io_reply, ReplyAs, Reply} to From
 *   Output: {put_chars, Encoding, Chars}, {put_chars, Encoding, M, F, Args}
 *   Input:  {get_line, Encoding, Prompt}, {get_chars, Encoding, Prompt, N},
 *           {get_until, Encoding, Prompt, M, F, Args}
 *   The same without Encoding, which is latin1 then, as before R13.
 *   {requests, Requests}, getopts, {setopts, Opts}, {get_geometry, columns | rows}
 * Options are `binary`, `list` and `{encoding, latin1 | unicode}`; `echo` and `expand_fun` are taken
 * and do nothing. Of module, function and arguments only the printing functions of io_lib are known,
 * and for input `erl_scan:tokens`, which `io:read` and its kin ask for; others are answered
 * `{error, Function}`, as OTP answers a function that fails (`io:fread` is one). No passwords.
 * Who waits for input holds up nobody who prints; who has died is not given any.
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
import { cutTokens, locationOf } from "./erl-scan.ts";
import { type Cut, cutCharacters, cutLine, TextInput, type TextSource } from "./io-input.ts";
import { chardataToText, ioLibCall, ioLibFormat } from "./io-lib.ts";

/** Takes printed text. */
export type TextSink = (text: string) => void;

export interface DeviceOptions {
  /** Takes what is printed. */
  output: TextSink;
  /** What is read. Default: nothing, so that who reads gets `eof`. */
  input?: TextSource;
  /** The size of the terminal, if the device is one. Default: it is none. */
  geometry?: () => { readonly columns: number; readonly rows: number } | undefined;
}

const REQUEST: Atom<"request"> = atom("request");
const ENOTSUP: Atom<"enotsup"> = atom("enotsup");
const LATIN1: Atom<"latin1"> = atom("latin1");

type Encoding = typeof LATIN1 | typeof UNICODE;

function isEncoding(term: Term | undefined): term is Encoding {
  return term === UNICODE || term === LATIN1;
}

/** Fields of a request, with those of the time before Unicode given their encoding. */
interface Request {
  readonly kind: string;
  readonly encoding: Encoding;
  readonly fields: readonly Term[];
}

/** How many fields each kind has behind its encoding. */
const FIELDS: Readonly<Record<string, readonly number[]>> = {
  put_chars: [1, 3],
  get_line: [1],
  get_chars: [2],
  get_until: [4],
};

/** Starts a device, which ends with the node. */
export function startDevice(node: NodeCore, options: DeviceOptions): Process {
  return node.runtime.spawnService(new IoDevice(node, options, inputOf(options)));
}

/** The input of a device: what it has read and nobody has taken yet. */
export function inputOf({ input }: DeviceOptions): TextInput | undefined {
  return input === undefined ? undefined : new TextInput(input);
}

/** The behaviour of a device. */
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

  message(message: Term, self: Process): unknown {
    if (!isTuple(message, 4) || message[0] !== IO_REQUEST || !isPid(message[1])) return READY;
    const [, from, replyAs, request] = message as readonly Term[] as [Term, Pid, Term, Term];
    const answer = (reply: Term): Promise<void> =>
      self.alive ? self.reply(from, tuple(IO_REPLY, replyAs, reply)) : READY;
    let reply: Term | Promise<Term>;
    try {
      reply = this.#all([request], OK, self, from);
    } catch (error) {
      // What the program's output throws is an answer, and its own affair.
      void answer(failed(exceptionOf(error).reason));
      throw error;
    }
    if (!(reply instanceof Promise)) return answer(reply);
    // Not handed to the process as its work: others print meanwhile.
    reply.then(answer, () => {});
    return READY;
  }

  /**
   * Carries requests out, the last one first, and lists of them; returns the reply. The first that
   * fails ends it all; its reply, or the last one's, is the answer.
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

  /** Waits for input, unless who asked dies first. */
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

  /** The text that was read as the options and the request want it; text that cannot be stays. */
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

/** A prompt as text: chardata, an atom, `{format, Format, Args}`, or any term, which is shown. */
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

/** The reason of a stream's failure, as posix names it. */
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
