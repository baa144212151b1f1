/**
 * The time-outs of a GenStatem: one of the state, one of the event, and one for each name.
 *
 * Spec: gen_statem's "Time-Outs". Starting a time-out replaces the running one of its type. A time-out
 * of 0 passes as soon as no event is queued, before any received message.
 */
import { type Atom, atom, exactEquals, isTuple, type Term, tuple } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import { TIMEOUT } from "../gen/atoms.ts";
import type { TimeoutEvent } from "./gen-statem-callbacks.ts";
import { shown } from "./shown.ts";
import type { Timer } from "./system-process.ts";

/** The type of the state's time-out. */
export const STATE_TIMEOUT: Atom<"state_timeout"> = atom("state_timeout");

interface Timeout {
  /** `state_timeout`, `timeout`, or `{timeout, Name}`. */
  readonly type: Term;
  content: unknown;
  /** Undefined for a time of 0. */
  readonly timer: Timer | undefined;
}

/** The running time-outs of one machine. */
export class StatemTimeouts {
  readonly #clock: NodeCore["clock"];
  readonly #deliver: (message: Term) => void;
  #running: Timeout[] = [];
  /** The time-out that each timer's message belongs to. Messages of cancelled time-outs are ignored. */
  readonly #messages = new WeakMap<object, Timeout>();

  /** @param deliver puts a message into the machine's mailbox, after those already received */
  constructor(clock: NodeCore["clock"], deliver: (message: Term) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Starts a time-out of a type, or restarts it. Infinity cancels it. */
  start(type: Term, timeMs: number, content: unknown): void {
    this.cancel(type);
    if (timeMs === Number.POSITIVE_INFINITY) return;
    if (timeMs === 0) {
      this.#running.push({ type, content, timer: undefined });
      return;
    }
    const message = tuple(TIMEOUT, type);
    const timer = this.#clock.setTimer(timeMs, () => this.#deliver(message));
    const timeout = { type, content, timer };
    this.#messages.set(message as object, timeout);
    this.#running.push(timeout);
  }

  /** Changes the content of the running time-out of a type; if there is none, starts one of 0. */
  update(type: Term, content: unknown): void {
    const found = this.#find(type);
    if (found === undefined) this.start(type, 0, content);
    else found.content = content;
  }

  /** Cancels the time-out of a type, if one runs. */
  cancel(type: Term): void {
    const found = this.#find(type);
    if (found !== undefined) this.#remove(found);
  }

  /** Cancels all time-outs. */
  cancelAll(): void {
    for (const { timer } of this.#running) timer?.cancel();
    this.#running = [];
  }

  /** Whether a message comes from a timer. */
  isTimer(message: Term): boolean {
    return typeof message === "object" && this.#messages.has(message);
  }

  /** The event for a timer's message; undefined if the time-out has been cancelled since. */
  passed(message: Term): TimeoutEvent | undefined {
    const timeout = this.#messages.get(message as object);
    if (timeout === undefined || !this.#running.includes(timeout)) return undefined;
    return this.#remove(timeout);
  }

  /** Takes out the oldest time-out of 0. */
  takeZero(): TimeoutEvent | undefined {
    const zero = this.#running.find(({ timer }) => timer === undefined);
    return zero === undefined ? undefined : this.#remove(zero);
  }

  /** The running time-outs as `{Count, [{Type, Content}]}`. */
  status(): Term {
    const list = this.#running.map(({ type, content }) => tuple(type, shown(content)));
    return tuple(list.length, list);
  }

  #find(type: Term): Timeout | undefined {
    return this.#running.find((timeout) => exactEquals(timeout.type, type));
  }

  #remove(timeout: Timeout): TimeoutEvent {
    timeout.timer?.cancel();
    this.#running = this.#running.filter((other) => other !== timeout);
    const { type, content } = timeout;
    if (type === STATE_TIMEOUT) return { type: "state_timeout", content };
    return isTuple(type)
      ? { type: "timeout", name: type[1] as Term, content }
      : { type: "timeout", content };
  }
}
