/**
 * An erldist node as a member of a cluster: visible or hidden, which nodes it sees and why they go down,
 * dist_auto_connect, and cookies per peer; side by side with an Erlang node where the two can be compared.
 */

import { describe, expect, it } from "vitest";
import { DFLAG, OFFERED_FLAGS } from "../src/distribution/flags.ts";
import {
  interopRun,
  type OtpNode,
  type OtpRelease,
  type OtpSession,
  startOtpNode,
  waitUntil,
} from "./index.ts";
import { type BarePeer, connectBare } from "./support/bare-peer.ts";
import { startKvsCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

const TICK_TIME_MS = 4000;

const startTicking = (otp: OtpRelease, ...args: string[]): Promise<OtpNode> =>
  startOtpNode({ otp, args: ["-kernel", "net_ticktime", String(TICK_TIME_MS / 1000), ...args] });

/** `up TYPE` and `down TYPE REASON` of one peer, from the events of an erldist node. */
function eventsOf(node: OurNode, peer: string): string[] {
  const events: string[] = [];
  node.on("nodeup", (up) => {
    if (up.name === peer) events.push(`up ${up.nodeType}`);
  });
  node.on("nodedown", (down) => {
    if (down.name === peer) events.push(`down ${down.nodeType} ${down.reason.name}`);
  });
  return events;
}

/** A session that is notified of nodes; `nextTwo` returns its next two events of one, as `eventsOf` words them. */
async function monitorNodes(erl: OtpNode): Promise<OtpSession> {
  const session = erl.session();
  await session.eval("net_kernel:monitor_nodes(true, [nodedown_reason, {node_type, all}])");
  return session;
}

async function nextTwo(session: OtpSession, peer: string): Promise<string[]> {
  const text = await session.eval(`lists:concat(lists:join(",", [receive
      {nodeup, '${peer}', I} -> lists:concat(["up ", proplists:get_value(node_type, I)]);
      {nodedown, '${peer}', I} -> lists:concat(["down ", proplists:get_value(node_type, I), " ",
        proplists:get_value(nodedown_reason, I)])
    after 60000 -> none end || _ <- [1, 2]]))`);
  return JSON.parse(text).split(",");
}

eachOtp((otp) => {
  describe("a visible erldist node", () => {
    it("is a member of a mesh that goes on working", async () => {
      await using erl = await startTicking(otp);
      await using other = await startTicking(otp);
      await using ours = await startOurNode({ hidden: false, netTickTimeMs: TICK_TIME_MS });
      ours.expose("ts", { here: () => ours.name });
      const events = [eventsOf(ours, erl.name), eventsOf(ours, other.name)];
      expect(await erl.eval(`net_adm:ping('${other.name}')`)).toBe("pong");
      // We connect to the one, and the other to us.
      await ours.connect(erl.name);
      expect(await other.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
      const all = [erl.name, other.name, ours.name].sort();

      await using session = erl.session();
      const works = async (round: number) => {
        for (const [node, peer] of [
          [erl, other],
          [other, erl],
        ] as const) {
          // Each node learns of the others in its own time.
          const sees = `lists:sort(nodes()) =:= lists:sort(['${ours.name}', '${peer.name}'])`;
          await expect.poll(() => node.eval(sees)).toBe("true");
          expect(
            await node.eval(
              `rpc:multicall(['${ours.name}', '${peer.name}'], erlang, node, []) =:=
                 {['${ours.name}', '${peer.name}'], []} andalso
               rpc:multicall(['${ours.name}'], ts, here, [])`,
            ),
          ).toBe(await node.eval(`{[<<"${ours.name}">>], []}`));
        }
        // global:sync() returns: global is in sync with all visible nodes.
        expect(await erl.eval("global:sync()")).toBe("ok");
        expect(await other.eval("global:sync()")).toBe("ok");
        // Names and locks of global are taken on both.
        expect(
          await session.eval(`P${round} = spawn(fun() -> receive after infinity -> ok end end),
            {global:register_name({erldist, ${round}}, P${round}),
             global:trans({erldist, self()}, fun() -> done end)}`),
        ).toBe("{yes,done}");
        const known = `rpc:call('${other.name}', global, whereis_name, [{erldist, ${round}}]) =:= P${round}`;
        await waitUntil(async () => (await session.eval(known)) === "true");
        expect(ours.nodes("visible").sort()).toEqual(
          all.filter((name) => name !== ours.name).sort(),
        );
        expect(ours.nodes("hidden")).toEqual([]);
      };
      await works(1);
      // Ticks come each quarter of the time: sixteen of them each way are more than 15 s.
      const before = ours.stats().connections;
      await waitUntil(
        () => {
          const now = ours.stats().connections;
          return [erl.name, other.name].every(
            (name) =>
              now[name]!.framesIn >= before[name]!.framesIn + 16 &&
              now[name]!.framesOut >= before[name]!.framesOut + 16,
          );
        },
        { description: "ticks in both directions" },
      );
      await works(2);
      // It comes and goes like any other node, and those two stay together.
      await ours.stop();
      await waitUntil(
        async () => (await erl.eval("nodes()")) === (await erl.eval(`['${other.name}']`)),
      );
      await expect.poll(() => other.eval("nodes()")).toBe(await erl.eval(`['${erl.name}']`));
      expect(await erl.eval("{global:sync(), global:register_name(late, self())}")).toBe(
        "{ok,yes}",
      );
      expect([erl.log, other.log]).toEqual(["", ""]);
      const down = "down visible net_kernel_terminated";
      expect(events).toEqual([
        ["up visible", down],
        ["up visible", down],
      ]);
    });

    it("keeps locks of global for nodes that see it and for others", async () => {
      await using erl = await startOtpNode({ otp });
      await using other = await startOtpNode({ otp, hidden: true });
      await using ours = await startOurNode({ hidden: false });
      await using session = erl.session();
      await ours.connect(erl.name);
      const lock = (requester: string) =>
        `global:set_lock({res, ${requester}}, ['${ours.name}'], 0)`;
      // set_lock/1 asks all visible nodes, ours among them.
      expect(await session.eval("global:set_lock({res, me})")).toBe("true");
      expect([await other.eval(lock("you")), await session.eval(lock("me"))]).toEqual([
        "false",
        "true",
      ]);
      expect(await session.eval("global:del_lock({res, me})")).toBe("true");
      // Its process ends with the evaluation, and the lock with it.
      expect(await other.eval(lock("you"))).toBe("true");
      await waitUntil(async () => (await session.eval(lock("me"))) === "true");
      expect(await other.eval(lock("you"))).toBe("false");
      session.close();
      await waitUntil(async () => (await other.eval(lock("you"))) === "true");
    });

    it("is what the command serves with --no-hidden", async () => {
      const run = await interopRun();
      await using erl = await startOtpNode({ otp });
      const names = ["seen", "unseen"].map((name) => run.uniqueName(name));
      await using seen = await startKvsCommand(["--sname", names[0]!, "--no-hidden"]);
      await using unseen = await startKvsCommand(["--sname", names[1]!]);
      for (const { name } of [seen, unseen]) {
        expect(await erl.eval(`net_adm:ping('${name}')`)).toBe("pong");
      }
      expect(await erl.eval("{nodes(visible), nodes(hidden)}")).toBe(
        await erl.eval(`{['${seen.name}'], ['${unseen.name}']}`),
      );
    });

    it("and a hidden one are of the kind that both sides agree on", async () => {
      await using erl = await startOtpNode({ otp });
      await using hiddenErl = await startOtpNode({ otp, hidden: true });
      await using visible = await startOurNode({ hidden: false });
      await using hidden = await startOurNode();
      for (const node of [visible, hidden]) {
        // A ping is answered when the acceptor is up too, a moment after the initiator.
        for (const peer of [erl, hiddenErl]) expect(await node.ping(peer.name)).toBe("pong");
      }
      expect(await erl.eval(`{nodes(visible), nodes(hidden)}`)).toBe(
        await erl.eval(`{['${visible.name}'], ['${hidden.name}']}`),
      );
      expect(await hiddenErl.eval(`{nodes(visible), lists:sort(nodes(hidden))}`)).toBe(
        await erl.eval(`{[], lists:sort(['${visible.name}', '${hidden.name}'])}`),
      );
      expect([visible.nodes("visible"), visible.nodes("hidden")]).toEqual([
        [erl.name],
        [hiddenErl.name],
      ]);
      expect([hidden.nodes("visible"), hidden.nodes("hidden")]).toEqual([
        [],
        [erl.name, hiddenErl.name],
      ]);
      expect(visible.nodes("known")).toEqual([visible.name, erl.name, hiddenErl.name]);
      expect(visible.nodes("this")).toEqual([visible.name]);
    });
  });

  describe("the reason of a nodedown", () => {
    const ends: readonly [string, string, string, (ours: OurNode, erl: OtpNode) => unknown][] = [
      [
        "we disconnect",
        "disconnect",
        "connection_closed",
        (ours, erl) => ours.disconnect(erl.name),
      ],
      ["our node stops", "net_kernel_terminated", "connection_closed", (ours) => ours.stop()],
      [
        "theirs disconnects",
        "connection_closed",
        "disconnect",
        (ours, erl) => erl.eval(`erlang:disconnect_node('${ours.name}')`),
      ],
    ];
    it.each(ends)("when %s: %s here, %s there", async (_, here, there, end) => {
      for (const hidden of [true, false]) {
        const type = hidden ? "hidden" : "visible";
        await using erl = await startOtpNode({ otp });
        await using session = await monitorNodes(erl);
        await using ours = await startOurNode({ hidden });
        const events = eventsOf(ours, erl.name);
        await ours.connect(erl.name);
        expect(await ours.ping(erl.name)).toBe("pong");
        await end(ours, erl);
        expect(await nextTwo(session, ours.name)).toEqual([`up ${type}`, `down ${type} ${there}`]);
        await waitUntil(() => events.length === 2);
        expect(events).toEqual([`up ${type}`, `down ${type} ${here}`]);
      }
    });

    it("on a node that stops distribution is the same as on ours", async () => {
      const run = await interopRun();
      await using erl = await startOtpNode({ otp, distribution: false });
      await using ours = await startOurNode();
      const name = run.uniqueName("late");
      await erl.eval(`{ok, _} = net_kernel:start(['${name}', shortnames]),
        erlang:set_cookie(node(), '${run.cookie}')`);
      await using session = await monitorNodes(erl);
      const events = eventsOf(ours, `${name}@${run.shortHost}`);
      expect(await session.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
      await session.eval("net_kernel:stop()");
      expect(await nextTwo(session, ours.name)).toEqual([
        "up hidden",
        "down hidden net_kernel_terminated",
      ]);
      await waitUntil(() => events.length === 2);
      expect(events[1]).toBe("down hidden connection_closed");
    });

    it.each<[string, string, (peer: BarePeer) => void]>([
      ["breaks the protocol", "killed", (peer) => peer.sayFrame(Uint8Array.of(7, 1, 2))],
      ["closes", "connection_closed", (peer) => void peer[Symbol.asyncDispose]()],
      ["is silent", "net_tick_timeout", () => {}],
    ])("of a peer that %s is %s on an Erlang node and on ours", async (_, reason, end) => {
      await using erl = await startTicking(otp);
      await using session = await monitorNodes(erl);
      await using ours = await startOurNode({ netTickTimeMs: TICK_TIME_MS });
      await using there = await connectBare(erl.name, { flags: OFFERED_FLAGS | DFLAG.PUBLISHED });
      await using here = await connectBare(ours.name, { flags: OFFERED_FLAGS | DFLAG.PUBLISHED });
      const events = eventsOf(ours, here.name);
      await waitUntil(() => ours.nodes().includes(here.name));
      await expect.poll(() => erl.eval(`lists:member('${there.name}', nodes())`)).toBe("true");
      end(there);
      end(here);
      expect((await nextTwo(session, there.name))[1]).toBe(`down visible ${reason}`);
      await waitUntil(() => events.some((event) => event.startsWith("down")));
      // Our node is hidden, and so is every connection of it.
      expect(events.at(-1)).toBe(`down hidden ${reason}`);
    });
  });

  describe("dist_auto_connect", () => {
    /** What a node gets from a peer that it would have to connect to automatically. */
    const tryAll = (peer: string): string => `
      {net_adm:ping('${peer}'),
       rpc:call('${peer}', erlang, abs, [-1]),
       (fun() -> M = monitor(process, {rex, '${peer}'}),
          receive {'DOWN', M, _, _, R} -> R after 0 -> monitored end end)()}`;
    const REFUSED = "{pang,{badrpc,nodedown},noconnection}";

    async function tryOurs(ours: OurNode, peer: string): Promise<string> {
      const call = await ours.rpc.call(peer, "erlang", "abs", [-1]).catch((error) => {
        expect(error).toMatchObject({ code: "CALL_NO_CONNECTION", mayHaveRun: false });
        expect(error.cause).toMatchObject({ code: "NODE_NO_AUTO_CONNECT" });
        return "{badrpc,nodedown}";
      });
      const down = new Promise<string>((resolve) => {
        const process = ours.spawn({
          message: (message) => resolve(String((message as unknown[])[4])),
        });
        process.monitor(["rex", peer]);
        void process.send(["rex", peer], "no message");
      });
      const heard = call === 1 ? "monitored" : await down;
      return `{${await ours.ping(peer)},${call},${heard}}`;
    }

    it("never: no node is connected to automatically, here as there", async () => {
      await using target = await startOtpNode({ otp });
      await using erl = await startOtpNode({
        otp,
        args: ["-kernel", "dist_auto_connect", "never"],
      });
      await using ours = await startOurNode({ distAutoConnect: "never" });
      expect(await erl.eval(tryAll(target.name))).toBe(REFUSED);
      expect(await tryOurs(ours, target.name)).toBe(REFUSED);
      expect([await target.eval("nodes(connected)"), ours.nodes()]).toEqual(["[]", []]);
      expect(await erl.eval(`net_kernel:connect_node('${target.name}')`)).toBe("true");
      await ours.connect(target.name);
      expect(await erl.eval(tryAll(target.name))).toMatch(/^\{pong,1,/);
      expect(await tryOurs(ours, target.name)).toBe("{pong,1,monitored}");
      // Who connects to such a node is let in.
      await using another = await startOurNode();
      expect(await another.ping(ours.name)).toBe("pong");
      expect(await ours.ping(another.name)).toBe("pong");
    });

    it("once: not again after it went down, here as there", async () => {
      await using target = await startOtpNode({ otp });
      await using erl = await startOtpNode({ otp, args: ["-kernel", "dist_auto_connect", "once"] });
      await using ours = await startOurNode({ distAutoConnect: "once" });
      await using session = await monitorNodes(erl);
      expect(await erl.eval(tryAll(target.name))).toMatch(/^\{pong,1,/);
      expect(await tryOurs(ours, target.name)).toBe("{pong,1,monitored}");
      const events = eventsOf(ours, target.name);
      await target.eval("[erlang:disconnect_node(N) || N <- nodes(connected)]");
      await nextTwo(session, target.name);
      await waitUntil(() => events.length === 1);
      expect(await erl.eval(tryAll(target.name))).toBe(REFUSED);
      expect(await tryOurs(ours, target.name)).toBe(REFUSED);
      // Either side may connect on purpose.
      expect(await erl.eval(`net_kernel:connect_node('${target.name}')`)).toBe("true");
      expect(await target.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
      expect(await erl.eval(tryAll(target.name))).toMatch(/^\{pong,1,/);
      expect(await tryOurs(ours, target.name)).toBe("{pong,1,monitored}");
    });
  });

  describe("the cookie of a single peer", () => {
    it("set on our side lets in, whoever connects", async () => {
      await using erl = await startOtpNode({ otp, cookie: "ANOTHER" });
      await using ours = await startOurNode();
      const theyPing = () => erl.eval(`net_adm:ping('${ours.name}')`);
      expect([await ours.ping(erl.name), await theyPing()]).toEqual(["pang", "pang"]);
      ours.setCookie(erl.name, "ANOTHER");
      expect(ours.getCookie(erl.name)).toBe("ANOTHER");
      expect(await ours.ping(erl.name)).toBe("pong");
      ours.disconnect(erl.name);
      await waitUntil(async () => (await erl.eval("nodes(hidden)")) === "[]");
      expect(await theyPing()).toBe("pong");
    });

    it("set on theirs: ours has one for all, which can change", async () => {
      const { cookie } = await interopRun();
      await using erl = await startOtpNode({ otp });
      await using ours = await startOurNode({ cookie: "ANOTHER" });
      const theyPing = () => erl.eval(`net_adm:ping('${ours.name}')`);
      expect([await ours.ping(erl.name), await theyPing()]).toEqual(["pang", "pang"]);
      await erl.eval(`erlang:set_cookie('${ours.name}', 'ANOTHER')`);
      expect([await theyPing(), await ours.ping(erl.name)]).toEqual(["pong", "pong"]);
      // What is set counts from the next handshake on.
      ours.setCookie(ours.name, cookie);
      expect(await ours.ping(erl.name)).toBe("pong");
      ours.disconnect(erl.name);
      await waitUntil(async () => (await erl.eval("nodes(hidden)")) === "[]");
      expect([await ours.ping(erl.name), await theyPing()]).toEqual(["pang", "pang"]);
      await erl.eval(`erlang:set_cookie('${ours.name}', '${cookie}')`);
      expect(await theyPing()).toBe("pong");
    });
  });
});
