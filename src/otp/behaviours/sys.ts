/**
 * A client for system messages to servers of any node, as module `sys`.
 *
 * Spec: stdlib/src/sys.erl. As Erlang terms:
 *   {system, {Pid, Tag}, Request} -> {Tag, Answer}
 * Left out: replace_state and install, because JavaScript functions cannot be sent; change_code;
 * log_to_file; and printing a server's log, which `getLog` returns instead.
 */
import {
  atom,
  isList,
  isPid,
  isTuple,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { ERROR, NORMAL, OK } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";
import { DEBUG, GET, LOG, NO_DEBUG, STATISTICS, SYSTEM, TERMINATE, TRACE } from "../gen/atoms.ts";
import { RemoteError } from "../gen/errors.ts";
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import type { OtpNode } from "./otp-node.ts";
import { tagsStates } from "./sys-answer.ts";

/** What a server has done since its statistics were switched on. */
export interface ServerStatistics {
  /** Local time of the server's node: `{{Year, Month, Day}, {Hour, Minute, Second}}`. */
  readonly startTime: Term;
  readonly currentTime: Term;
  readonly reductions: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

/**
 * Inspects and controls servers of any node: `node.sys`. The default time-out of each method is
 * 5,000 ms, and each throws as `GenClient.call` does.
 *
 * ```ts
 * const state = await node.sys.getState(["counter", "b@host"]);
 * ```
 */
export class Sys {
  readonly #node: OtpNode;
  readonly #gen: GenClient;

  constructor(node: OtpNode, gen: GenClient) {
    this.#node = node;
    this.#gen = gen;
  }

  /**
   * Returns the server's state, as `sys:get_state/1`; for a `gen_statem` it is `{State, Data}`.
   * @throws RemoteError REMOTE_ERROR when the server fails to return it
   */
  async getState(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term> {
    const answer = await this.#ask(server, atom("get_state"), options);
    if (isTuple(answer, 2) && answer[0] === ERROR && isTuple(answer[1])) {
      // Before OTP 26.1 a state of this form looks the same as a failure.
      throw new RemoteError("error", answer[1]);
    }
    const tagged = isTuple(answer, 2) && answer[0] === OK;
    if (!tagged || !(await tagsStates(this.#node, this.#nodeOf(server)))) return answer;
    return answer[1];
  }

  /** Returns `{status, Pid, {module, Module}, Items}`, as `sys:get_status/1`. */
  getStatus(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term> {
    return this.#ask(server, atom("get_status"), options);
  }

  /** Suspends the server: it handles only system messages until it is resumed. */
  async suspend(server: MonitorTarget, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(server, atom("suspend"), options);
  }

  /** Resumes a suspended server. */
  async resume(server: MonitorTarget, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(server, atom("resume"), options);
  }

  /** Ends the server, as `sys:terminate/2`. The default reason is `normal`. */
  async terminate(
    server: MonitorTarget,
    reason: TermInput = NORMAL,
    options: GenCallOptions = {},
  ): Promise<void> {
    await this.#ask(server, tuple(TERMINATE, reason), options);
  }

  /** Switches statistics on or off. */
  async statistics(
    server: MonitorTarget,
    flag: boolean,
    options: GenCallOptions = {},
  ): Promise<void> {
    await this.#debug(server, tuple(STATISTICS, flag), options);
  }

  /** Returns the statistics, or undefined when they are off. */
  async getStatistics(
    server: MonitorTarget,
    options: GenCallOptions = {},
  ): Promise<ServerStatistics | undefined> {
    const answer = await this.#debug(server, tuple(STATISTICS, GET), options);
    const [, rows] = answer as readonly Term[];
    if (!isList(rows)) return undefined;
    const [startTime, currentTime, reductions, messagesIn, messagesOut] = rows.map(
      (row) => (row as readonly Term[])[1],
    ) as [Term, Term, number, number, number];
    return { startTime, currentTime, reductions, messagesIn, messagesOut };
  }

  /** Makes the server's node print its events, or stop printing them. */
  async trace(server: MonitorTarget, flag: boolean, options: GenCallOptions = {}): Promise<void> {
    await this.#debug(server, tuple(TRACE, flag), options);
  }

  /** Makes the server keep its last events: 10 with `true`, that many with a number, none with `false`. */
  async log(
    server: MonitorTarget,
    flag: boolean | number,
    options: GenCallOptions = {},
  ): Promise<void> {
    const what = typeof flag === "number" ? tuple(true, flag) : flag;
    await this.#debug(server, tuple(LOG, what), options);
  }

  /** Returns the events that the server has kept, the oldest first. */
  async getLog(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term[]> {
    const answer = await this.#debug(server, tuple(LOG, GET), options);
    return (answer as readonly Term[])[1] as Term[];
  }

  /** Switches off trace, log, statistics and installed functions, as `sys:no_debug/1`. */
  async noDebug(server: MonitorTarget, options: GenCallOptions = {}): Promise<void> {
    await this.#debug(server, NO_DEBUG, options);
  }

  #ask(server: MonitorTarget, request: TermInput, options: GenCallOptions): Promise<Term> {
    return this.#gen.callAs(SYSTEM, server, request, options);
  }

  #debug(server: MonitorTarget, what: TermInput, options: GenCallOptions): Promise<Term> {
    return this.#ask(server, tuple(DEBUG, what), options);
  }

  #nodeOf(server: MonitorTarget): string {
    if (isPid(server)) return server.node.name;
    if (!Array.isArray(server)) return this.#node.name;
    return String(server[1]);
  }
}
