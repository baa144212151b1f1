/**
 * The chapter's session: an Erlang shell calls `kvs` on an erldist node, the command and a program call `kvs` on
 * an Erlang node, and two erldist nodes call each other.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, float, serveKvs, TermMap, toTerm, tuple } from "../src/index.ts";
import { interopRun, type OtpNode, type OtpShell, startOtpNode, startOtpShell } from "./index.ts";
import { runCommand, startKvsCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type Served = Awaited<ReturnType<typeof startKvsCommand>>;

eachOtp((otp) => {
  describe("an Erlang shell and erldist kvs", () => {
    let gandalf: Served;
    let bilbo: OtpShell;
    beforeAll(async () => {
      const run = await interopRun();
      gandalf = await startKvsCommand(["-sname", run.uniqueName("gandalf")]);
      bilbo = await startOtpShell({ otp, name: run.uniqueName("bilbo") });
    });
    afterAll(async () => {
      await bilbo.stop();
      gandalf.signal("SIGTERM");
      expect(await gandalf.ended).toMatchObject({ code: 0, stderr: "" });
    });

    it.each([
      ["net_adm:ping(GANDALF).", "pong"],
      ["rpc:call(GANDALF, kvs, start, []).", "true"],
      ['rpc:call(GANDALF, kvs, store, [{location,joe},"Stockholm"]).', "true"],
      ["rpc:call(GANDALF, kvs, store, [weather, fine]).", "true"],
      ["rpc:call(GANDALF, kvs, lookup, [weather]).", "{ok,fine}"],
      ["rpc:call(GANDALF, kvs, start, []).", "true"],
      ["rpc:call(GANDALF, kvs, lookup, [{location,joe}]).", '{ok,"Stockholm"}'],
      ["rpc:call(GANDALF, kvs, lookup, [{location,jane}]).", "undefined"],
      [
        "[{kvs, GANDALF} ! {self(), {lookup, K}} || K <- [weather, last]], receive {kvs, undefined} -> flush() end.",
        "Shell got {kvs,{ok,fine}}\nok",
      ],
      ["{kvs, GANDALF} ! {self(), {store, mood, good}}, receive R1 -> R1 end.", "{kvs,true}"],
      ["{kvs, GANDALF} ! {self(), {lookup, mood}}, receive R2 -> R2 end.", "{kvs,{ok,good}}"],
      ["{kvs, GANDALF} ! {self(), {lookup, nothing}}, receive R3 -> R3 end.", "{kvs,undefined}"],
      ["rpc:call(GANDALF, kvs, nothing, []).", "{badrpc,{'EXIT',{undef,[{kvs,nothing,[],[]}]}}}"],
      ["erpc:call(GANDALF, kvs, lookup, [weather]).", "{ok,fine}"],
      ['rpc:call(GANDALF, os, cmd, ["id"]).', "{badrpc,{'EXIT',{undef,[{os,cmd,[\"id\"],[]}]}}}"],
      [
        "{kvs, GANDALF} ! nonsense, {kvs, GANDALF} ! {self(), {steal, all}}, erpc:call(GANDALF, kvs, lookup, [weather]).",
        "{ok,fine}",
      ],
      ["nodes().", "[]"],
      ["nodes(hidden) =:= [GANDALF].", "true"],
    ])("%s", async (line, shown) => {
      expect(await bilbo.type(line.replaceAll("GANDALF", `'${gandalf.name}'`))).toBe(shown);
    });

    it("distinguishes keys as =:= does, and returns the same term", async () => {
      const line = `
        Terms = [1, 1.0, -0.0, 1 bsl 70, -(1 bsl 31), a, 'an atom', true, <<>>, <<"bin">>, <<5:3>>,
          "", "text", [1|2], {}, {a,{b}}, #{}, #{1 => a, 1.0 => b}, self(), make_ref(), fun lists:map/2,
          hd(erlang:ports()), [[]], 'ж', <<"ж"/utf8>>, 1.0e308, 5.0e-324],
        [true = rpc:call(N, kvs, store, [K, {value, K}]) || K <- Terms],
        [K || K <- Terms, rpc:call(N, kvs, lookup, [K]) =/= {ok, {value, K}}].`;
      const text = line.replace(/\s+/g, " ").trim();
      expect(await bilbo.type(`N = '${gandalf.name}', ${text}`)).toBe("[]");
    });

    it("stores a closure, and returns it callable", async () => {
      const text = `X1 = 41, rpc:call('${gandalf.name}', kvs, store, [adder, fun(Y1) -> X1 + Y1 end]),
        {ok, F1} = rpc:call('${gandalf.name}', kvs, lookup, [adder]), F1(1).`;
      expect(await bilbo.type(text.replace(/\s+/g, " "))).toBe("42");
    });
  });

  describe("the command and a program, and kvs on an Erlang node", () => {
    let gandalf: OtpNode;
    beforeAll(async () => {
      gandalf = await startOtpNode({ otp });
      await gandalf.loadModule("kvs");
      expect(await gandalf.eval("kvs:start(), kvs:store(weather, fine)")).toBe("true");
    });
    afterAll(() => gandalf.kill());

    it("erldist call prints what it returns", async () => {
      expect(await runCommand(["call", gandalf.name, "kvs", "lookup", "[weather]"])).toEqual({
        code: 0,
        signal: null,
        stdout: "{ok,fine}\n",
        stderr: "",
      });
    });

    it("erldist call prints what is printed over there, then the result", async () => {
      const end = await runCommand(["call", gandalf.name, "io", "format", '["hello ~p~n", [1]]']);
      expect(end).toMatchObject({ code: 0, stdout: "hello 1\nok\n", stderr: "" });
    });

    it("erldist ping says pong", async () => {
      expect(await runCommand(["ping", gandalf.name])).toMatchObject({ code: 0, stdout: "pong\n" });
    });

    it("node.rpc.call stores and looks up", async () => {
      await using node = await startOurNode();
      const call = (name: string, ...args: Parameters<typeof toTerm>) =>
        node.rpc.call(gandalf.name, "kvs", name, args);
      expect(await call("lookup", atom("weather"))).toEqual(tuple(atom("ok"), atom("fine")));
      const key = new TermMap([[1, float(1)]]);
      expect(await node.rpc.call(gandalf.name, "kvs", "store", [key, "Gandalf"])).toBe(true);
      expect(await call("lookup", key)).toEqual(tuple(atom("ok"), toTerm("Gandalf")));
      expect(await gandalf.eval("kvs:lookup(#{1 => 1.0})")).toBe('{ok,<<"Gandalf">>}');
      expect(await gandalf.eval("kvs:lookup(#{1 => 1})")).toBe("undefined");
    });

    it("a process sends to kvs and gets the answer", async () => {
      await using node = await startOurNode();
      const answer = new Promise((resolve, reject) => {
        node.spawn(async (self) => {
          const request = tuple(self.pid, tuple(atom("lookup"), atom("weather")));
          await self.send(["kvs", gandalf.name], request);
          await self.receive().then(resolve, reject);
        });
      });
      expect(await answer).toEqual(tuple(atom("kvs"), tuple(atom("ok"), atom("fine"))));
    });
  });
});

describe("TypeScript to TypeScript", () => {
  it("a program calls kvs in another", async () => {
    const run = await interopRun();
    await using gandalf = await startKvsCommand(["--sname", run.uniqueName("gandalf")]);
    await using node = await startOurNode();
    expect(await node.ping(gandalf.name)).toBe("pong");
    expect(await node.rpc.call(gandalf.name, "kvs", "store", [float(1), "x"])).toBe(true);
    expect(await node.rpc.call(gandalf.name, "kvs", "lookup", [1])).toBe(atom("undefined"));
    const end = await runCommand(["call", gandalf.name, "kvs", "lookup", "[1.0]"]);
    expect(end).toMatchObject({ code: 0, stdout: '{ok,<<"x">>}\n' });
  });

  it("two nodes of one program call one another", async () => {
    await using bilbo = await startOurNode();
    await using gandalf = await startOurNode();
    serveKvs(gandalf);
    expect(await bilbo.rpc.call(gandalf.name, "kvs", "store", [1, 2])).toBe(true);
    expect(await gandalf.rpc.call(gandalf.name, "kvs", "lookup", [1])).toEqual(
      tuple(atom("ok"), 2),
    );
  });
});
