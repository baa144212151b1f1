/**
 * Connections to other nodes: made on the first signal to a node, accepted from nodes that
 * connect, one for each pair.
 *
 * Simultaneous connects resolve as erl_dist_protocol says ("Distribution Handshake",
 * send_status): of two attempts at once that of the node with the greater name goes on. A peer
 * that connects anew although a connection is up takes its place (`alive`, then `true`): it
 * knows better that the old one is dead.
 *
 *   no peer --signal, connect--> connecting --handshake done--> up --closed--> no peer
 *      \--its send_name--> expected --handshake done------------/
 *                             \--failed--> connecting if a signal waits, else no peer
 */
import { randomBytes } from "node:crypto";
import type { Atom, TermDecoder } from "../../etf/index.ts";
import { atom } from "../../etf/index.ts";
import { Connection, type ConnectionLimits } from "../distribution/connection.ts";
import type { ControlMessage } from "../distribution/control.ts";
import type { ConnectionClosedError, DistProtocolError } from "../distribution/errors.ts";
import { DFLAG } from "../distribution/flags.ts";
import type { Payload } from "../distribution/payload.ts";
import type { AcceptStatus, GivenName, HandshakeResult } from "../handshake/drive.ts";
import { accept, initiate } from "../handshake/drive.ts";
import { HandshakeError } from "../handshake/errors.ts";
import type { Clock } from "../transport/clock.ts";
import { type Deferred, deferred } from "../transport/deferred.ts";
import type { Network, Transport } from "../transport/transport.ts";
import { NodeError } from "./errors.ts";
import { NamePool } from "./name-pool.ts";
import { checkPeerName, type NodeName } from "./names.ts";
import { Peer } from "./peer.ts";
import type { ThisNode } from "./this-node.ts";

/** Where a node listens. */
export interface PeerAddress {
  host: string;
  tcpPort: number;
}

export interface PeersOptions extends ConnectionLimits {
  self: ThisNode;
  flags: bigint;
  network: Network;
  clock: Clock;
  netTickTimeMs: number;
  netTickIntensity: number;
  /** Reads what peers send. */
  decoder: TermDecoder;
  /** Bytes in fragments of a peer's unfinished messages. */
  maxFragmentedBytes: number;
  /** Limit for a whole connection set-up: look-up, connect, handshake. */
  netSetupTimeMs: number;
  /** Who is connected to by itself, by a signal. Default everybody, always. */
  distAutoConnect?: DistAutoConnect | undefined;
  cookieFor(peer: string): string;
  /** Asks the peer's EPMD. */
  lookUp(peer: NodeName, signal: AbortSignal): Promise<PeerAddress>;
}

/**
 * As OTP's kernel parameter dist_auto_connect. `never`: no node is connected to by itself; `once`:
 * a node that has been connected and went down is not. `connect` does it in either case, and so
 * does the peer.
 */
export type DistAutoConnect = "never" | "once";

/** Told of what happens on connections, in order. */
export interface PeersHandler {
  control(peer: Peer, message: ControlMessage, payload: Payload): void;
  up(peer: Peer): void;
  /** Somebody connected to us and did not get through the handshake. */
  rejected(error: Error): void;
  /** The node has got a name from a peer, or lost that name. */
  renamed(): void;
  /** The peer was never reached. */
  failed(peer: Peer, error: Error): void;
  /** The peer is gone. */
  down(peer: Peer, error: ConnectionClosedError | DistProtocolError): void;
}

/** One of two attempts between a pair has given way to the other. */
const GAVE_WAY: ReadonlySet<string> = new Set(["HS_NOK", "HS_ALIVE"]);

/** A connection that is to come about. */
interface Attempt {
  readonly abort: AbortController;
  readonly done: Deferred<Connection>;
  /** Whose attempt it is. While the peer's own is under way, ours would only be in its way. */
  by: "us" | "peer";
  /** Somebody here needs the connection: if the peer's attempt comes to nothing, ours begins. */
  wanted: boolean;
  /** Asked for by name, and not by a signal on its way: dist_auto_connect is no obstacle. */
  explicit: boolean;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #handler: PeersHandler;
  readonly #peers = new Map<Atom, Peer>();
  readonly #attempts = new Map<Peer, Attempt>();
  /** Nodes that have been connected and went down, with dist_auto_connect `once`. */
  readonly #barred = new Set<Atom>();
  readonly #accepting = new Set<AbortController>();
  readonly #open = new Set<Promise<void>>();
  readonly #names = new NamePool(() => randomBytes(8).readBigUInt64BE());
  /** The attempt that is to name this node; the others wait for it. */
  #naming: Attempt | undefined;
  /** The peer that has named this node. */
  #namedBy: Peer | undefined;
  #stopped = false;

