/** What the callbacks of a GenStatem are given and may return; see gen-statem.ts. */
import type { Atom, Term, TermInput } from "../../../etf/index.ts";
import type { From } from "../gen/gen.ts";
import type { Awaitable } from "./gen-server-callbacks.ts";

/** How events are handled: by one function, or by a method named as the state, which is an atom then. */
export type CallbackMode = "handle_event_function" | "state_functions";

/** A request that must be answered: by a reply action, now or of a later event. */
export interface CallEvent {
  readonly type: "call";
  readonly from: From;
  readonly content: Term;
}

/** A cast, or a message that is neither call nor cast. */
export interface MessageEvent {
  readonly type: "cast" | "info";
  readonly content: Term;
}

/** One that the machine has made itself with `nextEvent`. */
export interface InternalEvent {
  readonly type: "internal";
  readonly content: unknown;
}

/** The time of a state, of an event (no `name`), or a generic time-out has passed. */
export type TimeoutEvent =
  | { readonly type: "state_timeout"; readonly content: unknown }
  | { readonly type: "timeout"; readonly name?: Term; readonly content: unknown };

/** The state has just been entered, from the one in `content`. */
export interface EnterEvent<State> {
  readonly type: "enter";
  readonly content: State;
}

/** What can wait in the machine's queue. */
export type QueuedEvent = CallEvent | MessageEvent | InternalEvent | TimeoutEvent;

export type StatemEvent<State extends Term = Term> = QueuedEvent | EnterEvent<State>;

export interface ReplyAction {
  reply: TermInput;
  from: From;
}

/**
 * Milliseconds until the event, 0 for as soon as no other event is queued, Infinity to cancel, or
 * `update` to change the content alone.
 */
export type TimeoutMs = number | "update";

/** What a callback wants done, in order. */
export type StatemAction =
  | ReplyAction
  /** An event before all others, even those received already. */
  | { nextEvent: QueuedEvent }
  /** The event waits until the state changes. Not in an enter call. */
  | { postpone: boolean }
  /** A generic time-out with a name; without, one that any event cancels. */
  | { timeoutMs: TimeoutMs; name?: TermInput; content?: unknown }
  /** A time-out that a change of the state cancels. */
  | { stateTimeoutMs: TimeoutMs; content?: unknown }
  /** Ignored: there is nothing to hibernate. */
  | { hibernate: boolean };

interface Acting {
  actions?: StatemAction | readonly StatemAction[];
}

/** Keeps the state, or goes to another: a string is the atom of that name. */
export interface Transition<State extends Term> extends Acting {
  nextState?: State | string;
  /** As if the state had been left and entered again: its enter call is made. */
  repeatState?: true;
}

/** Ends the machine, once callers have got their replies. */
export interface StatemStop {
  stop: TermInput;
  replies?: ReplyAction | readonly ReplyAction[];
}

// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing has this type
type Nothing = void;

/** What a callback may return; nothing keeps the state. */
export type StatemResult<State extends Term = Atom> = Nothing | Transition<State> | StatemStop;

/** What init may return; the state may also be set as a property before. */
export type StatemInitResult<State extends Term = Atom> =
  | Nothing
  | ({ state: State | string } & Acting)
  | { stop: TermInput }
  | { error: TermInput }
  | { ignore: true };

/** What formatStatus may change before others see it. */
export interface StatemStatus {
  state: unknown;
  data: unknown;
  /** Set when the machine ends: why. */
  reason?: Term;
}

/** A machine, as its loop sees it. */
export interface StatemCallbacks {
  state: Term;
  data: unknown;
  readonly callbackMode: CallbackMode;
  readonly stateEnter: boolean;
  init?(): unknown;
  handleEvent?(event: StatemEvent, state: Term): unknown;
  /** The method of a state, if the machine has one. */
  stateFunction(state: Term): ((event: StatemEvent) => unknown) | undefined;
  terminate?(reason: Term, state: Term): unknown;
  codeChange?(oldVsn: Term, extra: Term): unknown;
  formatStatus?(status: StatemStatus): StatemStatus;
  replaceData(data: Term): void;
}

export type { Awaitable, From };
