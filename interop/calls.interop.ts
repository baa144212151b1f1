/**
 * Calls, messages, links and monitors between an erldist node and an Erlang node, from either side: a process
 * on one node sees what it would see between two Erlang nodes.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  atom,
  type Behaviour,
  charlist,
  ErlangError,
  format,
  type Node,
  type Pid,
  type Process,
  parse,
  type Term,
  tuple,
} from "../src/index.ts";
import { type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

/** Collects what a process gets. */
class Collector implements Behaviour {
  readonly messages: Term[] = [];
  message(message: Term): void {
    this.messages.push(message);
  }
  get shown(): string[] {
    return this.messages.map((message) => format(message, { mode: "~0tp" }));
  }
}

function expose(node: Node): void {
  node.expose("ts", {
    add: (a: number, b: number) => a + b,
    nothing: () => {},
    "later/1": async (value: Term) => value,
    exit: (reason: Term) => {
      throw ErlangError.exit(reason);
    },
    error: (reason: Term) => {
      throw ErlangError.error(reason);
    },
    throw: (reason: Term) => {
      throw ErlangError.throw(reason);
    },
    crash: () => {
      throw new TypeError("no such thing");
    },
    notATerm: () => Number.NaN,
    never: () => new Promise(() => {}),
    newProcess: () => node.spawn(new Collector()).pid,
    self(this: { self: Process }) {
      return this.self.pid;
    },
    groupLeader(this: { self: Process }) {
      return this.self.groupLeader;
    },
  });
}

