/** What a TCP transport asks of its socket: options, the marks of its queue, and addresses. */
import { EventEmitter } from "node:events";
import net from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { tcpNetwork } from "../../src/transport/tcp.ts";
import type { Transport, TransportReceiver } from "../../src/transport/transport.ts";

/** A socket whose queue the test fills and empties. */
class FakeSocket extends EventEmitter {
  remoteAddress: string | undefined = "192.0.2.1";
  remotePort: number | undefined = 7;
  localAddress: string | undefined = "192.0.2.2";
  localPort: number | undefined = 8;
  writableLength = 0;
  writableEnded = false;
  destroyed = false;
  readonly calls: string[] = [];
  /** Of each write: its bytes, and whether its end is reported. */
  readonly writes: { bytes: number; done: ((error?: Error) => void) | undefined }[] = [];

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    this.writes.push({ bytes: bytes.length, done });
    this.writableLength += bytes.length;
    return true;
  }
  /** The operating system takes the oldest write. */
  flush(error?: Error): void {
    const { bytes, done } = this.writes.shift()!;
    this.writableLength -= bytes;
    done?.(error);
  }
  pause = () => this.calls.push("pause");
  resume = () => this.calls.push("resume");
  cork = () => this.calls.push("cork");
  uncork = () => this.calls.push("uncork");
  end = () => {
    this.calls.push("end");
    this.writableEnded = true;
  };
  destroy = () => {
    this.calls.push("destroy");
    this.destroyed = true;
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

async function connected(
  options = {},
  socket = new FakeSocket(),
): Promise<{ socket: FakeSocket; transport: Transport }> {
  vi.spyOn(net, "connect").mockReturnValue(socket as unknown as net.Socket);
  const connecting = tcpNetwork(options).connect({ host: "far.example", tcpPort: 7 });
  socket.emit("connect");
  return { socket, transport: await connecting };
}

function recorder() {
  const heard: string[] = [];
  const receiver: TransportReceiver = {
    data: (chunk) => heard.push(`data ${chunk.length}`),
    drain: () => heard.push("drain"),
    close: (error) => heard.push(`close ${error?.message ?? "in order"}`),
  };
  return { heard, receiver };
}

test("sockets send small messages at once, and TCP does not probe the peer", async () => {
  const connect = vi.spyOn(net, "connect");
  const createServer = vi.spyOn(net, "createServer");
  const network = tcpNetwork();
  const listener = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, (transport) =>
    transport.destroy(),
  );
  const { tcpPort } = listener;
  const transport = await network.connect({ host: "127.0.0.1", tcpPort });
  expect(connect.mock.calls).toEqual([
    [
      {
        host: "127.0.0.1",
        port: tcpPort,
        noDelay: true,
        keepAlive: false,
        autoSelectFamilyAttemptTimeout: 1000,
      },
    ],
  ]);
  expect(createServer.mock.calls).toEqual([
    [{ pauseOnConnect: true, noDelay: true, keepAlive: false }],
  ]);
  transport.destroy();
  await listener.close();
});

describe("the marks", () => {
  test.each([
    ["by default", {}, 1024 * 1024, 256 * 1024],
    ["with a high one given", { highWaterMarkBytes: 10 }, 10, 2],
    ["with both given", { highWaterMarkBytes: 10, lowWaterMarkBytes: 4 }, 10, 4],
  ])("are kept to the byte %s", async (_, options, high, low) => {
    const { socket, transport } = await connected(options);
    const { heard, receiver } = recorder();
    transport.start(receiver);
    expect(transport.write(Buffer.alloc(low))).toBe(true);
    expect(socket.writes[0]!.done).toBeUndefined();
    expect(transport.write(Buffer.alloc(high - low - 1))).toBe(true);
    expect(transport.write(Buffer.alloc(1))).toBe(true);
    expect(transport.bufferedBytes).toBe(high);
    expect(transport.write(Buffer.alloc(1))).toBe(false);
    expect(transport.write(Buffer.alloc(low))).toBe(false);
    socket.flush();
    socket.flush();
    socket.flush();
    expect(transport.bufferedBytes).toBe(low + 1);
    expect(heard).toEqual([]);
    socket.flush();
    expect(transport.bufferedBytes).toBe(low);
    expect(heard).toEqual(["drain"]);
    socket.flush();
    expect(heard).toEqual(["drain"]);
  });

  test("count what was written in one go", async () => {
    const { socket, transport } = await connected({ highWaterMarkBytes: 10 });
    const { heard, receiver } = recorder();
    transport.start(receiver);
    expect(transport.writeMany([Buffer.alloc(4), Buffer.alloc(6)])).toBe(true);
    expect(transport.writeMany([Buffer.alloc(1)])).toBe(false);
    expect(socket.calls).toEqual(["resume", "cork", "uncork"]);
    for (let left = 3; left > 0; left--) socket.flush();
    expect(heard).toEqual(["drain"]);
  });

  test("are not reported once the socket is destroyed", async () => {
    const { socket, transport } = await connected({ highWaterMarkBytes: 10 });
    const { heard, receiver } = recorder();
    transport.start(receiver);
    expect(transport.write(Buffer.alloc(11))).toBe(false);
    transport.destroy();
    socket.flush(new Error("destroyed"));
    expect(heard).toEqual([]);
  });
});

