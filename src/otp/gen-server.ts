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
import { atom, type Term, type TermInput } from "../../etf/index.ts";
import { ErlangError } from "../node/errors.ts";
import type { NodeCore } from "../node/node.ts";
import type { Process } from "../node/process.ts";
import { genReply } from "./gen.ts";
import type {
  Awaitable,
  CallResult,
  From,
  GenServerStartOptions,
  HandleResult,
  InitResult,
  ServerCallbacks,
  ServerStatus,
} from "./gen-server-callbacks.ts";
import { GenServerLoop } from "./gen-server-loop.ts";
import { isTermItself } from "./shown.ts";
import { StartError } from "./start-error.ts";

export abstract class GenServer<State = unknown> implements ServerCallbacks {
  /** What `sys:get_state` shows. */
  state!: State;
  #loop: GenServerLoop | undefined;

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

  /** The process that the server runs as. Set before init runs. */
  get self(): Process {
    if (this.#loop === undefined) throw new TypeError("The server has not been started.");
    return this.#loop.self;
  }

  /**
   * Starts the server, as `gen_server:start`. Each start takes an instance of its own.
   * @throws StartError START_FAILED, START_IGNORED; NodeError NODE_STOPPED; the signal's reason
   */
  start(node: NodeCore, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, undefined, options);
  }

  /**
   * Starts the server linked to its parent, as `gen_server:start_link`: it ends when its parent
   * does, and its parent hears of its end.
   * @throws as `start`; NodeError PROCESS_DEAD when the parent is
   */
  startLink(
    node: NodeCore,
    parent: Process,
    options: GenServerStartOptions = {},
  ): Promise<Process> {
    return this.#start(node, parent, options);
  }

  /** Answers a call that handleCall did not answer, as `gen_server:reply/2`. */
  reply(from: From, reply: TermInput): void {
    genReply(this.self, from, reply);
  }

  /**
   * Takes the state that the function of `sys:replace_state` made. A state that is no Erlang term
   * is not replaced, unless this is overridden.
   * @throws ErlangError error `notsup`
   */
  replaceState(state: Term): void {
    if (!isTermItself(this.state)) throw ErlangError.error(atom("notsup"));
    this.state = state as State;
  }

  async #start(
    node: NodeCore,
    parent: Process | undefined,
    options: GenServerStartOptions,
  ): Promise<Process> {
    if (this.#loop !== undefined) throw StartError.alreadyStarted(this.#loop.self.pid);
    const module = options.module ?? this.constructor.name;
    const loop = new GenServerLoop(node, typeof module === "string" ? atom(module) : module, this);
    this.#loop = loop;
    return loop.start(options, parent);
  }
}
