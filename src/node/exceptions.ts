/**
 * JavaScript exceptions as Erlang exceptions: a class, a reason term and a stack trace in the form
 * that BEAM developers read, `[{Module, Function, Arity, [{file, File}, {line, Line}]}]`.
 *
 * An ErlangError carries its own class and reason. Any other thrown value becomes an `error` with
 * the reason `{javascript_error, Name, Message}`, where both are binaries.
 */
import type { Atom, Term } from "../../etf/index.ts";
import { atom, charlist, toTerm, tuple } from "../../etf/index.ts";
import { FILE, FUNCTION_CLAUSE, UNDEF } from "./atoms.ts";

/**
 * Throw it in a process or an exposed function to end it with an Erlang reason, as `exit(Reason)`,
 * `error(Reason)` and `throw(Reason)` do.
 */
export class ErlangError extends Error {
  readonly class: "exit" | "error" | "throw";
  readonly reason: Term;
  constructor(exceptionClass: "exit" | "error" | "throw", reason: Term) {
    super(`an Erlang ${exceptionClass} reason`);
    this.name = "ErlangError";
    this.class = exceptionClass;
    this.reason = reason;
  }
  /** As `exit(Reason)`. */
  static exit(reason: Term): ErlangError {
    return new ErlangError("exit", reason);
  }
  /** As `error(Reason)`. */
  static error(reason: Term): ErlangError {
    return new ErlangError("error", reason);
  }
  /** As `throw(Reason)`. */
  static throw(reason: Term): ErlangError {
    return new ErlangError("throw", reason);
  }
}

/** An `error` raised by the call itself. As in OTP, the stack trace is that call with its arguments. */
export class FailedCall extends ErlangError {
  /** The stack frame `{Module, Function, Args, []}`. */
  readonly call: Term;
  constructor(reason: Term, module: Term, name: Term, args: readonly Term[]) {
    super("error", reason);
    this.call = tuple(module, name, [...args], []);
  }
}

/** `error(undef)`: the function does not exist. */
export class UndefError extends FailedCall {
  constructor(module: Term, name: Term, args: readonly Term[]) {
    super(UNDEF, module, name, args);
  }
}

/** `error(function_clause)`: the function does not take these arguments. */
export class FunctionClauseError extends FailedCall {
  constructor(module: Term, name: Term, args: readonly Term[]) {
    super(FUNCTION_CLAUSE, module, name, args);
  }
}

/** Thrown by an exposed function that does not take its arguments; the caller gets `function_clause`. */
export class NoClauseError extends Error {}

/** An Erlang exception as terms; `stack` is the stack trace, innermost call first. */
export interface ErlangException {
  readonly class: "exit" | "error" | "throw";
  readonly reason: Term;
  readonly stack: Term[];
}

const JAVASCRIPT_ERROR: Atom<"javascript_error"> = atom("javascript_error");
const MAX_FRAMES = 8;
/** How many characters of a stack, and of one of its lines, are parsed. */
const MAX_STACK = 20_000;
const MAX_LINE = 1000;
/** The frames where calls from other nodes and processes begin; the frames below are erldist's own. */
const BOTTOM = /^(?:FunctionTable\.apply|Process\.run)$/;
/** Prefixes that V8 derives from `this` and that say nothing about the function. */
const RECEIVER = /^(?:Object|ExposedCall)\./;
/** `at name (file:line:column)` or `at file:line:column`, as V8 writes a frame. */
const FRAME = /^\s*at (?:(?:async )?(.+?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/;

/** The Erlang exception for anything thrown in JavaScript. Never throws. */
export function exceptionOf(thrown: unknown): ErlangException {
  if (thrown instanceof FailedCall) {
    return { class: "error", reason: thrown.reason, stack: [thrown.call] };
  }
  if (thrown instanceof ErlangError) {
    try {
      return { class: thrown.class, reason: toTerm(thrown.reason), stack: stackOf(thrown) };
    } catch (noTerm) {
      return exceptionOf(noTerm);
    }
  }
  const error = thrown instanceof Error ? thrown : undefined;
  const name = textOf(() => error?.name ?? "Error");
  const message = textOf(() => (error === undefined ? thrown : error.message));
  const reason = toTerm(tuple(JAVASCRIPT_ERROR, name, message));
  return { class: "error", reason, stack: error === undefined ? [] : stackOf(error) };
}

/** The exit reason of a process that ends with an exception, as the emulator forms it. */
export function exitReasonOf(exception: ErlangException): Term {
  switch (exception.class) {
    case "exit":
      return exception.reason;
    case "error":
      return tuple(exception.reason, exception.stack);
    case "throw":
      return tuple(tuple(atom("nocatch"), exception.reason), exception.stack);
  }
}

function stackOf(error: Error): Term[] {
  const frames: Term[] = [];
  const stack = textOf(() => error.stack);
  // The message comes first, and a peer may have chosen its text.
  const message = textOf(() => error.message);
  const from = stack.indexOf(message) + message.length;
  for (const line of stack.slice(from, from + MAX_STACK).split("\n")) {
    if (frames.length === MAX_FRAMES) break;
    const found = line.length > MAX_LINE ? null : FRAME.exec(line);
    if (found === null) continue;
    const [, name = "anonymous", file = "", lineNumber = "0"] = found;
    if (BOTTOM.test(name) && frames.length > 0) break;
    if (file.startsWith("node:")) continue;
    const base = file.slice(file.lastIndexOf("/") + 1);
    frames.push(
      tuple(nameAtom(base), nameAtom(name.replace(RECEIVER, "")), 0, [
        tuple(FILE, charlist(base)),
        tuple(atom("line"), Number(lineNumber)),
      ]),
    );
  }
  return frames;
}

/** The value as text that can be encoded: a program may throw anything, even lone surrogates. */
function textOf(value: () => unknown): string {
  try {
    return String(value()).replace(/\p{Surrogate}/gu, "\ufffd");
  } catch {
    return "unprintable";
  }
}

/** The atom for a function or file name, which may be too long for an atom or not encodable. */
function nameAtom(name: string): Atom {
  try {
    return atom([...name].slice(0, 255).join(""));
  } catch {
    return atom("unnamed");
  }
}
