/**
 * Requests to processes of any node, each with a reference, a monitor of the target and limits: what
 * OTP's `gen` and `io` have in common. One process makes all of them. It is older than the processes
 * that it asks, so it ends first when the node stops, and pending requests fail with NODE_STOPPED.
 */
import type { Pid, Reference, Term, TermInput } from "../../../etf/index.ts";
import { timeoutError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import { ReferenceMap } from "../../node/process/identifiers.ts";
import type { MonitorTarget, Process } from "../../node/process/process.ts";
import { limitWait, type WaitLimits } from "../../node/process/wait-limits.ts";
import { asDestination, describeTarget } from "./destination.ts";
import { callerEnded, lostError } from "./errors.ts";

interface Waiting {
  reply(reply: Term): void;
  fail(error: unknown): void;
}

/** Reads a message as an answer: the reference of its request, and the answer. */
export type AnswerIn = (message: Term) => readonly [ref: Reference, answer: Term] | undefined;

/** What a protocol puts into its requests. */
export interface RequestForm {
  /** Makes the message, which `caller` sends with the reference `ref`. */
  message(caller: Pid, ref: Reference): TermInput;
  /** Makes the error for a target that does not exist, or ends before it answers. */
  ended(reason: Term): Error;
  /** Whether the reference is an alias of the caller, so that late answers are dropped. */
  readonly aliased: boolean;
}

/** Sends the requests of one client and matches the answers to them. */
export class MonitoredRequests {
  readonly #node: NodeCore;
  readonly #answerIn: AnswerIn;
  readonly #waiting = new ReferenceMap<Waiting>();
  #caller: Process;

  constructor(node: NodeCore, answerIn: AnswerIn) {
    this.#node = node;
    this.#answerIn = answerIn;
    this.#caller = this.#newCaller();
  }

  /**
   * Sends a message that needs no answer; to a name that does not exist it is dropped.
   * @throws EtfEncodeError, NodeError NODE_STOPPED
   */
  tell(target: MonitorTarget, message: TermInput): Promise<void> {
    return this.#liveCaller().send(asDestination(target, this.#node.name), message);
  }

  /**
   * Sends a request and resolves with the answer.
   * @throws what `form.ended` makes; CallError CALL_TIMEOUT, CALL_NO_CONNECTION; NodeError NODE_STOPPED;
   *   EtfEncodeError; the signal's reason
   */
  ask(target: MonitorTarget, form: RequestForm, limits: WaitLimits): Promise<Term> {
    if (limits.signal?.aborted === true) return Promise.reject(limits.signal.reason);
    return new Promise((resolve, reject) => {
      const caller = this.#liveCaller();
      const ref = form.aliased
        ? this.#node.runtime.alias(caller, true, (message) => this.#answered(message))
        : this.#node.newReference();
      const settle = (): void => {
        this.#waiting.delete(ref);
        if (form.aliased) this.#node.runtime.unalias(ref);
        if (caller.alive) caller.demonitor(ref);
        release();
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error);
      };
      const reply = (answer: Term): void => {
        settle();
        resolve(answer);
      };
      this.#waiting.set(ref, { reply, fail });
      const release = limitWait(
        this.#node.clock,
        limits,
        (timeoutMs) => fail(timeoutError(describeTarget(target), timeoutMs)),
        fail,
      );
      try {
        this.#node.runtime.monitorWith(caller, target, ref, (reason, lost) =>
          fail(lost === undefined ? form.ended(reason) : lostError(describeTarget(target), lost)),
        );
        const message = form.message(caller.pid, ref);
        void caller.send(asDestination(target, this.#node.name), message);
      } catch (error) {
        fail(error);
      }
    });
  }

  #newCaller(): Process {
    return this.#node.spawn({
      message: (message) => this.#answered(message),
      terminated: () => {
        const error = callerEnded(this.#node);
        for (const waiting of this.#waiting.values()) waiting.fail(error);
      },
    });
  }

  /** Any node may end the caller by an exit signal; then a new one takes its place. */
  #liveCaller(): Process {
    if (!this.#caller.alive) this.#caller = this.#newCaller();
    return this.#caller;
  }

  #answered(message: Term): void {
    const answer = this.#answerIn(message);
    if (answer !== undefined) this.#waiting.get(answer[0])?.reply(answer[1]);
  }
}
