import { describe, expect, test } from "vitest";
import { memoryPair } from "../../src/transport/memory.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import type { TransportReceiver } from "../../src/transport/transport.ts";
import { FakeClock } from "../support/fake-clock.ts";

function recorder() {
  const heard: string[] = [];
  const receiver: TransportReceiver = {
    data: (chunk) => heard.push(`data ${chunk.length}`),
    drain: () => heard.push("drain"),
    close: (error) => heard.push(`close ${error?.message ?? "in order"}`),
  };
  return { heard, receiver };
}

test.each([
  ["by default", {}, 1024 * 1024, 256 * 1024],
  ["with a high one given", { highWaterMarkBytes: 10 }, 10, 2],
  ["with both given", { highWaterMarkBytes: 10, lowWaterMarkBytes: 4 }, 10, 4],
])("the marks are kept to the byte %s", async (_, options, high, low) => {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ ...options, clock });
  const [here, there] = [recorder(), recorder()];
  ours.start(here.receiver);
  theirs.start(there.receiver);
  theirs.pause();
  expect(ours.write(Buffer.alloc(high))).toBe(true);
  expect(ours.write(Buffer.alloc(1))).toBe(false);
  expect(ours.write(Buffer.alloc(low))).toBe(false);
  expect(ours.bufferedBytes).toBe(high + 1 + low);
  await clock.settle();
  expect(there.heard).toEqual([]);
  theirs.resume();
  await clock.turn();
  expect(there.heard).toEqual([`data ${high}`]);
  expect(here.heard).toEqual([]);
  await clock.turn();
  expect(ours.bufferedBytes).toBe(low);
  expect(here.heard).toEqual(["drain"]);
  await clock.settle();
  expect(here.heard).toEqual(["drain"]);
});

test("written calls back when what was queued before has arrived", async () => {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock });
  const { heard, receiver } = recorder();
  theirs.start(receiver);
  ours.written(() => heard.push("nothing queued"));
  ours.write(Buffer.alloc(1));
  ours.written(() => heard.push("one"));
  ours.write(Buffer.alloc(2));
  ours.write(Buffer.alloc(3));
  ours.written(() => heard.push("all"));
  expect(heard).toEqual(["nothing queued"]);
  await clock.settle();
  expect(heard).toEqual(["nothing queued", "data 1", "one", "data 2", "data 3", "all"]);
});

test.each<[string, number | ((waiting: number) => number), number[]]>([
  ["of a size", 2, [2, 2, 1]],
  ["of at least one byte", 0, [1, 1, 1, 1, 1]],
  ["of whole bytes", 2.9, [2, 2, 1]],
  ["as a function of what waits says", (waiting) => waiting - 2, [3, 1, 1]],
])("chunks are cut %s", async (_, cut, sizes) => {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock, cut });
  const { heard, receiver } = recorder();
  theirs.start(receiver);
  ours.write(Buffer.alloc(5));
  await clock.settle();
  expect(heard).toEqual(sizes.map((size) => `data ${size}`));
});

test("each end knows its own address and the other's", () => {
  const [first, second] = memoryPair();
  expect([first.localAddress, first.remoteAddress]).toEqual(["memory:0", "memory:1"]);
  expect([second.localAddress, second.remoteAddress]).toEqual(["memory:1", "memory:0"]);
  const [named] = memoryPair({ addresses: ["here", "there"], handshakeLengthBytes: 4 });
  expect(named).toMatchObject({
    localAddress: "here",
    remoteAddress: "there",
    handshakeLengthBytes: 4,
  });
});

test("nothing is delivered to an end that was never started, nor lost", async () => {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock });
  theirs.resume();
  ours.write(Buffer.alloc(1));
  ours.write(new Uint8Array(0));
  await clock.settle();
  expect(ours.bufferedBytes).toBe(1);
  const { heard, receiver } = recorder();
  theirs.start(receiver);
  await clock.settle();
  expect(heard).toEqual(["data 1"]);
});

test("destroy drops what is queued, and tells its own end the first error", async () => {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock });
  const [here, there] = [recorder(), recorder()];
  ours.start(here.receiver);
  theirs.start(there.receiver);
  ours.write(Buffer.alloc(1));
  ours.destroy(new Error("first"));
  ours.destroy(new Error("second"));
  expect(ours.bufferedBytes).toBe(0);
  expect(ours.write(Buffer.alloc(1))).toBe(true);
  await clock.settle();
  expect([here.heard, there.heard]).toEqual([["close first"], ["close in order"]]);
});

describe("a memory network", () => {
  test("gives out free ports from 32768 on, and each of a range", async () => {
    const host = new MemoryNetwork().host("a");
    const listen = async (options: { tcpPort: number; tcpPortMax?: number }) =>
      (await host.listen(options, () => {})).tcpPort;
    expect(await listen({ tcpPort: 0 })).toBe(32_768);
    expect(await listen({ tcpPort: 0 })).toBe(32_769);
    const range = { tcpPort: 7, tcpPortMax: 8 };
    expect([await listen(range), await listen(range)]).toEqual([7, 8]);
    await expect(listen(range)).rejects.toMatchObject({ code: "TRANSPORT_ADDRESS_IN_USE" });
  });

  test("frees a port when its listener closes, and not when an older one does", async () => {
    const host = new MemoryNetwork().host("a");
    const older = await host.listen({ host: "127.0.0.1", tcpPort: 7 }, () => {});
    expect(older.host).toBe("127.0.0.1");
    await older.close();
    const newer = await host.listen({ tcpPort: 7 }, () => {});
    expect(newer.host).toBe("a");
    await older.close();
    await expect(host.connect({ host: "a", tcpPort: 7 })).resolves.toBeDefined();
  });

  test("ends an attempt that is aborted before, at once or behind a firewall", async () => {
    const clock = new FakeClock();
    const network = new MemoryNetwork({ clock });
    const host = network.host("a");
    await host.listen({ tcpPort: 7 }, () => {});
    network.silence("far");
    const cause = new Error("enough");
    const failure = { code: "TRANSPORT_ABORTED", cause };
    const early = host.connect({ host: "a", tcpPort: 7, signal: AbortSignal.abort(cause) });
    await expect(early).rejects.toMatchObject(failure);
    for (const name of ["a", "far"]) {
      const abort = new AbortController();
      const { signal } = abort;
      const attempt = host.connect({ host: name, tcpPort: 7, timeoutMs: 50, signal });
      const rejected = expect(attempt).rejects.toMatchObject(failure);
      abort.abort(cause);
      await clock.settle();
      await rejected;
      expect(clock.timerCount).toBe(0);
    }
  });

  test("shows each end the address that the other has for it", async () => {
    const network = new MemoryNetwork();
    const [a, b] = [network.host("a"), network.host("b")];
    const accepted: string[] = [];
    await b.listen({ tcpPort: 7 }, ({ localAddress, remoteAddress }) =>
      accepted.push(`${localAddress} from ${remoteAddress}`),
    );
    const remote = await a.connect({ host: "b", tcpPort: 7 });
    const local = await b.connect({ host: "::1", tcpPort: 7 });
    expect([remote.remoteAddress, local.remoteAddress]).toEqual(["b:7", "127.0.0.1:7"]);
    expect(accepted).toEqual([
      `b:7 from ${remote.localAddress}`,
      `127.0.0.1:7 from ${local.localAddress}`,
    ]);
    expect(remote.localAddress).toMatch(/^a:\d+$/);
    expect(local.localAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});
