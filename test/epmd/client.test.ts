import { describe, expect, test } from "vitest";
import { EpmdClient } from "../../src/epmd/client.ts";
import { encodePort2Response, parseRequest } from "../../src/epmd/messages.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { ScriptedPeer } from "../support/scripted-peer.ts";

/** A host whose port 4369 is in the hands of the test. */
async function scripted(options: { clock?: FakeClock; cut?: number } = {}) {
  const network = new MemoryNetwork(options);
  const host = network.host("vm");
  const peers: ScriptedPeer[] = [];
  let arrived = () => {};
  await host.listen({ tcpPort: 4369 }, (transport) => {
    peers.push(new ScriptedPeer(transport));
    arrived();
  });
  const client = new EpmdClient({ network: host, ...options });
  const next = async () => {
    while (peers.length === 0) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
    return peers.shift()!;
  };
  return { network, client, next };
}

const code = (expected: string) => ({ name: "EpmdError", code: expected });

describe("register", () => {
  test("holds the connection, and tells when EPMD ends it", async () => {
    const { client, next } = await scripted({ cut: 1 });
    const registering = client.register("gandalf", 41234, { hidden: true });
    const peer = await next();
    const length = (await peer.read(2)).readUInt16BE();
    expect(parseRequest(await peer.read(length))).toEqual({
      type: "alive2",
      node: {
        name: "gandalf",
        tcpPort: 41234,
        nodeType: 72,
        protocol: 0,
        highestVersion: 6,
        lowestVersion: 5,
        extra: Buffer.alloc(0),
      },
    });
    peer.say(Buffer.from("76006b03de3e", "hex"));
    const registration = await registering;
    expect(registration).toMatchObject({ name: "gandalf", tcpPort: 41234, creation: 0x6b03de3e });
    expect(peer.closed).toBe(false);
    peer.transport.destroy();
    expect(await registration.lost).toMatchObject(code("EPMD_CLOSED"));
  });

  test("gives the name back by closing, which is no loss", async () => {
    const { client, next } = await scripted();
    const registering = client.register("gandalf", 41234);
    const peer = await next();
    peer.say(Buffer.from("79000003", "hex"));
    const registration = await registering;
    expect(registration.creation).toBe(3);
    let lost = false;
    void registration.lost.then(() => {
      lost = true;
    });
    await registration.close();
    await peer.untilClosed();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lost).toBe(false);
  });

  test("says that a name is taken", async () => {
    const { client, next } = await scripted();
    const registering = client.register("gandalf", 41234);
    const rejected = expect(registering).rejects.toMatchObject({
      ...code("EPMD_NAME_TAKEN"),
      message: expect.stringContaining('"gandalf"'),
    });
    const peer = await next();
    peer.say(Buffer.from("760100000063", "hex"));
    await rejected;
    await peer.untilClosed();
  });

  test("refuses a name that cannot be one before it connects", async () => {
    const { client } = await scripted();
    await expect(client.register("", 1)).rejects.toMatchObject(code("EPMD_NAME_INVALID"));
  });
});

describe("portPlease", () => {
  const node = {
    name: "bilbo",
    tcpPort: 5000,
    nodeType: 77,
    protocol: 0,
    highestVersion: 6,
    lowestVersion: 5,
    extra: Buffer.alloc(0),
  };

  test.each([1, 3, 1000])("gets what EPMD knows (chunks of %i)", async (cut) => {
    const { client, next } = await scripted({ cut });
    const asking = client.portPlease("bilbo", "vm");
    const peer = await next();
    expect((await peer.read(8)).toString("latin1")).toBe("\0\x06zbilbo");
    peer.say(encodePort2Response(node));
    expect(await asking).toEqual(node);
    await peer.untilClosed();
  });

  test.each([
    ["a name nobody has", "\x77\x01", "EPMD_NAME_UNKNOWN"],
    ["an end instead of an answer", "", "EPMD_REFUSED"],
    ["an answer cut short", "\x77\0\x13", "EPMD_REFUSED"],
    ["something that is no EPMD", "HTTP/1.1 400", "EPMD_BAD_REPLY"],
  ])("%s", async (_what, reply, expected) => {
    const { client, next } = await scripted();
    const asking = client.portPlease("bilbo", "vm");
    const rejected = expect(asking).rejects.toMatchObject(code(expected));
    const peer = await next();
    peer.say(reply);
    peer.transport.end();
    await rejected;
  });
});

