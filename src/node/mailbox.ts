/**
 * A process's message queue with Erlang's selective receive: the oldest message that matches is
 * taken, the others stay in order.
 *
 * What waits here has a bound: above it, connections that bring more are read no further until
 * half of it has been taken, so that a flood is held up where it comes from.
 */
import type { Term } from "../../etf/index.ts";
import type { Clock, Timer } from "../transport/clock.ts";
import { NodeError } from "./errors.ts";

/** Says whether a message is the one waited for. */
export type Matcher = (message: Term) => boolean;

export interface ReceiveOptions {
  /** Milliseconds to wait; 0 only looks. Default: no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Where messages come from that can be held up. */
export interface Source {
  /** Brings nothing more until `resume` with the same holder. */
  pause(holder: object): void;
  resume(holder: object): void;
}

interface Waiter {
  readonly matches: Matcher;
  readonly resolve: (message: Term) => void;
  readonly reject: (error: unknown) => void;
}

const anything: Matcher = () => true;

export class Mailbox {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  #messages: Term[] = [];
  /** Bytes each message took on the wire; 0 for one of this node. */
  #costs: number[] = [];
  #bytes = 0;
  readonly #heldUp = new Set<Source>();
  /** Messages before this index have been taken. */
  #head = 0;
  readonly #waiters = new Set<Waiter>();
  #closed: Error | undefined;

  /** @param maxBytes of messages from other nodes, above which their connections are held up */
  constructor(clock: Clock, maxBytes: number = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#messages.length - this.#head;
  }

  /** Adds a message; `bytes` and `source` are those of a connection that brought it. */
  push(message: Term, bytes = 0, source?: Source): void {
    for (const waiter of this.#waiters) {
      if (this.#offer(waiter, message)) return;
    }
    this.#messages.push(message);
    this.#costs.push(bytes);
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes && source !== undefined && !this.#heldUp.has(source)) {
      this.#heldUp.add(source);
      source.pause(this);
    }
  }

  /** The oldest message, if there is one. */
  shift(): Term | undefined {
    return this.length === 0 ? undefined : this.#take(this.#head);
  }

  /**
   * The oldest message that matches, waiting for it if need be.
   * @throws NodeError PROCESS_RECEIVE_TIMEOUT, or what closed the mailbox; the signal's reason
   */
  async receive(matches: Matcher = anything, options: ReceiveOptions = {}): Promise<Term> {
    options.signal?.throwIfAborted();
    const index = this.#find(matches);
    if (index >= 0) return this.#take(index);
    if (this.#closed !== undefined) throw this.#closed;
    return this.#wait(matches, options);
  }

  /** Takes every message that matches, without waiting. */
  flush(matches: Matcher): Term[] {
    const taken: Term[] = [];
    for (let index = this.#find(matches); index >= 0; index = this.#find(matches)) {
      taken.push(this.#take(index));
    }
    return taken;
  }

  /** Rejects who waits; what is received later is thrown the same error. */
  close(error: Error): void {
    this.#closed = error;
    this.#messages = [];
    this.#costs = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#release();
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
  }

  #wait(matches: Matcher, options: ReceiveOptions): Promise<Term> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const settle = (): void => {
        this.#waiters.delete(waiter);
        timer?.cancel();
        options.signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        matches,
        resolve: (message) => {
          settle();
          resolve(message);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(options.signal?.reason);
      this.#waiters.add(waiter);
      options.signal?.addEventListener("abort", onAbort);
      if (options.timeoutMs !== undefined) {
        timer = this.#clock.setTimer(options.timeoutMs, () =>
          waiter.reject(
            new NodeError(
              "PROCESS_RECEIVE_TIMEOUT",
              `No message that matches came within ${options.timeoutMs} ms.`,
            ),
          ),
        );
      }
    });
  }

  /** A matcher that throws ends its own receive, not the sender. */
  #offer(waiter: Waiter, message: Term): boolean {
    try {
      if (!waiter.matches(message)) return false;
    } catch (error) {
      waiter.reject(error);
      return false;
    }
    waiter.resolve(message);
    return true;
  }

  #find(matches: Matcher): number {
    for (let index = this.#head; index < this.#messages.length; index++) {
      if (matches(this.#messages[index] as Term)) return index;
    }
    return -1;
  }

  #take(index: number): Term {
    const message = this.#messages[index] as Term;
    this.#bytes -= this.#costs[index]!;
    if (this.#heldUp.size > 0 && this.#bytes <= this.#maxBytes / 2) this.#release();
    if (index === this.#head) {
      // The slot is emptied at once, and the array shortened when half of it is.
      this.#messages[index] = false;
      this.#head++;
      if (this.#head > 32 && this.#head * 2 > this.#messages.length) {
        this.#messages = this.#messages.slice(this.#head);
        this.#costs = this.#costs.slice(this.#head);
        this.#head = 0;
      }
    } else {
      this.#messages.splice(index, 1);
      this.#costs.splice(index, 1);
    }
    return message;
  }

  #release(): void {
    for (const source of this.#heldUp) source.resume(this);
    this.#heldUp.clear();
  }
}
