import { expect, test } from "vitest";
import { atom, Pid, parse, type Term, tuple } from "../../../etf/index.ts";
import type { From, StatemEvent } from "../../../src/otp/behaviours/gen-statem-callbacks.ts";
import { eventTerm, printStatemEvent } from "../../../src/otp/behaviours/gen-statem-event.ts";

const from = tuple(new Pid("b@vm", 7, 0, 1), 1) as unknown as From;

test.each<[StatemEvent, Term]>([
  [
    { type: "call", from, content: 1 },
    tuple(tuple(atom("call"), from as unknown as Term), 1) as Term,
  ],
  [{ type: "cast", content: 1 }, parse("{cast, 1}")],
  [{ type: "internal", content: { x: undefined } }, parse("{internal, #{}}")],
  [{ type: "timeout", content: undefined }, parse("{timeout, undefined}")],
  [{ type: "timeout", name: 1, content: 2 }, parse("{{timeout, 1}, 2}")],
  [{ type: "state_timeout", content: 1 }, parse("{state_timeout, 1}")],
  [{ type: "enter", content: atom("a") }, parse("{enter, a}")],
])("makes OTP's term of the event %o", (event, term) => {
  expect(eventTerm(event)).toStrictEqual(term);
});

test.each([
  ["{in, {cast, x}, a}", "m receive cast x in state a"],
  ["{in, {{timeout, n}, x}, a}", "m receive {timeout,n} x in state a"],
  ["{terminate, normal, a}", "m terminate normal in state a"],
  [
    "{start_timer, {state_timeout, 1, x, []}, a}",
    "m start_timer {state_timeout,1,x,[]} in state a",
  ],
  ["{consume, {info, x}, a, a}", "m consume info x in state a"],
  ["{postpone, {info, x}, a, b}", "m postpone info x in state a => b"],
])("prints %s as OTP does", (event, text) => {
  expect(printStatemEvent(atom("m"), parse(event))).toBe(text);
});

test("prints the caller of a call and of a reply", () => {
  const call = tuple(atom("in"), eventTerm({ type: "call", from, content: 1 }), atom("a")) as Term;
  expect(printStatemEvent(atom("m"), call)).toBe("m receive call 1 from <b@vm.7.0> in state a");
  const out = tuple(atom("out"), 1, from as unknown as Term) as Term;
  expect(printStatemEvent(atom("m"), out)).toBe("m send 1 to <b@vm.7.0>");
});
