/** The gen_statem of `erldist_statem.erl` on an erldist node. */

import { exactEquals } from "../../etf/index.ts";
import {
  type Atom,
  atom,
  type CallbackMode,
  ErlangError,
  type From,
  GenStatem,
  isAtom,
  isTuple,
  type Node,
  type Pid,
  type QueuedEvent,
  type StatemAction,
  type StatemEvent,
  type StatemResult,
  type Term,
  type TermInput,
  type TimeoutMs,
  tuple,
} from "../../src/index.ts";
import type { Starter } from "./server.ts";

const NAME = "erldist_statem";

type Words = readonly [what: string, ...rest: Term[]];

/** `{next, b}` is `["next", b]`, `postpone` is `["postpone"]`. */
function words(term: Term): Words {
  if (isAtom(term)) return [term.name];
  const [first, ...rest] = isTuple(term) ? (term as readonly Term[]) : [];
  return [isAtom(first) ? first.name : "", ...rest];
}

class Machine extends GenStatem<Term, Term[]> {
  override state: Term = atom("a");
  override data: Term[] = [];
  override readonly callbackMode: CallbackMode;
  override readonly stateEnter: boolean;

  constructor(mode: string) {
    super();
    this.callbackMode = mode.startsWith("functions") ? "state_functions" : "handle_event_function";
    this.stateEnter = mode.endsWith("enter");
  }

  a(event: StatemEvent): StatemResult<Term> {
    return this.handleEvent(event, atom("a"));
  }

  b(event: StatemEvent): StatemResult<Term> {
    return this.handleEvent(event, atom("b"));
  }

  override handleEvent(event: StatemEvent, state: Term): StatemResult<Term> {
    const content = event.content as Term;
    const [what, first, second] = words(content);
    if (event.type === "enter") {
      this.data = [tuple(state, atom("enter"), content), ...this.data];
      const [, ops] = words(state);
      return isTuple(state) ? this.#do(ops as Term[], undefined, true) : undefined;
    }
    if (what === "in") {
      if (!exactEquals(first!, state)) return { actions: { postpone: true } };
      return this.handleEvent({ ...event, content: second! } as StatemEvent, state);
    }
    if (event.type === "call" && what === "seen") {
      return { actions: { reply: [...this.data].reverse(), from: event.from } };
    }
    const named = event.type === "timeout" && event.name !== undefined;
    const type = named ? tuple(atom("timeout"), event.name!) : atom(event.type);
    if (what !== "do") this.#tell(tuple(atom("seen"), content));
    this.data = [tuple(state, type, content), ...this.data];
    const from = event.type === "call" ? event.from : undefined;
    return what === "do" ? this.#do(first as Term[], from) : undefined;
  }

  override terminate(reason: Term, state: Term): void {
    this.#tell(tuple(atom("terminated"), reason, state));
  }

  #tell(message: TermInput): void {
    for (const seen of this.data) {
      const [what, pid] = isTuple(seen, 3) ? words(seen[2] as Term) : [];
      if (what === "watch") void this.self.send(pid as Pid, message);
    }
  }

  override codeChange(oldVsn: Term, extra: Term): void {
    if (isAtom(extra, "fail")) throw ErlangError.throw(atom("refused"));
    this.data = [tuple(atom("code_change"), oldVsn, extra), ...this.data];
  }

  #do(ops: readonly Term[], from?: From, entered = false): StatemResult<Term> {
    const [what, first, second] = words(ops[0] as Term);
    // Where OTP's callback has returned no data, that before it is kept, or before the transition.
    const lost = what === "error" || what === "exit" ? (entered ? 2 : 1) : 0;
    this.data = this.data.slice(what === "throw" || what === "return" ? 1 : lost);
    const actions = (list: readonly Term[]) => list.map((op) => action(op, from));
    switch (what) {
      case "error":
        throw ErlangError.error(first!);
      case "exit":
        throw ErlangError.exit(first!);
      case "throw":
        throw ErlangError.throw(first!);
      case "return":
        return first as unknown as StatemResult<Term>;
      case "stop":
        return { stop: first! };
      case "stop_and_reply":
        return { stop: first!, replies: { reply: second!, from: from! } };
      case "next":
        return { nextState: first!, actions: actions(ops.slice(1)) };
      case "repeat":
        return { repeatState: true, actions: actions(ops.slice(1)) };
    }
    return { actions: actions(ops) };
  }
}

function action(op: Term, from?: From): StatemAction {
  const [what, first, second] = words(op);
  switch (what) {
    case "reply":
      return { reply: first!, from: from! };
    case "event":
      return { nextEvent: { ...eventType(first!), content: second } as QueuedEvent };
    case "postpone":
      return { postpone: true };
    case "hibernate":
      return { hibernate: true };
    case "bad":
      return first as unknown as StatemAction;
    case "state_timeout":
      return { stateTimeoutMs: milliseconds(first!), content: second };
    case "timeout":
      return { timeoutMs: milliseconds(first!), content: second };
  }
  const [[, name], time, content] = op as unknown as [[Atom, Term], Term, Term];
  return { timeoutMs: milliseconds(time), name, content };
}

function eventType(type: Term): { type: string; name?: Term } {
  if (!isTuple(type)) return { type: (type as Atom).name };
  return { type: "timeout", name: type[1] as Term };
}

function milliseconds(time: Term): TimeoutMs {
  if (isAtom(time, "infinity")) return Number.POSITIVE_INFINITY;
  return isAtom(time) ? "update" : (time as number);
}

/** Exposes the module. */
export function serveStatem(node: Node, starter: Starter): void {
  node.expose(NAME, {
    start: (mode: Atom) =>
      starter.start((by) =>
        new Machine(mode.name).startLink(node, by, { name: NAME, module: NAME }),
      ),
    bump: ([, data]: readonly [Term, Term[]]) => tuple(atom("b"), [atom("bumped"), ...data]),
  });
}
