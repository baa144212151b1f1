/**
 * Exposed functions as a caller on an Erlang node sees them: `erlang:apply`, funs sent back and forth, typed
 * functions, JavaScript errors with a stack, and the signal that fires when the caller ends.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Plain } from "../etf/index.ts";
import {
  atom,
  type CallContext,
  ErlangError,
  type ExternalFun,
  type LocalFun,
  type Node,
  type Term,
  typed,
  types,
} from "../src/index.ts";
import { type OtpNode, startOtpNode, waitUntil } from "./index.ts";
import { serveCallee } from "./support/callee.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/** Calls of a node N, whose module M has the functions of `erldist_callee`. */
const APPLIES = [
  "erlang, apply, [M, add, [1, 2]]",
  "erlang, apply, [fun M:add/2, [1, 2]]",
  "erlang, apply, [fun erlang:apply/3, [M, add, [1, 2]]]",
  "erlang, apply, [fun M:add/2, [1]]",
  "erlang, apply, [fun M:fail/2, [throw, ball]]",
  "erlang, apply, [fun M:no_such_function/0, []]",
  "erlang, apply, [M, no_such_function, [x]]",
  "erlang, apply, [no_fun, [1]]",
  "erlang, apply, [fun M:add/2, not_a_list]",
];
/** From OTP 24 on their stack trace says more than the call, as ours does. */
const BAD_APPLIES = ["erlang, apply, [M, add, not_a_list]", "erlang, apply, [1, add, []]"];

/** An instance of a class with what others may call, and what they may not. */
class Base {
  protected readonly start: number = 10;
  inherited(a: number): number {
    return this.start - a;
  }
  hidden(): void {}
}
class Sums extends Base {
  get size(): number {
    return 1;
  }
  sum(a: number, b = 1, ...more: number[]): number {
    return more.reduce((sum, each) => sum + each, this.start + a + b);
  }
  override inherited(a: number, b = 2): number {
    return super.inherited(a) * b;
  }
  _internal(): void {}
}

function serveTyped(node: Node, signals: AbortSignal[]): void {
  node.expose("sums", new Sums());
  node.expose("plain", {
    add: (a: number, b = 1) => a + b,
    count: (...all: Term[]) => all.length,
    "count/2": () => "two",
  });
  node.expose("typed", {
    greet: typed([types.string, types.integer], types.string, (name, times) =>
      Array(times).fill(`hello ${name}`).join(", "),
    ),
    mean: typed([types.listOf(types.number)], types.float, (all) =>
      all.reduce((sum, each) => sum + each / all.length, 0),
    ),
    parts: typed(
      [types.atom],
      types.tupleOf(types.atom, types.charlist),
      (name) => [name, name] as const,
    ),
    wrong: typed([], types.integer, () => 1.5),
    text: typed([types.string], types.string, (text) => text),
    cycle: typed([], types.plain, () => {
      const object: Record<string, Plain> = {};
      object.self = object;
      return object;
    }),
    endless: typed([], types.plain, () => {
      const endless = (): Plain => ({ toJSON: () => ({ next: endless() }) }) as never;
      return endless();
    }),
    unsafe: typed([], types.number, () => 2 ** 53),
    half: typed([], types.string, () => "\ud800"),
    rawCycle: () => {
      const list: Term[] = [];
      list.push(list);
      return list;
    },
    broken: typed([], types.ok, function lookUp() {
      throw new RangeError("out of reach");
    }),
    async watch(this: CallContext) {
      signals.push(this.signal);
      await new Promise((_, reject) => {
        this.signal.addEventListener("abort", () => reject(this.signal.reason));
      });
    },
    run: (fun: ExternalFun | LocalFun, args: Term[]) => node.apply(fun, args),
    async back(this: CallContext, fun: ExternalFun | LocalFun, args: Term[]) {
      return node.apply(fun, args, { node: this.self.groupLeader.node });
    },
  });
}

