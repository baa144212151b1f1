/**
 * An EPMD server: what `epmd` does for the nodes of a host, within a Node.js program.
 *
 * Spec: erl_dist_protocol, "EPMD Protocol"; behaviour as tried on epmd of OTP 25, down to what it
 * answers and when it closes. It takes registrations and commands from its own host only. Left
 * out: systemd's socket activation, and epmd's simulated delays.
 */
import { type Clock, systemClock, type Timer } from "../transport/clock.ts";
import { TransportError } from "../transport/errors.ts";
import type { Listener, Network, Transport } from "../transport/transport.ts";
import { EPMD_PORT, EPMD_LOCAL_HOST as LOOPBACK } from "./client.ts";
import { EpmdError } from "./errors.ts";
import {
  EPMD_TAG,
  type EpmdRequest,
  encodeAlive2Response,
  encodeDumpResponse,
  encodeNamesResponse,
  encodePort2Response,
  highestVersionOf,
  MAX_REQUEST_BYTES,
  parseRequest,
} from "./messages.ts";
import { NameRegistry, type RegisteredNode } from "./registry.ts";

export interface EpmdServerOptions {
  network: Network;
  /** Default 4369; 0 takes any free port. */
  tcpPort?: number;
  /**
   * Addresses to listen on; loopback is added. Default: all interfaces. `epmdAddressesFromEnv`
   * reads ERL_EPMD_ADDRESS.
   */
  addresses?: readonly string[];
  /** Permits KILL_REQ while nodes are registered, and STOP_REQ. Default false. */
  relaxedCommandCheck?: boolean;
  /**
   * Connections served at a time, registered nodes included. Default 4,096. Other hosts have three
   * quarters of them: above that the oldest of theirs is closed, so that strangers who connect and say
   * nothing lock out neither the nodes of this host nor who asks from elsewhere.
   */
  maxConnections?: number;
  /** How long a connection without a registration may last. Default 60,000 ms, as epmd. */
  idleTimeoutMs?: number;
  clock?: Clock;
  /** Seconds of the calendar, from which creations are made. Default: the system's. */
  nowSeconds?: () => number;
}

/** Of all connections, how many may be those of other hosts. */
const REMOTE_SHARE = 3 / 4;
/** The creation epmd sends with a refusal. */
const REFUSED_CREATION = 99;

interface Connection {
  readonly transport: Transport;
  readonly descriptor: number;
  readonly local: boolean;
  readonly idle: Timer;
  received: Buffer;
  /** It asked to be registered, and was answered: it stays open, and says nothing more. */
  kept: boolean;
  /** The name it holds. */
  name: string | undefined;
}

export class EpmdServer implements AsyncDisposable {
  /** Resolves when the server has ended: `close` was called, or KILL_REQ permitted. */
  readonly closed: Promise<void>;
  readonly #relaxed: boolean;
  readonly #maxConnections: number;
  readonly #maxRemote: number;
  readonly #idleTimeoutMs: number;
  readonly #clock: Clock;
  readonly #nowSeconds: () => number;
  readonly #names = new NameRegistry();
  readonly #connections = new Map<number, Connection>();
  /** Those of other hosts, the oldest first. None of them is registered. */
  readonly #remote = new Set<Connection>();
  #listeners: Listener[] = [];
  #nextDescriptor = 1;
  #closing: Promise<void> | undefined;
  #reportClosed!: () => void;

  private constructor(options: EpmdServerOptions) {
    this.#relaxed = options.relaxedCommandCheck ?? false;
    this.#maxConnections = options.maxConnections ?? 4096;
    this.#maxRemote = Math.floor(this.#maxConnections * REMOTE_SHARE);
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#clock = options.clock ?? systemClock;
    this.#nowSeconds = options.nowSeconds ?? (() => Date.now() / 1000);
    this.closed = new Promise((resolve) => {
      this.#reportClosed = resolve;
    });
  }

  /** @throws EpmdError EPMD_PORT_TAKEN; TransportError TRANSPORT_ADDRESS_UNAVAILABLE */
  static async start(options: EpmdServerOptions): Promise<EpmdServer> {
    const server = new EpmdServer(options);
    try {
      for (const host of hostsToBind(options.addresses)) {
        // The first listener settles the port if any free one will do.
        const tcpPort = server.#listeners[0]?.tcpPort ?? options.tcpPort ?? EPMD_PORT;
        const where = host === undefined ? { tcpPort } : { tcpPort, host };
        const listener = await options.network.listen(where, (transport) =>
          server.#accept(transport),
        );
        server.#listeners.push(listener);
      }
    } catch (error) {
      await server.close();
      throw portTaken(error);
    }
    return server;
  }

  get tcpPort(): number {
    return this.#listeners[0]!.tcpPort;
  }

  /** The addresses listened on. */
  get hosts(): string[] {
    return this.#listeners.map((listener) => listener.host);
  }

  /** The nodes registered now, newest first. */
  nodes(): RegisteredNode[] {
    return this.#names.active();
  }

