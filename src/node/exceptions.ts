/**
 * What was thrown in JavaScript, as an Erlang exception: a class, a reason term and a stack trace
 * in the shape BEAM developers read, `[{Module, Function, Arity, [{file, File}, {line, Line}]}]`.
 *
 * An ErlangError carries its own class and reason. Any other thrown value becomes an `error` with
 * the reason `{javascript_error, Name, Message}`, both binaries.
 */

import type { Atom, Term } from "../../etf/index.ts";
import { atom, charlist, toTerm, tuple } from "../../etf/index.ts";
import { FILE, FUNCTION_CLAUSE, UNDEF } from "./atoms.ts";

/**
 * Thrown inside a process or an exposed function to end it with an Erlang reason, as
 * `exit(Reason)`, `error(Reason)` and `throw(Reason)` would.
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
  static exit(reason: Term): ErlangError {
    return new ErlangError("exit", reason);
  }
  static error(reason: Term): ErlangError {
    return new ErlangError("error", reason);
  }
  static throw(reason: Term): ErlangError {
    return new ErlangError("throw", reason);
  }
}

/** An `error` raised by a call as such; the stack trace is OTP's: that call, arguments and all. */
export class FailedCall extends ErlangError {
  readonly call: Term;
  constructor(reason: Term, module: Term, name: Term, args: readonly Term[]) {
    super("error", reason);
    this.call = tuple(module, name, [...args], []);
  }
}

/** `error(undef)`: there is no such function. */
export class UndefError extends FailedCall {
  constructor(module: Term, name: Term, args: readonly Term[]) {
    super(UNDEF, module, name, args);
  }
}

/** `error(function_clause)`: the function does not take such arguments. */
export class FunctionClauseError extends FailedCall {
  constructor(module: Term, name: Term, args: readonly Term[]) {
    super(FUNCTION_CLAUSE, module, name, args);
  }
}

/** Thrown by an exposed function that does not take such arguments: `function_clause` to the caller. */
export class NoClauseError extends Error {}

export interface ErlangException {
  readonly class: "exit" | "error" | "throw";
  readonly reason: Term;
  readonly stack: Term[];
}

const JAVASCRIPT_ERROR: Atom<"javascript_error"> = atom("javascript_error");
const MAX_FRAMES = 8;
/** Characters of a stack, and of one line of it, that are looked at. */
const MAX_STACK = 20_000;
const MAX_LINE = 1000;
/** Where calls begin that another node asked for, and processes: what is below is no concern of theirs. */
const BOTTOM = /^(?:FunctionTable\.apply|Process\.run)$/;
/** What V8 puts before a function's name for its `this`, where that says nothing. */
const RECEIVER = /^(?:Object|ExposedCall)\./;
/** `at name (file:line:column)` or `at file:line:column`, as V8 writes a frame. */
const FRAME = /^\s*at (?:(?:async )?(.+?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/;

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

/** The exit reason of a process that ends with that exception, as the emulator forms it. */
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
  // The message comes first, and may be of a peer's making.
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

/** Programs throw anything, half characters too, and a process must be able to end with it. */
function textOf(value: () => unknown): string {
  try {
    return String(value()).replace(/\p{Surrogate}/gu, "\ufffd");
  } catch {
    return "unprintable";
  }
}

/** A function may have a name that no atom can have. */
function nameAtom(name: string): Atom {
  try {
    return atom([...name].slice(0, 255).join(""));
  } catch {
    return atom("unnamed");
  }
}
