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

export abstract class GenStatem<State extends Term = Atom, Data = unknown>
  extends OtpServer
  implements StatemCallbacks
{
  /** Set before the start or by init, and from then on by what callbacks return as `nextState`. */
  state!: State;
  data!: Data;
  /** Default: every event goes to handleEvent. */
  readonly callbackMode: CallbackMode = "handle_event_function";
  /** Whether each state is told with an `enter` event that it has been entered. Default: false. */
  readonly stateEnter: boolean = false;

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

  /**
   * Takes the data that the function of `sys:replace_state` made. Data that is no Erlang term is not
   * replaced, unless this is overridden.
   * @throws ErlangError error `notsup`
   */
  replaceData(data: Term): void {
    if (!isTermItself(this.data)) throw ErlangError.error(NOTSUP);
    this.data = data as Data;
  }

  /** @internal The method of a state: of the machine's own class, not one that every machine has. */
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
