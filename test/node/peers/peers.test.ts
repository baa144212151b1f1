/** How connections are established and end, as nodes see it. */
import { describe, expect, test } from "vitest";
import { atom, Pid, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { encodeMessage } from "../../../src/handshake/messages.ts";
import type { Clock } from "../../../src/transport/clock.ts";
import { Cluster, COOKIE, inbox, type TestNode } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";
import { ScriptedPeer } from "../../support/scripted-peer.ts";
import { slowNetwork } from "../../support/slow-network.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });

describe("connecting", () => {
  test("makes one connection, which both sides report", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const both = Promise.all([gandalf.connect("bilbo@vm"), gandalf.connect("bilbo@vm")]);
    await cluster.settled(both);
    await cluster.settled(gandalf.connect("bilbo@vm"));
    await cluster.settled(bilbo.connect("gandalf@vm"));
    expect([gandalf.nodes(), bilbo.nodes()]).toEqual([["bilbo@vm"], ["gandalf@vm"]]);
    expect([gandalf.events, bilbo.events]).toEqual([["up bilbo@vm"], ["up gandalf@vm"]]);
  });

  test("spans hosts, with long names too", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@192.0.2.1");
    await cluster.start("bilbo@shire.example");
    await cluster.settled(gandalf.connect("bilbo@shire.example"));
    expect(gandalf.nodes()).toEqual(["bilbo@shire.example"]);
  });

  test.each([
    ["gandalf@vm", "NODE_CONNECT_SELF"],
    ["bilbo", "NODE_NAME_INVALID"],
    ["", "NODE_NAME_INVALID"],
    ["bilbo@vm.example", "NODE_NAME_KIND"],
    ["nobody@vm", "EPMD_NAME_UNKNOWN"],
  ])("to %j fails with %s", async (name, expected) => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const attempt = gandalf.connect(name);
    const rejected = expect(attempt).rejects.toEqual(code(expected));
    await cluster.settle();
    await rejected;
    expect([gandalf.nodes(), gandalf.events, cluster.clock.timerCount]).toEqual([[], [], 0]);
  });

  test("to a port without a listener, or a host that does not exist", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await cluster.names.host("vm").register("gone", 1, { hidden: true });
    await cluster.names.host("moria").register("gone", 1, { hidden: true });
    for (const [name, expected] of [
      ["gone@vm", "TRANSPORT_REFUSED"],
      ["gone@moria", "TRANSPORT_HOST_UNKNOWN"],
    ] as const) {
      const rejected = expect(gandalf.connect(name)).rejects.toEqual(code(expected));
      await cluster.settle();
      await rejected;
    }
  });

  test.each<[string, (cluster: Cluster) => Promise<void> | void]>([
    [
      "does not answer to TCP",
      async (cluster) => {
        await cluster.names.host("moria").register("balrog", 1, { hidden: true });
        cluster.network.silence("moria");
      },
    ],
    [
      "does not answer in the handshake",
      async (cluster) => {
        const listener = await cluster.network
          .host("moria")
          .listen({ tcpPort: 0 }, (transport) => void new ScriptedPeer(transport));
        await cluster.names.host("moria").register("balrog", listener.tcpPort, { hidden: true });
      },
    ],
  ])("to what %s is given up after the set-up time", async (_, prepare) => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { netSetupTimeMs: 3000 });
    await prepare(cluster);
    let outcome: unknown = "pending";
    gandalf.connect("balrog@moria").catch((error: unknown) => {
      outcome = error;
    });
    const watcher = inbox(gandalf);
    watcher.process.monitor(["box", "balrog@moria"]);
    await cluster.clock.advance(2999);
    expect([outcome, watcher.messages]).toEqual(["pending", []]);
    await cluster.clock.advance(1);
    expect(outcome).toMatchObject({ name: "HandshakeError", code: "HS_TIMEOUT" });
    expect((outcome as Error).message).toContain("balrog@moria");
    expect(watcher.messages).toHaveLength(1);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("a wait can be aborted; the attempt goes on for others", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    await cluster.start("bilbo@vm");
    const reason = new Error("enough");
    await expect(gandalf.connect("bilbo@vm", { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await cluster.settle();
    expect(gandalf.nodes()).toEqual([]);
    const abort = new AbortController();
    const aborted = expect(gandalf.connect("bilbo@vm", { signal: abort.signal })).rejects.toBe(
      reason,
    );
    const other = gandalf.connect("bilbo@vm");
    abort.abort(reason);
    await cluster.settle();
    await aborted;
    await other;
    expect(gandalf.nodes()).toEqual(["bilbo@vm"]);
  });
});

