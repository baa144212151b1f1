/**
 * Calls that are sent now and answered later: the request ids of `erpc` and `gen_server`, and
 * collections of them.
 *
 * Spec: kernel/src/erpc.erl and stdlib/src/gen.erl, `send_request` and the functions after it.
 *   receive_response   `receive`: abandons the request at a time-out
 *   wait_response      `wait`: may be called again
 *   check_response     `wait` with `timeoutMs: 0`, since answers do not pass through a mailbox here
 *   reqids_add, ...    `CallRequests`
 * An answer stays with its request: asking again returns it again, where OTP raises badarg.
 */
import type { Term } from "../../../etf/index.ts";
import { CallError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import { limitWait } from "../../node/process/wait-limits.ts";

type Clock = NodeCore["clock"];

/** How long to wait for an answer. */
export interface WaitOptions {
  /** Milliseconds to wait; with 0 the call only checks. Default: Infinity, no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** The outcome of a call. `status` tells a result from an error, as in `Promise.allSettled`. */
export type Answer = PromiseSettledResult<Term>;

/**
 * A call in progress, made by `sendRequest` or `asyncCall`.
 *
 * ```ts
 * const request = node.gen.sendRequest(["counter", "b@host"], atom("get"));
 * const answer = await request.wait({ timeoutMs: 100 }); // undefined: not answered yet
 * const value = await request.receive(); // the reply; throws if the call failed
 * ```
 */
export class CallRequest {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #answer: Promise<Answer>;

  /** @internal @param call makes the call, and abandons it when the signal fires */
  constructor(clock: Clock, call: (signal: AbortSignal) => Promise<Term>) {
    this.#clock = clock;
    this.#answer = call(this.#abort.signal).then(
      (value): Answer => ({ status: "fulfilled", value }),
      (reason: unknown): Answer => ({ status: "rejected", reason }),
    );
  }

  /**
   * Resolves with the call's result. At a time-out, or when the signal fires, the request is
   * abandoned and a later answer is dropped.
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
   * Resolves with the call's outcome, or with undefined at a time-out; then `wait` may be called again.
   * @throws the signal's reason
   */
  wait(options: WaitOptions = {}): Promise<Answer | undefined> {
    return within(this.#clock, this.#answer, options);
  }

  /** Abandons the request, which fails with the given error. The remote function may still run. */
  abandon(error: unknown): void {
    this.#abort.abort(error);
  }
}

/** An answered request of a collection. */
export interface Answered<Label> {
  readonly label: Label;
  readonly request: CallRequest;
  readonly answer: Answer;
}

/**
 * A collection of requests whose answers are taken in the order in which they arrive, each with a
 * label that the program chose. `node.erpc.requests()` makes one.
 */
export class CallRequests<Label = undefined> {
  readonly #clock: Clock;
  /** Requests not answered yet. */
  readonly #pending = new Set<CallRequest>();
  /** Requests answered and not taken out yet. */
  readonly #answered: Answered<Label>[] = [];
  /** Called when a request is answered. */
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of requests that have not been taken out. */
  get size(): number {
    return this.#pending.size + this.#answered.length;
  }

  /** Adds a request under a label. Returns the collection. */
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
   * Takes out the next answered request; resolves with undefined when none is left. At a time-out,
   * or when the signal fires, all pending requests are abandoned and fail with that error.
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
   * Takes out the next answered request; resolves with undefined at a time-out or when none is left.
   * @throws the signal's reason
   */
  async wait(options: WaitOptions = {}): Promise<Answered<Label> | undefined> {
    const { timeoutMs = Number.POSITIVE_INFINITY, ...rest } = options;
    const deadline = this.#clock.now() + timeoutMs;
    // Another waiter may have taken out the answer that arrived.
    while (this.#answered.length === 0 && this.#pending.size > 0) {
      const left = deadline - this.#clock.now();
      const more = new Promise<true>((resolve) => this.#waiting.push(() => resolve(true)));
      if ((await within(this.#clock, more, { ...rest, timeoutMs: left })) === undefined) break;
    }
    return this.#answered.shift();
  }

  /** Yields each request as it is answered. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Answered<Label>, void, undefined> {
    for (let next = await this.wait(); next !== undefined; next = await this.wait()) yield next;
  }
}

/** The value of a promise, or undefined at a time-out. */
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