eachOtp((otp) => {
  let caller: OtpNode;
  let genuine: OtpNode;
  let ours: Awaited<ReturnType<typeof startOurNode>>;
  const signals: AbortSignal[] = [];
  beforeAll(async () => {
    caller = await startOtpNode({ otp });
    genuine = await startOtpNode({ otp });
    ours = await startOurNode();
    serveCallee(ours);
    serveTyped(ours, signals);
    for (const node of [caller, genuine]) await node.loadModule("erldist_callee");
  });
  afterAll(async () => {
    await ours.stop();
    await genuine.kill();
    await caller.kill();
  });
  const call = (expression: string): Promise<string> =>
    caller.eval(`(fun(N) -> ${expression} end)('${ours.name}')`);

  describe("erlang:apply", () => {
    const seen = (expression: string, node: string): Promise<string> =>
      caller.eval(
        `erldist_callee:shape((fun(N, M) -> try ${expression} catch C:R -> {caught, C, R} end end)('${node}', erldist_callee))`,
      );
    const applies = otp.release === "23" ? APPLIES : [...APPLIES, ...BAD_APPLIES];
    it.each(applies.flatMap((args) => [`rpc:call(N, ${args})`, `erpc:call(N, ${args})`]))(
      "%s",
      async (expression) => {
        expect(await seen(expression, ours.name)).toBe(await seen(expression, genuine.name));
      },
    );
  });

  describe("funs", () => {
    it("fun M:F/A sent to us can be applied here or there, and a closure there", async () => {
      expect(await call("erpc:call(N, typed, run, [fun erldist_callee:add/2, [1, 2]])")).toBe("3");
      expect(await call("erpc:call(N, typed, back, [fun lists:reverse/1, [[1, 2, 3]]])")).toBe(
        "[3,2,1]",
      );
      const fun = "erpc:call(N, typed, run, [fun(X) -> {node(), X + 1} end, [41]])";
      expect(await call(fun)).toBe(`{${caller.name},42}`);
    });

    it("fun M:F/A from here can be applied there, where its module is", async () => {
      const fun = (await ours.rpc.call(caller.name, "erlang", "make_fun", [
        atom("lists"),
        atom("sum"),
        1,
      ])) as ExternalFun;
      expect(await ours.apply(fun, [[1, 2, 3]], { node: caller.name })).toBe(6);
      await expect(ours.apply(fun, [[1, 2, 3]])).rejects.toMatchObject({
        code: "REMOTE_ERROR",
        reason: atom("undef"),
      });
    });
  });

  describe("typed functions", () => {
    it.each([
      ['rpc:call(N, typed, greet, ["Joe", 2])', '<<"hello Joe, hello Joe">>'],
      [
        'rpc:call(N, typed, greet, [<<"J\u00f6rg"/utf8>>, 1]) =:= <<"hello J\u00f6rg"/utf8>>',
        "true",
      ],
      ["rpc:call(N, typed, mean, [[1, 2.0]])", "1.5"],
      ["rpc:call(N, typed, mean, [[2, 2]])", "2.0"],
      ["rpc:call(N, typed, parts, [abc])", '{abc,"abc"}'],
      [
        "rpc:call(N, typed, greet, [joe, 2])",
        "{badrpc,{'EXIT',{function_clause,[{typed,greet,[joe,2],[]}]}}}",
      ],
      ["rpc:call(N, typed, greet, [])", "{badrpc,{'EXIT',{undef,[{typed,greet,[],[]}]}}}"],
    ])("%s", async (expression, expected) => {
      expect(await call(expression)).toBe(expected);
    });
  });

  describe("functions with optional arguments, and methods", () => {
    const undef = (module: string, name: string, args: string): string =>
      `{badrpc,{'EXIT',{undef,[{${module},${name},${args},[]}]}}}`;
    it.each([
      ["plain, add, [1]", "2"],
      ["plain, add, [1, 5]", "6"],
      ["plain, add, []", undef("plain", "add", "[]")],
      ["plain, add, [1, 2, 3]", undef("plain", "add", "[1,2,3]")],
      ["plain, count, []", "0"],
      ["plain, count, [a, b]", '<<"two">>'],
      ["plain, count, lists:seq(1, 255)", "255"],
      ["sums, sum, [1]", "12"],
      ["sums, sum, [1, 2]", "13"],
      ["sums, sum, [1, 2, 3, 4]", "20"],
      ["sums, sum, []", undef("sums", "sum", "[]")],
      ["sums, inherited, [1]", "18"],
      ["sums, inherited, [1, 3]", "27"],
      ["sums, hidden, []", "ok"],
      ["sums, size, []", undef("sums", "size", "[]")],
      ["sums, '_internal', []", undef("sums", "'_internal'", "[]")],
      ["sums, constructor, []", undef("sums", "constructor", "[]")],
      ["sums, toString, []", undef("sums", "toString", "[]")],
    ])("%s", async (asked, expected) => {
      expect(await call(`rpc:call(N, ${asked})`)).toBe(expected);
      const [module, name, args] = /^(\w+), (\S+), (.*)$/.exec(asked)!.slice(1);
      expect(
        await call(`rpc:call(N, erlang, function_exported, [${module}, ${name}, length(${args})])`),
      ).toBe(String(!expected.startsWith("{badrpc")));
    });
  });

  describe("results that are not terms", () => {
    it.each([
      ["cycle", ".self: the value contains itself"],
      ["endless", "nested deeper than 100000 levels"],
      ["unsafe", "9007199254740992 is an integer beyond 2^53"],
      ["half", "a string with a lone surrogate has no UTF-8 form"],
      ["rawCycle", "the value contains itself"],
    ])("%s: the caller gets the error, and the node serves on", async (name, message) => {
      const answer = await call(`rpc:call(N, typed, ${name}, [])`);
      expect(answer).toContain("{badrpc,{'EXIT',{{javascript_error,<<\"EtfEncodeError\">>");
      expect(answer.replace(/\s+/g, " ")).toContain(message);
      const bytes = "<<239,187,191,97>>";
      expect(await call(`rpc:call(N, typed, text, [${bytes}]) =:= ${bytes}`)).toBe("true");
    });
  });

  describe("errors of JavaScript", () => {
    it("have a name, a message, and a stack that says where", async () => {
      const raised =
        "try erpc:call(N, typed, broken, []) catch error:{exception, R, [{M, F, A, L} | _]} -> {R, M, F, A, proplists:get_value(file, L), is_integer(proplists:get_value(line, L))} end";
      expect(await call(raised)).toBe(
        `{{javascript_error,<<"RangeError">>,<<"out of reach">>},'expose.interop.ts',lookUp,0,"expose.interop.ts",true}`,
      );
      expect(await call("rpc:call(N, typed, wrong, [])")).toContain(
        '{javascript_error,<<"TypeError">>,<<"1.5 is not an integer.">>}',
      );
    });

    if (otp.release !== "23") {
      it("are printed by the shell's own formatter as an Erlang function's are", async () => {
        const text = await call(
          "try erpc:call(N, typed, broken, []) catch error:{exception, R, S} -> unicode:characters_to_list(erl_error:format_exception(error, R, S)) end",
        );
        expect(text).toContain("javascript_error");
        expect(text).toMatch(
          /in function\s+'expose\.interop\.ts':lookUp\/0 \(expose\.interop\.ts(?:, line |:)\d+\)/,
        );
      });
    }
  });

  describe("the signal of a call", () => {
    const last = () =>
      waitUntil(() => signals.shift(), { description: "the function to be called" });
    const fired = (signal: AbortSignal) =>
      waitUntil(() => signal.aborted, { description: "the signal to fire" });

    it("fires when the caller dies", async () => {
      await call(
        "P = spawn(fun() -> erpc:call(N, typed, watch, []) end), persistent_term:put(p, P)",
      );
      const signal = await last();
      const watched = "process_info(persistent_term:get(p), monitored_by) =/= {monitored_by, []}";
      await waitUntil(async () => (await caller.eval(watched)) === "true", {
        description: "the caller to be monitored",
      });
      expect(signal.aborted).toBe(false);
      await caller.eval("exit(persistent_term:get(p), oops)");
      await fired(signal);
      expect(signal.reason).toBeInstanceOf(ErlangError);
      expect(signal.reason).toMatchObject({ class: "exit", reason: atom("oops") });
    });

    it("fires when the process that runs the call is killed", async () => {
      await call("exit(spawn(N, typed, watch, []), kill)");
      await fired(await last());
    });

    it("fires when the connection is lost", async () => {
      await call("spawn(fun() -> erpc:call(N, typed, watch, []) end)");
      const signal = await last();
      ours.disconnect(caller.name);
      await fired(signal);
      expect(signal.reason).toMatchObject({ reason: atom("noconnection") });
    });
  });
});