test("written calls back when what was queued has been taken, and not after an error", async () => {
  const { socket, transport } = await connected();
  const done: string[] = [];
  transport.written(() => done.push("nothing queued"));
  expect(done).toEqual(["nothing queued"]);
  transport.write(Buffer.alloc(5));
  transport.written(() => done.push("taken"));
  socket.flush();
  expect(done).toEqual(["nothing queued"]);
  socket.flush();
  expect(done).toEqual(["nothing queued", "taken"]);
  transport.write(Buffer.alloc(5));
  transport.written(() => done.push("never"));
  socket.flush(new Error("broken"));
  socket.flush(new Error("broken"));
  transport.write(Buffer.alloc(5));
  transport.end();
  transport.written(() => done.push("never"));
  expect(socket.writes).toHaveLength(1);
  expect(done).toEqual(["nothing queued", "taken"]);
});

test("nothing is written after the end or after destroy", async () => {
  for (const end of ["end", "destroy"] as const) {
    const { socket, transport } = await connected();
    transport[end]();
    expect(transport.write(Buffer.alloc(1))).toBe(true);
    expect(transport.writeMany([Buffer.alloc(1), Buffer.alloc(1)])).toBe(true);
    expect({ writes: socket.writes, calls: socket.calls }).toEqual({ writes: [], calls: [end] });
  }
});

test("bytes flow from start on, to the receiver that was named last", async () => {
  const { socket, transport } = await connected();
  transport.resume();
  expect(socket.calls).toEqual([]);
  const [first, second] = [recorder(), recorder()];
  transport.start(first.receiver);
  transport.pause();
  transport.resume();
  transport.start(second.receiver);
  expect(socket.calls).toEqual(["resume", "pause", "resume", "resume"]);
  socket.emit("data", Buffer.alloc(3));
  expect([first.heard, second.heard]).toEqual([[], ["data 3"]]);
});

test("the first of several errors is the one reported, to a late receiver too", async () => {
  const { socket, transport } = await connected();
  transport.destroy(new Error("first"));
  transport.destroy(new Error("second"));
  socket.emit("error", new Error("third"));
  socket.emit("close");
  const { heard, receiver } = recorder();
  const replaced = recorder();
  transport.start(replaced.receiver);
  transport.start(receiver);
  expect(heard).toEqual([]);
  await Promise.resolve();
  expect(heard).toEqual(["close first"]);
  expect(replaced.heard).toEqual([]);
  const { length } = socket.calls;
  transport.destroy(new Error("late"));
  expect(socket.calls).toHaveLength(length);
});

test.each([
  ["192.0.2.1", 7, "192.0.2.1:7"],
  ["::1", 7, "[::1]:7"],
  ["::ffff:192.0.2.1", 7, "192.0.2.1:7"],
  ["::ffff:c000:201", 7, "[::ffff:c000:201]:7"],
  [undefined, undefined, "unknown:0"],
])("the address %s is shown as such", async (address, port, shown) => {
  const socket = new FakeSocket();
  socket.remoteAddress = address;
  socket.remotePort = port;
  const { transport } = await connected({}, socket);
  expect(transport.remoteAddress).toBe(shown);
});

describe("an attempt to connect", () => {
  test("that fails destroys its socket, forgets its timer and the signal, and hears late errors", async () => {
    const socket = new FakeSocket();
    vi.spyOn(net, "connect").mockReturnValue(socket as unknown as net.Socket);
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const timers = vi.spyOn(globalThis, "clearTimeout");
    const options = { host: "far.example", tcpPort: 7, timeoutMs: 10_000, signal };
    const connecting = tcpNetwork().connect(options);
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    socket.emit("error", cause);
    await expect(connecting).rejects.toMatchObject({ code: "TRANSPORT_REFUSED", cause });
    expect(socket.calls).toEqual(["destroy"]);
    expect(removed).toHaveBeenCalledOnce();
    expect(timers).toHaveBeenCalledOnce();
    socket.emit("error", new Error("late"));
  });

  test("ends with a time-out of its own", async () => {
    vi.useFakeTimers();
    try {
      const socket = new FakeSocket();
      vi.spyOn(net, "connect").mockReturnValue(socket as unknown as net.Socket);
      const connecting = tcpNetwork().connect({ host: "::1", tcpPort: 7, timeoutMs: 50 });
      const rejected = expect(connecting).rejects.toMatchObject({
        code: "TRANSPORT_TIMEOUT",
        message: expect.stringContaining("[::1]:7 within 50 ms"),
      });
      await vi.advanceTimersByTimeAsync(49);
      expect(socket.calls).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      await rejected;
      expect(socket.calls).toEqual(["destroy"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

test("a server has its port for itself, on one address or on all, and outlives a failed accept", async () => {
  const listen = vi.spyOn(net.Server.prototype, "listen");
  const createServer = vi.spyOn(net, "createServer");
  const network = tcpNetwork();
  for (const [options, where] of [
    [{ tcpPort: 0 }, { port: 0, exclusive: true }],
    [
      { host: "127.0.0.1", tcpPort: 0 },
      { port: 0, exclusive: true, host: "127.0.0.1" },
    ],
  ] as const) {
    const listener = await network.listen(options, () => {});
    expect(listen.mock.lastCall![0]).toEqual(where);
    const server = createServer.mock.results.at(-1)!.value as net.Server;
    expect(() => server.emit("error", new Error("no file descriptor left"))).not.toThrow();
    await listener.close();
    await listener.close();
    expect(server.listening).toBe(false);
  }
});

test("a range of one taken port does not reach for the next port", async () => {
  const network = tcpNetwork();
  const taken = await network.listen({ host: "127.0.0.1", tcpPort: 0 }, () => {});
  const { tcpPort } = taken;
  for (const tcpPortMax of [undefined, tcpPort, tcpPort - 1]) {
    const range = {
      host: "127.0.0.1",
      tcpPort,
      ...(tcpPortMax === undefined ? {} : { tcpPortMax }),
    };
    await expect(network.listen(range, () => {})).rejects.toMatchObject({
      code: "TRANSPORT_ADDRESS_IN_USE",
    });
  }
  await taken.close();
});
