/** What the callbacks of a GenServer get and may return; see gen-server.ts. */
import type { Term, TermInput } from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import type { From } from "../gen/gen.ts";
import type { StartOptions } from "./system-process.ts";

/** What happens once a callback is done. */
export interface Then {
  /** Changes nothing: the same as returning nothing. */
  noreply?: true;
  /** Milliseconds without a message after which handleInfo gets the atom `timeout`. */
  timeoutMs?: number;
  /** Passed to handleContinue before any further message is handled. */
  continue?: unknown;
  /** Ignored: a JavaScript process cannot hibernate. */
  hibernate?: true;
}

/** Ends the server with a reason. */
export interface Stop {
  stop: TermInput;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing has this type
type Nothing = void;

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** What handleCast, handleInfo and handleContinue may return. */
export type HandleResult = Nothing | Then | Stop;

/** What handleCall may return. `reply` answers the call; without it, the server may do so later. */
export type CallResult = HandleResult | ((Then | Stop) & { reply: TermInput });

/** What init may return. With `stop`, `error` or `ignore` the server does not start. */
export type InitResult = Nothing | Then | Stop | { error: TermInput } | { ignore: true };

/** What formatStatus may change before others see it. */
export interface ServerStatus {
  state: unknown;
  /** The reason and the last message, set when the server ends. */
  reason?: Term;
  message?: Term;
}

/** Options of a start. */
export interface GenServerStartOptions extends StartOptions {
  /** The name of the callback module, as reports and `sys` show it. Default: the class's name. */
  module?: NameLike;
}

/** A server, as its loop uses it. */
export interface ServerCallbacks {
  state: unknown;
  init?(): Awaitable<InitResult>;
  handleCall?(request: Term, from: From): Awaitable<CallResult>;
  handleCast?(request: Term): Awaitable<HandleResult>;
  handleInfo?(message: Term): Awaitable<HandleResult>;
  handleContinue?(continuation: unknown): Awaitable<HandleResult>;
  terminate?(reason: Term): unknown;
  codeChange?(oldVsn: Term, extra: Term): unknown;
  formatStatus?(status: ServerStatus): ServerStatus;
  replaceState(state: Term): void;
}
