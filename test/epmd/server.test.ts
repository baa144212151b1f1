import { describe, expect, test } from "vitest";
import { EpmdClient } from "../../src/epmd/client.ts";
import { encodeRequest, type NodeEntry } from "../../src/epmd/messages.ts";
import { EpmdServer, type EpmdServerOptions } from "../../src/epmd/server.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { tcpNetwork } from "../../src/transport/tcp.ts";
import type { Network } from "../../src/transport/transport.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ScriptedPeer } from "../support/scripted-peer.ts";

async function serve(options: Partial<EpmdServerOptions> & { cut?: number } = {}) {
  const { cut, ...rest } = options;
  const network = new MemoryNetwork({
    ...(cut === undefined ? {} : { cut }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const host = network.host("vm");
  const server = await EpmdServer.start({ network: host, nowSeconds: () => 1_000_000, ...rest });
  const client = new EpmdClient({ network: host, tcpPort: server.tcpPort });
  return { network, host, server, client };
}

async function raw(network: Network, host = "vm"): Promise<ScriptedPeer> {
  return new ScriptedPeer(await network.connect({ host, tcpPort: 4369 }));
}

const node: NodeEntry = {
  name: "gandalf",
  tcpPort: 41234,
  nodeType: 77,
  protocol: 0,
  highestVersion: 6,
  lowestVersion: 5,
  extra: Buffer.alloc(0),
};
const registration = encodeRequest({ type: "alive2", node });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("names", () => {
  test.each([1, 1000])(
    "are registered, found, listed and given back (chunks of %i)",
    async (cut) => {
      const { server, client } = await serve({ cut });
      const first = await client.register("gandalf", 41234, {
        hidden: true,
        extra: Buffer.of(1, 2),
      });
      const second = await client.register("bilbo", 5000);
      expect([first.creation, second.creation]).toEqual([1_000_000, 1_000_000]);
      expect(await client.portPlease("gandalf", "vm")).toEqual({
        ...node,
        nodeType: 72,
        extra: Buffer.of(1, 2),
      });
      expect(await client.names("vm")).toEqual([
        { name: "bilbo", tcpPort: 5000 },
        { name: "gandalf", tcpPort: 41234 },
      ]);
      await first.close();
      await until(() => server.nodes().length === 1);
      await expect(client.portPlease("gandalf", "vm")).rejects.toMatchObject({
        code: "EPMD_NAME_UNKNOWN",
      });
      const again = await client.register("gandalf", 41235);
      expect(again.creation).toBe(1_000_001);
      expect(await client.dump("vm")).toBe(
        "active name     <gandalf> at port 41235, fd = 6\nactive name     <bilbo> at port 5000, fd = 2\n",
      );
      await server.close();
      expect(await again.lost).toMatchObject({ code: "EPMD_CLOSED" });
    },
  );

  test("are taken once", async () => {
    const { client } = await serve();
    await client.register("gandalf", 1);
    await expect(client.register("gandalf", 2)).rejects.toMatchObject({ code: "EPMD_NAME_TAKEN" });
    expect(await client.portPlease("gandalf", "vm")).toMatchObject({ tcpPort: 1 });
  });

  test("of nodes that know version 5 get the short answer", async () => {
    const { host } = await serve();
    const peer = await raw(host);
    peer.say(encodeRequest({ type: "alive2", node: { ...node, highestVersion: 5 } }));
    expect((await peer.read(4)).toString("hex")).toBe("79000002");
    expect(peer.closed).toBe(false);
  });

  test("a refused registration is answered, and its connection stays open for a while", async () => {
    const clock = new FakeClock();
    const { host, server } = await serve({ clock });
    const connecting = Promise.all([raw(host), raw(host)]);
    await clock.settle();
    const [first, second] = await connecting;
    first.say(registration);
    await clock.settle();
    second.say(registration);
    await clock.settle();
    expect(second.received.toString("hex")).toBe("760100000063");
    await clock.advance(59_999);
    expect(second.closed).toBe(false);
    await clock.advance(1);
    expect(second.closed).toBe(true);
    expect(first.closed).toBe(false);
    expect(server.nodes()).toHaveLength(1);
  });

  test("a name epmd cannot keep is refused by an answer", async () => {
    const { host } = await serve();
    const peer = await raw(host);
    const notUtf8 = Buffer.from(registration);
    notUtf8[14] = 0xff;
    peer.say(notUtf8);
    expect((await peer.read(6)).toString("hex")).toBe("760100000063");
  });

  test("a registered node that talks is no node", async () => {
    const { host, server } = await serve();
    const peer = await raw(host);
    peer.say(registration);
    await peer.read(6);
    expect(server.nodes()).toHaveLength(1);
    peer.say("x");
    await peer.untilClosed();
    expect(server.nodes()).toHaveLength(0);
  });
});

describe("requests that are none", () => {
  test.each([
    ["an empty one", "\0\0"],
    ["an unknown one", "\0\x01\xff"],
    ["one announced too long", "\xff\xff"],
    ["one with bytes behind it", "\0\x01nn"],
    ["an empty name", "\0\x01z"],
    ["a registration cut short", "\0\x05x\x01\x02\x03\x04"],
  ])("close the connection: %s", async (_what, bytes) => {
    const { host } = await serve();
    const peer = await raw(host);
    peer.say(bytes);
    await peer.untilClosed();
    expect(peer.received).toHaveLength(0);
  });

  test("a connection that says nothing is closed after a minute", async () => {
    const clock = new FakeClock();
    const { host } = await serve({ clock });
    const connecting = raw(host);
    await clock.settle();
    const peer = await connecting;
    peer.say("\0");
    await clock.advance(59_999);
    expect(peer.closed).toBe(false);
    await clock.advance(1);
    expect(peer.closed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("beyond the limit of connections, new ones are closed", async () => {
    const { host, server, client } = await serve({ maxConnections: 2 });
    const held = await client.register("a", 1);
    await client.register("b", 2);
    const third = await raw(host);
    await third.untilClosed();
    await held.close();
    await until(() => server.nodes().length === 1);
    expect(await client.names("vm")).toEqual([{ name: "b", tcpPort: 2 }]);
  });
});

test("other hosts have three quarters of the places: their oldest makes room", async () => {
  const { network, host, client, server } = await serve({ maxConnections: 8 });
  const far = network.host("far");
  const open: ScriptedPeer[] = [];
  for (let index = 0; index < 20; index++) open.push(await raw(far));
  await open[13]!.untilClosed();
  expect(open.map(({ closed }) => closed)).toEqual(open.map((_, index) => index < 14));
  // Who asks from elsewhere is served, and so is who registers here.
  const asking = new EpmdClient({ network: far, tcpPort: server.tcpPort });
  await client.register("gandalf", 41234);
  expect(await asking.portPlease("gandalf", "vm")).toMatchObject({ tcpPort: 41234 });
  const local = await raw(host);
  local.say(registration.subarray(0, 3));
  expect(server.nodes()).toHaveLength(1);
  expect(local.closed).toBe(false);
});

test("several that come from other hosts at once make room by as many of the oldest", async () => {
  const clock = new FakeClock();
  const { network } = await serve({ maxConnections: 4, clock });
  const far = network.host("far");
  const open: ScriptedPeer[] = [];
  const connect = async (count: number) => {
    const connecting = Promise.all(Array.from({ length: count }, () => raw(far)));
    await clock.settle();
    open.push(...(await connecting));
    await clock.settle();
  };
  await connect(3);
  await connect(2);
  expect(open.map(({ closed }) => closed)).toEqual([true, true, false, false, false]);
});

describe("what only the own host may do", () => {
  test("others look up and list, and nothing else", async () => {
    const { network, client } = await serve({ relaxedCommandCheck: true });
    await client.register("gandalf", 41234);
    const far = new EpmdClient({ network: network.host("far") });
    expect(await far.portPlease("gandalf", "vm")).toMatchObject({ tcpPort: 41234 });
    expect(await far.names("vm")).toHaveLength(1);
    for (const attempt of [
      far.register("intruder", 1, { host: "vm" }),
      far.dump("vm"),
      far.kill("vm"),
      far.stop("gandalf", "vm"),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: "EPMD_REFUSED" });
    }
    expect(await client.names("vm")).toHaveLength(1);
  });

  test("kill ends an EPMD without nodes, and one with nodes only when permitted", async () => {
    const strict = await serve();
    const held = await strict.client.register("a", 1);
    expect(await strict.client.kill()).toBe(false);
    await held.close();
    await until(() => strict.server.nodes().length === 0);
    expect(await strict.client.kill()).toBe(true);
    await strict.server.closed;
    await expect(strict.client.names("vm")).rejects.toMatchObject({ code: "EPMD_UNREACHABLE" });
    const relaxed = await serve({ relaxedCommandCheck: true });
    const lost = (await relaxed.client.register("a", 1)).lost;
    expect(await relaxed.client.kill()).toBe(true);
    expect(await lost).toMatchObject({ code: "EPMD_CLOSED" });
  });

  test("stop takes a name away only when permitted", async () => {
    const strict = await serve();
    await strict.client.register("a", 1);
    await expect(strict.client.stop("a")).rejects.toMatchObject({ code: "EPMD_REFUSED" });
    const relaxed = await serve({ relaxedCommandCheck: true });
    const { lost } = await relaxed.client.register("a", 1);
    expect(await relaxed.client.stop("nobody")).toBe(false);
    expect(await relaxed.client.stop("a")).toBe(true);
    await lost;
    expect(relaxed.server.nodes()).toEqual([]);
  });
});

describe("listening", () => {
  test("a taken port says so", async () => {
    const { host } = await serve();
    await expect(EpmdServer.start({ network: host })).rejects.toMatchObject({
      name: "EpmdError",
      code: "EPMD_PORT_TAKEN",
      message: expect.stringContaining("4369"),
      cause: { code: "TRANSPORT_ADDRESS_IN_USE" },
    });
  });

  test("on chosen addresses includes loopback, all on one port", async () => {
    const network = tcpNetwork();
    await using server = await EpmdServer.start({ network, tcpPort: 0, addresses: ["127.0.0.5"] });
    expect(server.hosts).toEqual(["127.0.0.5", "127.0.0.1"]);
    const client = new EpmdClient({ network, tcpPort: server.tcpPort });
    await using _held = await client.register("gandalf", 41234);
    expect(await client.names("127.0.0.5")).toEqual([{ name: "gandalf", tcpPort: 41234 }]);
    await expect(client.names("127.0.0.6")).rejects.toMatchObject({ code: "EPMD_UNREACHABLE" });
  });

  test.each([
    [["127.0.0.1", "127.0.0.1"], ["127.0.0.1"]],
    [["localhost"], ["127.0.0.1"]],
    [["0.0.0.0"], ["0.0.0.0"]],
  ])("on %j adds nothing", async (addresses, hosts) => {
    await using server = await EpmdServer.start({ network: tcpNetwork(), tcpPort: 0, addresses });
    expect(server.hosts).toEqual(hosts);
  });

  test("over TCP on all interfaces, and closing frees the port at once", async () => {
    const network = tcpNetwork();
    const server = await EpmdServer.start({ network, tcpPort: 0 });
    const { tcpPort } = server;
    const client = new EpmdClient({ network, tcpPort });
    const held = await client.register("gandalf", 41234);
    expect(await client.portPlease("gandalf", "localhost")).toMatchObject({ tcpPort: 41234 });
    await server.close();
    await held.lost;
    await using again = await EpmdServer.start({ network, tcpPort });
    expect(again.nodes()).toEqual([]);
  });
});
