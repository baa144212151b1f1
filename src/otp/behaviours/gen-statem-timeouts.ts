/**
 * The time-outs of a GenStatem: one of the state, one of the event, and one for each name.
 *
 * Spec: gen_statem's "Time-Outs". A time-out started again replaces the one of its type. Those of 0
 * take no time: they come as soon as no event is queued, before anything that was received.
 */
import { type Atom, atom, exactEquals, isTuple, type Term, tuple } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import { TIMEOUT } from "../gen/atoms.ts";
import type { TimeoutEvent } from "./gen-statem-callbacks.ts";
import { shown } from "./shown.ts";
import type { Timer } from "./system-process.ts";

export const STATE_TIMEOUT: Atom<"state_timeout"> = atom("state_timeout");

interface Timeout {
  /** `state_timeout`, `timeout`, or `{timeout, Name}`. */
  readonly type: Term;
  content: unknown;
  /** Undefined when its time is 0. */
  readonly timer: Timer | undefined;
}

export class StatemTimeouts {
  readonly #clock: NodeCore["clock"];
  readonly #deliver: (message: Term) => void;
  #running: Timeout[] = [];
  /** What the messages of timers mean; those of cancelled ones mean nothing. */
  readonly #messages = new WeakMap<object, Timeout>();

  /** @param deliver puts a message into the machine's mailbox, behind those received already */
  constructor(clock: NodeCore["clock"], deliver: (message: Term) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Starts a time-out of a type, or starts it again. */
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

  /** Changes the content of one that runs; without such, one of 0 is started. */
  update(type: Term, content: unknown): void {
    const found = this.#find(type);
    if (found === undefined) this.start(type, 0, content);
    else found.content = content;
  }

  cancel(type: Term): void {
    const found = this.#find(type);
    if (found !== undefined) this.#remove(found);
  }

  cancelAll(): void {
    for (const { timer } of this.#running) timer?.cancel();
    this.#running = [];
  }

  /** Whether a message is that of a timer. */
  isTimer(message: Term): boolean {
    return typeof message === "object" && this.#messages.has(message);
  }

  /** The event of a timer's message, unless it was cancelled after that was sent. */
  passed(message: Term): TimeoutEvent | undefined {
    const timeout = this.#messages.get(message as object);
    if (timeout === undefined || !this.#running.includes(timeout)) return undefined;
    return this.#remove(timeout);
  }

  /** The oldest of those of 0. */
  takeZero(): TimeoutEvent | undefined {
    const zero = this.#running.find(({ timer }) => timer === undefined);
    return zero === undefined ? undefined : this.#remove(zero);
  }

  /** `{Count, [{Type, Content}]}` of those that run. */
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
