/**
 * A state machine as `gen_statem` of OTP has it: a class with a state, data, and events.
 *
 * Spec: stdlib/src/gen_statem.erl. As Erlang terms:
 *   {'$gen_call', From, Request}   an event `call`    -> {Tag, Reply} to From, by a reply action
 *   {'$gen_cast', Request}         an event `cast`
 *   anything else                  an event `info`
 *   {'EXIT', Parent, Reason}       terminate, also of a machine that traps exits
 * Events are handled one at a time: those made by `nextEvent`, those postponed until the state changed,
 * time-outs of 0, then what was received. Where OTP passes the data through, ours keeps it in `data`:
 * what a callback has changed before it throws is changed. Left out: changing callback modules,
 * absolute times, and the options of `enter_loop`.
 */
import { type Atom, atom, isAtom, type Term, type TermInput } from "../../etf/index.ts";
import { ErlangError } from "../node/errors.ts";
import type { NodeCore } from "../node/node.ts";
import type { Process } from "../node/process.ts";
import { genReply } from "./gen.ts";
import type { GenServerStartOptions } from "./gen-server-callbacks.ts";
import type {
  Awaitable,
  CallbackMode,
  From,
  StatemCallbacks,
  StatemEvent,
  StatemInitResult,
  StatemResult,
  StatemStatus,
} from "./gen-statem-callbacks.ts";
import { GenStatemLoop } from "./gen-statem-loop.ts";
import { isTermItself } from "./shown.ts";
import { StartError } from "./start-error.ts";

export abstract class GenStatem<State extends Term = Atom, Data = unknown>
  implements StatemCallbacks
{
  /** Set before the start or by init, and from then on by what callbacks return as `nextState`. */
  state!: State;
  data!: Data;
  /** Default: every event goes to handleEvent. */
  readonly callbackMode: CallbackMode = "handle_event_function";
  /** Whether each state is told with an `enter` event that it has been entered. Default: false. */
  readonly stateEnter: boolean = false;
  #loop: GenStatemLoop | undefined;

  /** Runs first, in the machine's process; the machine has started when it is done. */
  init?(): Awaitable<StatemInitResult<State>>;
  /** Handles the events of all states, unless they go to methods named as the states. */
  handleEvent?(event: StatemEvent<State>, state: State): Awaitable<StatemResult<State>>;
  /** Runs before the machine ends, unless it is killed. */
  terminate?(reason: Term, state: State): unknown;
  /** For `sys:change_code`; what it throws is answered as an error. */
  codeChange?(oldVsn: Term, extra: Term): unknown;
  /** Hides what others need not see, in `sys:get_status` and in what is logged. */
  formatStatus?(status: StatemStatus): StatemStatus;

  /** The process that the machine runs as. Set before init runs. */
  get self(): Process {
    if (this.#loop === undefined) throw new TypeError("The state machine has not been started.");
    return this.#loop.self;
  }

  /**
   * Starts the machine, as `gen_statem:start`. Each start takes an instance of its own.
   * @throws StartError START_FAILED, START_IGNORED; NodeError NODE_STOPPED; the signal's reason
   */
  start(node: NodeCore, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, undefined, options);
  }

  /**
   * Starts the machine linked to its parent, as `gen_statem:start_link`: it ends when its parent
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

  /** Answers a call without an action, as `gen_statem:reply/2`. */
  reply(from: From, reply: TermInput): void {
    genReply(this.self, from, reply);
  }

  /**
   * Takes the data that the function of `sys:replace_state` made. Data that is no Erlang term is not
   * replaced, unless this is overridden.
   * @throws ErlangError error `notsup`
   */
  replaceData(data: Term): void {
    if (!isTermItself(this.data)) throw ErlangError.error(atom("notsup"));
    this.data = data as Data;
  }

  /** @internal The method of a state: of the machine's own class, not one that every machine has. */
  stateFunction(state: Term): ((event: StatemEvent) => unknown) | undefined {
    if (!isAtom(state) || state.name in GenStatem.prototype) return undefined;
    const found = (this as Record<string, unknown>)[state.name];
    return typeof found === "function" ? found.bind(this) : undefined;
  }

  async #start(
    node: NodeCore,
    parent: Process | undefined,
    options: GenServerStartOptions,
  ): Promise<Process> {
    if (this.#loop !== undefined) throw StartError.alreadyStarted(this.#loop.self.pid);
    const module = options.module ?? this.constructor.name;
    const machine = this as unknown as StatemCallbacks;
    const loop = new GenStatemLoop(
      node,
      typeof module === "string" ? atom(module) : module,
      machine,
    );
    this.#loop = loop;
    return loop.start(options, parent);
  }
}