  constructor(options: PeersOptions, handler: PeersHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  /** The nodes connected now. */
  connected(): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.connection !== undefined);
  }

  /** The nodes connected, and those being connected to. */
  all(): Iterable<Peer> {
    return this.#peers.values();
  }

  get limits(): ConnectionLimits {
    return this.#options;
  }

  get(name: Atom): Peer | undefined {
    return this.#peers.get(name);
  }

  /** The peer of that name, with a connection attempt under way if there was no connection. */
  reach(name: Atom): Peer {
    const known = this.#peers.get(name);
    if (known === undefined) {
      const peer = this.#expect(name, "us");
      void this.#connect(peer, this.#attempts.get(peer)!);
      return peer;
    }
    const attempt = this.#attempts.get(known);
    if (attempt !== undefined) attempt.wanted = true;
    return known;
  }

  /**
   * Resolves when the connection to that node is up.
   * @throws NodeError, EpmdError, TransportError, HandshakeError, or the signal's reason
   */
  connect(name: Atom, signal?: AbortSignal): Promise<Connection> {
    return this.#connected(name, true, signal);
  }

  /**
   * As `connect`, as far as signals connect by themselves.
   * @throws NodeError NODE_NO_AUTO_CONNECT, and what `connect` throws
   */
  autoConnect(name: Atom, signal?: AbortSignal): Promise<Connection> {
    return this.#connected(name, false, signal);
  }

  async #connected(name: Atom, explicit: boolean, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    const peer = this.reach(name);
    if (peer.connection !== undefined) return peer.connection;
    const pending = this.#attempts.get(peer)!;
    if (explicit) pending.explicit = true;
    const attempt = pending.done.promise;
    if (signal === undefined) return attempt;
    const aborted = deferred<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([attempt, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Returns whether there was a connection to end. */
  disconnect(name: Atom): boolean {
    const connection = this.#peers.get(name)?.connection;
    connection?.disconnect();
    return connection !== undefined;
  }

  /** A node has connected to us. */
  async accept(transport: Transport): Promise<void> {
    if (this.#stopped) {
      transport.destroy();
      return;
    }
    const abort = new AbortController();
    this.#accepting.add(abort);
    const { self } = this.#options;
    let expected: Peer | undefined;
    let given: GivenName | undefined;
    try {
      const result = await accept(
        transport,
        {
          ownName: self.name,
          flags: this.#options.flags,
          creation: self.creation,
          cookieFor: (peer) => this.#options.cookieFor(peer),
          nameMaker: (host) => {
            given = this.#stopped ? undefined : this.#freeName(host);
            return given;
          },
          decide: (peer) => {
            const status = this.#decide(peer);
            if (status === "ok") expected = this.#peers.get(atom(peer));
            return status;
          },
          oldConnectionGone: async (peer) => {
            this.disconnect(atom(peer));
          },
        },
        {
          clock: this.#options.clock,
          timeoutMs: this.#options.netSetupTimeMs,
          signal: abort.signal,
        },
      );
      this.#accepted(transport, result, given);
    } catch (error) {
      // The driver has closed the stream; the end of a stopped node's is no news, nor is an
      // attempt that gives way to another between the two.
      const gaveWay = error instanceof HandshakeError && GAVE_WAY.has(error.code);
      if (!this.#stopped && !gaveWay) this.#handler.rejected(error as Error);
      if (given !== undefined) this.#names.giveBack(given);
      if (expected !== undefined) this.#notComing(expected, error as Error);
    } finally {
      this.#accepting.delete(abort);
    }
  }

  /** Ends every connection and attempt; resolves when their sockets are closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const abort of this.#accepting) abort.abort(stoppedError());
    for (const attempt of [...this.#attempts.values()]) attempt.abort.abort(stoppedError());
    for (const peer of this.connected()) peer.connection?.disconnect();
    await Promise.all(this.#open);
  }

  async #connect(peer: Peer, attempt: Attempt): Promise<void> {
    const { clock, netSetupTimeMs, network, self } = this.#options;
    const timer = clock.setTimer(netSetupTimeMs, () => attempt.abort.abort(setupTimeError(peer)));
    const signal = attempt.abort.signal;
    try {
      // Whoever needs the peer has yet to tie something to it; it must not be gone before.
      await undefined;
      if (this.#stopped) throw stoppedError();
      const name = checkPeerName(peer.name.name, self.given);
      if (name === self.name) {
        throw new NodeError("NODE_CONNECT_SELF", `${name} is the node itself.`);
      }
      if (!attempt.explicit) this.#checkAutoConnect(peer);
      const naming = await this.#turnToBeNamed(attempt);
      const address = await this.#options.lookUp(name, signal);
      const transport = await network.connect({ ...address, signal });
      const result = await initiate(
        transport,
        {
          ...(naming
            ? { ownName: self.dynamicHost!, flags: this.#options.flags | DFLAG.NAME_ME }
            : { ownName: self.name, flags: this.#options.flags }),
          peerName: name,
          creation: self.creation,
          cookie: this.#options.cookieFor(name),
          replyToAlive: () => peer.connection === undefined,
        },
        { clock, timeoutMs: netSetupTimeMs, signal },
      );
      timer.cancel();
      // Overtaken: the peer's own attempt got through while ours was on its way.
      if (signal.aborted || peer.connection !== undefined) {
        transport.destroy();
        return;
      }
      if (naming) this.#named(peer, result);
      this.#established(peer, transport, result);
    } catch (error) {
      if (peer.connection !== undefined) {
        timer.cancel();
      } else if (error instanceof HandshakeError && error.code === "HS_NOK" && !signal.aborted) {
        // The peer's own attempt goes on instead of ours: it ends this one, or the timer does.
        signal.addEventListener("abort", () => {
          timer.cancel();
          this.#failed(peer, attempt, signal.reason);
        });
      } else {
        timer.cancel();
        this.#failed(peer, attempt, signal.aborted ? signal.reason : error);
      }
    }
  }

  /** A name for a node that asks for one, which no peer has. */
  #freeName(host: string): GivenName | undefined {
    for (;;) {
      const given = this.#names.take(host);
      if (given === undefined || !this.#peers.has(atom(given.name))) return given;
    }
  }

  /** Whether this attempt is to name the node; resolves when no other one is. */
  async #turnToBeNamed(attempt: Attempt): Promise<boolean> {
    const { self } = this.#options;
    while (self.unnamed && this.#naming !== undefined) {
      await this.#naming.done.promise.catch(() => {});
    }
    attempt.abort.signal.throwIfAborted();
    if (!self.unnamed) return false;
    this.#naming = attempt;
    const over = (): void => {
      this.#naming = undefined;
    };
    attempt.done.promise.then(over, over);
    return true;
  }

  #named(peer: Peer, { ownName, ownCreation }: HandshakeResult): void {
    this.#namedBy = peer;
    this.#options.self.rename(ownName, ownCreation);
    this.#handler.renamed();
  }

  /** The connection is gone that gave this node its name, and with the name all others go. */
  #unnamed(error: Error): void {
    this.#namedBy = undefined;
    for (const attempt of this.#attempts.values()) attempt.abort.abort(error);
    for (const peer of this.connected()) peer.connection?.disconnect();
    this.#options.self.unname();
    this.#handler.renamed();
  }

  #failed(peer: Peer, attempt: Attempt, error: Error): void {
    if (this.#attempts.get(peer) !== attempt) return;
    this.#attempts.delete(peer);
    this.#peers.delete(peer.name);
    attempt.done.reject(error);
    this.#handler.failed(peer, error);
  }

  #checkAutoConnect({ name }: Peer): void {
    const { distAutoConnect } = this.#options;
    if (distAutoConnect !== "never" && !this.#barred.has(name)) return;
    throw new NodeError(
      "NODE_NO_AUTO_CONNECT",
      `There is no connection to ${name.name}, and none is made by itself (distAutoConnect is ${distAutoConnect}). Connect to it by name: connect.`,
    );
  }

  #decide(peerName: string): AcceptStatus {
    const ownName = this.#options.self.name;
    if (this.#stopped || peerName === ownName) return "not_allowed";
    const name = atom(peerName);
    const peer = this.#peers.get(name) ?? this.#expect(name, "peer");
    if (peer.connection !== undefined) return "alive";
    if (this.#attempts.get(peer)?.by === "peer") return "ok";
    return ownName > peerName ? "nok" : "ok_simultaneous";
  }

  /** A peer that is not known yet, to which a connection is to come about. */
  #expect(name: Atom, by: Attempt["by"]): Peer {
    const peer = new Peer(name);
    this.#peers.set(name, peer);
    const wanted = by === "us";
    const abort = new AbortController();
    const attempt: Attempt = { abort, done: deferred(), by, wanted, explicit: false };
    // Whoever waits for the attempt gets its error; nobody has to.
    attempt.done.promise.catch(() => {});
    this.#attempts.set(peer, attempt);
    return peer;
  }

  /** A peer that was connecting to us did not get through the handshake. */
  #notComing(peer: Peer, error: Error): void {
    const attempt = this.#attempts.get(peer);
    if (attempt?.by !== "peer") return;
    if (attempt.wanted && !this.#stopped) {
      attempt.by = "us";
      void this.#connect(peer, attempt);
    } else {
      this.#failed(peer, attempt, this.#stopped ? stoppedError() : error);
    }
  }

  #accepted(transport: Transport, result: HandshakeResult, given: GivenName | undefined): void {
    const name = atom(result.peerName);
    if (this.#stopped) {
      transport.destroy();
      return;
    }
    this.disconnect(name);
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      peer = new Peer(name);
      this.#peers.set(name, peer);
    }
    peer.given = given;
    this.#established(peer, transport, result);
  }

  #established(peer: Peer, transport: Transport, result: HandshakeResult): void {
    const { clock, netTickTimeMs, netTickIntensity, flags } = this.#options;
    const published = result.peerFlags & flags & DFLAG.PUBLISHED;
    const connection = new Connection({
      transport,
      clock,
      peerName: peer.name.name,
      negotiatedFlags: result.negotiatedFlags,
      hidden: published === 0n,
      netTickTimeMs,
      netTickIntensity,
      decoder: this.#options.decoder,
      maxFrameBytes: this.#options.maxFrameBytes,
      maxFragmentedBytes: this.#options.maxFragmentedBytes,
      highWaterMarkBytes: this.#options.highWaterMarkBytes,
      maxQueuedBytes: this.#options.maxQueuedBytes,
      handler: {
        control: (message, payload) => this.#handler.control(peer, message, payload),
        closed: (error) => this.#closed(peer, error),
      },
    });
    const released = connection.released();
    this.#open.add(released);
    void released.then(() => this.#open.delete(released));
    const attempt = this.#attempts.get(peer);
    this.#attempts.delete(peer);
    this.#barred.delete(peer.name);
    peer.up(connection);
    this.#handler.up(peer);
    attempt?.done.resolve(connection);
    // An attempt of our own is under way still; the peer's is what came through.
    if (attempt?.by === "us") attempt.abort.abort(supersededError(peer));
    connection.start(result.leftover);
  }

  #closed(peer: Peer, error: ConnectionClosedError | DistProtocolError): void {
    this.#peers.delete(peer.name);
    if (this.#options.distAutoConnect === "once") this.#barred.add(peer.name);
    if (peer.given !== undefined) this.#names.giveBack(peer.given);
    this.#handler.down(peer, error);
    if (peer === this.#namedBy) this.#unnamed(error);
  }
}

function stoppedError(): NodeError {
  return new NodeError("NODE_STOPPED", "The node has been stopped.");
}

function supersededError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_NOK",
    `${peer.name.name} connected by itself at the same time.`,
    peer.name.name,
  );
}

function setupTimeError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_TIMEOUT",
    `No connection to ${peer.name.name} came about within the set-up time. The host may be down, or a firewall may drop what is sent to it.`,
    peer.name.name,
  );
}
