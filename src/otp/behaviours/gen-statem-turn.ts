/**
 * The outcome of one event: the results of its callback and of the enter calls after it, checked and
 * collected until the transition is made.
 *
 * Spec: gen_statem's "Transition Actions". An invalid result or action ends the machine with the error
 * {bad_return_from_state_function, Result}, {bad_action_from_state_function, Action}, their like with
 * `bad_state_enter_`, or {bad_reply_action_from_state_function, Action}.
 */
import {
  atom,
  isPid,
  isTuple,
  type Term,
  type TermInput,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { ErlangError } from "../../node/exceptions.ts";
import { TIMEOUT } from "../gen/atoms.ts";
import type { QueuedEvent, ReplyAction } from "./gen-statem-callbacks.ts";
import { STATE_TIMEOUT } from "./gen-statem-timeouts.ts";
import { asResult, type Result } from "./result.ts";
import { shown } from "./shown.ts";

/** A time-out to start, update or cancel. */
export interface TimeoutAction {
  readonly type: Term;
  readonly timeMs: number | "update";
  readonly content: unknown;
}

/** What the callbacks of one event have asked for, in order. */
export class Turn {
  readonly nextEvents: QueuedEvent[] = [];
  readonly timeouts: TimeoutAction[] = [];
  /** Whether the event waits until the state changes. */
  postpone = false;
}

const TRANSITION_KEYS: ReadonlySet<string> = new Set(["nextState", "repeatState", "actions"]);
const STOP_KEYS: ReadonlySet<string> = new Set(["stop", "replies"]);
const QUEUED: ReadonlySet<unknown> = new Set([
  "call",
  "cast",
  "info",
  "internal",
  "timeout",
  "state_timeout",
]);

/** Reads a result that stops the machine; undefined for any other. */
export function asStop(returned: unknown): { reason: Term; replies: unknown[] } | undefined {
  const result = asResult(returned, STOP_KEYS);
  if (result === undefined || !("stop" in result)) return undefined;
  return { reason: shown(result.stop), replies: listed(result.replies) };
}

/** Reads a result that keeps or changes the state. @throws ErlangError bad_return_from_state_function */
export function asTransition(returned: unknown): Result {
  const result = asResult(returned, TRANSITION_KEYS);
  if (result === undefined) throw bad("bad_return_from_state_function", returned);
  return result;
}

/** Nothing, one action or a list of them, as a list. */
export function listed(given: unknown): unknown[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : [given];
}

/** The error that ends a machine whose callback returned something invalid. */
export function bad(what: string, value: unknown): ErlangError {
  return ErlangError.error(tuple(atom(what), shown(value)));
}

/** Reads a reply action. @throws ErlangError bad_reply_action_from_state_function */
export function asReply(action: unknown): ReplyAction {
  if (isReply(action)) return action;
  throw bad("bad_reply_action_from_state_function", action);
}

/**
 * Adds one action to a turn. Replies are sent at once.
 * @param called false in an enter call, which does not allow all actions
 * @throws ErlangError for an invalid action
 */
export function take(
  turn: Turn,
  action: unknown,
  called: boolean,
  reply: (action: ReplyAction) => void,
): void {
  const refused = (): ErlangError =>
    bad(`bad_${called ? "" : "state_enter_"}action_from_state_function`, action);
  if (isReply(action)) {
    reply(action);
    return;
  }
  const given = asRecord(action);
  if (given === undefined) throw bad("bad_action_from_state_function", action);
  const { nextEvent, postpone, timeoutMs, stateTimeoutMs, hibernate, content } = given;
  if (nextEvent !== undefined) {
    if (!called || !QUEUED.has(asRecord(nextEvent)?.type)) throw refused();
    turn.nextEvents.push(nextEvent as QueuedEvent);
  } else if (typeof postpone === "boolean") {
    if (postpone && !called) throw refused();
    turn.postpone = postpone;
  } else if (isTime(stateTimeoutMs)) {
    turn.timeouts.push({ type: STATE_TIMEOUT, timeMs: stateTimeoutMs, content });
  } else if (isTime(timeoutMs)) {
    const { name } = given;
    const type = name === undefined ? TIMEOUT : tuple(TIMEOUT, name as TermInput);
    turn.timeouts.push({ type: toTerm(type), timeMs: timeoutMs, content });
  } else if (typeof hibernate !== "boolean") {
    throw bad("bad_action_from_state_function", action);
  }
}

function isReply(action: unknown): action is ReplyAction {
  const given = asRecord(action);
  if (given === undefined || !("reply" in given)) return false;
  const { from } = given;
  return isTuple(from, 2) && isPid((from as readonly Term[])[0]);
}

function isTime(time: unknown): time is number | "update" {
  return time === "update" || (typeof time === "number" && time >= 0);
}

function asRecord(value: unknown): Result | undefined {
  return typeof value === "object" && value !== null ? (value as Result) : undefined;
}
