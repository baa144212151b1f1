import { describe, expect, test } from "vitest";
import { atom, ExternalFun, LocalFun, Pid, type Term, tuple } from "../../../etf/index.ts";
import { UndefError } from "../../../src/node/exceptions.ts";
import { type Call, type CallContext, FunctionTable } from "../../../src/node/exposed/functions.ts";
import type { Process } from "../../../src/node/process/process.ts";
import { inbox } from "../../support/cluster.ts";
import { connected } from "../../support/two-nodes.ts";

const context: Call = { self: {} as Process, caller: new Pid("bilbo@vm", 1, 0, 1) };

function table(functions: Parameters<FunctionTable["expose"]>[1], module = "m") {
  const made = new FunctionTable();
  made.expose(module, functions);
  return {
    made,
    call: (name: string, ...args: Term[]) => made.apply(context, atom(module), atom(name), args),
  };
}

describe("expose", () => {
  test("by name takes the arity of the function", () => {
    const { call } = table({ add: (a: number, b: number) => a + b });
    expect(call("add", 1, 2)).toBe(3);
    expect(() => call("add", 1)).toThrow(UndefError);
    expect(() => call("add", 1, 2, 3)).toThrow(UndefError);
  });

  test("by name and arity takes several of one name, and optional arguments", () => {
    const { call } = table({
      "sum/1": (a: number) => a,
      "sum/2": (a: number, b: number) => a + b,
      "any/3": (...all: number[]) => all.length,
    });
    expect([call("sum", 1), call("sum", 1, 2), call("any", 7, 8, 9)]).toEqual([1, 3, 3]);
  });

  test("again under the same name replaces the older one and keeps the others", () => {
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
  test("passes the process and the caller as this", () => {
    const { call } = table({
      who(this: CallContext) {
        return this.caller as Pid;
      },
    });
    expect(call("who")).toBe(context.caller);
  });

  test("answers ok for undefined, promised or not", async () => {
    const { call } = table({ nothing: () => {}, later: async () => {} });
    expect(call("nothing")).toBe(atom("ok"));
    expect(await call("later")).toBe(atom("ok"));
  });

  test("passes on results and failures unchanged", async () => {
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
    ["a module that is not an atom", Buffer.from("m"), atom("f"), []],
    ["a name that is not an atom", atom("m"), [102], []],
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

  test("names with the separators of the table stay distinct", () => {
    const { made } = table({ c: () => 1 }, "a:b");
    expect(() => made.apply(context, atom("a"), atom("b:c"), [])).toThrow(UndefError);
  });
});

describe("erlang:apply", () => {
  const { made, call } = table({ add: (a: number, b: number) => a + b });
  const apply = (...args: Term[]) => made.apply(context, atom("erlang"), atom("apply"), args);

  test("applies exposed functions, by name or fun M:F/A, also through itself", () => {
    expect(call("add", 1, 2)).toBe(3);
    expect(apply(atom("m"), atom("add"), [1, 2])).toBe(3);
    expect(apply(new ExternalFun("m", "add", 2), [1, 2])).toBe(3);
    expect(apply(new ExternalFun("erlang", "apply", 3), [atom("m"), atom("add"), [1, 2]])).toBe(3);
  });

  const fun = new ExternalFun("m", "add", 2);
  const local = new LocalFun({
    arity: 0,
    uniq: new Uint8Array(16),
    index: 0,
    module: atom("m"),
    oldIndex: 0,
    oldUniq: 0,
    pid: new Pid("bilbo@vm", 1, 0, 1),
    freeVariables: [],
  });
  test.each<[string, Term[], Term]>([
    ["another arity", [fun, [1]], tuple(atom("badarity"), tuple(fun, [1])) as Term],
    ["no fun", [atom("add"), [1, 2]], tuple(atom("badfun"), atom("add")) as Term],
    ["arguments that are no list", [fun, 1], atom("badarg")],
    ["named arguments that are no list", [atom("m"), atom("add"), tuple(1)], atom("badarg")],
    ["a name that is not an atom", [atom("m"), "add" as unknown as Term, []], atom("badarg")],
    ["what is not exposed", [atom("m"), atom("nothing"), []], atom("undef")],
    ["a fun whose code is elsewhere", [local, []], atom("undef")],
    ["one argument", [fun], atom("undef")],
  ])("%s", (_, args, reason) => {
    expect(() => apply(...args)).toThrow(expect.objectContaining({ class: "error" }));
    try {
      apply(...args);
    } catch (error) {
      expect((error as { reason: Term }).reason).toStrictEqual(reason);
    }
  });

  test("the program's own erlang:apply has precedence", () => {
    made.expose("erlang", { "apply/3": () => "mine" });
    expect(apply(atom("m"), atom("add"), [1, 2])).toBe("mine");
  });
});

describe("the call's context", () => {
  async function calling(node: "gandalf@vm" | "bilbo@vm") {
    const { cluster, gandalf, bilbo } = await connected();
    let context!: CallContext;
    let signal: AbortSignal | undefined;
    bilbo.expose("m", {
      async wait(this: CallContext) {
        context = this;
        signal = this.signal;
        await this.self.receive();
      },
    });
    const caller = inbox(node === "bilbo@vm" ? bilbo : gandalf).process;
    const leader = inbox(gandalf).process.pid;
    const options = { groupLeader: leader };
    const pid = await cluster.settled(caller.spawnOn("bilbo@vm", "m", "wait", [], options));
    expect(context.groupLeader).toEqual(leader);
    expect([signal?.aborted, context.signal === signal]).toEqual([false, true]);
    return { cluster, gandalf, bilbo, caller, pid, signal: context.signal, self: context.self };
  }

  test.each(["gandalf@vm", "bilbo@vm"] as const)(
    "its signal fires when the caller on %s dies, with the reason",
    async (node) => {
      const { cluster, caller, signal, self } = await calling(node);
      caller.terminate(atom("gone"));
      await cluster.settle();
      expect(signal.reason).toMatchObject({ class: "exit", reason: atom("gone") });
      expect(self.alive).toBe(true);
    },
  );

  test("its signal fires when the connection to the caller is lost", async () => {
    const { cluster, gandalf, signal } = await calling("gandalf@vm");
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(signal.reason).toMatchObject({ class: "exit", reason: atom("noconnection") });
  });

  test("its signal fires when the function's process ends", async () => {
    const { cluster, caller, pid, signal, self } = await calling("gandalf@vm");
    caller.sendExit(pid, atom("kill"));
    await cluster.settle();
    expect(signal.reason).toMatchObject({ code: "PROCESS_DEAD" });
    expect([self.alive, self.signal.aborted, caller.monitoredBy?.size]).toEqual([false, true, 0]);
  });

  test("a function that has returned no longer watches its caller", async () => {
    const { cluster, caller, pid, gandalf } = await calling("gandalf@vm");
    expect(caller.monitoredBy?.size).toBe(1);
    void gandalf.send(pid, 1);
    await cluster.settle();
    expect(caller.monitoredBy?.size).toBe(0);
  });
});

describe("a function exposed as a process", () => {
  const self = {} as Process;
  const caller = context.caller!;

  test("runs when spawned, and is undef when called", () => {
    const made = new FunctionTable();
    made.exposeProcess("erpc", "run", 1, (process, args, from) => [process, args, from]);
    expect(made.spawned(self, caller, atom("erpc"), atom("run"), [1])).toEqual([self, [1], caller]);
    expect(() => made.apply(context, atom("erpc"), atom("run"), [1])).toThrow(UndefError);
  });

  test("an ordinary function can be spawned too", () => {
    const { made } = table({ f: (a: number) => a * 2 });
    expect(made.spawned(self, caller, atom("m"), atom("f"), [4])).toBe(8);
    expect(() => made.spawned(self, caller, atom("m"), atom("g"), [])).toThrow(UndefError);
  });
});

test("modules and exports list what can be called or spawned", () => {
  const { made } = table({ "f/1": () => 1, "f/2": () => 2 }, "a:b");
  made.exposeProcess("m", "run", 0, () => {});
  expect(made.modules()).toEqual(["a:b", "m"]);
  const exports = (module: string, name: string, arity: number): boolean =>
    made.exports(atom(module), atom(name), arity);
  expect([exports("a:b", "f", 2), exports("m", "run", 0)]).toEqual([true, true]);
  expect([exports("a:b", "f", 3), exports("a", "b:f", 2)]).toEqual([false, false]);
});
