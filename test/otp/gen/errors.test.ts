import { describe, expect, test } from "vitest";
import { atom, type Term, tuple } from "../../../etf/index.ts";
import { timeoutError } from "../../../src/node/errors.ts";
import { lostError, RemoteError } from "../../../src/otp/gen/errors.ts";

const oops = tuple(atom("oops"), 1) as Term;
const stack: Term[] = [tuple(atom("m"), atom("f"), 1, [])];

describe("RemoteError", () => {
  test.each([
    ["exit", "REMOTE_EXIT"],
    ["error", "REMOTE_ERROR"],
    ["throw", "REMOTE_THROW"],
  ] as const)("of class %s has the code %s and the reason", (kind, code) => {
    const error = new RemoteError(kind, oops, kind === "error" ? stack : undefined);
    expect(error).toMatchObject({ name: "RemoteError", code, class: kind, reason: oops });
    expect(error.message).toBe(`The called function ended with ${kind}: {oops,1}`);
    expect(error.stackTrace).toBe(kind === "error" ? stack : undefined);
  });

  test("shortens a long reason", () => {
    const { message, reason } = new RemoteError("exit", Array(1000).fill(1000));
    expect(message.length).toBeLessThan(400);
    expect(message).toMatch(/\.\.\.$/);
    expect(reason).toHaveLength(1000);
  });

  test("has the term that OTP's rpc:call returns", () => {
    const [badrpc, EXIT] = [atom("badrpc"), atom("EXIT")];
    expect(new RemoteError("exit", oops).badrpc).toStrictEqual(tuple(badrpc, tuple(EXIT, oops)));
    expect(new RemoteError("error", oops, stack).badrpc).toStrictEqual(
      tuple(badrpc, tuple(EXIT, tuple(oops, stack))),
    );
  });
});

test("an error for a lost connection has its cause, and whether the call may have run", () => {
  const why = new Error("the peer went down.");
  for (const wasUp of [true, false]) {
    expect(lostError("bilbo@vm", { error: why, wasUp })).toMatchObject({
      name: "CallError",
      code: "CALL_NO_CONNECTION",
      message: "No answer from bilbo@vm: the peer went down.",
      mayHaveRun: wasUp,
      cause: why,
    });
  }
});

test("a call that timed out may have run", () => {
  expect(timeoutError("bilbo@vm", 50)).toMatchObject({
    name: "CallError",
    code: "CALL_TIMEOUT",
    message: "No answer from bilbo@vm within 50 ms.",
    mayHaveRun: true,
  });
});
