/**
 * The handshake with Erlang nodes, in both roles: cookies, names, flags, the old form, the answer `alive`,
 * both sides connecting at once, and every way a node refuses.
 */

import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DFLAG, MANDATORY_25 } from "../src/distribution/flags.ts";
import { encodeFrames } from "../src/handshake/frames.ts";
import { encodeMessage } from "../src/handshake/messages.ts";
import { atom, format, type Process, tuple } from "../src/index.ts";
import { interopRun, type OtpNode, type OtpSession, startOtpNode, waitUntil } from "./index.ts";
import { connectBare, listenBare } from "./support/bare-peer.ts";
import { runCommand, startKvsCommand, startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";
import { WatchedNetwork } from "./support/watched-network.ts";

type OurNode = Awaited<ReturnType<typeof startOurNode>>;

const OTHER_COOKIE = "mellon_7f3a";

const codeOf = (error: Error): string => String((error as { code?: string }).code);

/** Names and codes of what comes up and goes down, in order. */
function eventsOf(node: OurNode): string[] {
  const events: string[] = [];
  node.on("nodeup", ({ name }) => events.push(`up ${name}`));
  node.on("nodedown", ({ name, error }) => events.push(`down ${name} ${codeOf(error)}`));
  return events;
}

/** Why those who connected were not let in. */
function rejectedBy(node: OurNode): Error[] {
  const errors: Error[] = [];
  node.on("rejected", ({ error }) => errors.push(error));
  return errors;
}

/** Keeps what a process gets, as text. */
function collect(node: OurNode, name?: string): { process: Process; messages: string[] } {
  const messages: string[] = [];
  const process = node.spawn({
    message: (message) => {
      messages.push(format(message, { mode: "~0tp" }));
    },
  });
  if (name !== undefined) process.register(name);
  return { process, messages };
}

async function ourNetwork(): Promise<WatchedNetwork> {
  return new WatchedNetwork((await interopRun()).epmdPort);
}

eachOtp((otp) => {
  describe("the cookie", () => {
    let erl: OtpNode;
    beforeAll(async () => {
      erl = await startOtpNode({ otp, cookie: OTHER_COOKIE });
    });
    afterAll(() => erl.kill());

    it("differs from theirs: HS_COOKIE_REFUSED here, when we connect", async () => {
      await using ours = await startOurNode();
      const error = await ours.connect(erl.name).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        name: "HandshakeError",
        code: "HS_COOKIE_REFUSED",
        peer: erl.name,
        message: `${erl.name} rejected our cookie: the two nodes use different cookies. Give both nodes the same cookie (--setcookie, or ~/.erlang.cookie).`,
      });
      expect(await ours.ping(erl.name)).toBe("pang");
      expect(ours.nodes()).toEqual([]);
      expect(await erl.eval("nodes(hidden)")).toBe("[]");
    });

    it("differs from ours: HS_BAD_DIGEST here and pang there, when they connect", async () => {
      await using ours = await startOurNode();
      const events = eventsOf(ours);
      const rejected = rejectedBy(ours);
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");
      expect(await erl.eval(`rpc:call('${ours.name}', kvs, lookup, [a])`)).toBe(
        "{badrpc,nodedown}",
      );
      expect(rejected.map(codeOf)).toEqual(["HS_BAD_DIGEST", "HS_BAD_DIGEST"]);
      expect(rejected[0]).toMatchObject({
        peer: erl.name,
        message: `Refused ${erl.name}: it uses a different cookie. Give both nodes the same cookie (--setcookie, or ~/.erlang.cookie).`,
      });
      const { cookie } = await interopRun();
      expect(rejected[0]?.message).not.toMatch(new RegExp(`${OTHER_COOKIE}|${cookie}`));
      expect(events).toEqual([]);
      expect(await erl.eval("nodes(hidden)")).toBe("[]");
    });

    it("for one peer alone lets that peer connect, in both directions", async () => {
      await using ours = await startOurNode({ cookies: { [erl.name]: OTHER_COOKIE } });
      await using home = await startOtpNode({ otp });
      expect(await ours.ping(erl.name)).toBe("pong");
      expect(await ours.ping(home.name)).toBe("pong");
      ours.disconnect(erl.name);
      await waitUntil(async () => (await erl.eval("nodes(hidden)")) === "[]");
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");

      await using other = await startOurNode();
      expect(await erl.eval(`net_adm:ping('${other.name}')`)).toBe("pang");
      const { cookie } = await interopRun();
      await erl.eval(`erlang:set_cookie('${other.name}', ${cookie})`);
      expect(await erl.eval(`net_adm:ping('${other.name}')`)).toBe("pong");
    });
  });

  describe("names", () => {
    it("short and long do not connect, from either side", async () => {
      const run = await interopRun();
      await using short = await startOtpNode({ otp });
      await using long = await startOtpNode({ otp, longNames: true });
      await using ours = await startOurNode();
      await using oursLong = await startOurNode({ name: `${run.uniqueName("ours")}@127.0.0.1` });
      await expect(ours.connect(long.name)).rejects.toMatchObject({
        code: "NODE_NAME_KIND",
        message: `${ours.name} has a short name and ${long.name} a long one; nodes with short names and nodes with long names cannot connect. Start both with short names (--sname) or both with long names (--name).`,
      });
      await expect(oursLong.connect(short.name)).rejects.toMatchObject({ code: "NODE_NAME_KIND" });
      expect(await short.eval(`net_adm:ping('${oursLong.name}')`)).toBe("pang");
      expect(await long.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");
      // Each with its kind.
      expect(await oursLong.ping(long.name)).toBe("pong");
      expect(await ours.ping(short.name)).toBe("pong");
      oursLong.disconnect(long.name);
      await waitUntil(async () => (await long.eval("nodes(hidden)")) === "[]");
      expect(await long.eval(`net_adm:ping('${oursLong.name}')`)).toBe("pong");
    });

    it("of a node asked for by another host's name: HS_WRONG_NAME here, pang there", async () => {
      const run = await interopRun();
      await using long = await startOtpNode({ otp, longNames: true });
      await using ours = await startOurNode();
      const alive = long.name.split("@")[0];
      await expect(ours.connect(`${alive}@${run.shortHost}`)).rejects.toMatchObject({
        code: "HS_WRONG_NAME",
        message: `The node that answers is "${long.name}", not ${alive}@${run.shortHost}. It runs with a long name (-name): use its full name, and a long name for this node too.`,
      });
      const our = ours.name.split("@")[0];
      expect(await long.eval(`net_adm:ping('${our}@127.0.0.1')`)).toBe("pang");
      expect(ours.nodes()).toEqual([]);
    });

    it("that a node does not allow: HS_NOT_ALLOWED", async () => {
      await using erl = await startOtpNode({ otp });
      await using ours = await startOurNode();
      await erl.eval("net_kernel:allow(['frodo@shire'])");
      await expect(ours.connect(erl.name)).rejects.toMatchObject({
        code: "HS_NOT_ALLOWED",
        message: expect.stringContaining(`${erl.name} does not allow ${ours.name} to connect`),
      });
    });
  });

  describe("without EPMD", () => {
    it("theirs connects, in the old form if its release does, and calls work both ways", async () => {
      const port = await (await interopRun()).freeTcpPort();
      const network = await ourNetwork();
      await using ours = await startOurNode({
        network,
        listen: { portMin: port },
        epmd: { nodePort: port },
      });
      ours.expose("ts", { add: (a: number, b: number) => a + b });
      await using erl = await startOtpNode({
        otp,
        args: ["-erl_epmd_port", String(port), "-dist_listen", "false", "-start_epmd", "false"],
      });
      expect(await erl.eval(`rpc:call('${ours.name}', ts, add, [1, 2])`)).toBe("3");
      expect(await ours.rpc.call(erl.name, "erlang", "abs", [-5])).toBe(5);
      // What EPMD would have told them is the version; without it, OTP 23 and 24 begin with the old form.
      const expected = Number(otp.release) < 25 ? ["n", "c", "r"] : ["N", "r"];
      expect(network.streams.map((stream) => stream.handshakeReceived)).toEqual([expected]);
      // Flags from the upper half came with the complement: a process can be spawned by request.
      expect(await erl.eval(`node(spawn('${ours.name}', ts, add, [1, 2]))`)).toBe(ours.name);
    });

    it("we connect to one that listens on the agreed port", async () => {
      const port = await (await interopRun()).freeTcpPort();
      await using erl = await startOtpNode({
        otp,
        args: ["-erl_epmd_port", String(port), "-start_epmd", "false"],
      });
      await using ours = await startOurNode({ listen: false, epmd: { nodePort: port } });
      expect(await ours.rpc.call(erl.name, "erlang", "abs", [-5])).toBe(5);
      expect(await erl.eval(`nodes(hidden) =:= ['${ours.name}']`)).toBe("true");
    });
  });

  describe("a connection that one side still considers up", () => {
    let erl: OtpNode;
    let ours: OurNode;
    let network: WatchedNetwork;
    let events: string[];
    let session: OtpSession;
    beforeEach(async () => {
      erl = await startOtpNode({ otp });
      network = await ourNetwork();
      ours = await startOurNode({ network });
      ours.expose("ts", { add: (a: number, b: number) => a + b });
      events = eventsOf(ours);
      session = erl.session();
      await session.eval(`N = '${ours.name}', net_kernel:monitor_nodes(true, [{node_type, all}]),
        pong = net_adm:ping(N), receive {nodeup, N, _} -> ok end`);
    });
    afterEach(async () => {
      for (const stream of network.streams) stream.release();
      await ours.stop();
      await erl.kill();
    });

    it("ours: is replaced when the peer connects again", async () => {
      const watcher = collect(ours);
      watcher.process.monitor(["init", erl.name]);
      // Behind the monitor: it is in force.
      expect(await ours.ping(erl.name)).toBe("pong");
      network.streams[0]!.breakThere();
      await session.eval("receive {nodedown, N, _} -> ok end");
      expect(ours.nodes()).toEqual([erl.name]);

      expect(await session.eval("rpc:call(N, ts, add, [1, 2])")).toBe("3");
      expect(network.streams[1]?.handshakeSent).toEqual(["salive", "N", "a"]);
      expect(network.streams[1]?.handshakeReceived).toEqual(["N", "strue", "r"]);
      expect(events).toEqual([
        `up ${erl.name}`,
        `down ${erl.name} CONN_DISCONNECTED`,
        `up ${erl.name}`,
      ]);
      expect(await ours.ping(erl.name)).toBe("pong");
      expect(watcher.messages).toEqual([expect.stringMatching(/^\{'DOWN',.*,noconnection\}$/)]);
      expect(await session.eval("nodes(hidden) =:= [N]")).toBe("true");
    });

    it("theirs: is replaced when we connect again", async () => {
      const [old] = network.streams;
      old!.breakHere();
      expect(events).toEqual([`up ${erl.name}`, `down ${erl.name} CONN_CLOSED`]);
      expect(await erl.eval(`nodes(hidden) =:= ['${ours.name}']`)).toBe("true");

      const call = ours.rpc.call(erl.name, "erlang", "abs", [-5]);
      if (otp.release === "23") {
        // It does not close the old one: the handshake continues once it has noticed that end.
        await waitUntil(() => network.streams[1]?.handshakeSent.includes("strue"));
        old!.release();
      }
      expect(await call).toBe(5);
      expect(network.streams[1]?.handshakeReceived).toEqual(["salive", "N", "a"]);
      expect(network.streams[1]?.handshakeSent).toEqual(["N", "strue", "r"]);
      expect(
        await session.eval("receive {nodedown, N, _} -> ok end, receive {nodeup, N, _} -> up end"),
      ).toBe("up");
      expect(await session.eval("rpc:call(N, ts, add, [1, 2])")).toBe("3");
      expect(events.slice(2)).toEqual([`up ${erl.name}`]);
    });

    it("stays when another program connects under the peer's name without the cookie", async () => {
      const rejected = rejectedBy(ours);
      const impostor = connectBare(ours.name, { name: erl.name, cookie: OTHER_COOKIE });
      await expect(impostor).rejects.toMatchObject({ code: "HS_COOKIE_REFUSED" });
      expect(network.streams[1]?.handshakeSent).toEqual(["salive", "N"]);
      await expect(connectBare(ours.name, { name: ours.name })).rejects.toMatchObject({
        code: "HS_NOT_ALLOWED",
      });
      expect(await session.eval("rpc:call(N, ts, add, [1, 2])")).toBe("3");
      expect(events).toEqual([`up ${erl.name}`]);
      expect(rejected.map(codeOf)).toEqual(["HS_BAD_DIGEST", "HS_NOT_ALLOWED"]);
    });
  });

  it.each(["zebra", "aardvark"])(
    "a half-open connection in the name of %s delays ours by a moment only",
    async (theirs) => {
      const run = await interopRun();
      await using erl = await startOtpNode({ otp, name: run.uniqueName(theirs) });
      const netSetupTimeMs = 60_000;
      await using ours = await startOurNode({ name: run.uniqueName("middle"), netSetupTimeMs });
      const events = eventsOf(ours);
      const impostor = connect({ port: ours.tcpPort, host: "127.0.0.1" });
      impostor.on("error", () => {});
      const name = { type: "sendName", flags: MANDATORY_25, creation: 5, name: erl.name } as const;
      impostor.write(encodeFrames([encodeMessage(name)], 2));
      const answered = new Promise((resolve) => impostor.once("data", resolve));
      await answered;
      const before = performance.now();
      expect(await ours.ping(erl.name)).toBe("pong");
      expect(performance.now() - before).toBeLessThan(netSetupTimeMs / 2);
      impostor.destroy();
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
      expect(events).toEqual([`up ${erl.name}`]);
    },
  );

  describe.each([
    { theirs: "zebra", mine: "aardvark", greater: "theirs" },
    { theirs: "aardvark", mine: "zebra", greater: "ours" },
  ])("connects from both sides at once, $greater the greater name", ({ theirs, mine, greater }) => {
    const ROUNDS = 15;
    const MET = ["snok", "sok_simultaneous"];
    const COUNT = 20;

    it(`become one connection, ${ROUNDS} times`, async () => {
      const run = await interopRun();
      const network = await ourNetwork();
      await using erl = await startOtpNode({ otp, name: run.uniqueName(theirs) });
      await using ours = await startOurNode({ name: run.uniqueName(mine), network });
      const events = eventsOf(ours);
      const { messages } = collect(ours, "collector");
      const sender = ours.spawn({ message: () => {} });
      await using session = erl.session();
      await session.eval(`N = '${ours.name}', register(collector, self()),
        ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
        Ups = fun Ups(Seen) -> receive {nodeup, N, _} -> Ups(Seen + 1) after 0 -> Seen end end`);

      for (let round = 0; round < ROUNDS; round++) {
        // One round is left to chance. In the next we connect when their attempt has arrived; in the one
        // after that, theirs is not looked at either until they have answered ours.
        const held = round % 3;
        const come = new Promise<void>((resolve) => {
          network.beforeAccept = async () => {
            resolve();
            if (held === 2) await waitUntil(() => initiated()?.handshakeReceived[0]);
          };
        });
        const initiated = () =>
          network.streams.find(({ handshakeSent }) => handshakeSent[0] === "N");
        network.beforeConnect = held === 0 ? async () => {} : () => come;
        network.streams.length = 0;
        events.length = 0;
        messages.length = 0;

        const connected = ours.connect(erl.name);
        for (let index = 1; index <= COUNT; index++) {
          void sender.send(["collector", erl.name], index);
        }
        const seen = session.eval(
          `[{collector, N} ! I || I <- lists:seq(1, ${COUNT})],
           [receive I when is_integer(I) -> I after 60000 -> none end || _ <- lists:seq(1, ${COUNT})]`,
        );
        const inOrder = Array.from({ length: COUNT }, (_, index) => String(index + 1));
        expect(await seen).toBe(`[${inOrder.join(",")}]`);
        await connected;
        await waitUntil(() => messages.length >= COUNT);
        expect(messages).toEqual(inOrder);

        expect(events).toEqual([`up ${erl.name}`]);
        expect(ours.nodes()).toEqual([erl.name]);
        expect(await session.eval("{nodes(hidden) =:= [N], Ups(0)}")).toBe("{true,1}");
        if (held > 0) {
          // Two attempts met, and that of the greater name was chosen.
          const statuses = network.streams.flatMap(({ handshakeSent, handshakeReceived }) =>
            [...handshakeSent, ...handshakeReceived].filter((message) => message.startsWith("s")),
          );
          const heard = initiated()?.handshakeReceived[0];
          if (held === 2) expect(heard).toBe(greater === "ours" ? "sok_simultaneous" : "snok");
          else
            expect(statuses).toSatisfy((all: string[]) => all.some((each) => MET.includes(each)));
        }

        if (round % 2 === 0) ours.disconnect(erl.name);
        else await session.eval("true = erlang:disconnect_node(N)");
        await session.eval("receive {nodedown, N, _} -> ok end");
        await waitUntil(() => ours.nodes().length === 0);
      }
    });
  });

  describe("flags", () => {
    const without = (flags: bigint, ...left: bigint[]) =>
      left.reduce((rest, flag) => rest & ~flag, flags);

    it("that they require and we lack: not_allowed, HS_NOT_ALLOWED", async () => {
      await using erl = await startOtpNode({ otp });
      const least = MANDATORY_25 | DFLAG.UNLINK_ID | DFLAG.V4_NC;
      {
        await using peer = await connectBare(erl.name, { flags: least });
        expect(peer.result.peerName).toBe(erl.name);
      }
      for (const flag of [DFLAG.UTF8_ATOMS, DFLAG.BIG_CREATION, DFLAG.MAP_TAG]) {
        const answer = connectBare(erl.name, { flags: without(least, flag) }).then(
          (peer) => peer[Symbol.asyncDispose]().then(() => "let in"),
          (error: { code: string }) => error.code,
        );
        // OTP 23 can do without maps.
        const spared = otp.release === "23" && flag === DFLAG.MAP_TAG;
        expect([flag, await answer]).toEqual([flag, spared ? "let in" : "HS_NOT_ALLOWED"]);
      }
      const old = connectBare(erl.name, { flags: MANDATORY_25 });
      if (Number(otp.release) >= 26) {
        await expect(old).rejects.toMatchObject({ code: "HS_NOT_ALLOWED" });
      } else {
        await (await old)[Symbol.asyncDispose]();
      }
    });

    it("that they require and the node they connect to lacks: pang there, HS_CLOSED here", async () => {
      await using erl = await startOtpNode({ otp });
      await using listener = await listenBare({ flags: without(MANDATORY_25, DFLAG.BIG_CREATION) });
      expect(await erl.eval(`net_adm:ping('${listener.name}')`)).toBe("pang");
      await expect(listener.next()).rejects.toMatchObject({ code: "HS_CLOSED", peer: erl.name });
    });
  });

  describe("the time limit", () => {
    it("ends our attempt at a frozen node: HS_TIMEOUT", async () => {
      await using erl = await startOtpNode({ otp });
      await using ours = await startOurNode({ netSetupTimeMs: 500 });
      erl.freeze();
      await expect(ours.connect(erl.name)).rejects.toMatchObject({ code: "HS_TIMEOUT" });
      erl.thaw();
      // It first meets what is left of the attempt given up, and may take a newer one along with it.
      await waitUntil(async () => (await ours.ping(erl.name)) === "pong");
    });

    it("ends their attempt at a frozen erldist node: pang", async () => {
      const run = await interopRun();
      await using erl = await startOtpNode({ otp, args: ["-kernel", "net_setuptime", "1"] });
      await using ours = await startKvsCommand(["--sname", run.uniqueName("gandalf")]);
      ours.signal("SIGSTOP");
      expect(await erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pang");
      ours.signal("SIGCONT");
      // A second may be too short for a busy machine.
      await expect.poll(() => erl.eval(`net_adm:ping('${ours.name}')`)).toBe("pong");
    });
  });
});

describe("flags that an erldist node requires", () => {
  const lacking = MANDATORY_25 & ~DFLAG.BIT_BINARIES & ~DFLAG.MAP_TAG;

  it("and a connecting peer lacks: not_allowed", async () => {
    await using ours = await startOurNode();
    const events = eventsOf(ours);
    const rejected = rejectedBy(ours);
    await expect(connectBare(ours.name, { flags: lacking })).rejects.toMatchObject({
      code: "HS_NOT_ALLOWED",
      message: expect.stringContaining("misses a distribution flag we do not offer"),
    });
    expect(events).toEqual([]);
    expect(rejected.map(codeOf)).toEqual(["HS_MISSING_FLAG"]);
    await using peer = await connectBare(ours.name, { flags: MANDATORY_25 });
    await waitUntil(() => ours.nodes().includes(peer.name));
  });

  it("and the peer it connects to lacks: HS_MISSING_FLAG, with their names", async () => {
    await using ours = await startOurNode();
    await using listener = await listenBare({ flags: lacking });
    await expect(ours.connect(listener.name)).rejects.toMatchObject({
      code: "HS_MISSING_FLAG",
      message: `${listener.name} lacks distribution flags that this node requires: BIT_BINARIES, MAP_TAG. Every release from Erlang/OTP 23 on has them: upgrade the peer, or have it offer them if it is not an Erlang node.`,
    });
    // A call says the same.
    await expect(ours.rpc.call(listener.name, "m", "f", [])).rejects.toMatchObject({
      code: "CALL_NO_CONNECTION",
      mayHaveRun: false,
      cause: { code: "HS_MISSING_FLAG" },
    });
    const watcher = collect(ours);
    watcher.process.monitor(["nobody", listener.name]);
    await waitUntil(() => watcher.messages.length > 0);
    const target = format(tuple(atom("nobody"), atom(listener.name)));
    expect(watcher.messages[0]).toContain(`,process,${target},noconnection}`);
    // And so does the command.
    const end = await runCommand(["call", listener.name, "kvs", "lookup", "[a]"]);
    expect(end).toMatchObject({ code: 5, stdout: "" });
    expect(end.stderr).toContain("requires: BIT_BINARIES, MAP_TAG");
  });
});
