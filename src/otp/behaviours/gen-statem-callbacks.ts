/** What the callbacks of a GenStatem get and may return; see gen-statem.ts. */
import type { Atom, Term, TermInput } from "../../../etf/index.ts";
import type { From } from "../gen/gen.ts";
import type { Awaitable } from "./gen-server-callbacks.ts";

/** Which method handles events: `handleEvent`, or one named as the state, which must then be an atom. */
export type CallbackMode = "handle_event_function" | "state_functions";

/** A request that needs an answer: a reply action, of this event or of a later one. */
export interface CallEvent {
  readonly type: "call";
  readonly from: From;
  readonly content: Term;
}

/** A cast, or a message that is neither a call nor a cast. */
export interface MessageEvent {
  readonly type: "cast" | "info";
  readonly content: Term;
}

/** An event that the machine made with `nextEvent`. */
export interface InternalEvent {
  readonly type: "internal";
  readonly content: unknown;
}

/** A time-out of the state, of the event (without a `name`), or a generic one has passed. */
export type TimeoutEvent =
  | { readonly type: "state_timeout"; readonly content: unknown }
  | { readonly type: "timeout"; readonly name?: Term; readonly content: unknown };

/** The machine has just entered the state, coming from the one in `content`. */
export interface EnterEvent<State> {
  readonly type: "enter";
  readonly content: State;
}

/** What can wait in the machine's queue. */
export type QueuedEvent = CallEvent | MessageEvent | InternalEvent | TimeoutEvent;

/** What a callback gets. */
export type StatemEvent<State extends Term = Term> = QueuedEvent | EnterEvent<State>;

/** Replies to a call. */
export interface ReplyAction {
  reply: TermInput;
  from: From;
}

/**
 * Milliseconds until the event; 0 for as soon as no other event is queued; Infinity to cancel it;
 * `update` to change only its content.
 */
export type TimeoutMs = number | "update";

/** What a callback asks for. Several actions are carried out in order. */
export type StatemAction =
  | ReplyAction
  /** Inserts an event before all others, even those already received. */
  | { nextEvent: QueuedEvent }
  /** Keeps the event until the state changes. Not allowed in an enter call. */
  | { postpone: boolean }
  /** Starts a generic time-out if it has a name; otherwise one that any event cancels. */
  | { timeoutMs: TimeoutMs; name?: TermInput; content?: unknown }
  /** Starts a time-out that a change of the state cancels. */
  | { stateTimeoutMs: TimeoutMs; content?: unknown }
  /** Ignored: a JavaScript process cannot hibernate. */
  | { hibernate: boolean };

interface Acting {
  actions?: StatemAction | readonly StatemAction[];
}

/** Keeps the state, or changes to another; a string stands for the atom of that name. */
export interface Transition<State extends Term> extends Acting {
  nextState?: State | string;
  /** Makes the state's enter call, as if the machine had left the state and entered it again. */
  repeatState?: true;
}

/** Ends the machine, after the replies. */
export interface StatemStop {
  stop: TermInput;
  replies?: ReplyAction | readonly ReplyAction[];
}

// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing has this type
type Nothing = void;

/** What a callback may return. Returning nothing keeps the state. */
export type StatemResult<State extends Term = Atom> = Nothing | Transition<State> | StatemStop;

/** What init may return. The state may also be set as a property beforehand. */
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
  /** The reason, set when the machine ends. */
  reason?: Term;
}

/** A machine, as its loop uses it. */
export interface StatemCallbacks {
  state: Term;
  data: unknown;
  readonly callbackMode: CallbackMode;
  readonly stateEnter: boolean;
  init?(): unknown;
  handleEvent?(event: StatemEvent, state: Term): unknown;
  /** @internal The method of a state, if the machine has one. */
  stateFunction(state: Term): ((event: StatemEvent) => unknown) | undefined;
  terminate?(reason: Term, state: Term): unknown;
  codeChange?(oldVsn: Term, extra: Term): unknown;
  formatStatus?(status: StatemStatus): StatemStatus;
  replaceData(data: Term): void;
}

export type { Awaitable, From };
