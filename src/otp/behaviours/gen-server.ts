/**
 * A server, as OTP's `gen_server`: a class with callbacks for calls, casts and other messages.
 *
 * Spec: stdlib/src/gen_server.erl. As Erlang terms:
 *   {'$gen_call', From, Request}   handleCall   -> {Tag, Reply} to From, now or by a later `reply`
 *   {'$gen_cast', Request}         handleCast
 *   any other message              handleInfo; the atom `timeout` when a time-out has passed
 *   {'EXIT', Parent, Reason}       terminate, even if the server traps exits
 * Callbacks run one at a time, in order; promises are awaited. OTP passes the state through the
 * callbacks. Here the property `state` holds it, so a change made before a callback throws remains.
 * A message without a handleInfo or handleCast is logged and dropped; in OTP a server without
 * handle_cast ends. As in OTP, a call without a handleCall ends the server with `undef`, and an
 * invalid result ends it with `bad_return_value`.
 */
import type { Atom, Term } from "../../../etf/index.ts";
import { NOTSUP } from "../../node/atoms.ts";
import { ErlangError } from "../../node/exceptions.ts";
import type { From } from "../gen/gen.ts";
import type {
  Awaitable,
  CallResult,
  HandleResult,
  InitResult,
  ServerCallbacks,
  ServerStatus,
} from "./gen-server-callbacks.ts";
import { GenServerLoop } from "./gen-server-loop.ts";
import type { OtpNode } from "./otp-node.ts";
import { OtpServer } from "./otp-server.ts";
import { isTermItself } from "./shown.ts";

/**
 * A server, as OTP's `gen_server`. Extend it, define the callbacks that you need, and start an instance.
 *
 * ```ts
 * class Counter extends GenServer<number> {
 *   override state = 0;
 *   override handleCall() {
 *     return { reply: this.state };
 *   }
 *   override handleCast(by: Term) {
 *     this.state += Number(by);
 *   }
 * }
 * await new Counter().start(node, { name: "counter" }); // gen_server:call({counter, Node}, get)
 * ```
 */
export abstract class GenServer<State = unknown> extends OtpServer implements ServerCallbacks {
  /** The server's state, which `sys:get_state` shows. */
  state!: State;

  /** Runs first, in the server's process. The start is complete when it is done. */
  init?(): Awaitable<InitResult>;
  /** Handles a call. Reply with the result, or later with `this.reply(from, reply)`. */
  handleCall?(request: Term, from: From): Awaitable<CallResult>;
  /** Handles a cast. */
  handleCast?(request: Term): Awaitable<HandleResult>;
  /** Handles any other message, and the atom `timeout`. */
  handleInfo?(message: Term): Awaitable<HandleResult>;
  /** Gets the `continue` of a result, before any further message is handled. */
  handleContinue?(continuation: unknown): Awaitable<HandleResult>;
  /** Runs before the server ends, unless it is killed. */
  terminate?(reason: Term): unknown;
  /** Runs for `sys:change_code`; the caller gets what it throws as an error. */
  codeChange?(oldVsn: Term, extra: Term): unknown;
  /** Returns what `sys:get_status` and the log may show of the state. */
  formatStatus?(status: ServerStatus): ServerStatus;

  /**
   * Takes the state that the function of `sys:replace_state` returned. Override it if your state is
   * not an Erlang term; otherwise such a state is not replaced.
   * @throws ErlangError error `notsup`
   */
  replaceState(state: Term): void {
    if (!isTermItself(this.state)) throw ErlangError.error(NOTSUP);
    this.state = state as State;
  }

  /** @internal */
  protected override newLoop(node: OtpNode, module: Atom): GenServerLoop {
    return new GenServerLoop(node, module, this);
  }
}
