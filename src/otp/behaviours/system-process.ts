/**
 * What all servers of OTP's behaviours have in common: they are started and report to their starter,
 * end when their parent does, and obey the system messages of `sys`.
 *
 * Spec: stdlib/src/gen.erl, sys.erl, "sys and proc_lib" of the design principles.
 *   {system, From, Request}      -> {Tag, Answer} to From, as a call of gen
 *   {'EXIT', Parent, Reason}     ends the server, even if it traps exits
 * Requests: get_state, {replace_state, Fun}, get_status, suspend, resume, {terminate, Reason},
 * {change_code, Module, OldVsn, Extra}, {debug, What}. A suspended server handles only system messages
 * and the end of its parent; all other messages stay in the mailbox. A fun runs if it is a `fun M:F/1`
 * that the program has exposed; any other has no code here, so the answer is OTP's for `undef`.
 */
import {
  type Atom,
  atom,
  atomOf,
  charlist,
  isAtom,
  isFun,
  isPid,
  isTuple,
  type Pid,
  type Term,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import { BADFUN, ERROR, EXIT, KILL, NORMAL, OK } from "../../node/atoms.ts";
import {
  ErlangError,
  type ErlangException,
  exceptionOf,
  exitReasonOf,
} from "../../node/exceptions.ts";
import { Pattern } from "../../node/process/mailbox.ts";
import type { Behaviour, Process } from "../../node/process/process.ts";
import { limitWait } from "../../node/process/wait-limits.ts";
import { DEBUG, INIT, MODULE, RUNNING, STATUS, SYSTEM, TERMINATE, TIMEOUT } from "../gen/atoms.ts";
import { StartError } from "../gen/errors.ts";
import { genReply } from "../gen/gen.ts";
import type { OtpNode } from "./otp-node.ts";
import { crashReport, dictionaryOf, setAncestry } from "./proc-lib.ts";
import type { Result } from "./result.ts";
import { shown } from "./shown.ts";
import { stateAnswer } from "./sys-answer.ts";
import { SysDebug } from "./sys-debug.ts";

/** A timer of the node's clock. */
export type Timer = ReturnType<OtpNode["clock"]["setTimer"]>;

/** Options of a start. */
export interface StartOptions {
  /** The name to register before init runs. Default: none. */
  name?: NameLike;
  /** Milliseconds that init may take. Default: no limit. */
  timeoutMs?: number;
  /** Ends the process if it fires before init is done. */
  signal?: AbortSignal;
}

const SUSPENDED: Atom<"suspended"> = atom("suspended");
/** The first message of each server, recognized by identity. */
const START: Term = tuple(atom("$start"));

interface Starting {
  done(): void;
  failed(error: unknown): void;
}

/** The process of a server: starting, system messages and ending. Subclasses add the callbacks. */
export abstract class SystemProcess implements Behaviour {
  /** The node on which it runs. */
  readonly node: OtpNode;
  /** Its debug facilities. */
  readonly debug: SysDebug;
  /** The OTP module that it stands for, such as `gen_server`. */
  protected abstract readonly module: Atom;
  /** The callback module's name, as OTP shows it. */
  protected readonly callbackModule: Atom;
  #self: Process | undefined;
  #parent: Process | undefined;
  #starting: Starting | undefined;
  #suspended = false;
  /** Matches what a suspended server handles. Each waiting message is tested once. */
  readonly #ofSystem = new Pattern((message: Term) => this.#concerns(message));

  constructor(node: OtpNode, callbackModule: Atom) {
    this.node = node;
    this.callbackModule = callbackModule;
    const loop = this;
    this.debug = new SysDebug({
      node,
      get self() {
        return loop.self;
      },
      get name() {
        return loop.name;
      },
      print: (event) => this.printEvent(event),
    });
  }

  /** The process, once it has been started. */
  get self(): Process {
    return this.#self!;
  }

  /** The process that started it with a link, else the process itself. */
  protected get parent(): Process {
    return this.#parent ?? this.self;
  }

  /** The registered name, or the pid if it has none. */
  get name(): Term {
    return this.self.nameTerm ?? this.self.pid;
  }

  /** Runs init before any other message is handled. Must call `started` or `notStarted`. */
  protected abstract init(): unknown;
  /** Handles a message that is not a system message. */
  protected abstract handle(message: Term): unknown;
  /** Runs the terminate callback and ends the process; `message` is the parent's exit message, or `[]`. */
  protected abstract stop(reason: Term, message: Term): unknown;
  /** Stops the loop's timers while a system message is handled. */
  protected abstract pause(): void;
  /** Continues where `pause` interrupted. */
  protected abstract resume(): unknown;
  /** The state, as `sys:get_state/1` shows it. */
  protected abstract state(): Term;
  /** Replaces the state; returns what `sys:replace_state/2` should. */
  protected abstract replaceState(state: Term): Term;
  /** Runs the callback of `sys:change_code/4`. */
  protected abstract changeCode(oldVsn: Term, extra: Term): unknown;
  /** The items of a status: its header, then `{data, [...]}` terms. */
  protected abstract statusItems(state: Atom, parent: Term): Term[];
  /** The text that OTP prints for a system event. */
  protected abstract printEvent(event: Term): string;

  /**
   * Starts the process, linked to `parent` if given. Resolves when init is done.
   * @throws StartError START_FAILED, START_IGNORED; the signal's reason
   */
  start(options: StartOptions, parent?: Process): Promise<Process> {
    const { name, signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const taken = name === undefined ? undefined : this.node.whereis(name);
      if (taken !== undefined) throw StartError.alreadyStarted(taken.pid);
      const process = this.node.spawn(this);
      const settle = (): void => {
        this.#starting = undefined;
        release();
      };
      const failed = (error: unknown): void => {
        settle();
        reject(error);
      };
      const giveUp = (error: unknown): void => {
        failed(error);
        if (parent?.alive === true) parent.unlink(process.pid);
        process.exitSignal(process.pid, KILL);
      };
      this.#self = process;
      this.#parent = parent;
      this.#starting = {
        failed,
        done: () => {
          settle();
          resolve(process);
        },
      };
      setAncestry(process, parent, [this.callbackModule, INIT, 1], this.module);
      const timedOut = (): void => giveUp(StartError.failed(TIMEOUT));
      const release = limitWait(this.node.clock, options, timedOut, giveUp);
      try {
        if (parent !== undefined) {
          process.groupLeader = parent.groupLeader;
          parent.link(process.pid);
        }
        if (name !== undefined) process.register(name);
      } catch (error) {
        giveUp(error);
        return;
      }
      process.deliver(START);
    });
  }

  /** Handles a message of any kind. */
  message(message: Term): unknown {
    if (isTuple(message, 3)) {
      if (message[0] === SYSTEM) return this.#system(message);
      if (message[0] === EXIT && this.#isParent(message[1])) return this.stop(message[2], message);
    } else if (message === START) {
      return this.init();
    }
    return this.handle(message);
  }

  /** Cleans up after the process has ended. */
  terminated(reason: Term): void {
    this.pause();
    this.#starting?.failed(StartError.failed(reason));
  }

  /** Reports to the starter that init succeeded. */
  protected started(): void {
    this.#starting?.done();
  }

  /**
   * Ends the process with `exception` because init did not succeed, and reports it to the starter. A
   * parent that traps exits gets no exit message, since OTP's `start_link` removes it.
   */
  protected notStarted(error: StartError, exception: ErlangException): void {
    const { self } = this;
    const starting = this.#starting;
    this.#starting = undefined;
    if (self.alive) {
      // OTP unregisters the name first, and removes the exit message last.
      crashReport(this.node, self, exception, []);
      if (this.#parent?.alive === true && this.#parent.trapExit) this.#parent.unlink(self.pid);
      self.terminate(exitReasonOf(exception));
    }
    starting?.failed(error);
  }

  /** Whether init's result refuses the start; if so, the starter gets the error. */
  protected refusedBy(given: Result): boolean {
    if ("ignore" in given) this.refused(StartError.ignored());
    else if ("error" in given) this.refused(StartError.failed(shown(given.error)));
    else if ("stop" in given) {
      const reason = shown(given.stop);
      this.refused(StartError.failed(reason), reason);
    } else return false;
    return true;
  }

  /** As `notStarted`, with an exit reason that was returned and not raised. */
  protected refused(error: StartError, reason: Term = NORMAL): void {
    this.notStarted(error, { class: "exit", reason, stack: [] });
  }

  #isParent(from: unknown): boolean {
    return isPid(from) && this.#parent !== undefined && from.equals(this.#parent.pid);
  }

  /** Carries out a system message; if it suspends the server, all further ones until it is resumed. */
  async #system(first: Term): Promise<void> {
    this.pause();
    let message = first as readonly Term[];
    for (;;) {
      const [tag, from, request] = message as [Term, Term, Term];
      if (tag === EXIT) return void (await this.stop(request, message as Term));
      const answer = await this.#command(request, from);
      if (!this.self.alive) return;
      genReply(this.self, from, answer);
      if (isTuple(request, 2) && request[0] === TERMINATE) {
        return void (await this.stop(request[1], []));
      }
      if (!this.#suspended) break;
      message = (await this.self.receive(this.#ofSystem)) as readonly Term[];
    }
    await this.resume();
  }

  #concerns(message: Term): boolean {
    if (!isTuple(message, 3)) return false;
    return message[0] === SYSTEM || (message[0] === EXIT && this.#isParent(message[1]));
  }

  async #command(request: Term, from: Term): Promise<Term> {
    if (isAtom(request)) {
      switch (request.name) {
        case "get_state":
          return stateAnswer(this.node, from, this.state());
        case "get_status":
          return this.#status();
        case "suspend":
          this.#suspended = true;
          return OK;
        case "resume":
          this.#suspended = false;
          return OK;
      }
    } else if (isTuple(request, 2)) {
      const [what, argument] = request as readonly Term[] as [Term, Term];
      if (what === TERMINATE) return OK;
      if (what === DEBUG) return this.debug.command(argument);
      if (what === atom("replace_state")) return this.#replaceState(argument, from);
    } else if (isTuple(request, 4) && request[0] === atom("change_code") && this.#suspended) {
      return this.#changeCode(request[2], request[3]);
    }
    return tuple(ERROR, tuple(atom("unknown_system_msg"), request));
  }

  async #replaceState(fun: Term, from: Term): Promise<Term> {
    let state: Term;
    try {
      if (!isFun(fun)) throw ErlangError.error(tuple(BADFUN, fun));
      const context = { self: this.self, caller: undefined };
      const next = await this.node.runtime.functions.applyFun(context, fun, [this.state()]);
      state = this.replaceState(toTerm(next));
    } catch (error) {
      const { class: exceptionClass, reason } = exceptionOf(error);
      const callback = tuple(this.module, atom("system_replace_state"));
      const failed = tuple(atom("callback_failed"), callback, tuple(atom(exceptionClass), reason));
      return tuple(ERROR, failed);
    }
    return stateAnswer(this.node, from, state);
  }

  async #changeCode(oldVsn: Term, extra: Term): Promise<Term> {
    try {
      await this.changeCode(oldVsn, extra);
      return OK;
    } catch (error) {
      const exception = exceptionOf(error);
      const thrown = exception.class === "throw";
      const reason = thrown ? exception.reason : tuple(EXIT, exitReasonOf(exception));
      return tuple(ERROR, reason);
    }
  }

  #status(): Term {
    const { self } = this;
    const parent = this.parent.pid;
    const state = this.#suspended ? SUSPENDED : RUNNING;
    const misc = this.statusItems(state, parent);
    const items = [dictionaryOf(self), state, parent, this.debug.options(), misc];
    return tuple(STATUS, self.pid, tuple(MODULE, this.module), items);
  }

  /** The header of a status, such as `"Status for generic server counter"`. */
  protected header(kind: string): Term {
    const { name } = this;
    const shownName = atomOf(name)?.name ?? localPid(name as Pid);
    const line = `Status for ${kind} ${shownName}`;
    return tuple(atom("header"), charlist(line));
  }

  /** The first data of a status: the state, the parent, and the logged events. */
  protected generalData(state: Atom, parent: Term): Term {
    return data([
      ["Status", state],
      ["Parent", parent],
      ["Logged events", [...this.debug.logged]],
    ]);
  }
}

/** Data of a status: `{data, [{"Name", Value}, ...]}`. */
export function data(rows: readonly (readonly [string, unknown])[]): Term {
  const shownRows = rows.map(([title, value]) => tuple(charlist(title), shown(value)));
  return tuple(atom("data"), shownRows);
}

/** A pid of this node, as `pid_to_list/1` shows it there. */
function localPid(pid: Pid): string {
  return `<0.${pid.id}.${pid.serial}>`;
}
