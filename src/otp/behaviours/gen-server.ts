/**
 * A server as `gen_server` of OTP has it: a class with callbacks, called and cast to by anybody.
 *
 * Spec: stdlib/src/gen_server.erl. As Erlang terms:
 *   {'$gen_call', From, Request}   handleCall   -> {Tag, Reply} to From, now or by a later `reply`
 *   {'$gen_cast', Request}         handleCast
 *   anything else                  handleInfo; the atom `timeout` when a time-out given has passed
 *   {'EXIT', Parent, Reason}       terminate, also of a server that traps exits
 * Callbacks are handled one at a time, in order; those that return promises are awaited. Where OTP
 * passes the state through, ours keeps it in `state`: what a callback has changed before it throws
 * is changed. Without handleInfo or handleCast a message is logged and dropped; OTP's ends without
 * handle_cast. Without handleCall a call ends the server with `undef`, as there. A result that is
 * none of those here ends it with `bad_return_value`.
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

export abstract class GenServer<State = unknown> extends OtpServer implements ServerCallbacks {
  /** What `sys:get_state` shows. */
  state!: State;

  /** Runs first, in the server's process; the server has started when it is done. */
  init?(): Awaitable<InitResult>;
  handleCall?(request: Term, from: From): Awaitable<CallResult>;
  handleCast?(request: Term): Awaitable<HandleResult>;
  handleInfo?(message: Term): Awaitable<HandleResult>;
  handleContinue?(continuation: unknown): Awaitable<HandleResult>;
  /** Runs before the server ends, unless it is killed. */
  terminate?(reason: Term): unknown;
  /** For `sys:change_code`; what it throws is answered as an error. */
  codeChange?(oldVsn: Term, extra: Term): unknown;
  /** Hides what others need not see, in `sys:get_status` and in what is logged. */
  formatStatus?(status: ServerStatus): ServerStatus;

  /**
   * Takes the state that the function of `sys:replace_state` made. A state that is no Erlang term
   * is not replaced, unless this is overridden.
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
