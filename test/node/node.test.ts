import { describe, expect, test } from "vitest";
import { atom, Pid, tuple } from "../../etf/index.ts";
import { Node } from "../../src/otp/node.ts";
import { tcpNetwork } from "../../src/transport/tcp.ts";
import { Cluster, inbox } from "../support/cluster.ts";
import { FakeNames } from "../support/fake-names.ts";
import { RawNode } from "../support/raw-node.ts";
import { ScriptedPeer } from "../support/scripted-peer.ts";

describe("a node", () => {
  test("knows its name, creation and port", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const silent = await cluster.start("frodo@vm", { listen: false });
    expect(node).toMatchObject({ name: "gandalf@vm", creation: 100 });
    expect(node.tcpPort).toBe(cluster.names.registered.get("gandalf@vm")!.tcpPort);
    expect(silent.tcpPort).toBe(0);
    expect(node.newReference()).toMatchObject({ node: atom("gandalf@vm"), creation: 100 });
  });

  test("connects to others even if it does not listen", async () => {
    const cluster = new Cluster();
    const silent = await cluster.start("frodo@vm", { listen: false });
    const box = inbox(await cluster.start("gandalf@vm"), { name: "box" });
    void silent.send(["box", "gandalf@vm"], 1);
    await cluster.settle();
    expect(box.messages).toEqual([1]);
  });

  test("connects over a carrier with 4-byte handshake lengths, as TLS has", async () => {
    const cluster = new Cluster({ handshakeLengthBytes: 4 });
    const [gandalf] = await cluster.pair();
    expect(await cluster.settled(gandalf.ping("bilbo@vm"))).toBe("pong");
  });

  test("reports connections, whether they are hidden, and why they end", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const told: unknown[] = [];
    node.on("nodeup", (up) => told.push(up));
    node.on("nodedown", (down) => told.push(down));
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    raw.transport.end();
    await cluster.settle();
    expect(told).toEqual([
      { name: "other@vm", nodeType: "hidden" },
      {
        name: "other@vm",
        nodeType: "hidden",
        reason: atom("connection_closed"),
        error: expect.objectContaining({ code: "CONN_CLOSED" }),
      },
    ]);
  });

  test("emits no nodedown for a connection that was never established", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    void node.send(["box", "nobody@vm"], 1);
    await cluster.settle();
    expect(node.events).toEqual([]);
  });

  test("counts processes, and the traffic of each connection", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const before = gandalf.stats().processes;
    const box = inbox(gandalf);
    void bilbo.send(box.process.pid, 1);
    await cluster.settle();
    expect(gandalf.stats()).toMatchObject({
      processes: before + 1,
      connections: { "bilbo@vm": { framesIn: 1, framesOut: 0, queuedBytes: 0 } },
    });
    gandalf.exit(box.process.pid, atom("kill"));
    expect(gandalf.stats().processes).toBe(before);
  });

  test("finds processes by name and by pid", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const { process } = inbox(node, { name: "box" });
    expect(node.whereis("box")).toBe(process);
    expect(node.whereis(atom("box"))).toBe(process);
    expect(node.whereis("nobody")).toBeUndefined();
    expect(node.processOf(process.pid)).toBe(process);
    expect(node.registered()).toEqual(["user", "net_kernel", "global_name_server", "rex", "box"]);
  });
});

