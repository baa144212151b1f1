import { describe, expect, test } from "vitest";
import { atom, charlist, encode, isTuple, type Term, tuple } from "../../etf/index.ts";
import {
  ErlangError,
  type ErlangException,
  exceptionOf,
  exitReasonOf,
  FunctionClauseError,
  UndefError,
} from "../../src/node/exceptions.ts";
import type { RemoteError } from "../../src/otp/gen/errors.ts";
import { Cluster } from "../support/cluster.ts";

const REASON = tuple(atom("bad"), 1);
const javascriptError = (name: string, message: string): Term =>
  tuple(atom("javascript_error"), Buffer.from(name), Buffer.from(message)) as Term;

function thrownBy(body: () => unknown): ErlangException {
  try {
    body();
  } catch (error) {
    return exceptionOf(error);
  }
  throw new Error("nothing was thrown");
}

describe("a thrown value", () => {
  test.each(["exit", "error", "throw"] as const)(
    "ErlangError.%s keeps class and reason",
    (kind) => {
      const exception = exceptionOf(ErlangError[kind](REASON));
      expect(exception.class).toBe(kind);
      expect(exception.reason).toBe(REASON);
    },
  );

  test("an Error becomes an error with its name and message, as binaries", () => {
    const { class: kind, reason } = exceptionOf(new RangeError("too far"));
    expect(kind).toBe("error");
    expect(encode(reason)).toEqual(encode(javascriptError("RangeError", "too far")));
  });

  test.each<[unknown, string]>([
    ["text", "text"],
    [42, "42"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [{ a: 1 }, "[object Object]"],
  ])("%o becomes an error too", (thrown, message) => {
    const { class: kind, reason } = exceptionOf(thrown);
    expect(kind).toBe("error");
    expect(encode(reason)).toEqual(encode(javascriptError("Error", message)));
  });

  test("a missing function is undef, with the call as the stack", () => {
    const exception = exceptionOf(new UndefError(atom("kvs"), atom("nothing"), [1]));
    expect(exception).toMatchObject({ class: "error", reason: atom("undef") });
    expect(exception.stack).toStrictEqual([tuple(atom("kvs"), atom("nothing"), [1], [])]);
  });

  test("the stack ends where the call came in, and leaves out meaningless receivers", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    node.expose("m", {
      outer() {
        function inner(): never {
          throw new Error("deep");
        }
        inner();
      },
    });
    const failed = await cluster
      .settled(node.erpc.call(node.name, "m", "outer", []))
      .catch((error: RemoteError) => error.stackTrace);
    const names = (failed as unknown as readonly (readonly Term[])[]).map(([, name]) =>
      String(name),
    );
    expect(names).toEqual(["inner", "outer"]);
  });

  test("wrong arguments are function_clause, with the call as the stack", () => {
    const exception = exceptionOf(new FunctionClauseError(atom("sums"), atom("add"), [atom("x")]));
    expect(exception).toMatchObject({ class: "error", reason: atom("function_clause") });
    expect(exception.stack).toStrictEqual([tuple(atom("sums"), atom("add"), [atom("x")], [])]);
  });

  test("the stack names function, file and line like an Erlang stack", () => {
    const { stack } = thrownBy(function climb() {
      throw new Error("high");
    });
    const [top] = stack;
    expect(isTuple(top, 4)).toBe(true);
    const [module, name, arity, location] = top as unknown as [Term, Term, Term, Term];
    expect(module).toBe(atom("exceptions.test.ts"));
    expect(name).toBe(atom("climb"));
    expect(arity).toBe(0);
    expect(location).toStrictEqual([
      tuple(atom("file"), charlist("exceptions.test.ts")),
      tuple(atom("line"), expect.any(Number)),
    ]);
    expect(stack.length).toBeLessThanOrEqual(8);
  });

  test("every stack is a term that can be sent", () => {
    const named = { [`${"x".repeat(254)}🙂`]: () => fail() }[`${"x".repeat(254)}🙂`]!;
    function fail(): never {
      throw new Error("deep");
    }
    const { true: yes } = { true: () => fail() };
    for (const body of [named, yes, fail]) {
      const { stack } = thrownBy(body);
      expect(stack.length).toBeGreaterThan(0);
      encode(stack);
    }
  });

  test.each<[string, unknown]>([
    ["an error without a stack", Object.assign(new Error("x"), { stack: undefined })],
    ["an error with another kind of stack", Object.assign(new Error("x"), { stack: [1] })],
    ["an error whose name is not text", Object.assign(new Error("x"), { name: undefined })],
    ["an error whose message is not text", Object.assign(new Error(), { message: Symbol("x") })],
    ["half a character", new Error("\ud800")],
    ["an object without a text form", Object.create(null)],
    [
      "an object whose text throws",
      {
        toString() {
          throw new Error("no");
        },
      },
    ],
    ["an Erlang reason that is not a term", ErlangError.exit(Number.NaN)],
    ["an Erlang reason that is missing", ErlangError.error(undefined as unknown as Term)],
  ])("%s still becomes a reason that can be sent", (_, thrown) => {
    const exception = exceptionOf(thrown);
    encode(exitReasonOf(exception));
    expect(["error", "exit"]).toContain(exception.class);
  });

  test("an Erlang reason may be any term input and becomes the term", () => {
    const { reason } = exceptionOf(ErlangError.exit("text" as unknown as Term));
    expect(reason).toStrictEqual(Buffer.from("text"));
  });
});

describe("the exit reason", () => {
  const stack: Term[] = [tuple(atom("m"), atom("f"), 1, [])];

  test("of an exit is the reason itself", () => {
    expect(exitReasonOf({ class: "exit", reason: REASON, stack })).toBe(REASON);
  });

  test("of an error contains the stack", () => {
    expect(exitReasonOf({ class: "error", reason: REASON, stack })).toStrictEqual(
      tuple(REASON, stack),
    );
  });

  test("of a throw is nocatch", () => {
    expect(exitReasonOf({ class: "throw", reason: REASON, stack })).toStrictEqual(
      tuple(tuple(atom("nocatch"), REASON), stack),
    );
  });
});
