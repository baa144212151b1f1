/**
 * Transports over TCP: the one importer of node:net.
 *
 * TCP_NODELAY is set, because a distribution connection is a conversation of small messages and
 * gathers its own writes; TCP keepalive is off, because ticks (and EPMD's closed sockets) say who
 * lives. A peer that ends its direction ends the stream, after what we queued was sent.
 */
import net from "node:net";
import { connectError, listenError, socketError } from "./tcp-errors.ts";
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  type Transport,
  TransportError,
  type TransportReceiver,
} from "./transport.ts";

export interface TcpOptions {
  /** `write` answers false while more bytes than this are queued. Default 1 MiB, as erl's `+zdbbl`. */
  highWaterMarkBytes?: number;
  /** `drain` is called when no more bytes than this are queued. Default a quarter of the high mark. */
  lowWaterMarkBytes?: number;
}

const NOTHING = new Uint8Array(0);

/** How long one of a host's addresses may take before the next is tried as well. */
const ADDRESS_ATTEMPT_MS = 1000;

export function tcpNetwork(options: TcpOptions = {}): Network {
  const high = options.highWaterMarkBytes ?? 1024 * 1024;
  const low = options.lowWaterMarkBytes ?? Math.floor(high / 4);
  const wrap = (socket: net.Socket) => new TcpTransport(socket, high, low);
  return {
    connect: (connectOptions) => connect(connectOptions, wrap),
    listen: (listenOptions, accept) =>
      listen(listenOptions, (socket) => {
        accept(wrap(socket));
      }),
  };
}

class TcpTransport implements Transport {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly handshakeLengthBytes = 2;
  readonly #socket: net.Socket;
  readonly #highWaterMark: number;
  readonly #lowWaterMark: number;
  readonly #written = () => this.#drainWhenLow();
  // Not made in `start`: there it would keep the first receiver for as long as the stream lives.
  readonly #data = (chunk: Buffer) => this.#receiver?.data(chunk);
  #receiver: TransportReceiver | undefined;
  #over = false;
  #closed = false;
  #error: Error | undefined;

  constructor(socket: net.Socket, highWaterMark: number, lowWaterMark: number) {
    this.#socket = socket;
    this.#highWaterMark = highWaterMark;
    this.#lowWaterMark = lowWaterMark;
    this.remoteAddress = addressText(socket.remoteAddress, socket.remotePort);
    this.localAddress = addressText(socket.localAddress, socket.localPort);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#error ??= socketError(error, this.remoteAddress);
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#receiver?.close(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(receiver: TransportReceiver): void {
    const first = this.#receiver === undefined;
    this.#receiver = receiver;
    if (this.#closed) {
      queueMicrotask(() => {
        if (this.#receiver === receiver) receiver.close(this.#error);
      });
      return;
    }
    if (first) this.#socket.on("data", this.#data);
    this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended()) return true;
    // A callback costs; it is needed only where the queue could come down through the low mark.
    const callback =
      this.#socket.writableLength + bytes.length > this.#lowWaterMark ? this.#written : undefined;
    this.#socket.write(bytes, callback);
    return this.#belowHighMark();
  }

  writeMany(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended()) return true;
    if (chunks.length === 1) return this.write(chunks[0]!);
    this.#socket.cork();
    for (const chunk of chunks) this.write(chunk);
    this.#socket.uncork();
    return this.#belowHighMark();
  }

  written(callback: () => void): void {
    if (this.#socket.writableLength === 0) callback();
    else if (!this.#ended()) this.#socket.write(NOTHING, (error) => error ?? callback());
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#receiver !== undefined) this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#socket.destroy();
  }

  #ended(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  #belowHighMark(): boolean {
    if (this.#socket.writableLength <= this.#highWaterMark) return true;
    this.#over = true;
    return false;
  }

  #drainWhenLow(): void {
    if (!this.#over || this.#socket.writableLength > this.#lowWaterMark) return;
    this.#over = false;
    if (!this.#socket.destroyed) this.#receiver?.drain();
  }
}

function connect(
  options: ConnectOptions,
  wrap: (socket: net.Socket) => Transport,
): Promise<Transport> {
  const { host, tcpPort, timeoutMs, signal } = options;
  const target = addressText(host, tcpPort);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortedError(target, signal));
      return;
    }
    const socket = net.connect({
      host,
      port: tcpPort,
      noDelay: true,
      keepAlive: false,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    });
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => fail(timeoutError(target, timeoutMs)), timeoutMs);
    const onAbort = () => fail(abortedError(target, signal!));
    const onError = (error: NodeJS.ErrnoException) => fail(connectError(error, host, tcpPort));
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const fail = (error: TransportError) => {
      settle();
      socket.destroy();
      reject(error);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    // Stays attached when `fail` destroys the socket, so that a late error meets a listener.
    socket.on("error", onError);
    socket.once("connect", () => {
      settle();
      const transport = wrap(socket);
      socket.off("error", onError);
      resolve(transport);
    });
  });
}

async function listen(
  options: ListenOptions,
  accept: (socket: net.Socket) => void,
): Promise<Listener> {
  const { host, tcpPort } = options;
  const last = Math.max(tcpPort, options.tcpPortMax ?? tcpPort);
  for (let candidate = tcpPort; ; candidate++) {
    const server = net.createServer({ pauseOnConnect: true, noDelay: true, keepAlive: false });
    server.on("connection", accept);
    try {
      await bind(server, host, candidate);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE" && candidate < last) continue;
      throw listenError(error as NodeJS.ErrnoException, host, tcpPort, last);
    }
    const address = server.address() as net.AddressInfo;
    return {
      host: address.address,
      tcpPort: address.port,
      close: () => closeServer(server),
    };
  }
}

function bind(server: net.Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Exclusive: workers of node:cluster would otherwise share one listening socket.
    const where = { port, exclusive: true };
    server.listen(host === undefined ? where : { ...where, host }, () => {
      server.off("error", reject);
      // An accept that fails (no file descriptor left) concerns that one caller.
      server.on("error", () => {});
      resolve();
    });
  });
}

/** The socket is free as soon as its handle is closed; `server.close` itself would wait for peers. */
function closeServer(server: net.Server): Promise<void> {
  if (server.listening) server.close();
  return new Promise((resolve) => setImmediate(resolve));
}

function timeoutError(target: string, timeoutMs: number): TransportError {
  return new TransportError(
    "TRANSPORT_TIMEOUT",
    `No answer from ${target} within ${timeoutMs} ms: a firewall may drop the packets, or the host is down. Check that the port is open there.`,
  );
}

function abortedError(target: string, signal: AbortSignal): TransportError {
  return new TransportError("TRANSPORT_ABORTED", `Connecting to ${target} was aborted.`, {
    cause: signal.reason,
  });
}

/** `192.0.2.1:4369`; an IPv4 address that came through an IPv6 socket is written as IPv4. */
function addressText(address: string | undefined, port: number | undefined): string {
  const host = (address ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port ?? 0}`;
}