describe("kinds of nodes", () => {
  test("a connection is visible if both ends are", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { hidden: false });
    const bilbo = await cluster.start("bilbo@vm", { hidden: false });
    const frodo = await cluster.start("frodo@vm");
    const told: unknown[] = [];
    gandalf.on("nodeup", (up) => told.push(up));
    await cluster.settled(gandalf.connect("bilbo@vm"));
    await cluster.settled(frodo.connect("gandalf@vm"));
    expect(told).toEqual([
      { name: "bilbo@vm", nodeType: "visible" },
      { name: "frodo@vm", nodeType: "hidden" },
    ]);
    expect(gandalf.nodes()).toEqual(["bilbo@vm", "frodo@vm"]);
    expect(gandalf.nodes("visible")).toEqual(["bilbo@vm"]);
    expect(gandalf.nodes("hidden")).toEqual(["frodo@vm"]);
    expect(gandalf.nodes(["this", "hidden"])).toEqual(["gandalf@vm", "frodo@vm"]);
    expect(bilbo.nodes("visible")).toEqual(["gandalf@vm"]);
    expect(frodo.nodes("hidden")).toEqual(["gandalf@vm"]);
  });
});

describe("the end of a connection has OTP's reason:", () => {
  const reasonsOf = (node: TestNode): string[] => {
    const reasons: string[] = [];
    node.on("nodedown", ({ reason }) => reasons.push(reason.name));
    return reasons;
  };

  test.each<[string, string, string, (gandalf: TestNode) => unknown]>([
    ["disconnect", "disconnect", "connection_closed", (node) => node.disconnect("bilbo@vm")],
    ["stop", "net_kernel_terminated", "connection_closed", (node) => void node.stop()],
  ])("%s", async (_, here, there, end) => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const reasons = [reasonsOf(gandalf), reasonsOf(bilbo)];
    end(gandalf);
    await cluster.settle();
    expect(reasons).toEqual([[here], [there]]);
  });

  test("a protocol violation is killed, and silence is net_tick_timeout", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const reasons = reasonsOf(node);
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    raw.frame(Uint8Array.from([7]));
    await cluster.settle();
    await RawNode.connect(cluster, "gandalf@vm");
    await cluster.clock.advance(75_000);
    expect(reasons).toEqual(["killed", "net_tick_timeout"]);
  });
});

