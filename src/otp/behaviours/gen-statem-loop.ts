/**
 * The loop of a GenStatem: takes an event, calls the callback, makes the transition.
 *
 * Spec: stdlib/src/gen_statem.erl, "State Machine engine". Logged when the machine crashes:
 *   #{label => {gen_statem,terminate}, name, queue, postponed, modules, callback_mode, state_enter,
 *     state => {State, Data}, timeouts, log, reason => {Class, Reason, Stack}, client_info}
 * Events for `sys`: {in, Event, State}, {out, Reply, From}, {consume | postpone, Event, State, NextState},
 * {start_timer, {Type, Time, Content, []}, State}, {terminate, Reason, State}.
 */
import {
  type Atom,
  atom,
  exactEquals,
  isTuple,
  type Term,
  TermMap,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { asTerm, BADARG, UNDEFINED } from "../../node/atoms.ts";
import {
  ErlangError,
  type ErlangException,
  exceptionOf,
  UndefError,
} from "../../node/exceptions.ts";
import { CODE_CHANGE, IN, OUT, TERMINATE, TIMEOUT } from "../gen/atoms.ts";
import { StartError } from "../gen/errors.ts";
import { genCallIn, genCastIn, genReply } from "../gen/gen.ts";
import { clientInfo } from "./client-info.ts";
import { EventQueue } from "./event-queue.ts";
import type {
  From,
  QueuedEvent,
  ReplyAction,
  StatemCallbacks,
  StatemEvent,
  StatemStatus,
} from "./gen-statem-callbacks.ts";
import { eventTerm, printStatemEvent } from "./gen-statem-event.ts";
import { STATE_TIMEOUT, StatemTimeouts } from "./gen-statem-timeouts.ts";
import {
  asReply,
  asStop,
  asTransition,
  bad,
  listed,
  type TimeoutAction,
  Turn,
  take,
} from "./gen-statem-turn.ts";
import type { OtpNode } from "./otp-node.ts";
import { endWith, isQuiet } from "./proc-lib.ts";
import { asResult, type Result } from "./result.ts";
import { shown } from "./shown.ts";
import { data, SystemProcess } from "./system-process.ts";

const INIT_KEYS: ReadonlySet<string> = new Set(["state", "actions", "stop", "error", "ignore"]);

/** Runs a GenStatem's callbacks in its process. */
export class GenStatemLoop extends SystemProcess {
  protected override readonly module: Atom = atom("gen_statem");
  readonly #machine: StatemCallbacks;
  readonly #timeouts: StatemTimeouts;
  /** The current state, independent of what the program does with the machine's property. */
  #state: Term = UNDEFINED;
  /** The oldest first. */
  #postponed: QueuedEvent[] = [];

  constructor(node: OtpNode, callbackModule: Atom, machine: StatemCallbacks) {
    super(node, callbackModule);
    this.#machine = machine;
    this.#timeouts = new StatemTimeouts(node.clock, (message) => this.self.deliver(message));
  }

  protected override async init(): Promise<void> {
    let returned: unknown;
    try {
      returned = await this.#machine.init?.();
    } catch (error) {
      const exception = exceptionOf(error);
      if (exception.class !== "throw") {
        this.#report(exception, new EventQueue());
        return this.notStarted(StartError.failed(exception.reason), exception);
      }
      returned = exception.reason;
    }
    if (!this.self.alive) return;
    const given = asResult(returned, INIT_KEYS);
    const state = given?.state ?? this.#machine.state;
    if (given !== undefined && this.refusedBy(given)) return;
    if (given === undefined || state === undefined) {
      const failed = bad("bad_return_from_init", returned);
      this.#report(exceptionOf(failed), new EventQueue());
      return this.refused(StartError.failed(failed.reason), failed.reason);
    }
    this.#enter(state);
    this.started();
    const queue = new EventQueue({ type: "internal", content: atom("init_state") });
    if (await this.#turn(queue, undefined, listed(given.actions))) await this.#run(queue);
  }

  protected override handle(message: Term): unknown {
    if (this.#timeouts.isTimer(message)) {
      const passed = this.#timeouts.passed(message);
      return passed === undefined ? undefined : this.#receive(passed);
    }
    const call = genCallIn(message);
    if (call !== undefined) {
      const from = call.from as From;
      return this.#receive({ type: "call", from, content: call.request });
    }
    const cast = genCastIn(message);
    return this.#receive(
      cast === undefined ? { type: "info", content: message } : { type: "cast", content: cast },
    );
  }

  protected override stop(reason: Term): unknown {
    return this.#terminate({ class: "exit", reason, stack: [] }, new EventQueue());
  }

  /** Timers run on while the machine is suspended; their messages wait in the mailbox. */
  protected override pause(): void {}
  protected override resume(): void {}

  override terminated(reason: Term): void {
    this.#timeouts.cancelAll();
    super.terminated(reason);
  }

  protected override state(): Term {
    return tuple(this.#state, shown(this.#machine.data));
  }

  protected override replaceState(state: Term): Term {
    if (!isTuple(state, 2)) throw ErlangError.error(BADARG);
    const [next, nextData] = state as readonly Term[] as [Term, Term];
    this.#machine.replaceData(nextData);
    this.#enter(next);
    return this.state();
  }

  protected override changeCode(oldVsn: Term, extra: Term): unknown {
    if (this.#machine.codeChange !== undefined) return this.#machine.codeChange(oldVsn, extra);
    const args = [oldVsn, this.#state, shown(this.#machine.data), extra];
    throw new UndefError(this.callbackModule, CODE_CHANGE, args);
  }

  protected override statusItems(state: Atom, parent: Term): Term[] {
    const status = this.#formatted({ state: this.#state, data: this.#machine.data });
    return [
      this.header("state machine"),
      data([
        ["Status", state],
        ["Parent", parent],
        ["Modules", [this.callbackModule]],
        ["Time-outs", this.#timeouts.status()],
        ["Logged Events", [...this.debug.logged]],
        ["Postponed", this.#postponedTerms()],
      ]),
      data([["State", tuple(shown(status.state), shown(status.data))]]),
    ];
  }

  protected override printEvent(event: Term): string {
    return printStatemEvent(this.name, event);
  }

  #enter(state: unknown): void {
    this.#state = typeof state === "string" ? asTerm(state) : toTerm(state as Term);
    this.#machine.state = this.#state;
  }

  #receive(event: QueuedEvent): Promise<void> {
    this.#received(event);
    return this.#run(new EventQueue(event));
  }

  #received(event: QueuedEvent): void {
    if (!this.debug.active) return;
    this.debug.event(tuple(IN, eventTerm(event), this.#state));
  }

  /** Handles the queued events and the time-outs of 0 until none is left. */
  async #run(queue: EventQueue): Promise<void> {
    for (;;) {
      if (queue.length === 0) {
        const passed = this.#timeouts.takeZero();
        if (passed === undefined) return;
        this.#received(passed);
        queue.push(passed);
      }
      if (!(await this.#turn(queue, queue.first, []))) return;
    }
  }

  /**
   * Handles the first event of the queue, or starts with the actions of init and an enter call.
   * Returns whether the machine continues.
   */
  async #turn(
    queue: EventQueue,
    event: QueuedEvent | undefined,
    actions: unknown[],
  ): Promise<boolean> {
    const turn = new Turn();
    const previous = this.#state;
    try {
      this.#act(turn, actions, true);
      if (event === undefined) turn.postpone = false;
      let next: StatemEvent | undefined = event ?? this.#enterEvent(previous);
      while (next !== undefined) {
        const called = next.type !== "enter";
        const returned = await this.#call(next, previous);
        if (!this.self.alive) return false;
        const stop = asStop(returned);
        if (stop !== undefined) {
          for (const action of stop.replies) this.#reply(asReply(action));
          await this.#terminate({ class: "exit", reason: stop.reason, stack: [] }, queue);
          return false;
        }
        const result = asTransition(returned);
        const changed = this.#goTo(result, called);
        this.#act(turn, listed(result.actions), called);
        next = changed || result.repeatState === true ? this.#enterEvent(previous) : undefined;
      }
    } catch (error) {
      if (this.self.alive) await this.#terminate(exceptionOf(error), queue);
      return false;
    }
    this.#settle(turn, previous, queue);
    return true;
  }

  #enterEvent(previous: Term): StatemEvent | undefined {
    return this.#machine.stateEnter ? { type: "enter", content: previous } : undefined;
  }

  /** What the callback returned. As in OTP, a thrown value counts as a returned one. */
  async #call(event: StatemEvent, previous: Term): Promise<unknown> {
    try {
      return await this.#callback(event);
    } catch (error) {
      const exception = exceptionOf(error);
      if (exception.class === "throw") return exception.reason;
      // The transition fails with its enter call: the machine ends in the previous state.
      this.#enter(previous);
      throw error;
    }
  }

  #callback(event: StatemEvent): unknown {
    const machine = this.#machine;
    const [type, content] = eventTerm(event) as [Term, Term];
    if (machine.callbackMode === "state_functions") {
      const run = machine.stateFunction(this.#state);
      if (run !== undefined) return run(event);
      throw new UndefError(this.callbackModule, this.#state, [type, content, shown(machine.data)]);
    }
    if (machine.handleEvent !== undefined) return machine.handleEvent(event, this.#state);
    const args = [type, content, this.#state, shown(machine.data)];
    throw new UndefError(this.callbackModule, atom("handle_event"), args);
  }

  /** Returns whether the state changed. @throws ErlangError bad_state_enter_return_from_state_function */
  #goTo(result: Result, called: boolean): boolean {
    const { nextState } = result;
    if (nextState === undefined) return false;
    const state = typeof nextState === "string" ? asTerm(nextState) : toTerm(nextState as Term);
    if (exactEquals(state, this.#state)) return false;
    if (!called) throw bad("bad_state_enter_return_from_state_function", result);
    this.#enter(state);
    return true;
  }

  #act(turn: Turn, actions: unknown[], called: boolean): void {
    for (const action of actions) {
      const made = turn.nextEvents.length;
      take(turn, action, called, (reply) => this.#reply(reply));
      for (const event of turn.nextEvents.slice(made)) this.#received(event);
    }
  }

  #reply({ reply, from }: ReplyAction): void {
    genReply(this.self, from as Term, reply);
    if (this.debug.active) {
      this.debug.event(tuple(OUT, shown(reply), from as Term));
    }
  }

  /** Completes the transition: drops or postpones the event, cancels and starts time-outs. */
  #settle(turn: Turn, previous: Term, queue: EventQueue): void {
    const event = queue.shift()!;
    if (turn.postpone) this.#postponed.push(event);
    if (this.debug.active) {
      const what = atom(turn.postpone ? "postpone" : "consume");
      this.debug.event(tuple(what, eventTerm(event), previous, this.#state));
    }
    this.#timeouts.cancel(TIMEOUT);
    if (!exactEquals(previous, this.#state)) {
      this.#timeouts.cancel(STATE_TIMEOUT);
      queue.prepend(this.#postponed);
      this.#postponed = [];
    }
    this.#startTimeouts(turn.timeouts);
    queue.prepend(turn.nextEvents);
  }

  /** Starts time-outs. Of several of one type, the last one counts. */
  #startTimeouts(timeouts: readonly TimeoutAction[]): void {
    const last = timeouts.filter(
      ({ type }, at) => !timeouts.slice(at + 1).some((later) => exactEquals(later.type, type)),
    );
    if (this.debug.active) {
      // OTP reports them from the last to the first.
      for (const { type, timeMs, content } of [...last].reverse()) {
        if (timeMs === "update" || timeMs === Number.POSITIVE_INFINITY) continue;
        const timer = tuple(type, timeMs, shown(content), []);
        this.debug.event(tuple(atom("start_timer"), timer, this.#state));
      }
    }
    for (const { type, timeMs, content } of last) {
      if (timeMs === "update") this.#timeouts.update(type, content);
      else this.#timeouts.start(type, timeMs, content);
    }
  }

  async #terminate(exception: ErlangException, queue: EventQueue): Promise<void> {
    let last = exception;
    try {
      await this.#machine.terminate?.(exception.reason, this.#state);
    } catch (error) {
      const thrown = exceptionOf(error);
      if (thrown.class !== "throw") last = thrown;
    }
    if (!this.self.alive) return;
    if (last !== exception || !isQuiet(last.reason)) this.#report(last, queue);
    else if (this.debug.active) {
      this.debug.event(tuple(TERMINATE, last.reason, this.#state));
    }
    endWith(this.node, this.self, last);
  }

  #report({ class: exceptionClass, reason, stack }: ErlangException, queue: EventQueue): void {
    const { callbackModule, self } = this;
    const { callbackMode, stateEnter, data: machineData } = this.#machine;
    this.node.runtime.log(() => {
      const status = this.#formatted({ state: this.#state, data: machineData, reason });
      const { first: event } = queue;
      const rows: [string, unknown][] = [
        ["label", tuple(this.module, TERMINATE)],
        ["name", this.name],
        ["queue", queue.toArray().map(eventTerm)],
        ["postponed", this.#postponedTerms()],
        ["modules", [callbackModule]],
        ["callback_mode", atom(callbackMode)],
        ["state_enter", stateEnter],
        ["state", tuple(shown(status.state), shown(status.data))],
        ["timeouts", this.#timeouts.status()],
        ["log", [...this.debug.logged]],
        ["reason", tuple(atom(exceptionClass), shown(status.reason), stack)],
        ["client_info", clientInfo(this.node, event?.type === "call" ? event.from[0] : undefined)],
      ];
      const report = new TermMap<Term, Term>(rows.map(([key, row]) => [atom(key), row as Term]));
      return { level: "error", report, pid: self.pid };
    });
  }

  #formatted(status: StatemStatus): StatemStatus {
    try {
      return this.#machine.formatStatus?.({ ...status }) ?? status;
    } catch {
      return { ...status, data: `${this.callbackModule.name}:format_status/1 crashed` };
    }
  }

  /** The newest first, as OTP keeps them. */
  #postponedTerms(): Term[] {
    return this.#postponed.map(eventTerm).reverse();
  }
}
