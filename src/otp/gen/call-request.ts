/**
 * Calls that are sent now and answered later: the request ids of `erpc` and `gen_server`, and the
 * collections of them.
 *
 * Spec: kernel/src/erpc.erl and stdlib/src/gen.erl, `send_request` and what follows it.
 *   receive_response   `receive`: gives the request up at a time-out
 *   wait_response      `wait`: may be asked again
 *   check_response     `wait` with `timeoutMs: 0`: answers do not pass through a mailbox here
 *   reqids_add, ...    `CallRequests`
 * An answer stays with its request: who asks again gets it again, where OTP raises badarg.
 */
import type { Term } from "../../../etf/index.ts";
import { CallError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import { limitWait } from "../../node/process/wait-limits.ts";

type Clock = NodeCore["clock"];

export interface WaitOptions {
  /** Milliseconds to wait; 0 only looks. Default: Infinity, no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What a call came to; `status` tells a result from an error, as in `Promise.allSettled`. */
export type Answer = PromiseSettledResult<Term>;

export class CallRequest {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #answer: Promise<Answer>;

  /** @internal @param call makes the call, and gives it up when the signal fires */
  constructor(clock: Clock, call: (signal: AbortSignal) => Promise<Term>) {
    this.#clock = clock;
    this.#answer = call(this.#abort.signal).then(
      (value): Answer => ({ status: "fulfilled", value }),
      (reason: unknown): Answer => ({ status: "rejected", reason }),
    );
  }

  /**
   * The result, as the call itself gives it. Who does not wait until then gives the request up:
   * an answer that comes later is dropped.
   * @throws what the call throws; CallError CALL_TIMEOUT; the signal's reason
   */
  async receive(options: WaitOptions = {}): Promise<Term> {
    let answer: Answer | undefined;
    try {
      answer = await this.wait(options);
    } catch (error) {
      this.abandon(error);
      throw error;
    }
    if (answer === undefined) {
      const error = noAnswerError(options.timeoutMs ?? 0);
      this.abandon(error);
      throw error;
    }
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  }

  /**
   * What the call came to, or undefined when that is not known in time; ask again then.
   * @throws the signal's reason
   */
  wait(options: WaitOptions = {}): Promise<Answer | undefined> {
    return within(this.#clock, this.#answer, options);
  }

  /** Gives the request up: it comes to the error given. The function may still run. */
  abandon(error: unknown): void {
    this.#abort.abort(error);
  }
}

/** A request of a collection, answered. */
export interface Answered<Label> {
  readonly label: Label;
  readonly request: CallRequest;
  readonly answer: Answer;
}

/** Requests whose answers are wanted as they come, each with a label of the program's choice. */
export class CallRequests<Label = undefined> {
  readonly #clock: Clock;
  /** Those that are not answered yet. */
  readonly #pending = new Set<CallRequest>();
  /** Those that are, and have not been taken out. */
  readonly #answered: Answered<Label>[] = [];
  /** Told when a request is answered. */
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Requests that have not been taken out. */
  get size(): number {
    return this.#pending.size + this.#answered.length;
  }

  add(request: CallRequest, label: Label): this {
    this.#pending.add(request);
    void request.wait().then((answer) => {
      this.#pending.delete(request);
      this.#answered.push({ label, request, answer: answer as Answer });
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
    return this;
  }

  /**
   * Takes out the next request that is answered; undefined when none is left. Who does not wait
   * until then gives all of them up: they are answered with the error.
   * @throws CallError CALL_TIMEOUT; the signal's reason
   */
  async receive(options: WaitOptions = {}): Promise<Answered<Label> | undefined> {
    if (this.size === 0) return undefined;
    try {
      const next = await this.wait(options);
      if (next === undefined) throw noAnswerError(options.timeoutMs ?? 0);
      return next;
    } catch (error) {
      for (const request of this.#pending) request.abandon(error);
      throw error;
    }
  }

  /**
   * Takes out the next request that is answered; undefined when none is in time, or none is left.
   * @throws the signal's reason
   */
  async wait(options: WaitOptions = {}): Promise<Answered<Label> | undefined> {
    const { timeoutMs = Number.POSITIVE_INFINITY, ...rest } = options;
    const deadline = this.#clock.now() + timeoutMs;
    // Whoever else waits may have taken out the answer that came.
    while (this.#answered.length === 0 && this.#pending.size > 0) {
      const left = deadline - this.#clock.now();
      const more = new Promise<true>((resolve) => this.#waiting.push(() => resolve(true)));
      if ((await within(this.#clock, more, { ...rest, timeoutMs: left })) === undefined) break;
    }
    return this.#answered.shift();
  }

  /** Each request as it is answered. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Answered<Label>, void, undefined> {
    for (let next = await this.wait(); next !== undefined; next = await this.wait()) yield next;
  }
}

/** What a promise comes to, or undefined when it does not in time. */
async function within<T>(
  clock: Clock,
  promise: Promise<T>,
  limits: WaitOptions,
): Promise<T | undefined> {
  limits.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const settle = (value: T | undefined): void => {
      release();
      resolve(value);
    };
    const fail = (error: unknown): void => {
      release();
      reject(error);
    };
    const release = limitWait(clock, limits, () => settle(undefined), fail);
    promise.then(settle, fail);
  });
}

function noAnswerError(timeoutMs: number): CallError {
  return new CallError("CALL_TIMEOUT", `No answer within ${timeoutMs} ms.`, true);
}