describe("distAutoConnect", () => {
  test("never: signals are dropped without connecting, and connect works", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { distAutoConnect: "never" });
    const bilbo = inbox(await cluster.start("bilbo@vm"), { name: "box" });
    const watcher = inbox(gandalf, { trapExit: true });
    const barred = new Pid("bilbo@vm", 1, 0, 101);
    void gandalf.send(["box", "bilbo@vm"], 1);
    watcher.process.monitor(barred);
    watcher.process.link(barred);
    const ping = gandalf.ping("bilbo@vm");
    const call = gandalf.rpc.call("bilbo@vm", "m", "f", []).catch((error: unknown) => error);
    await cluster.settle();
    expect(await ping).toBe("pang");
    expect(await call).toMatchObject({
      code: "CALL_NO_CONNECTION",
      mayHaveRun: false,
      cause: { code: "NODE_NO_AUTO_CONNECT" },
    });
    expect(watcher.messages.map((message) => (message as Term[]).at(-1))).toEqual([
      atom("noconnection"),
      atom("noconnection"),
    ]);
    expect([gandalf.events, gandalf.nodes("known")]).toEqual([[], ["gandalf@vm"]]);
    await cluster.settled(gandalf.connect("bilbo@vm"));
    void gandalf.send(["box", "bilbo@vm"], 2);
    await cluster.settle();
    expect(bilbo.messages).toEqual([2]);
    expect(await cluster.settled(gandalf.ping("bilbo@vm"))).toBe("pong");
  });

  test("never: a signal sent during a connect arrives with it", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { distAutoConnect: "never" });
    const bilbo = inbox(await cluster.start("bilbo@vm"), { name: "box" });
    void gandalf.send(["box", "bilbo@vm"], 1);
    await cluster.settled(gandalf.connect("bilbo@vm"));
    await cluster.settle();
    expect(bilbo.messages).toEqual([1]);
  });

  test("once: until a connection to the node has ended, whichever side made it", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { distAutoConnect: "once" });
    const ping = () => cluster.settled(gandalf.ping("bilbo@vm"));
    expect(await ping()).toBe("pang");
    const bilbo = await cluster.start("bilbo@vm");
    expect(await ping()).toBe("pong");
    bilbo.disconnect("gandalf@vm");
    await cluster.settle();
    expect(await ping()).toBe("pang");
    await cluster.settled(gandalf.connect("bilbo@vm"));
    expect(await ping()).toBe("pong");
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(await ping()).toBe("pang");
    await cluster.settled(bilbo.connect("gandalf@vm"));
    expect(await ping()).toBe("pong");
  });
});

describe("who may connect", () => {
  test("with different cookies: both sides report it and do not connect", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const saruman = await cluster.start("saruman@vm", { cookie: "other" });
    const rejections: Error[] = [];
    gandalf.on("rejected", ({ error }) => rejections.push(error));
    const refused = expect(saruman.connect("gandalf@vm")).rejects.toEqual(
      code("HS_COOKIE_REFUSED"),
    );
    await cluster.settle();
    await refused;
    expect(rejections).toEqual([code("HS_BAD_DIGEST")]);
    expect(rejections[0]!.message).not.toMatch(new RegExp(`${COOKIE}|other`));
    expect([gandalf.events, saruman.events]).toEqual([[], []]);
    await cluster.clock.advance(10_000);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("a peer may have its own cookie, in both directions", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", {
      cookies: { "bilbo@vm": "ring", "frodo@vm": "ring" },
    });
    const bilbo = await cluster.start("bilbo@vm", { cookie: "ring" });
    await cluster.start("frodo@vm", { cookie: "ring" });
    await cluster.start("sam@vm");
    await cluster.settled(bilbo.connect("gandalf@vm"));
    await cluster.settled(gandalf.connect("frodo@vm"));
    await cluster.settled(gandalf.connect("sam@vm"));
    expect(gandalf.nodes()).toEqual(["bilbo@vm", "frodo@vm", "sam@vm"]);
  });

  test("a cookie set for a peer, or for all others, applies from the next handshake on", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm", { cookie: "ring" });
    const ping = (from: TestNode, to: TestNode) => cluster.settled(from.ping(to.name));
    expect(await ping(gandalf, bilbo)).toBe("pang");
    expect(await ping(bilbo, gandalf)).toBe("pang");
    gandalf.setCookie("bilbo@vm", "ring");
    expect(await ping(gandalf, bilbo)).toBe("pong");
    expect([gandalf.getCookie(), gandalf.getCookie("bilbo@vm")]).toEqual([COOKIE, "ring"]);
    gandalf.setCookie("bilbo@vm", "other");
    expect(await ping(gandalf, bilbo)).toBe("pong");
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(await ping(bilbo, gandalf)).toBe("pang");
    bilbo.setCookie("bilbo@vm", "other");
    expect(bilbo.getCookie("gandalf@vm")).toBe("other");
    expect(await ping(bilbo, gandalf)).toBe("pong");
    expect(() => gandalf.setCookie("bilbo@vm", "a line\n")).toThrow(code("NODE_COOKIE_INVALID"));
    expect(() => gandalf.setCookie("bilbo", "ring")).toThrow(code("NODE_NAME_INVALID"));
  });

  test("a peer that lacks a flag is refused in both directions", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const flags = RAW_FLAGS & ~DFLAG.MANDATORY_25_DIGEST & ~DFLAG.BIG_CREATION;
    await expect(RawNode.connect(cluster, "gandalf@vm", { flags })).rejects.toEqual(
      code("HS_NOT_ALLOWED"),
    );
    await RawNode.listen(cluster, "old@vm", () => {}, { flags });
    const refused = expect(gandalf.connect("old@vm")).rejects.toEqual(
      expect.objectContaining({
        code: "HS_MISSING_FLAG",
        message: expect.stringContaining("BIG_CREATION"),
      }),
    );
    await cluster.settle();
    await refused;
    expect(gandalf.events).toEqual([]);
  });

  test("a peer with this node's own name is refused", async () => {
    const cluster = new Cluster();
    await cluster.start("gandalf@vm");
    await expect(RawNode.connect(cluster, "gandalf@vm", { name: "gandalf@vm" })).rejects.toEqual(
      code("HS_NOT_ALLOWED"),
    );
  });

  test("a client that is not an Erlang node is reported and does no harm", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const rejections: Error[] = [];
    gandalf.on("rejected", ({ error }) => rejections.push(error));
    const { tcpPort } = gandalf;
    const host = cluster.network.host("vm");
    const connect = async () =>
      new ScriptedPeer(await cluster.settled(host.connect({ host: "vm", tcpPort })));
    (await connect()).sayFrame(Buffer.from("GET / HTTP/1.1"));
    await cluster.settle();
    (await connect()).transport.end();
    await cluster.settle();
    await connect();
    await cluster.clock.advance(7000);
    expect(rejections).toEqual([code("HS_MALFORMED"), code("HS_CLOSED"), code("HS_TIMEOUT")]);
    await cluster.start("bilbo@vm");
    await cluster.settled(gandalf.connect("bilbo@vm"));
  });
});