test("names and dump are read to the end of the connection", async () => {
  const { client, next } = await scripted({ cut: 3 });
  const names = client.names("vm");
  let peer = await next();
  peer.say("\0\0\x11\x11name a at port 1\nname b", " at port 2\n");
  peer.transport.end();
  expect(await names).toEqual([
    { name: "a", tcpPort: 1 },
    { name: "b", tcpPort: 2 },
  ]);
  const dump = client.dump();
  peer = await next();
  peer.say("\0\0\x11\x11active name     <a> at port 1, fd = 5\n\0");
  peer.transport.end();
  expect(await dump).toBe("active name     <a> at port 1, fd = 5\n");
});

test("a list of names without an end is cut off", async () => {
  const { client, next } = await scripted();
  const names = client.names("vm");
  const rejected = expect(names).rejects.toMatchObject(code("EPMD_BAD_REPLY"));
  const peer = await next();
  peer.say("\0\0\x11\x11", Buffer.alloc(1024 * 1024, 0x61));
  await rejected;
  await peer.untilClosed();
});

test("kill and stop say whether it was done, and that it was not permitted", async () => {
  const { client, next } = await scripted();
  const answer = async (reply: string) => {
    const peer = await next();
    peer.say(reply);
    peer.transport.end();
  };
  const outcomes = [];
  for (const [ask, reply] of [
    [() => client.kill(), "OK"],
    [() => client.kill(), "NO"],
    [() => client.stop("a"), "STOPPED"],
    [() => client.stop("a"), "NOEXIST"],
  ] as const) {
    const asking = ask();
    await answer(reply);
    outcomes.push(await asking);
  }
  expect(outcomes).toEqual([true, false, true, false]);
  const refused = client.stop("a");
  const rejected = expect(refused).rejects.toMatchObject({
    ...code("EPMD_REFUSED"),
    message: expect.stringContaining("-relaxed_command_check"),
  });
  await answer("");
  await rejected;
});

describe("what keeps EPMD from answering", () => {
  test("nobody listens, or the host is not known", async () => {
    const { client, network } = await scripted();
    network.host("empty");
    await expect(client.names("empty")).rejects.toMatchObject({
      ...code("EPMD_UNREACHABLE"),
      message: expect.stringContaining("empty:4369"),
      cause: expect.objectContaining({ code: "TRANSPORT_REFUSED" }),
    });
    await expect(client.names("nowhere")).rejects.toMatchObject(code("EPMD_HOST_UNKNOWN"));
  });

  test("it is silent, before or behind the connection", async () => {
    const clock = new FakeClock();
    const { client, network, next } = await scripted({ clock });
    const asking = client.names("vm");
    const rejected = expect(asking).rejects.toMatchObject({
      ...code("EPMD_TIMEOUT"),
      message: expect.stringContaining("10000 ms"),
    });
    await clock.advance(9999);
    const peer = await next();
    expect(peer.closed).toBe(false);
    await clock.advance(1);
    await rejected;
    await clock.settle();
    expect(peer.closed).toBe(true);
    network.silence("far");
    const far = client.names("far", { timeoutMs: 50 });
    const rejectedFar = expect(far).rejects.toMatchObject(code("EPMD_TIMEOUT"));
    await clock.advance(50);
    await rejectedFar;
    expect(clock.timerCount).toBe(0);
  });

  test("the caller gave up", async () => {
    const { client, next } = await scripted();
    const reason = new Error("enough");
    const abort = new AbortController();
    const asking = client.names("vm", { signal: abort.signal });
    const rejected = expect(asking).rejects.toMatchObject({
      ...code("EPMD_ABORTED"),
      cause: reason,
    });
    const peer = await next();
    await peer.read(3);
    abort.abort(reason);
    await rejected;
    await peer.untilClosed();
    await expect(client.names("vm", { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      ...code("EPMD_ABORTED"),
      cause: reason,
    });
  });
});
