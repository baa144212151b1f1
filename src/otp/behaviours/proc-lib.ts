/**
 * Processes that another process starts, as with `proc_lib`: who started them, what they run, the
 * message that they are up, and the report when they crash.
 *
 * Spec: stdlib/src/proc_lib.erl. As Erlang terms:
 *   `$ancestors`, `$initial_call`    in the process dictionary: [Parent | Ancestors], {M, F, Arity}
 *   `$process_label`                 in the dictionary too, if the process has a label
 *   {ack, Pid, Return}               from the started process to its starter
 *   #{label => {proc_lib,crash}, report => [Info, Neighbours]}      logged
 * Neighbours are not listed, and sizes and reductions are 0, because processes here have none.
 */
import {
  type Atom,
  atom,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { LABEL, NORMAL, SHUTDOWN } from "../../node/atoms.ts";
import { type ErlangException, exitReasonOf } from "../../node/exceptions.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { DICTIONARY, INIT_P, PID, PROC_LIB, REDUCTIONS, RUNNING, STATUS } from "../gen/atoms.ts";

/** A function, by module, name and arity. */
export type Mfa = readonly [module: Atom, name: Atom, arity: number];

/** How a process was started. */
export interface Ancestry {
  /** Pids or registered names, the parent first. */
  readonly ancestors: readonly Term[];
  /** What the process runs, as `proc_lib:translate_initial_call/1` returns it. */
  readonly initialCall: Mfa;
  /** The process that started it. */
  readonly parent: Pid | undefined;
  /** The OTP module whose loop it runs, such as `gen_server`. */
  readonly behaviour: Atom | undefined;
}

const ancestries = new WeakMap<Process, Ancestry>();
const ACK: Atom<"ack"> = atom("ack");

/**
 * Sets `$ancestors` and `$initial_call` of a process. `parent` started it, and `behaviour` is the OTP
 * module whose loop it runs.
 */
export function setAncestry(
  process: Process,
  parent: Process | undefined,
  initialCall: Mfa,
  behaviour?: Atom,
): void {
  const ancestors =
    parent === undefined
      ? []
      : [parent.nameTerm ?? parent.pid, ...(ancestries.get(parent)?.ancestors ?? [])];
  ancestries.set(process, { ancestors, initialCall, parent: parent?.pid, behaviour });
}

/** How a process was started; undefined if it was not started as `proc_lib` does. */
export function ancestryOf(process: Process): Ancestry | undefined {
  return ancestries.get(process);
}

/** The entries of `proc_lib` in a process's dictionary, as `process_info(Pid, dictionary)` shows them. */
export function dictionaryOf(process: Process): Term[] {
  const { label } = process;
  const labelled = label === undefined ? [] : [tuple(atom("$process_label"), label)];
  const ancestry = ancestries.get(process);
  if (ancestry === undefined) return labelled;
  return [
    ...labelled,
    tuple(atom("$initial_call"), tuple(...ancestry.initialCall)),
    tuple(atom("$ancestors"), [...ancestry.ancestors]),
  ];
}

/** Sends the starter of this process the outcome, usually `{ok, Pid}`, as `proc_lib:init_ack/2`. */
export function initAck(self: Process, starter: Pid, value: TermInput): void {
  void self.reply(starter, tuple(ACK, self.pid, value));
}

/** Whether a process that ends with this reason is not reported: `normal`, `shutdown`, `{shutdown, _}`. */
export function isQuiet(reason: Term): boolean {
  return reason === NORMAL || reason === SHUTDOWN || (isTuple(reason, 2) && reason[0] === SHUTDOWN);
}

/**
 * Logs that a process ends with an exception, unless its reason is quiet.
 * @param registeredName the name to report, `[]` for none. Default: the process's name
 */
export function crashReport(
  node: NodeCore,
  self: Process,
  exception: ErlangException,
  registeredName: Term = self.nameTerm ?? [],
): void {
  if (exception.class === "exit" && isQuiet(exception.reason)) return;
  node.runtime.log(() => {
    const ancestry = ancestries.get(self);
    const [module, name, arity] = ancestry?.initialCall ?? [PROC_LIB, INIT_P, 5];
    const args = Array.from({ length: arity }, (_, at) => atom(`Argument__${at + 1}`));
    const links = self.links?.values().map((link) => link.other) ?? [];
    const info = [
      tuple(atom("initial_call"), tuple(module, name, args)),
      tuple(PID, self.pid),
      tuple(atom("registered_name"), registeredName),
      tuple(atom("error_info"), tuple(atom(exception.class), exception.reason, exception.stack)),
      tuple(atom("ancestors"), [...(ancestry?.ancestors ?? [])]),
      tuple(atom("message_queue_len"), self.messageQueueLength),
      tuple(atom("messages"), []),
      tuple(atom("links"), links),
      tuple(DICTIONARY, []),
      tuple(atom("trap_exit"), self.trapExit),
      tuple(STATUS, RUNNING),
      tuple(atom("heap_size"), 0),
      tuple(atom("stack_size"), 0),
      tuple(REDUCTIONS, 0),
    ];
    const label = tuple(PROC_LIB, atom("crash"));
    const report = new TermMap<Term, Term>([
      [LABEL, label],
      [atom("report"), [info as Term, []]],
    ]);
    return { level: "error", report, pid: self.pid };
  });
}

/** Ends a process with an exception, and logs a crash report. */
export function endWith(node: NodeCore, self: Process, exception: ErlangException): void {
  if (!self.alive) return;
  crashReport(node, self, exception);
  self.terminate(exitReasonOf(exception));
}
