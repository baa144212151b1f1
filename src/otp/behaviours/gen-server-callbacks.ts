/** What the callbacks of a GenServer are given and may return; see gen-server.ts. */
import type { Term, TermInput } from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import type { From } from "../gen/gen.ts";
import type { StartOptions } from "./system-process.ts";

/** What is to happen once a callback is done. */
export interface Then {
  /** Nothing else: the same as returning nothing. */
  noreply?: true;
  /** Milliseconds without a message after which handleInfo gets the atom `timeout`. */
  timeoutMs?: number;
  /** Given to handleContinue before any further message is taken. */
  continue?: unknown;
  /** Ignored: there is nothing to hibernate. */
  hibernate?: true;
}

/** Ends the server with a reason. */
export interface Stop {
  stop: TermInput;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing has this type
type Nothing = void;

/** A result now or later. */
export type Awaitable<T> = T | Promise<T>;

/** What handleCast, handleInfo and handleContinue may return. */
export type HandleResult = Nothing | Then | Stop;

/** What handleCall may return: with a `reply` the call is answered, without it later, or never. */
export type CallResult = HandleResult | ((Then | Stop) & { reply: TermInput });

/** What init may return; with `stop`, `error` or `ignore` the server does not start. */
export type InitResult = Nothing | Then | Stop | { error: TermInput } | { ignore: true };

/** What formatStatus may change before others see it. */
export interface ServerStatus {
  state: unknown;
  /** Set when the server ends: why, and its last message. */
  reason?: Term;
  message?: Term;
}

export interface GenServerStartOptions extends StartOptions {
  /** The callback module's name, as others see it. Default: the class's name. */
  module?: NameLike;
}

/** A server, as its loop sees it. */
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