/** Sends a name to a node, and then nothing. */
async function halfOpen(cluster: Cluster, to: TestNode, name: string): Promise<ScriptedPeer> {
  const { tcpPort } = to;
  const host = cluster.network.host("vm");
  const peer = new ScriptedPeer(await cluster.settled(host.connect({ host: "vm", tcpPort })));
  peer.sayFrame(encodeMessage({ type: "sendName", flags: RAW_FLAGS, creation: 1, name }));
  await cluster.settle();
  return peer;
}

/** A clock on which the time for a peer's own attempt is a number of turns. */
function besideAfter(clock: Clock, turns: number): Clock {
  const countDown = (left: number, timer: { over: boolean }, callback: () => void): void => {
    if (timer.over) return;
    if (left === 0) callback();
    else clock.defer(() => countDown(left - 1, timer, callback));
  };
  return {
    now: () => clock.now(),
    defer: (callback) => clock.defer(callback),
    setTimer: (delayMs, callback) => {
      if (delayMs !== 100) return clock.setTimer(delayMs, callback);
      const timer = { over: false };
      countDown(turns, timer, callback);
      return {
        cancel: () => {
          timer.over = true;
        },
      };
    },
  };
}

describe("connecting to each other at the same time", () => {
  /** Runs both attempts, the second some turns later; returns what went wrong, if anything did. */
  async function race(
    [first, second]: readonly [string, string],
    {
      headStart,
      lag = 0,
      beside,
      besideLag = 0,
      cut,
    }: { headStart: number; lag?: number; beside?: number; besideLag?: number; cut?: number },
  ): Promise<unknown> {
    const cluster = new Cluster(cut === undefined ? {} : { cut });
    const { clock } = cluster;
    const slow = (turns: number) => slowNetwork(cluster.network.host("vm"), clock, turns);
    const [a, b] = [
      await cluster.start(first, { network: slow(lag) }),
      await cluster.start(second, {
        network: slow(besideLag),
        ...(beside === undefined ? {} : { clock: besideAfter(clock, beside) }),
      }),
    ];
    const [boxA, boxB] = [inbox(a, { name: "box" }), inbox(b, { name: "box" })];
    void a.send(["box", second], 1);
    for (let turn = 0; turn < headStart; turn++) await clock.turn();
    void b.send(["box", first], 2);
    void a.send(["box", second], 3);
    await cluster.settled(Promise.all([a.connect(second), b.connect(first)]));
    void a.send(boxB.process.pid, 4);
    void b.send(boxA.process.pid, 5);
    await cluster.settle();
    const got = [boxA.messages, boxB.messages, a.events, b.events];
    const right = [[2, 5], [1, 3, 4], [`up ${second}`], [`up ${first}`]];
    if (JSON.stringify(got) === JSON.stringify(right)) return undefined;
    return { first, headStart, lag, beside, besideLag, cut, got };
  }

  const orders = [
    ["alfa@vm", "beta@vm"],
    ["beta@vm", "alfa@vm"],
  ] as const;

  test.each([undefined, 8, 1])(
    "leaves one connection and loses nothing, whichever side begins and when (chunks of %s)",
    async (cut) => {
      for (const order of orders) {
        for (let headStart = 0; headStart < 25; headStart++) {
          const options = cut === undefined ? { headStart } : { headStart, cut };
          expect(await race(order, options)).toBeUndefined();
        }
      }
    },
  );

  test("leaves one connection even if the later attempt overtakes the earlier one", async () => {
    for (const order of orders) {
      for (const lag of [3, 4, 5, 8]) {
        for (let headStart = 0; headStart < 20; headStart++) {
          expect(await race(order, { headStart, lag })).toBeUndefined();
        }
      }
    }
  });

  test("leaves one connection even if the second attempt begins beside the first", async () => {
    for (const order of orders) {
      for (const [lag, besideLag] of [
        [0, 0],
        [4, 0],
        [8, 0],
        [3, 3],
        [0, 4],
      ] as const) {
        for (const headStart of [4, 6, 8, 10, 14]) {
          for (let beside = 1; beside < 24; beside++) {
            expect(await race(order, { headStart, lag, beside, besideLag })).toBeUndefined();
          }
        }
      }
    }
  });

  test("a half-open connection in a peer's name delays ours only briefly", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const box = inbox(bilbo, { name: "box" });
    const stall = await halfOpen(cluster, gandalf, "bilbo@vm");
    void gandalf.send(["box", "bilbo@vm"], 1);
    void gandalf.send(["box", "bilbo@vm"], 2);
    const connected = gandalf.connect("bilbo@vm");
    await cluster.clock.advance(100);
    await connected;
    expect([box.messages, gandalf.events]).toEqual([[1, 2], ["up bilbo@vm"]]);
    // Neither its end nor another one changes anything.
    await halfOpen(cluster, gandalf, "bilbo@vm");
    stall.transport.end();
    await cluster.clock.advance(30_000);
    expect([gandalf.events, bilbo.events]).toEqual([["up bilbo@vm"], ["up gandalf@vm"]]);
  });

  test("our failed attempt leaves the peer's own alone, and rejects when that one fails", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    // No node with that name can be reached.
    const stall = await halfOpen(cluster, gandalf, "bilbo@vm");
    let outcome: unknown = "pending";
    gandalf.connect("bilbo@vm").catch((error: unknown) => {
      outcome = error;
    });
    await cluster.clock.advance(500);
    expect(outcome).toBe("pending");
    stall.transport.end();
    await cluster.settle();
    expect(outcome).toEqual(code("EPMD_NAME_UNKNOWN"));
    const again = await halfOpen(cluster, gandalf, "other@vm");
    const connected = gandalf.connect("other@vm");
    await cluster.clock.advance(500);
    await RawNode.connect(cluster, "gandalf@vm");
    await cluster.settled(connected);
    again.transport.end();
    await cluster.clock.advance(10_000);
    expect(gandalf.events).toEqual(["up other@vm"]);
  });

  test("with distAutoConnect never, a signal waits for the peer's own attempt", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm", { distAutoConnect: "never" });
    await halfOpen(cluster, gandalf, "other@vm");
    void gandalf.send(["box", "other@vm"], 1);
    await cluster.clock.advance(500);
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    expect(raw.take().map((heard) => heard.payload)).toEqual([1]);
  });

  test("if a peer's attempt fails, this node connects, if it needs to", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const box = inbox(bilbo, { name: "box" });
    const stall = () => halfOpen(cluster, gandalf, "bilbo@vm");
    const [first, second] = [await stall(), await stall()];
    void gandalf.send(["box", "bilbo@vm"], 1);
    await cluster.settle();
    expect(gandalf.events).toEqual([]);
    first.transport.end();
    await cluster.settle();
    expect([box.messages, gandalf.events]).toEqual([[1], ["up bilbo@vm"]]);
    second.transport.end();
    await cluster.settle();
    expect(gandalf.events).toEqual(["up bilbo@vm"]);
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    (await stall()).transport.end();
    await cluster.settle();
    expect(gandalf.events).toEqual(["up bilbo@vm", "down bilbo@vm CONN_DISCONNECTED"]);
    await cluster.clock.advance(5000);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("a peer that answers nok and does not connect is given up after the set-up time", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const host = cluster.network.host("moria");
    const listener = await host.listen({ tcpPort: 0 }, (transport) => {
      const peer = new ScriptedPeer(transport);
      void peer.readFrame().then(() => peer.sayFrame(Buffer.from("snok")));
    });
    await cluster.names.host("moria").register("balrog", listener.tcpPort, { hidden: true });
    let outcome: unknown = "pending";
    gandalf.connect("balrog@moria").catch((error: unknown) => {
      outcome = error;
    });
    await cluster.clock.advance(6999);
    expect(outcome).toBe("pending");
    await cluster.clock.advance(1);
    expect(outcome).toEqual(code("HS_TIMEOUT"));
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("a peer that answers nok and connects satisfies the waiting connect", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const host = cluster.network.host("vm");
    const listener = await host.listen({ tcpPort: 0 }, (transport) => {
      const peer = new ScriptedPeer(transport);
      void peer.readFrame().then(() => peer.sayFrame(Buffer.from("snok")));
    });
    await cluster.names.host("vm").register("other", listener.tcpPort, { hidden: true });
    const connecting = gandalf.connect("other@vm");
    void gandalf.send(["box", "other@vm"], "first");
    await cluster.clock.advance(3000);
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    await cluster.settled(connecting);
    expect(raw.take().map((heard) => heard.payload)).toStrictEqual([Buffer.from("first")]);
    await cluster.clock.advance(7000);
    expect(gandalf.events).toEqual(["up other@vm"]);
  });
});

