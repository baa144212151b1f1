/**
 * Servers of any node watched and steered, as `sys` does.
 *
 * Spec: stdlib/src/sys.erl. As Erlang terms:
 *   {system, {Pid, Tag}, Request} -> {Tag, Answer}
 * Left out: replace_state and install, which take functions, and ours cannot be sent; change_code;
 * log_to_file. What a server logs it is asked for, where `sys:log` can also print it.
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
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import { RemoteError } from "../gen/remote-error.ts";
import type { OtpNode } from "./otp-node.ts";
import { tagsStates } from "./sys-answer.ts";

/** What a server has done since its statistics were switched on. */
export interface ServerStatistics {
  /** As the server's node tells it: `{{Year, Month, Day}, {Hour, Minute, Second}}`. */
  readonly startTime: Term;
  readonly currentTime: Term;
  readonly reductions: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

/** Every function has 5 seconds unless told otherwise, and throws as `GenClient.call` does. */
export class Sys {
  readonly #node: OtpNode;
  readonly #gen: GenClient;

  constructor(node: OtpNode, gen: GenClient) {
    this.#node = node;
    this.#gen = gen;
  }

  /**
   * The server's state, as `sys:get_state/1`; of a `gen_statem` `{State, Data}`.
   * @throws RemoteError REMOTE_ERROR when the server cannot tell it
   */
  async getState(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term> {
    const answer = await this.#ask(server, atom("get_state"), options);
    if (isTuple(answer, 2) && answer[0] === ERROR && isTuple(answer[1])) {
      // A state of that shape cannot be told from a failure, before OTP 26.1.
      throw new RemoteError("error", answer[1]);
    }
    const tagged = isTuple(answer, 2) && answer[0] === OK;
    if (!tagged || !(await tagsStates(this.#node, this.#nodeOf(server)))) return answer;
    return answer[1];
  }

  /** `{status, Pid, {module, Module}, Items}`, as `sys:get_status/1`. */
  getStatus(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term> {
    return this.#ask(server, atom("get_status"), options);
  }

  /** From now on the server takes system messages only; the others wait. */
  async suspend(server: MonitorTarget, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(server, atom("suspend"), options);
  }

  async resume(server: MonitorTarget, options: GenCallOptions = {}): Promise<void> {
    await this.#ask(server, atom("resume"), options);
  }

  /** Ends the server with a reason, `normal` unless told otherwise, as `sys:terminate/2`. */
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

  /** The statistics, or undefined when they are off. */
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

  /** Lets the server's node print its events, or no more. */
  async trace(server: MonitorTarget, flag: boolean, options: GenCallOptions = {}): Promise<void> {
    await this.#debug(server, tuple(TRACE, flag), options);
  }

  /** Lets the server keep its last events, 10 unless told otherwise; none with `false`. */
  async log(
    server: MonitorTarget,
    flag: boolean | number,
    options: GenCallOptions = {},
  ): Promise<void> {
    const what = typeof flag === "number" ? tuple(true, flag) : flag;
    await this.#debug(server, tuple(LOG, what), options);
  }

  /** The events kept, the oldest first. */
  async getLog(server: MonitorTarget, options: GenCallOptions = {}): Promise<Term[]> {
    const answer = await this.#debug(server, tuple(LOG, GET), options);
    return (answer as readonly Term[])[1] as Term[];
  }

  /** Switches off all of it, as `sys:no_debug/1`. */
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
