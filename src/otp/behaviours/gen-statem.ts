/**
 * A state machine, as OTP's `gen_statem`: a class with a state, data, and callbacks for events.
 *
 * Spec: stdlib/src/gen_statem.erl. As Erlang terms:
 *   {'$gen_call', From, Request}   an event `call`    -> {Tag, Reply} to From, by a reply action
 *   {'$gen_cast', Request}         an event `cast`
 *   any other message              an event `info`
 *   {'EXIT', Parent, Reason}       terminate, even if the machine traps exits
 * Events are handled one at a time: first those made by `nextEvent`, then those postponed until the
 * state changed, time-outs of 0, and received messages. OTP passes the data through the callbacks.
 * Here the property `data` holds it, so a change made before a callback throws remains. Left out:
 * changing callback modules, absolute times, and the options of `enter_loop`.
 */
import { type Atom, atomOf, type Term } from "../../../etf/index.ts";
import { NOTSUP } from "../../node/atoms.ts";
import { ErlangError } from "../../node/exceptions.ts";
import type {
  Awaitable,
  CallbackMode,
  StatemCallbacks,
  StatemEvent,
  StatemInitResult,
  StatemResult,
  StatemStatus,
} from "./gen-statem-callbacks.ts";
import { GenStatemLoop } from "./gen-statem-loop.ts";
import type { OtpNode } from "./otp-node.ts";
import { OtpServer } from "./otp-server.ts";
import { isTermItself } from "./shown.ts";

/**
 * A state machine, as OTP's `gen_statem`. Extend it, define the callbacks that you need, and start an
 * instance.
 *
 * ```ts
 * class Door extends GenStatem {
 *   override state = atom("closed");
 *   override handleEvent(event: StatemEvent, state: Atom): StatemResult {
 *     if (event.type !== "call") return;
 *     const nextState = state.name === "open" ? "closed" : "open";
 *     return { nextState, actions: { reply: atom(nextState), from: event.from } };
 *   }
 * }
 * await new Door().start(node, { name: "door" }); // gen_statem:call({door, Node}, push)
 * ```
 */
export abstract class GenStatem<State extends Term = Atom, Data = unknown>
  extends OtpServer
  implements StatemCallbacks
{
  /** The state. Set it before the start or in init; after that, `nextState` of a result changes it. */
  state!: State;
  /** What the machine keeps besides its state. */
  data!: Data;
  /** Which method handles events. Default: handleEvent handles all of them. */
  readonly callbackMode: CallbackMode = "handle_event_function";
  /** Whether entering a state makes an `enter` event. Default: false. */
  readonly stateEnter: boolean = false;

  /** Runs first, in the machine's process. The start is complete when it is done. */
  init?(): Awaitable<StatemInitResult<State>>;
  /** Handles the events of all states, unless `callbackMode` is `state_functions`. */
  handleEvent?(event: StatemEvent<State>, state: State): Awaitable<StatemResult<State>>;
  /** Runs before the machine ends, unless it is killed. */
  terminate?(reason: Term, state: State): unknown;
  /** Runs for `sys:change_code`; the caller gets what it throws as an error. */
  codeChange?(oldVsn: Term, extra: Term): unknown;
  /** Returns what `sys:get_status` and the log may show of the state and data. */
  formatStatus?(status: StatemStatus): StatemStatus;

  /**
   * Takes the data that the function of `sys:replace_state` returned. Override it if your data is not
   * an Erlang term; otherwise such data is not replaced.
   * @throws ErlangError error `notsup`
   */
  replaceData(data: Term): void {
    if (!isTermItself(this.data)) throw ErlangError.error(NOTSUP);
    this.data = data as Data;
  }

  /** @internal The method named as a state, which the machine's own class must define. */
  stateFunction(state: Term): ((event: StatemEvent) => unknown) | undefined {
    const name = atomOf(state)?.name;
    if (name === undefined || name in GenStatem.prototype) return undefined;
    const found = (this as Record<string, unknown>)[name];
    return typeof found === "function" ? found.bind(this) : undefined;
  }

  /** @internal */
  protected override newLoop(node: OtpNode, module: Atom): GenStatemLoop {
    return new GenStatemLoop(node, module, this as StatemCallbacks);
  }
}
