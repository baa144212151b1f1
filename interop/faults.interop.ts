/**
 * What ends connections, and how both sides are notified: killed and frozen nodes of both kinds, disconnects,
 * garbage. Afterwards the nodes connect again, and old pids stay dead.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DFLAG, OFFERED_FLAGS } from "../src/distribution/flags.ts";
import {
  atom,
  type Behaviour,
  format,
  type NodeDown,
  type Pid,
  type Process,
  type Term,
} from "../src/index.ts";
import {
  epmdNames,
  interopRun,
  type OtpNode,
  type OtpRelease,
  type OtpSession,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { connectBare } from "./support/bare-peer.ts";
import { startKvsCommand, startNodeProgram, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

/** A process that traps exits and keeps what it gets, as text. */
class Watcher implements Behaviour {
  readonly messages: string[] = [];
  died: string | undefined;
  message(message: Term): void {
    this.messages.push(format(message, { mode: "~0tp" }));
  }
  terminated(reason: Term): void {
    this.died = format(reason, { mode: "~0tp" });
  }
}

function watcherOn(node: OurNode): { process: Process; seen: Watcher } {
  const seen = new Watcher();
  const process = node.spawn(seen);
  process.trapExit = true;
  return { process, seen };
}

const withoutRef = (message: string): string => message.replace(/#Ref<[^>]*>/, "Ref");

const codeOf = (error: Error): string => String((error as { code?: string }).code);

/** The codes of what ends connections, by peer. */
function downsOf(node: OurNode): string[] {
  const downs: string[] = [];
  node.on("nodedown", ({ name, error }: NodeDown) => {
    downs.push(`${name} ${codeOf(error)}`);
  });
  return downs;
}

/** An Erlang node with the echo module. */
async function startEcho(otp: OtpRelease, name?: string, ...args: string[]): Promise<OtpNode> {
  const erl = await startOtpNode({ otp, args, ...(name === undefined ? {} : { name }) });
  await erl.loadModule("erldist_echo");
  await erl.eval("erldist_echo:start()");
  return erl;
}

const echoPid = (ours: OurNode, erl: OtpNode): Promise<Pid> =>
  ours.rpc.call(erl.name, "erldist_echo", "start", []) as Promise<Pid>;

const TICK_TIME_MS = 4000;
const TICK_ARGS = ["-kernel", "net_ticktime", String(TICK_TIME_MS / 1000)];

/** A session that is notified of nodeup and nodedown, with the reason of the latter. */
async function monitoringNodes(erl: OtpNode, peer: string): Promise<OtpSession> {
  const session = erl.session();
  await session.eval(
    `N = '${peer}', net_kernel:monitor_nodes(true, [nodedown_reason, {node_type, all}])`,
  );
  return session;
}

/** These bytes behind their length. */
const frame = (...bytes: number[]): number[] => [
  0,
  0,
  bytes.length >> 8,
  bytes.length & 0xff,
  ...bytes,
];

/** `{6, Pid, '', x}`: a message to the process registered as `x`, which follows. */
const REG_SEND = [
  ...[104, 4, 97, 6],
  ...[88, 119, 1, 97, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[119, 0],
  ...[119, 1, 120],
];

const int64 = (value: number): number[] => [0, 0, 0, 0, 0, 0, 0, value];

/** Waits for the nodedown, and returns its reason. */
const DOWN_REASON = `(fun() ->
  receive {nodedown, N, I} -> proplists:get_value(nodedown_reason, I) after 60000 -> none end end)()`;

eachOtp((otp) => {
  describe("an Erlang node that is killed", () => {
    it("is a nodedown here; links, monitors and calls are notified once, and its pids stay dead", async () => {
      const erl = await startEcho(otp);
      await using ours = await startOurNode();
      const downs = downsOf(ours);
      const { process, seen } = watcherOn(ours);
      const linked = new Watcher();
      const pid = await echoPid(ours, erl);
      process.link(pid);
      process.monitor(pid);
      process.monitor(["erldist_echo", erl.name]);
      ours.spawn(linked).link(pid);
      const calls = [
        ours.rpc.call(erl.name, "erldist_echo", "sleep", [60_000]),
        ours.gen.call(["erldist_echo", erl.name], atom("hello"), { timeoutMs: 60_000 }),
      ].map((call) => call.catch((error: unknown) => error));
      // Behind all of that.
      expect(await ours.ping(erl.name)).toBe("pong");

      await erl.kill();
      for (const error of await Promise.all(calls)) {
        expect(error).toMatchObject({ code: "CALL_NO_CONNECTION", mayHaveRun: true });
      }
      expect(downs).toEqual([`${erl.name} CONN_CLOSED`]);
      expect(linked.died).toBe("noconnection");
      const dead = format(pid, { mode: "~0tp" });
      expect(seen.messages.map(withoutRef).sort()).toEqual([
        `{'DOWN',Ref,process,${dead},noconnection}`,
        `{'DOWN',Ref,process,{erldist_echo,${format(atom(erl.name))}},noconnection}`,
        `{'EXIT',${dead},noconnection}`,
      ]);

      // Its next life has the name, and none of its processes.
      await using again = await startEcho(otp, erl.name.split("@")[0]);
      expect(again.name).toBe(erl.name);
      const next = await echoPid(ours, again);
      expect(next.equals(pid)).toBe(false);
      await process.send(pid, "to nobody");
      process.monitor(pid);
      await waitUntil(() => seen.messages.length > 3);
      process.link(pid);
      await waitUntil(() => seen.messages.length > 4);
      expect(seen.messages.slice(3).map(withoutRef)).toEqual([
        `{'DOWN',Ref,process,${dead},noproc}`,
        `{'EXIT',${dead},noproc}`,
      ]);
      expect(
        await again.eval(
          "erldist_echo ! {self(), count}, receive {erldist_echo, {count, N}} -> N end",
        ),
      ).toBe("0");
      expect(seen.messages).toHaveLength(5);
    });
  });

  describe("an erldist node that is killed", () => {
    it("is a nodedown there; links, monitors and calls are notified once, and its pids stay dead", async () => {
      await using erl = await startOtpNode({ otp });
      const ours = await startNodeProgram();
      await using session = await monitoringNodes(erl, ours.name);
      await session.eval(`process_flag(trap_exit, true), Me = self(),
        P = rpc:call(N, ts, newProcess, []), link(P), M1 = monitor(process, P),
        M2 = monitor(process, {rex, N}), true = monitor_node(N, true),
        spawn(fun() -> Me ! {rpc, rpc:call(N, ts, never, [])} end),
        spawn(fun() -> Me ! {gen, catch gen_server:call({rex, N}, {call, ts, never, [], user}, infinity)} end),
        receive {nodeup, N, _} -> ok end, pong = net_adm:ping(N)`);
      ours.signal("SIGKILL");
      await ours.ended;
      expect(
        await session.eval(`
          Heard = lists:sort([receive
            {'EXIT', P, R} -> {link, R};
            {'DOWN', M1, process, P, R} -> {monitor, R};
            {'DOWN', M2, process, {rex, N}, R} -> {named, R};
            {rpc, R} -> {rpc, R};
            {gen, {'EXIT', {R, _}}} -> {gen, R};
            {nodedown, N} -> monitor_node;
            {nodedown, N, I} -> {monitor_nodes, proplists:get_value(nodedown_reason, I)}
          after 60000 -> none end || _ <- lists:seq(1, 7)]), Heard`),
      ).toBe(
        `[monitor_node,{gen,{nodedown,'${ours.name}'}},{link,noconnection},{monitor,noconnection},{monitor_nodes,connection_closed},{named,noconnection},{rpc,{badrpc,nodedown}}]`.replace(
          `'${ours.name}'`,
          await erl.eval(`'${ours.name}'`),
        ),
      );
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");

      await using again = await startNodeProgram({ name: ours.name.split("@")[0]! });
      expect(again.name).toBe(ours.name);
      expect(
        await session.eval(`hello = rpc:call(N, ts, echo, [hello]), receive {nodeup, N, _} -> ok end,
          P ! nobody, M3 = monitor(process, P), R3 = receive {'DOWN', M3, process, P, Why3} -> Why3 end,
          link(P), R4 = receive {'EXIT', P, Why4} -> Why4 end,
          {P =:= rpc:call(N, ts, newProcess, []), R3, R4, receive More -> More after 0 -> nothing end}`),
      ).toBe("{false,noproc,noproc,nothing}");
    });

    it.each(["SIGINT", "SIGTERM"] as const)(
      "ends with exit code 0 on %s, and its name is free again",
      async (name) => {
        const run = await interopRun();
        await using erl = await startOtpNode({ otp });
        await using gandalf = await startKvsCommand(["--sname", run.uniqueName("gandalf")]);
        await using session = await monitoringNodes(erl, gandalf.name);
        expect(await session.eval("rpc:call(N, kvs, store, [a, b])")).toBe("true");
        const alive = gandalf.name.split("@")[0]!;
        const names = async () => (await epmdNames({ otp })).map((entry) => entry.name);
        expect(await names()).toContain(alive);
        gandalf.signal(name);
        expect(await gandalf.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
        expect(await session.eval(DOWN_REASON)).toBe("connection_closed");
        await waitUntil(async () => !(await names()).includes(alive));
      },
    );
  });

  describe("the net tick time", () => {
    it("ends connections with frozen nodes of either kind, and keeps those with idle ones", async () => {
      await using ours = await startOurNode({ netTickTimeMs: TICK_TIME_MS });
      await using ourFrozen = await startNodeProgram({ netTickTimeMs: TICK_TIME_MS });
      await using idle = await startEcho(otp, undefined, ...TICK_ARGS);
      await using frozen = await startEcho(otp, undefined, ...TICK_ARGS);
      await using idleSession = await monitoringNodes(idle, ours.name);
      await using session = await monitoringNodes(idle, ourFrozen.name);
      const downs = downsOf(ours);

      const stayUp = async () => {
        await echoPid(ours, idle);
        const { framesIn, framesOut } = ours.stats().connections[idle.name]!;
        await waitUntil(
          () => {
            const now = ours.stats().connections[idle.name]!;
            // Six quarters of nothing but ticks, in each direction: a node that receives none gives up after five.
            return now.framesIn >= framesIn + 6 && now.framesOut >= framesOut + 6;
          },
          { description: "ticks in both directions" },
        );
        expect(await ours.rpc.call(idle.name, "erldist_echo", "echo", [1])).toBe(1);
        expect(await idleSession.eval("receive {nodedown, N, _} -> down after 0 -> up end")).toBe(
          "up",
        );
      };

      const theirsFreezes = async () => {
        const { process, seen } = watcherOn(ours);
        process.link(await echoPid(ours, frozen));
        const call = ours.rpc.call(frozen.name, "erldist_echo", "sleep", [60_000]);
        expect(await ours.ping(frozen.name)).toBe("pong");
        frozen.freeze();
        const start = performance.now();
        await expect(call).rejects.toMatchObject({
          code: "CALL_NO_CONNECTION",
          mayHaveRun: true,
          cause: {
            code: "CONN_NET_TICK_TIMEOUT",
            message: expect.stringContaining(
              `Nothing came from ${frozen.name} within the net tick`,
            ),
          },
        });
        // It sent its last tick a quarter of the time before at the earliest.
        expect(performance.now() - start).toBeGreaterThan(0.7 * TICK_TIME_MS);
        expect(downs).toEqual([`${frozen.name} CONN_NET_TICK_TIMEOUT`]);
        expect(seen.messages).toEqual([expect.stringMatching(/^\{'EXIT',.*,noconnection\}$/)]);
        frozen.thaw();
        // The node was not restarted: its processes live.
        await waitUntil(async () => (await ours.ping(frozen.name)) === "pong");
        process.monitor(await echoPid(ours, frozen));
        process.sendExit(await echoPid(ours, frozen), atom("kill"));
        await waitUntil(() => seen.messages.length > 1);
        expect(seen.messages[1]).toMatch(/^\{'DOWN',.*,killed\}$/);
      };

      const oursFreezes = async () => {
        await session.eval(`P = rpc:call(N, ts, newProcess, []), M = monitor(process, P),
          receive {nodeup, N, _} -> ok end, pong = net_adm:ping(N)`);
        ourFrozen.signal("SIGSTOP");
        const start = performance.now();
        expect(await session.eval(DOWN_REASON)).toBe("net_tick_timeout");
        expect(performance.now() - start).toBeGreaterThan(0.7 * TICK_TIME_MS);
        expect(
          await session.eval("receive {'DOWN', M, process, P, R} -> R after 60000 -> none end"),
        ).toBe("noconnection");
        ourFrozen.signal("SIGCONT");
        await waitUntil(
          async () => (await idle.eval(`net_adm:ping('${ourFrozen.name}')`)) === "pong",
        );
        expect(
          await session.eval(`M2 = monitor(process, P), exit(P, over),
            receive {'DOWN', M2, process, P, R2} -> R2 after 60000 -> none end`),
        ).toBe("over");
      };

      await Promise.all([stayUp(), theirsFreezes(), oursFreezes()]);
      expect(downs).toEqual([`${frozen.name} CONN_NET_TICK_TIMEOUT`]);
    });
  });

  describe("two nodes", () => {
    let erl: OtpNode;
    let ours: OurNode;
    let session: OtpSession;
    beforeAll(async () => {
      erl = await startEcho(otp);
      ours = await startOurNode();
      ours.expose("ts", { "echo/1": async (term: Term) => term });
      session = await monitoringNodes(erl, ours.name);
    });
    afterAll(async () => {
      session.close();
      await ours.stop();
      await erl.kill();
    });

    it.each([
      ["here", "CONN_DISCONNECTED", () => ours.disconnect(erl.name)],
      ["there", "CONN_CLOSED", () => session.eval("true = erlang:disconnect_node(N)")],
    ])("that part, %s, connect again from either side", async (where, code, part) => {
      for (const connectAgain of [
        () => ours.ping(erl.name),
        () => erl.eval(`net_adm:ping('${ours.name}')`),
      ]) {
        const downs = downsOf(ours);
        const { process, seen } = watcherOn(ours);
        const pid = await echoPid(ours, erl);
        process.link(pid);
        process.monitor(pid);
        expect(await ours.ping(erl.name)).toBe("pong");
        await session.eval("(fun F() -> receive {nodeup, _, _} -> F() after 0 -> ok end end)()");
        await part();
        expect(await session.eval(DOWN_REASON)).toBe(
          where === "there" ? "disconnect" : "connection_closed",
        );
        await waitUntil(() => seen.messages.length >= 2);
        expect(downs).toEqual([`${erl.name} ${code}`]);
        expect([...seen.messages].sort()).toEqual([
          expect.stringMatching(/^\{'DOWN',.*,noconnection\}$/),
          expect.stringMatching(/^\{'EXIT',.*,noconnection\}$/),
        ]);
        expect(await connectAgain()).toBe("pong");
        // The process lives on, and what tied it to ours does not.
        expect((await echoPid(ours, erl)).equals(pid)).toBe(true);
        expect(await ours.rpc.call(erl.name, "erldist_echo", "echo", [1])).toBe(1);
        expect(await session.eval("rpc:call(N, ts, echo, [2])")).toBe("2");
        expect(seen.messages).toHaveLength(2);
        ours.removeAllListeners("nodedown");
      }
    });

    it("100 callers in each direction share one connection, each with its own answers", async () => {
      expect(await ours.ping(erl.name)).toBe("pong");
      const downs = downsOf(ours);
      const theirs = session.eval(
        `Self = self(),
        [spawn_link(fun() -> Self ! {I, [rpc:call(N, ts, echo, [{I, J}]) || J <- lists:seq(1, 10)]} end)
          || I <- lists:seq(1, 100)],
        lists:all(fun(I) -> receive {I, L} -> L =:= [{I, J} || J <- lists:seq(1, 10)] end end, lists:seq(1, 100))`,
      );
      const caller = async (caller: number): Promise<number[]> => {
        const answers: number[] = [];
        for (let index = 0; index < 10; index++) {
          const call = ours.rpc.call(erl.name, "erldist_echo", "echo", [caller * 100 + index]);
          answers.push((await call) as number);
        }
        return answers;
      };
      const callers = Array.from({ length: 100 }, (_, index) => caller(index));
      for (const [index, answers] of (await Promise.all(callers)).entries()) {
        expect(answers).toEqual(Array.from({ length: 10 }, (_, call) => index * 100 + call));
      }
      expect(await theirs).toBe("true");
      expect(Object.keys(ours.stats().connections)).toEqual([erl.name]);
      expect(downs).toEqual([]);
      ours.removeAllListeners("nodedown");
    });

    describe("and a third that breaks the protocol", () => {
      const plain = OFFERED_FLAGS & ~DFLAG.DIST_HDR_ATOM_CACHE & ~DFLAG.FRAGMENTS;
      const header = OFFERED_FLAGS;
      it.each<[string, string, bigint, number[]]>([
        ["a frame of no known type", "DIST_FRAME_TYPE", plain, frame(7, 1, 2)],
        ["a header without its flag", "DIST_FRAME_TYPE", plain, frame(131, 68, 0, 106)],
        ["a term cut short", "DIST_TERM_MALFORMED", plain, frame(112, 131, 104, 3)],
        ["a term of no known tag", "DIST_TERM_MALFORMED", plain, frame(112, 131, 1)],
        ["a term other than a tuple", "DIST_CONTROL_MALFORMED", plain, frame(112, 131, 106)],
        ["an unknown operation", "DIST_CONTROL_UNKNOWN", plain, frame(112, 131, 104, 1, 97, 99)],
        [
          "a link to no pid",
          "DIST_CONTROL_MALFORMED",
          plain,
          frame(112, 131, 104, 3, 97, 1, 106, 106),
        ],
        ["a frame of 4 GiB", "DIST_FRAME_LIMIT", plain, [255, 255, 255, 255]],
        ["no header", "DIST_FRAME_TYPE", header, frame(112, 131, 104, 1, 97, 99)],
        ["a header cut short", "DIST_HEADER_MALFORMED", header, frame(131, 68, 5)],
        ["an atom that was never sent", "DIST_CACHE_MISS", header, frame(131, 68, 1, 0, 7, 82, 0)],
        ["no tuple behind a header", "DIST_CONTROL_MALFORMED", header, frame(131, 68, 0, 106)],
        [
          "the middle of a message not begun",
          "DIST_FRAGMENT_UNKNOWN",
          header,
          frame(131, 70, ...int64(1), ...int64(2), 97),
        ],
        [
          "a message with a fragment left out",
          "DIST_FRAGMENT_ORDER",
          header,
          [
            ...frame(131, 69, ...int64(1), ...int64(3), 0, ...REG_SEND),
            ...frame(131, 70, ...int64(1), ...int64(1), 97),
          ],
        ],
        ["whatever comes", "DIST_", header, frame(...randomBytes(0xffff))],
      ])("%s: it is disconnected, and no other node notices", async (_what, code, flags, bytes) => {
        expect(await ours.ping(erl.name)).toBe("pong");
        const downs = downsOf(ours);
        await using peer = await connectBare(ours.name, { flags });
        await waitUntil(() => ours.nodes().includes(peer.name));
        peer.say(Uint8Array.from(bytes));
        await peer.closed;
        expect(downs).toEqual([expect.stringContaining(`${peer.name} ${code}`)]);
        expect(ours.nodes()).toEqual([erl.name]);
        expect(await session.eval("rpc:call(N, ts, echo, [still])")).toBe("still");
        ours.removeAllListeners("nodedown");
      });

      it.each([
        ["nothing", "", "HS_CLOSED"],
        ["HTTP", "GET / HTTP/1.1\r\nHost: vm\r\n\r\n", "HS_MALFORMED"],
        ["a length alone", "\0", "HS_CLOSED"],
        ["noise", randomBytes(4096).toString("latin1"), "HS_"],
      ])("%s instead of a handshake: no other node notices", async (_what, text, code) => {
        const events: string[] = [];
        ours.on("nodeup", ({ name }) => events.push(name));
        ours.on("nodedown", ({ name }) => events.push(name));
        ours.on("rejected", ({ error }) => events.push(`rejected ${codeOf(error)}`));
        const socket = connect(ours.tcpPort, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.end(Buffer.from(text, "latin1"));
        socket.resume();
        await once(socket, "close");
        expect(await session.eval("rpc:call(N, ts, echo, [still])")).toBe("still");
        expect(events).toEqual([expect.stringContaining(`rejected ${code}`)]);
        ours.removeAllListeners();
      });
    });
  });
});