test("an event listener that throws is the program's error and leaves the connection up", async () => {
  const cluster = new Cluster();
  const gandalf = await cluster.start("gandalf@vm");
  const bilbo = await cluster.start("bilbo@vm");
  const surfaced: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => surfaced.push(error));
  try {
    for (const event of ["nodeup", "nodedown"] as const) {
      gandalf.on(event, () => {
        throw new Error(`from ${event}`);
      });
    }
    const box = inbox(bilbo, { name: "box" });
    void gandalf.send(["box", "bilbo@vm"], 1);
    await cluster.settled(gandalf.connect("bilbo@vm"));
    await cluster.settle();
    expect(box.messages).toEqual([1]);
    expect(gandalf.disconnect("bilbo@vm")).toBe(true);
    await cluster.settle();
    expect(gandalf.nodes()).toEqual([]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  expect(surfaced).toEqual([new Error("from nodeup"), new Error("from nodedown")]);
  await cluster.settled(gandalf.stop());
});

describe("stop", () => {
  test("ends processes and connections, and frees the name and the port", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const box = inbox(gandalf, { trapExit: true });
    const watcher = inbox(bilbo, { trapExit: true });
    watcher.process.link(box.process.pid);
    await cluster.settle();
    const { tcpPort } = gandalf;
    expect(gandalf.stopped).toBe(false);
    await cluster.settled(gandalf.stop());
    expect(gandalf.stopped).toBe(true);
    expect(box.died).toBe(atom("shutdown"));
    expect(gandalf.stats()).toMatchObject({ processes: 0, mailboxBytes: 0, connections: {} });
    expect(gandalf.events.at(-1)).toBe("down bilbo@vm CONN_DISCONNECTED");
    expect(cluster.names.registered.has("gandalf@vm")).toBe(false);
    const late = cluster.network.host("vm").connect({ host: "vm", tcpPort });
    await expect(cluster.settled(late)).rejects.toMatchObject({ code: "TRANSPORT_REFUSED" });
    await cluster.settle();
    // To others it looks as if the node had halted.
    expect(watcher.messages).toStrictEqual([
      tuple(atom("EXIT"), box.process.pid, atom("noconnection")),
    ]);
    await cluster.settled(bilbo.stop());
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("works twice, and by disposal", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const [first, second] = [node.stop(), node.stop()];
    await cluster.settled(Promise.all([first, second]));
    await cluster.settled(node[Symbol.asyncDispose]());
    expect(cluster.names.closed).toBe(1);
  });

  test("can be called by code that it notifies", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const heard: unknown[] = [];
    node.spawn({
      message: () => {},
      terminated: () => {
        heard.push(node.stopped, node.stop());
        expect(() => node.spawn(() => 1)).toThrow(
          expect.objectContaining({ code: "NODE_STOPPED" }),
        );
        heard.push("refused");
      },
    });
    const stopping = node.stop();
    expect(heard).toEqual([true, stopping, "refused"]);
    expect(heard[1]).toBe(stopping);
    await cluster.settled(stopping);
    expect(cluster.names.closed).toBe(1);
  });

  test("aborts whatever is pending: attempts, handshakes, waits, calls", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const listener = await cluster.network
      .host("moria")
      .listen({ tcpPort: 0 }, (transport) => void new ScriptedPeer(transport));
    await cluster.names.host("moria").register("balrog", listener.tcpPort, { hidden: true });
    const caller = new ScriptedPeer(
      await cluster.settled(
        cluster.network.host("vm").connect({ host: "vm", tcpPort: node.tcpPort }),
      ),
    );
    const silent = inbox(node, { name: "silent" });
    node.expose("m", { never: () => new Promise(() => {}) });
    const outcomes = [
      node.connect("balrog@moria"),
      node.erpc.call("balrog@moria", "m", "f", [], { timeoutMs: 60_000 }),
      node.erpc.call("gandalf@vm", "m", "never", []),
      node.gen.call(["server", "balrog@moria"], 1),
      node.gen.call("silent", 1),
      node.gen.call(silent.process.pid, 1, { timeoutMs: Number.POSITIVE_INFINITY }),
      inbox(node).process.receive(undefined, { timeoutMs: 60_000 }),
    ].map((promise) =>
      promise.then(
        () => "resolved",
        (error: { code?: string }) => error.code,
      ),
    );
    await cluster.settle();
    await cluster.settled(node.stop());
    await cluster.settle();
    expect(await cluster.settled(Promise.all(outcomes))).toEqual([
      "NODE_STOPPED",
      "NODE_STOPPED",
      "NODE_STOPPED",
      "NODE_STOPPED",
      "NODE_STOPPED",
      "NODE_STOPPED",
      "PROCESS_DEAD",
    ]);
    expect(caller.closed).toBe(true);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("waits at most a second for a peer that does not close its side", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    raw.transport.pause();
    let stopped = false;
    void node.stop().then(() => {
      stopped = true;
    });
    await cluster.clock.advance(999);
    expect(stopped).toBe(false);
    await cluster.clock.advance(1);
    expect(stopped).toBe(true);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("makes later requests fail without leaving anything behind", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    await cluster.settled(node.stop());
    const stopped = expect.objectContaining({ name: "NodeError", code: "NODE_STOPPED" });
    const pid = new Pid("bilbo@vm", 1, 0, 1);
    expect(() => node.spawn(() => 1)).toThrow(stopped);
    expect(() => node.send(pid, 1)).toThrow(stopped);
    expect(() => node.exit(pid, 1)).toThrow(stopped);
    const refused: (() => Promise<unknown>)[] = [
      () => node.connect("bilbo@vm"),
      () => node.erpc.call("bilbo@vm", "m", "f", []),
      () => node.rpc.call("gandalf@vm", "m", "f", []),
      () => node.gen.call(["server", "bilbo@vm"], 1),
      () => node.gen.call("rex", 1),
    ];
    for (const ask of refused) await expect(cluster.settled(ask())).rejects.toEqual(stopped);
    expect(await cluster.settled(node.ping("bilbo@vm"))).toBe("pang");
    expect(cluster.clock.timerCount).toBe(0);
    await cluster.clock.advance(60_000);
  });

  test("ends the other processes even if a behaviour throws as it terminates", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    node.spawn({
      message: () => {},
      terminated: () => {
        throw new Error("at the end");
      },
    });
    const box = inbox(node);
    await cluster.settled(node.stop());
    expect(box.died).toBe(atom("shutdown"));
    expect(node.stats().processes).toBe(0);
  });

  test("leaves no open sockets", async () => {
    const names = new FakeNames();
    const start = (name: string) =>
      Node.start({
        name,
        cookie: "x",
        network: tcpNetwork(),
        nameService: names.host("localhost"),
        listen: { host: "127.0.0.1" },
        output: () => {},
      });
    const before = process.getActiveResourcesInfo().sort();
    const [a, b] = [await start("a@localhost"), await start("b@localhost")];
    await a.connect("b@localhost");
    expect(await a.ping("b@localhost")).toBe("pong");
    await Promise.all([a.stop(), b.stop()]);
    // libuv reports a closed handle for one more turn.
    await new Promise((resolve) => setImmediate(resolve));
    const kinds = (resources: string[]) => resources.filter((kind) => kind.includes("TCP"));
    expect(kinds(process.getActiveResourcesInfo())).toEqual(kinds(before));
  });
});

