import { describe, expect, test } from "vitest";
import { atom, Pid, type Term, tuple, tupleFrom } from "../../etf/index.ts";
import { CONTROL, type ControlMessage, type ControlName } from "../../src/distribution/control.ts";
import {
  hasSmallLabel,
  isTraceToken,
  nextTraceToken,
  type TraceToken,
  tokenCarried,
} from "../../src/distribution/trace-token.ts";

const pid = new Pid("bilbo@vm", 1, 2, 3);
const token = tuple(3, atom("label"), 4, pid, 2) as unknown as TraceToken & Term;

describe("a token", () => {
  test("is a tuple of flags, any label, serial, sender and previous serial", () => {
    expect(isTraceToken(token)).toBe(true);
    expect(isTraceToken(tuple(3, [], 0, pid, 0))).toBe(true);
    for (const wrong of [1, [], tuple(), tuple(3, 1, 4, pid), tuple(3, 1, 4, 5, 2)]) {
      expect(isTraceToken(wrong)).toBe(false);
    }
  });

  test("has a label that old peers read only if it is a small integer", () => {
    expect(hasSmallLabel(token)).toBe(false);
    for (const [label, small] of [
      [0, true],
      [2 ** 52, true],
      [2n ** 64n, false],
      [-1, false],
    ] as const) {
      expect(hasSmallLabel(tuple(1, label, 0, pid, 0) as unknown as TraceToken)).toBe(small);
    }
  });

  test("goes on with flags and label, from whoever sends next", () => {
    const next = new Pid("gandalf@vm", 1, 2, 3);
    expect(nextTraceToken(token, next, 9)).toStrictEqual(tuple(3, atom("label"), 9, next, 4));
  });
});

test("exactly the control messages with a token carry one", () => {
  const carrying = Object.entries(CONTROL).filter(([name, { op, fields }]) => {
    const message = tupleFrom<Term>([
      op,
      ...fields.map((field): Term => (field === "altactFlags" ? 0 : atom(field))),
    ]);
    const carried = tokenCarried(message as unknown as ControlMessage);
    if (carried !== undefined) {
      expect(carried).toMatchObject({ control: name as ControlName, token: atom("traceToken") });
    }
    return carried !== undefined;
  });
  const names = Object.keys(CONTROL).filter((name) => name.endsWith("_TT"));
  expect(carrying.map(([name]) => name)).toEqual(names);
  for (const [flags, carried] of [
    [2, true],
    [2n ** 70n + 6n, true],
    [4, false],
    [1, false],
  ] as const) {
    const message = tuple(37, flags, pid, pid, token) as unknown as ControlMessage;
    expect(tokenCarried(message) !== undefined).toBe(carried);
  }
});
