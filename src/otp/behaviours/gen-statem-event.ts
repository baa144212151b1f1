/** Events of a GenStatem as OTP's terms, `{Type, Content}`, and as `sys:trace` prints them. */
import { atom, exactEquals, isTuple, type Term, tuple } from "../../../etf/index.ts";
import { CALL, TIMEOUT } from "../gen/atoms.ts";
import type { StatemEvent } from "./gen-statem-callbacks.ts";
import { shown, text } from "./shown.ts";

/** An event as OTP's term: `{{call, From}, Request}`, `{cast, Request}`, `{{timeout, Name}, Content}`, … */
export function eventTerm(event: StatemEvent): Term {
  return tuple(typeTerm(event), shown(event.content));
}

function typeTerm(event: StatemEvent): Term {
  if (event.type === "call") return tuple(CALL, event.from as Term);
  if (event.type === "timeout" && event.name !== undefined) {
    return tuple(TIMEOUT, event.name);
  }
  return atom(event.type);
}

/** The text that OTP prints for a system event of a state machine. */
export function printStatemEvent(name: Term, event: Term): string {
  const [kind, first, second, third] = event as [Term, Term, Term, Term];
  const shownName = text(name);
  switch (text(kind)) {
    case "in":
      return `${shownName} receive ${eventText(first)} in state ${text(second)}`;
    case "out": {
      const [pid] = second as [Term];
      return `${shownName} send ${text(first)} to ${text(pid, "~tw")}`;
    }
    case "terminate":
    case "start_timer":
      return `${shownName} ${text(kind)} ${text(first)} in state ${text(second)}`;
  }
  const states = exactEquals(second, third) ? text(second) : `${text(second)} => ${text(third)}`;
  return `${shownName} ${text(kind)} ${eventText(first)} in state ${states}`;
}

function eventText(event: Term): string {
  const [type, content] = event as [Term, Term];
  if (!isTuple(type, 2) || type[0] !== CALL) {
    return `${text(type, "~tw")} ${text(content)}`;
  }
  const [pid] = type[1] as [Term];
  return `call ${text(content)} from ${text(pid, "~tw")}`;
}
