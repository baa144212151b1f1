/**
 * The network of TCP: connects and listens. Only this file opens sockets.
 *
 * TCP_NODELAY is on, because a distribution connection exchanges small messages and gathers its own
 * writes. TCP keepalive is off: ticks, and the sockets that EPMD closes, show who is alive.
 */
import net from "node:net";
import { connectError, listenError, TransportError } from "./errors.ts";
import { addressText, SocketTransport } from "./socket.ts";
import type { ConnectOptions, Listener, ListenOptions, Network, Transport } from "./transport.ts";

/** Limits of the transports of a TCP network. */
export interface TcpOptions {
  /** `write` returns false while more bytes than this are queued. Default 1 MiB, as erl's `+zdbbl`. */
  highWaterMarkBytes?: number;
  /** `drain` is called when no more bytes than this are queued. Default a quarter of the high mark. */
  lowWaterMarkBytes?: number;
}

/** How long one of a host's addresses may take before the next is tried as well. */
const ADDRESS_ATTEMPT_MS = 1000;

/** Makes streams over TCP. */
export function tcpNetwork(options: TcpOptions = {}): Network {
  const high = options.highWaterMarkBytes ?? 1024 * 1024;
  const low = options.lowWaterMarkBytes ?? Math.floor(high / 4);
  const wrap = (socket: net.Socket) =>
    new SocketTransport(socket, {
      handshakeLengthBytes: 2,
      highWaterMarkBytes: high,
      lowWaterMarkBytes: low,
    });
  return {
    connect: (connectOptions) => connect(connectOptions, wrap),
    listen: (listenOptions, accept) =>
      listen(listenOptions, (socket) => {
        accept(wrap(socket));
      }),
  };
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