describe("several nodes in one program", () => {
  test("each have their own name, processes and exposed functions", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    gandalf.expose("m", { who: () => "gandalf" });
    bilbo.expose("m", { who: () => "bilbo" });
    inbox(gandalf, { name: "box" });
    expect(bilbo.whereis("box")).toBeUndefined();
    const frodo = await cluster.start("frodo@vm");
    for (const name of ["gandalf", "bilbo"]) {
      expect(await cluster.settled(frodo.rpc.call(`${name}@vm`, "m", "who", []))).toStrictEqual(
        Buffer.from(name),
      );
    }
  });

  test("cannot share a name", async () => {
    const cluster = new Cluster();
    await cluster.start("gandalf@vm");
    await expect(cluster.start("gandalf@vm")).rejects.toMatchObject({ code: "EPMD_NAME_TAKEN" });
  });

  test("a restarted node is a different node: its earlier pids are dead", async () => {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const old = inbox(bilbo);
    await cluster.settled(bilbo.stop());
    const again = await cluster.start("bilbo@vm");
    const fresh = Array.from({ length: 10 }, () => inbox(again));
    expect(fresh.some((box) => box.process.pid.id === old.process.pid.id)).toBe(true);
    void gandalf.send(old.process.pid, "for the old one");
    await cluster.settle();
    expect(fresh.flatMap((box) => box.messages)).toEqual([]);
    expect(gandalf.nodes()).toEqual(["bilbo@vm"]);
  });
});
