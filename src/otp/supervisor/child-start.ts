/** Starts a child as a supervisor does, `catch apply(M, F, Args)`, and interprets the result. */
import { isAtom, isPid, isTuple, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { ERROR, EXIT, KILLED, OK, UNDEFINED } from "../../node/atoms.ts";
import { exceptionOf, exitReasonOf } from "../../node/exceptions.ts";
import type { NodeCore } from "../../node/node.ts";
import { Process } from "../../node/process/process.ts";
import { OtpServer } from "../behaviours/otp-server.ts";
import { shown } from "../behaviours/shown.ts";
import { StartError } from "../gen/errors.ts";
import type { CheckedSpec } from "./child-spec.ts";

/** A started child; without a pid, its start function returned `ignore`. */
export interface Started {
  readonly pid: Pid | undefined;
  /** The third element of `{ok, Pid, Info}`. */
  readonly info?: Term;
}

/** A child that failed to start. */
export class StartFailure {
  /** The reason in OTP's form: `{'EXIT', Reason}` if the start function raised an exception. */
  readonly reason: Term;
  /** The reason in Elixir's form, without the `'EXIT'`. */
  readonly plainReason: Term;
  constructor(reason: Term, plainReason: Term = reason) {
    this.reason = reason;
    this.plainReason = plainReason;
  }
}

/** Starts a child of `supervisor`. Never throws: a failure is returned. */
export async function startChild(
  node: NodeCore,
  supervisor: Process,
  { run, module, function: name }: CheckedSpec,
  args: readonly Term[],
): Promise<Started | StartFailure> {
  try {
    const context = { self: supervisor, caller: undefined };
    const result =
      run === undefined
        ? await node.runtime.functions.apply(context, module, name, args)
        : await run(supervisor, ...args);
    const process = result instanceof OtpServer ? result.self : result;
    if (!(process instanceof Process)) return returned(shown(result));
    linkWith(supervisor, process);
    return { pid: process.pid };
  } catch (error) {
    if (error instanceof StartError) return returned(error.returned);
    const exception = exceptionOf(error);
    if (exception.class === "throw") return returned(exception.reason);
    const reason = exitReasonOf(exception);
    return new StartFailure(tuple(EXIT, reason), reason);
  }
}

/** The answer of `start_child` and `restart_child`: `{ok, Child}` or `{ok, Child, Info}`. */
export function startedTerm({ pid, info }: Started): Term {
  const child = pid ?? UNDEFINED;
  return info === undefined ? tuple(OK, child) : tuple(OK, child, info);
}

function returned(term: Term): Started | StartFailure {
  if (isAtom(term, "ignore")) return { pid: undefined };
  if (isTuple(term, 2) || isTuple(term, 3)) {
    const [tag, value, info] = term as readonly Term[] as [Term, Term, Term | undefined];
    if (tag === OK && isPid(value)) return { pid: value, ...(info === undefined ? {} : { info }) };
    if (tag === ERROR && info === undefined) return new StartFailure(value);
  }
  return new StartFailure(term);
}

function linkWith(supervisor: Process, child: Process): void {
  // If the supervisor ended while the child was starting, the child ends as if it had been linked.
  if (!supervisor.alive) child.exitFromLink(supervisor.pid, KILLED);
  else if (supervisor.links?.get(child.pid) === undefined) supervisor.link(child.pid);
}
