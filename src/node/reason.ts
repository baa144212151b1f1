/**
 * What was thrown in JavaScript, as an Erlang exception: a class, a reason term and a stack trace
 * in the shape BEAM developers read, `[{Module, Function, Arity, [{file, File}, {line, Line}]}]`.
 *
 * An ErlangError carries its own class and reason. Any other thrown value becomes an `error` with
 * the reason `{javascript_error, Name, Message}`, both binaries.
 */
import type { Term } from "../../etf/index.ts";
import { atom, charlist, toTerm, tuple } from "../../etf/index.ts";
import { ErlangError } from "./errors.ts";
import { UndefError } from "./functions.ts";

export interface ErlangException {
  readonly class: "exit" | "error" | "throw";
  readonly reason: Term;
  readonly stack: Term[];
}

const MAX_FRAMES = 8;
/** `at name (file:line:column)` or `at file:line:column`, as V8 writes a frame. */
const FRAME = /^\s*at (?:(?:async )?(.+?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/;

export function exceptionOf(thrown: unknown): ErlangException {
  if (thrown instanceof UndefError) {
    return { class: "error", reason: thrown.reason, stack: [thrown.call] };
  }
  if (thrown instanceof ErlangError) {
    return { class: thrown.class, reason: thrown.reason, stack: stackOf(thrown) };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const reason = toTerm(tuple(atom("javascript_error"), error.name, error.message));
  return { class: "error", reason, stack: stackOf(error) };
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
  for (const line of (error.stack ?? "").split("\n")) {
    const found = FRAME.exec(line);
    if (found === null || frames.length === MAX_FRAMES) continue;
    const [, name = "anonymous", file = "", lineNumber = "0"] = found;
    if (file.startsWith("node:")) continue;
    const base = file.slice(file.lastIndexOf("/") + 1);
    frames.push(
      tuple(atom(base.slice(0, 255)), atom(name.slice(0, 255)), 0, [
        tuple(atom("file"), charlist(base)),
        tuple(atom("line"), Number(lineNumber)),
      ]),
    );
  }
  return frames;
}
