/**
 * The reports of supervisors, for the node's event `log`, as OTP sends them to its logger.
 *
 * Spec: stdlib/src/supervisor.erl. As Erlang terms:
 *   #{label => {supervisor, Context}, report => [{supervisor, Name}, {errorContext, Context},
 *     {reason, Reason}, {offender, Child}]}           an error
 *   #{label => {supervisor, progress}, report => [{supervisor, Name}, {started, Child}]}
 *                                                   `info`, or, as in OTP 29, `debug` if requested
 *   #{label => {supervisor, unexpected_message}, message => Message}; OTP logs a text instead
 * where Name is `{local, Name}` or `{Pid, Module}`, Context is `child_terminated`, `start_error`,
 * `shutdown` or `shutdown_error`, and Child is `[{pid, Pid}, {id, Id}, {mfargs, {M, F, Args}},
 * {restart_type, _}, {significant, _}, {shutdown, _}, {child_type, _}]`; for several children that
 * ended alike, `{nb_children, N}` takes the place of the pid.
 */
import {
  type Atom,
  atom,
  type Pid,
  type Term,
  TermMap,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { LABEL, SHUTDOWN } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import { ID, PID, SIGNIFICANT, STARTED } from "../gen/atoms.ts";
import { type Child, mfargs, pidTerm } from "./child-spec.ts";

/** What a supervisor was doing when the error occurred. */
export type ErrorContext = "child_terminated" | "start_error" | "shutdown" | "shutdown_error";

const SUPERVISOR: Atom<"supervisor"> = atom("supervisor");

/** Logs the reports of one supervisor. */
export class SupervisorReports {
  readonly #node: NodeCore;
  readonly #pid: Pid;
  readonly #name: () => Term;

  constructor(node: NodeCore, pid: Pid, name: () => Term) {
    this.#node = node;
    this.#pid = pid;
    this.#name = name;
  }

  /**
   * Logs an error about a child.
   * @param count the number of children that ended alike. Default: the report shows the child's pid
   */
  error(context: ErrorContext, reason: Term, child: Child, count?: number): void {
    this.#node.runtime.log(() => {
      const rows = [
        tuple(SUPERVISOR, this.#name()),
        tuple(atom("errorContext"), atom(context)),
        tuple(atom("reason"), reason),
        tuple(atom("offender"), childRows(child, count)),
      ];
      return {
        level: "error",
        report: labelled(context, "report", rows),
        pid: this.#pid,
      };
    });
  }

  /**
   * Logs that a child has started.
   * @param level `info` for a start of the supervisor's own, `debug` for a requested one
   */
  progress(child: Child, level: "info" | "debug"): void {
    this.#node.runtime.log(() => {
      const rows = [tuple(SUPERVISOR, this.#name()), tuple(STARTED, childRows(child))];
      const report = labelled("progress", "report", rows);
      return { level, report, pid: this.#pid };
    });
  }

  /** Logs a message that a supervisor does not understand. */
  unexpected(message: Term): void {
    this.#node.runtime.log(() => ({
      level: "error",
      report: labelled("unexpected_message", "message", message),
      pid: this.#pid,
    }));
  }
}

function labelled(label: string, key: string, value: Term): TermMap {
  return new TermMap<Term, Term>([
    [LABEL, tuple(SUPERVISOR, atom(label))],
    [atom(key), value],
  ]);
}

function childRows(child: Child, count?: number): Term {
  const { spec, args } = child;
  const { shutdown } = spec;
  return [
    count === undefined ? tuple(PID, pidTerm(child)) : tuple(atom("nb_children"), toTerm(count)),
    tuple(ID, spec.id),
    tuple(atom("mfargs"), mfargs(spec, args)),
    tuple(atom("restart_type"), atom(spec.restart)),
    tuple(SIGNIFICANT, spec.significant),
    tuple(SHUTDOWN, typeof shutdown === "number" ? shutdown : atom(shutdown)),
    tuple(atom("child_type"), atom(spec.type)),
  ];
}