describe("a peer that connects again while a connection is up", () => {
  test.each(["alfa@vm", "zulu@vm"])(
    "replaces the older connection, which ends with its links and monitors (%s)",
    async (name) => {
      const cluster = new Cluster();
      const node = await cluster.start("gandalf@vm");
      const old = await RawNode.connect(cluster, "gandalf@vm", { name });
      const watcher = inbox(node);
      const theirs = new Pid(name, 1, 2, 7);
      const ref = watcher.process.monitor(theirs);
      await cluster.settle();
      const fresh = await RawNode.connect(cluster, "gandalf@vm", { name, creation: 8 });
      expect(old.closed).toBe(true);
      expect(watcher.messages).toStrictEqual([
        tuple(atom("DOWN"), ref, atom("process"), theirs, atom("noconnection")),
      ]);
      expect(node.events).toEqual([`up ${name}`, `down ${name} CONN_DISCONNECTED`, `up ${name}`]);
      fresh.send(tuple(22, theirs, watcher.process.pid), 1);
      await cluster.settle();
      expect(watcher.messages.slice(1)).toEqual([1]);
      expect(node.nodes()).toEqual([name]);
    },
  );

  test("with a wrong cookie leaves the older one alone", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const old = await RawNode.connect(cluster, "gandalf@vm");
    await expect(RawNode.connect(cluster, "gandalf@vm", { cookie: "other" })).rejects.toEqual(
      code("HS_COOKIE_REFUSED"),
    );
    expect(old.closed).toBe(false);
    expect(node.events).toEqual(["up other@vm"]);
  });
});