  /** Stops listening and ends every connection; registered nodes look for another EPMD. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const { transport, idle } of this.#connections.values()) {
      idle.cancel();
      transport.destroy();
    }
    this.#connections.clear();
    this.#remote.clear();
    this.#reportClosed();
  }

  #accept(transport: Transport): void {
    if (this.#connections.size >= this.#maxConnections || this.#closing !== undefined) {
      transport.destroy();
      return;
    }
    const connection: Connection = {
      transport,
      descriptor: this.#nextDescriptor++,
      local: isLocal(transport),
      idle: this.#clock.setTimer(this.#idleTimeoutMs, () => transport.destroy()),
      received: Buffer.alloc(0),
      kept: false,
      name: undefined,
    };
    this.#connections.set(connection.descriptor, connection);
    if (!connection.local) this.#addRemote(connection);
    transport.start({
      data: (chunk) => this.#onData(connection, chunk),
      drain() {},
      close: () => this.#forget(connection),
    });
  }

  #addRemote(connection: Connection): void {
    this.#remote.add(connection);
    if (this.#remote.size <= this.#maxRemote) return;
    const [oldest] = this.#remote;
    this.#forget(oldest!);
    oldest!.transport.destroy();
  }

  #forget(connection: Connection): void {
    connection.idle.cancel();
    this.#remote.delete(connection);
    this.#connections.delete(connection.descriptor);
    if (connection.name !== undefined) this.#names.unregister(connection.name);
    connection.name = undefined;
  }

  #onData(connection: Connection, chunk: Uint8Array): void {
    if (connection.kept) {
      // A registered node sends nothing; a client that does is not a node.
      this.#forget(connection);
      connection.transport.destroy();
      return;
    }
    const received = Buffer.concat([connection.received, chunk]);
    connection.received = received;
    if (received.length < 2) return;
    const length = received.readUInt16BE(0);
    if (length === 0 || length > MAX_REQUEST_BYTES || received.length > 2 + length) {
      connection.transport.destroy();
      return;
    }
    if (received.length < 2 + length) return;
    this.#onRequest(connection, received.subarray(2));
  }

  #onRequest(connection: Connection, bytes: Buffer): void {
    let request: EpmdRequest;
    try {
      request = parseRequest(bytes);
    } catch (error) {
      const unusableName = error instanceof EpmdError && error.code === "EPMD_NAME_INVALID";
      if (unusableName && bytes[0] === EPMD_TAG.ALIVE2_REQ && connection.local) {
        this.#keep(connection, undefined, highestVersionOf(bytes));
      } else {
        connection.transport.destroy();
      }
      return;
    }
    const reply = this.#reply(connection, request);
    if (connection.kept) return;
    if (reply !== undefined) connection.transport.write(reply);
    connection.transport.end();
  }

  /** What to answer before the connection is closed; undefined for nothing. */
  #reply(connection: Connection, request: EpmdRequest): Uint8Array | undefined {
    switch (request.type) {
      case "portPlease2":
        return encodePort2Response(this.#names.find(request.name));
      case "names":
        return encodeNamesResponse(this.tcpPort, this.nodes());
    }
    if (!connection.local) return undefined;
    switch (request.type) {
      case "alive2": {
        const { node } = request;
        const registered = this.#names.register(node, connection.descriptor, this.#nowSeconds());
        this.#keep(connection, registered, node.highestVersion);
        return undefined;
      }
      case "dump":
        return encodeDumpResponse(this.tcpPort, this.nodes(), this.#names.unused());
      case "kill":
        if (!this.#relaxed && this.nodes().length > 0) return Buffer.from("NO");
        this.#clock.defer(() => void this.close());
        return Buffer.from("OK");
      case "stop":
        return this.#relaxed ? Buffer.from(this.#stop(request.name)) : undefined;
    }
  }

  /** Answers a registration; its connection stays open even if it was refused, as epmd's does. */
  #keep(
    connection: Connection,
    registered: RegisteredNode | undefined,
    highestVersion: number,
  ): void {
    connection.kept = true;
    connection.name = registered?.name;
    connection.received = Buffer.alloc(0);
    if (registered !== undefined) connection.idle.cancel();
    const response = {
      result: registered === undefined ? 1 : 0,
      creation: registered?.creation ?? REFUSED_CREATION,
    };
    connection.transport.write(encodeAlive2Response(response, highestVersion));
  }

  #stop(name: string): string {
    const node = this.#names.find(name);
    if (node === undefined) return "NOEXIST";
    const connection = this.#connections.get(node.descriptor)!;
    this.#forget(connection);
    connection.transport.destroy();
    return "STOPPED";
  }
}

/**
 * As epmd binds: everything, or what was asked for and 127.0.0.1, where the nodes of the host
 * register.
 */
function hostsToBind(addresses: readonly string[] | undefined): (string | undefined)[] {
  if (addresses === undefined || addresses.length === 0) return [undefined];
  const hosts = [...new Set(addresses.map((host) => (host === "localhost" ? LOOPBACK : host)))];
  const included = [LOOPBACK, "0.0.0.0", "::"].some((host) => hosts.includes(host));
  return included ? hosts : [...hosts, LOOPBACK];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Whether the peer is on our host: it comes over loopback, or from the address it goes to. */
function isLocal(transport: Transport): boolean {
  const theirs = hostPart(transport.remoteAddress);
  return isLoopback(theirs) || theirs === hostPart(transport.localAddress);
}

/** `192.0.2.1` of `192.0.2.1:4369`, `::1` of `[::1]:4369`. */
function hostPart(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function portTaken(error: unknown): unknown {
  if (!(error instanceof TransportError) || error.code !== "TRANSPORT_ADDRESS_IN_USE") return error;
  return new EpmdError(
    "EPMD_PORT_TAKEN",
    `EPMD cannot be served: ${error.message} It may be another EPMD, which will do.`,
    { cause: error },
  );
}