eachOtp((otp) => {
  let erl: OtpNode;
  let ours: OurNode;
  let session: OtpSession;
  beforeAll(async () => {
    erl = await startOtpNode({ otp });
    ours = await startOurNode();
    expose(ours);
    await erl.loadModule("erldist_echo");
    await erl.eval("erldist_echo:start()");
    session = erl.session();
    await session.eval(`N = '${ours.name}'`);
  });
  afterAll(async () => {
    session.close();
    await ours.stop();
    await erl.kill();
  });

  describe("they call us", () => {
    it.each([
      ["rpc:call(N, ts, add, [1, 2])", "3"],
      ["rpc:call(N, ts, nothing, [])", "ok"],
      ["rpc:call(N, ts, later, [{a, 1}])", "{a,1}"],
      ["rpc:call(N, ts, exit, [bye])", "{badrpc,{'EXIT',bye}}"],
      ["rpc:call(N, ts, throw, [ball])", "ball"],
      ["element(1, element(2, element(2, rpc:call(N, ts, error, [wrong]))))", "wrong"],
      [
        "element(1, element(2, element(2, rpc:call(N, ts, crash, []))))",
        '{javascript_error,<<"TypeError">>,<<"no such thing">>}',
      ],
      ["rpc:call(N, ts, add, [1])", "{badrpc,{'EXIT',{undef,[{ts,add,[1],[]}]}}}"],
      ["rpc:call(N, ts, never, [], 100)", "{badrpc,timeout}"],
      ["rpc:block_call(N, ts, add, [1, 2])", "3"],
      ["rpc:block_call(N, ts, exit, [bye])", "{badrpc,{'EXIT',bye}}"],
      ["rpc:cast(N, ts, add, [1, 2])", "true"],
      [
        "rpc:multicall([N, node()], erldist_echo, echo, [1])",
        "{[{badrpc,{'EXIT',{undef,[{erldist_echo,echo,[1],[]}]}}},1],[]}",
      ],
      ["erpc:call(N, ts, add, [1, 2])", "3"],
      ["catch erpc:call(N, ts, throw, [ball])", "ball"],
      ["try erpc:call(N, ts, exit, [bye]) catch C:R -> {C, R} end", "{exit,{exception,bye}}"],
      [
        "try erpc:call(N, ts, error, [wrong]) catch error:{exception, wrong, [{_, _, _, _} | _]} -> caught end",
        "caught",
      ],
      [
        "try erpc:call(N, ts, none, [1]) catch error:R -> R end",
        "{exception,undef,[{ts,none,[1],[]}]}",
      ],
      [
        "try erpc:call(N, ts, notATerm, []) catch error:{exception, {javascript_error, K, _}, _} -> K end",
        '<<"EtfEncodeError">>',
      ],
      ["try erpc:call(N, ts, never, [], 100) catch error:R -> R end", "{erpc,timeout}"],
      [
        "[erpc:receive_response(R) || R <- [erpc:send_request(N, ts, later, [I]) || I <- [1, 2, 3]]]",
        "[1,2,3]",
      ],
      ["erpc:cast(N, ts, add, [1, 2])", "ok"],
      ["rpc:yield(rpc:async_call(N, ts, add, [3, 4]))", "7"],
      [
        "{rex, N} ! {self(), {call, ts, add, [5, 6], group_leader()}}, receive {rex, X} -> X end",
        "11",
      ],
      [
        "{rex, N} ! {self(), {call, ts, exit, [bye], user}}, receive {rex, Y} -> Y end",
        "{badrpc,{'EXIT',bye}}",
      ],
      ["{rex, N} ! {self(), features_request}, receive {features_reply, N, F} -> F end", "[erpc]"],
      ["gen_server:call({rex, N}, {call, ts, add, [7, 8], group_leader()})", "15"],
      ["rpc:sbcast([N], nobody, hello)", "{[],[BADNODE]}"],
      ["net_adm:ping(N)", "pong"],
      ["gen_server:call({net_kernel, N}, {is_auth, node()})", "yes"],
      ["node(rpc:call(N, ts, self, [])) =:= N", "true"],
      ["rpc:call(N, ts, groupLeader, []) =:= group_leader()", "true"],
    ])("%s", async (text, shown) => {
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe(
        shown.replace("BADNODE", format(atom(ours.name))),
      );
    });

    it("100 callers at once, each with its own answer", async () => {
      const text = `
        Self = self(),
        [spawn_link(fun() -> Self ! {I, [rpc:call(N, ts, later, [{I, J}]) || J <- lists:seq(1, 20)]} end)
          || I <- lists:seq(1, 100)],
        lists:all(fun(I) -> receive {I, L} -> L =:= [{I, J} || J <- lists:seq(1, 20)] end end, lists:seq(1, 100))`;
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("true");
    });

    it("rpc:call returns the reason when the process that serves it is killed", async () => {
      const name = "victim";
      let victim: Process | undefined;
      ours.expose("ts", {
        [name](this: { self: Process }) {
          victim = this.self;
          return new Promise(() => {});
        },
      });
      const call = erl.eval(`rpc:call('${ours.name}', ts, ${name}, [])`);
      await waitUntil(() => victim);
      ours.exit(victim!.pid, atom("kill"));
      expect(await call).toBe("{badrpc,{'EXIT',killed}}");
    });
  });

  describe("they spawn, link and monitor", () => {
    it("spawn runs an exposed function, spawn_monitor sees its end", async () => {
      const text =
        "{P, M} = spawn_monitor(N, ts, exit, [gone]), receive {'DOWN', M, process, P, R} -> {node(P) =:= N, R} end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("{true,gone}");
    });

    it("spawn_link brings the exit signal", async () => {
      const text =
        "process_flag(trap_exit, true), P = spawn_link(N, ts, exit, [gone]), receive {'EXIT', P, R} -> process_flag(trap_exit, false), R end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("gone");
    });

    it("spawn of what is not exposed dies with undef", async () => {
      const text =
        "{P, M} = spawn_monitor(N, os, cmd, [\"id\"]), receive {'DOWN', M, process, P, R} -> R end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe('{undef,[{os,cmd,["id"],[]}]}');
    });

    it("spawn of a fun, whose code is theirs, dies with undef too", async () => {
      const text =
        "{P, M} = spawn_monitor(N, fun() -> ok end), receive {'DOWN', M, process, P, {R, _}} -> R end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("undef");
    });

    it("a monitor by name and by pid reports why the process ended", async () => {
      const process = ours.spawn(new Collector());
      process.register("watched");
      expect(await session.eval("M1 = monitor(process, {watched, N}), is_reference(M1)")).toBe(
        "true",
      );
      // A round trip behind the monitor: it is in force.
      await session.eval("{watched, N} ! x, pong = net_adm:ping(N)");
      process.terminate(atom("enough"));
      expect(await session.eval("receive {'DOWN', M1, process, {watched, N}, R1} -> R1 end")).toBe(
        "enough",
      );
      const text =
        "P = erpc:call(N, ts, newProcess, []), M = monitor(process, P), exit(P, reason), receive {'DOWN', M, process, P, R} -> R end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("reason");
    });

    it("a monitor of an unknown name reports noproc", async () => {
      const text =
        "M = monitor(process, {nobody, N}), receive {'DOWN', M, process, {nobody, N}, R} -> R end";
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("noproc");
    });

    it("a monitor taken back is silent", async () => {
      const text = `P = erpc:call(N, ts, newProcess, []), M = monitor(process, P), true = demonitor(M),
        exit(P, reason), pong = net_adm:ping(N), receive {'DOWN', M, _, _, _} -> loud after 0 -> silent end`;
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("silent");
    });

    it.each([
      ["go", "go"],
      ["kill", "killed"],
      ["{shutdown, 1}", "{shutdown,1}"],
    ])("exit(P, %s) reaches links with %s", async (reason, seen) => {
      const text = `process_flag(trap_exit, true), P = erpc:call(N, ts, newProcess, []), link(P),
        exit(P, ${reason}), R = receive {'EXIT', P, Why} -> Why end, process_flag(trap_exit, false), R`;
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe(seen);
    });

    it("exit(P, normal) is ignored, and so is the end of an unlinked process", async () => {
      const text = `P = erpc:call(N, ts, newProcess, []), link(P), exit(P, normal), pong = net_adm:ping(N),
        unlink(P), exit(P, gone), pong = net_adm:ping(N), alive`;
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("alive");
    });

    it("a link to a dead process reports noproc", async () => {
      const text = `process_flag(trap_exit, true), P = erpc:call(N, ts, newProcess, []), exit(P, kill),
        pong = net_adm:ping(N), link(P), R = receive {'EXIT', P, Why} -> Why end, process_flag(trap_exit, false), R`;
      expect(await session.eval(`(fun() -> ${text} end)()`)).toBe("noproc");
    });

    it("messages of one process arrive in order", async () => {
      const collector = new Collector();
      ours.spawn(collector).register("ordered");
      await session.eval("[{ordered, N} ! I || I <- lists:seq(1, 10000)], ok");
      await waitUntil(() => collector.messages.length === 10_000);
      expect(collector.messages).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
      await ours.stats();
    });
  });

  describe("we call them", () => {
    const call = (name: string, ...args: Term[]): Promise<Term> =>
      ours.rpc.call(erl.name, "erldist_echo", name, args);

    it.each([
      "{a, [1, 2.5, -3], #{k => <<\"v\">>}, 'an atom', true}",
      "[1, 2 | 3]",
      '"charlist"',
      "1180591620717411303424",
      "<<5:3>>",
      "fun lists:map/2",
    ])("%s comes back as it went", async (text) => {
      const term = parse(text);
      expect(format(await call("echo", term))).toBe(format(term));
    });

    it("exceptions come as RemoteError with class, reason and stack", async () => {
      const fail = (kind: string): Promise<unknown> =>
        ours.erpc
          .call(erl.name, "erldist_echo", "fail", [atom(kind), atom("why")])
          .catch((error: unknown) => error);
      expect(await fail("exit")).toMatchObject({ code: "REMOTE_EXIT", reason: atom("why") });
      expect(await fail("throw")).toMatchObject({ code: "REMOTE_THROW", reason: atom("why") });
      const error = (await fail("error")) as { code: string; stackTrace: Term };
      expect(error.code).toBe("REMOTE_ERROR");
      expect(format(error.stackTrace, { mode: "~0tp" })).toMatch(/^\[\{erldist_echo,fail,2,/);
    });

    it("rpc.call returns thrown terms, and its errors carry the badrpc that OTP would return", async () => {
      expect(await call("fail", atom("throw"), atom("ball"))).toBe(atom("ball"));
      const error = await call("fail", atom("exit"), atom("bye")).catch((cause: unknown) => cause);
      expect(format((error as { badrpc: Term }).badrpc)).toBe("{badrpc,{'EXIT',bye}}");
    });

    it("a time-out ends the wait, and the late answer is dropped", async () => {
      const slow = ours.rpc.call(erl.name, "erldist_echo", "sleep", [300], { timeoutMs: 50 });
      await expect(slow).rejects.toMatchObject({ code: "CALL_TIMEOUT", mayHaveRun: true });
      expect(await call("sleep", 400)).toBe(atom("slept"));
    });

    it("an AbortSignal ends the wait", async () => {
      const abort = new AbortController();
      const slow = ours.rpc.call(erl.name, "erldist_echo", "sleep", [60_000], {
        signal: abort.signal,
      });
      abort.abort(new Error("enough"));
      await expect(slow).rejects.toThrow("enough");
    });

    it("what is printed over there arrives here, in order", async () => {
      for (const word of ["one", "два", "three"]) {
        expect(await call("print", charlist(`${word}\n`))).toBe(atom("ok"));
      }
      expect(ours.printed()).toBe("one\nдва\nthree\n");
      await ours.rpc.call(erl.name, "io", "format", [
        charlist("~p ~s ~w ~5b|~-6ts|~.2f~n"),
        [tuple(atom("a"), "b"), charlist("text"), charlist("ab"), 42, charlist("x"), parse("1.5")],
      ]);
      expect(ours.printed()).toBe('one\nдва\nthree\n{a,<<"b">>} text [97,98]    42|x     |1.50\n');
    });

    it("gen_server:call reaches their servers", async () => {
      const children = await ours.gen.call(["kernel_sup", erl.name], atom("count_children"));
      expect(format(children)).toMatch(/\{specs,\d+\}/);
      await expect(ours.gen.call(["nobody", erl.name], atom("hello"))).rejects.toMatchObject({
        code: "REMOTE_EXIT",
        reason: atom("noproc"),
      });
      await expect(
        ours.gen.call(["erldist_echo", erl.name], atom("hello"), { timeoutMs: 50 }),
      ).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
    });

    it("100 calls at once get 100 answers", async () => {
      const calls = Array.from({ length: 100 }, (_, index) => call("echo", index));
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    });

    it("an erldist process links to and monitors an Erlang process", async () => {
      const seen = await new Promise<string[]>((resolve, reject) => {
        ours.spawn(async (self) => {
          try {
            self.trapExit = true;
            const theirs = (await ours.rpc.call(erl.name, "erlang", "spawn", [
              atom("erldist_echo"),
              atom("sleep"),
              [60_000],
            ])) as Pid;
            self.link(theirs);
            const ref = self.monitor(theirs);
            self.sendExit(theirs, tuple(atom("because"), 1));
            const messages = [await self.receive(), await self.receive()];
            expect(self.demonitor(ref)).toBe(false);
            resolve(messages.map((message) => format(message, { mode: "~0tp" })).sort());
          } catch (error) {
            reject(error);
          }
        });
      });
      expect(seen[0]).toMatch(/^\{'DOWN',#Ref<.*>,process,.*,\{because,1\}\}$/);
      expect(seen[1]).toMatch(/^\{'EXIT',.*,\{because,1\}\}$/);
    });

    it("the end of an unlinked Erlang process leaves the erldist process alive", async () => {
      const process = ours.spawn(new Collector());
      const theirs = (await ours.rpc.call(erl.name, "erlang", "spawn", [
        atom("erldist_echo"),
        atom("sleep"),
        [60_000],
      ])) as Pid;
      process.link(theirs);
      process.unlink(theirs);
      process.sendExit(theirs, atom("gone"));
      expect(await ours.ping(erl.name)).toBe("pong");
      expect(process.alive).toBe(true);
      process.link(theirs);
      await waitUntil(() => !process.alive);
    });
  });
});
