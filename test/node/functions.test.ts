import { describe, expect, test } from "vitest";
import { atom, ExternalFun, Pid, type Term, tuple } from "../../etf/index.ts";
import { type CallContext, FunctionTable, UndefError } from "../../src/node/functions.ts";
import type { Process } from "../../src/node/process.ts";

const context: CallContext = { self: {} as Process, caller: new Pid("bilbo@vm", 1, 0, 1) };

function table(functions: Parameters<FunctionTable["expose"]>[1], module = "m") {
  const made = new FunctionTable();
  made.expose(module, functions);
  return {
    made,
    call: (name: string, ...args: Term[]) => made.apply(context, atom(module), atom(name), args),
  };
}

describe("expose", () => {
  test("by name: the arity is that of the function", () => {
    const { call } = table({ add: (a: number, b: number) => a + b });
    expect(call("add", 1, 2)).toBe(3);
    expect(() => call("add", 1)).toThrow(UndefError);
    expect(() => call("add", 1, 2, 3)).toThrow(UndefError);
  });

  test("by name and arity: several of one name, and optional arguments", () => {
    const { call } = table({
      "sum/1": (a: number) => a,
      "sum/2": (a: number, b: number) => a + b,
      "any/3": (...all: number[]) => all.length,
    });
    expect([call("sum", 1), call("sum", 1, 2), call("any", 7, 8, 9)]).toEqual([1, 3, 3]);
  });

  test("again under the same name takes the place of the older, beside others it is added", () => {
    const { made, call } = table({ one: () => 1, two: () => 2 });
    made.expose("m", { one: () => "uno", three: () => 3 });
    expect([call("one"), call("two"), call("three")]).toEqual(["uno", 2, 3]);
  });

  test.each<[string, unknown]>([
    ["a/b/1", () => 1],
    ["/1", () => 1],
    ["", () => 1],
    ["a/256", () => 1],
    ["a/x", () => 1],
    ["a", 1],
    ["a", undefined],
  ])("%j of %o is refused", (key, run) => {
    expect(() => table({ [key]: run as () => void })).toThrow(
      expect.objectContaining({
        name: "NodeError",
        code: "FUNCTION_NAME_INVALID",
        message: expect.stringContaining(`m:${key}`),
      }),
    );
  });
});

describe("apply", () => {
  test("gives the function its process and its caller as this", () => {
    const { call } = table({
      who(this: CallContext) {
        return this.caller as Pid;
      },
    });
    expect(call("who")).toBe(context.caller);
  });

  test("answers ok for nothing, promised or not", async () => {
    const { call } = table({ nothing: () => {}, later: async () => {} });
    expect(call("nothing")).toBe(atom("ok"));
    expect(await call("later")).toBe(atom("ok"));
  });

  test("hands results and failures on as they are", async () => {
    const failure = new Error("failed");
    const { call } = table({
      now: () => {
        throw failure;
      },
      later: async () => {
        throw failure;
      },
      no: () => false,
    });
    expect(() => call("now")).toThrow(failure);
    await expect(call("later")).rejects.toBe(failure);
    expect(call("no")).toBe(false);
  });

  test("the function cannot change the caller's list of arguments", () => {
    const args: Term[] = [1, 2];
    const { made } = table({
      "take/2": (...all: Term[]) => {
        all.pop();
      },
    });
    made.apply(context, atom("m"), atom("take"), args);
    expect(args).toEqual([1, 2]);
  });

  test.each<[string, Term, Term, Term[]]>([
    ["another module", atom("n"), atom("f"), []],
    ["another name", atom("m"), atom("g"), []],
    ["a name every object has", atom("m"), atom("constructor"), []],
    ["a module every object has", atom("__proto__"), atom("toString"), []],
    ["a module that is no atom", Buffer.from("m"), atom("f"), []],
    ["a name that is no atom", atom("m"), [102], []],
    ["a module that is a fun", new ExternalFun("m", "f", 0), atom("f"), []],
  ])("%s is undef, with the call itself", (_, module, name, args) => {
    const { made } = table({ f: () => 1 });
    expect(() => made.apply(context, module, name, args)).toThrow(
      expect.objectContaining({
        class: "error",
        reason: atom("undef"),
        call: tuple(module, name, args, []),
      }),
    );
  });

  test("names with the separators of the table do not get mixed up", () => {
    const { made } = table({ c: () => 1 }, "a:b");
    expect(() => made.apply(context, atom("a"), atom("b:c"), [])).toThrow(UndefError);
  });
});

describe("what is exposed as a process", () => {
  const self = {} as Process;
  const caller = context.caller!;

  test("runs when spawned, and is undef when called", () => {
    const made = new FunctionTable();
    made.exposeProcess("erpc", "run", 1, (process, args, from) => [process, args, from]);
    expect(made.spawned(self, caller, atom("erpc"), atom("run"), [1])).toEqual([self, [1], caller]);
    expect(() => made.apply(context, atom("erpc"), atom("run"), [1])).toThrow(UndefError);
  });

  test("a function may be spawned too", () => {
    const { made } = table({ f: (a: number) => a * 2 });
    expect(made.spawned(self, caller, atom("m"), atom("f"), [4])).toBe(8);
    expect(() => made.spawned(self, caller, atom("m"), atom("g"), [])).toThrow(UndefError);
  });
});

test("modules and exports tell what is callable, and what can be spawned", () => {
  const { made } = table({ "f/1": () => 1, "f/2": () => 2 }, "a:b");
  made.exposeProcess("m", "run", 0, () => {});
  expect(made.modules()).toEqual(["a:b", "m"]);
  const exports = (module: string, name: string, arity: number): boolean =>
    made.exports(atom(module), atom(name), arity);
  expect([exports("a:b", "f", 2), exports("m", "run", 0)]).toEqual([true, true]);
  expect([exports("a:b", "f", 3), exports("a", "b:f", 2)]).toEqual([false, false]);
});