describe("the end of a connection", () => {
  test("requested here is reported on both sides, and another may follow", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    expect(gandalf.disconnect("nobody@vm")).toBe(false);
    expect(gandalf.disconnect("bilbo@vm")).toBe(true);
    expect(gandalf.disconnect("bilbo@vm")).toBe(false);
    expect(gandalf.nodes()).toEqual([]);
    await cluster.settle();
    await cluster.settled(bilbo.connect("gandalf@vm"));
    await cluster.settle();
    expect(gandalf.events).toEqual([
      "up bilbo@vm",
      "down bilbo@vm CONN_DISCONNECTED",
      "up bilbo@vm",
    ]);
    expect(bilbo.events).toEqual(["up gandalf@vm", "down gandalf@vm CONN_CLOSED", "up gandalf@vm"]);
  });

  test("by silence comes within 1 to 1.25 net tick times; a node that ticks stays connected", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    await cluster.settled(gandalf.connect("bilbo@vm"));
    const frozen = await RawNode.connect(cluster, "gandalf@vm");
    const box = inbox(gandalf, { trapExit: true });
    box.process.link(new Pid("other@vm", 1, 2, 7));
    await cluster.clock.advance(59_999);
    expect(gandalf.nodes()).toEqual(["bilbo@vm", "other@vm"]);
    await cluster.clock.advance(15_001);
    expect(gandalf.nodes()).toEqual(["bilbo@vm"]);
    expect(gandalf.events.at(-1)).toBe("down other@vm CONN_NET_TICK_TIMEOUT");
    expect(box.messages).toHaveLength(1);
    expect(frozen.closed).toBe(true);
    expect(frozen.ticks).toBeGreaterThanOrEqual(3);
    await cluster.clock.advance(600_000);
    expect([gandalf.nodes(), bilbo.nodes()]).toEqual([["bilbo@vm"], ["gandalf@vm"]]);
  });

  test("the net tick time is an option", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm", { netTickTimeMs: 1000, netTickIntensity: 10 });
    await RawNode.connect(cluster, "gandalf@vm");
    await cluster.clock.advance(999);
    expect(node.nodes()).toEqual(["other@vm"]);
    await cluster.clock.advance(101);
    expect(node.nodes()).toEqual([]);
  });
});

describe("three nodes", () => {
  test("in a ring lose only what was tied to the one that stops", async () => {
    const cluster = new Cluster();
    const nodes = [];
    for (const name of ["a@vm", "b@vm", "c@vm"]) nodes.push(await cluster.start(name));
    const boxes = nodes.map((node) => inbox(node, { trapExit: true }));
    for (const [at, box] of boxes.entries()) box.process.link(boxes[(at + 1) % 3]!.process.pid);
    await cluster.settle();
    expect(nodes.map((node) => node.nodes().length)).toEqual([2, 2, 2]);
    const [a, b, c] = nodes;
    await cluster.settled(b!.stop());
    await cluster.settle();
    const lost = (who: number): Term =>
      tuple(atom("EXIT"), boxes[who]!.process.pid, atom("noconnection"));
    expect(boxes[0]!.messages).toStrictEqual([lost(1)]);
    expect(boxes[2]!.messages).toStrictEqual([lost(1)]);
    expect([a!.nodes(), c!.nodes()]).toEqual([["c@vm"], ["a@vm"]]);
  });
});
