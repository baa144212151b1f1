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
 *                             \--failed, or a signal waits--> connecting, else no peer
 *
 * Anybody can send a name: while a peer that we need is expected, an attempt of ours begins beside it
 * after a moment. Its answer to ours tells which of the two it goes on with, so one that it has proved
 * the cookie on waits for that answer. OTP waits for the peer's own instead, for net_setuptime.
 */
import { randomBytes } from "node:crypto";
import type { Atom, TermDecoder } from "../../../etf/index.ts";
import { Connection, type ConnectionLimits } from "../../distribution/connection.ts";
import type { ConnectionClosedError, DistProtocolError } from "../../distribution/errors.ts";
import { DFLAG } from "../../distribution/flags.ts";
import type { AcceptStatus, GivenName, HandshakeResult } from "../../handshake/drive.ts";
import { accept, initiate } from "../../handshake/drive.ts";
import { HandshakeError } from "../../handshake/errors.ts";
import type { Clock, Timer } from "../../transport/clock.ts";
import { type Deferred, deferred } from "../../transport/deferred.ts";
import type { Network, Transport } from "../../transport/transport.ts";
import { asAtom } from "../atoms.ts";
import { NodeError } from "../errors.ts";
import { NamePool } from "../identity/name-pool.ts";
import { checkPeerName, isPeerName, type NodeName } from "../identity/names.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { MessageHandler } from "./message-handler.ts";
import { Peer } from "./peer.ts";

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

/** How long a peer's own attempt may take before ours begins beside it, in milliseconds. */
const HEAD_START_MS = 100;
/** How long the peer's attempt waits for the answer to ours, in milliseconds. */
const ANSWER_MS = 1000;

/** A connection that is to come about. */
interface Attempt {
  /** Ends our own attempt. */
  abort: AbortController;
  readonly done: Deferred<Connection>;
  /** Our own attempt. */
  ours: "not begun" | "under way" | "failed";
  /** Why it failed. */
  failure: Error | undefined;
  /** Set when our name is sent: whether the peer goes on with our attempt. */
  chosen: Deferred<boolean> | undefined;
  /** Attempts of the peer's own that were let on, and are not over. */
  theirs: number;
  /** Begins ours beside the peer's own. */
  headStart: Timer | undefined;
  /** Somebody here needs the connection: ours begins, though the peer's own is under way. */
  wanted: boolean;
  /** Asked for by name, and not by a signal on its way: dist_auto_connect is no obstacle. */
  explicit: boolean;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #handler: PeersHandler;
  #messages: MessageHandler | undefined;
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

  /** Names who carries out what peers send. Call it before the first connection. */
  deliverTo(messages: MessageHandler): void {
    this.#messages = messages;
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
      const peer = this.#expect(name);
      const attempt = this.#attempts.get(peer)!;
      attempt.wanted = true;
      this.#begin(peer, attempt);
      return peer;
    }
    const attempt = this.#attempts.get(known);
    if (attempt !== undefined) {
      attempt.wanted = true;
      if (attempt.ours === "not begun") this.#beginBeside(known, attempt);
    }
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
    let expected: { readonly peer: Peer; readonly attempt: Attempt } | undefined;
    /** There was no attempt of ours: one that has begun since may have taken its place. */
    let givesWay = false;
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
            if (status.startsWith("ok")) expected = this.#expected(asAtom(peer));
            givesWay = status === "ok";
            return status;
          },
          mayConnect: () =>
            givesWay && expected !== undefined
              ? this.#unlessOurs(expected.peer, expected.attempt)
              : undefined,
          oldConnectionGone: async (peer) => {
            this.disconnect(asAtom(peer));
          },
        },
        {
          clock: this.#options.clock,
          timeoutMs: this.#options.netSetupTimeMs,
          signal: abort.signal,
        },
      );
      if (expected !== undefined) expected.attempt.theirs--;
      this.#accepted(transport, result, given);
    } catch (error) {
      // The driver has closed the stream; the end of a stopped node's is no news, nor is an
      // attempt that gives way to another between the two.
      const gaveWay = error instanceof HandshakeError && GAVE_WAY.has(error.code);
      if (!this.#stopped && !gaveWay) this.#handler.rejected(error as Error);
      if (given !== undefined) this.#names.giveBack(given);
      if (expected !== undefined) {
        expected.attempt.theirs--;
        this.#notComing(expected.peer, expected.attempt, error as Error);
      }
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

  #begin(peer: Peer, attempt: Attempt): void {
    attempt.headStart?.cancel();
    attempt.ours = "under way";
    void this.#connect(peer, attempt);
  }

  /** Begins our attempt in a moment, unless the peer's own has come through, or failed, by then. */
  #beginBeside(peer: Peer, attempt: Attempt): void {
    if (attempt.headStart !== undefined) return;
    attempt.headStart = this.#options.clock.setTimer(HEAD_START_MS, () => {
      attempt.headStart = undefined;
      // A signal that may not connect waits for the peer's own attempt.
      if (attempt.explicit || !this.#barsAutoConnect(peer)) this.#begin(peer, attempt);
    });
  }

  /**
   * The peer's own attempt has come through: it goes on, unless the peer has given it up for ours.
   * @throws HandshakeError HS_NOK
   */
  async #unlessOurs(peer: Peer, attempt: Attempt): Promise<void> {
    if (attempt.ours !== "under way") return;
    if (attempt.chosen === undefined) {
      // The peer does not know of ours.
      attempt.ours = "not begun";
      const { abort } = attempt;
      attempt.abort = new AbortController();
      abort.abort(supersededError(peer));
      return;
    }
    const { promise, resolve } = attempt.chosen;
    const timer = this.#options.clock.setTimer(ANSWER_MS, () => resolve(false));
    const ours = await promise;
    timer.cancel();
    if (ours) throw givenUpError(peer);
  }

  async #connect(peer: Peer, attempt: Attempt): Promise<void> {
    const { clock, netSetupTimeMs, network, self } = this.#options;
    const { abort } = attempt;
    const timer = clock.setTimer(netSetupTimeMs, () => abort.abort(setupTimeError(peer)));
    const { signal } = abort;
    try {
      // Whoever needs the peer has yet to tie something to it; it must not be gone before.
      await undefined;
      if (this.#stopped) throw stoppedError();
      const name = checkPeerName(peer.name.name, self.given, self.nameKind);
      if (name === self.name) {
        throw new NodeError("NODE_CONNECT_SELF", `${name} is the node itself.`);
      }
      if (!attempt.explicit && this.#barsAutoConnect(peer)) throw this.#noAutoConnect(peer);
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
          nameSent: () => {
            attempt.chosen ??= deferred();
          },
          chosen: () => attempt.chosen?.resolve(true),
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
      attempt.chosen?.resolve(false);
      if (peer.connection !== undefined || attempt.abort !== abort) {
        timer.cancel();
      } else if (error instanceof HandshakeError && error.code === "HS_NOK" && !signal.aborted) {
        // The peer's own attempt goes on instead of ours: it ends this one, or the timer does.
        signal.addEventListener("abort", () => {
          timer.cancel();
          this.#failed(peer, attempt, signal.reason);
        });
      } else {
        timer.cancel();
        const reason = signal.aborted ? signal.reason : error;
        attempt.ours = "failed";
        attempt.failure = reason;
        // The peer's own may come through yet, and tells of its failure if it does not.
        if (attempt.theirs === 0 || this.#stopped) this.#failed(peer, attempt, reason);
      }
    }
  }

  /** A name for a node that asks for one, which no peer has. */
  #freeName(host: string): GivenName | undefined {
    for (;;) {
      const given = this.#names.take(host);
      if (given === undefined || !this.#peers.has(asAtom(given.name))) return given;
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
    attempt.headStart?.cancel();
    this.#attempts.delete(peer);
    this.#peers.delete(peer.name);
    attempt.done.reject(error);
    this.#handler.failed(peer, error);
  }

  #barsAutoConnect({ name }: Peer): boolean {
    return this.#options.distAutoConnect === "never" || this.#barred.has(name);
  }

  #noAutoConnect({ name }: Peer): NodeError {
    return new NodeError(
      "NODE_NO_AUTO_CONNECT",
      `There is no connection to ${name.name}, and none is made by itself (distAutoConnect is ${this.#options.distAutoConnect}). Connect to it by name: connect.`,
    );
  }

  #decide(peerName: string): AcceptStatus {
    const ownName = this.#options.self.name;
    if (this.#stopped || peerName === ownName) return "not_allowed";
    // OTP answers a name that no node can have so.
    if (!isPeerName(peerName)) return "nok";
    const name = asAtom(peerName);
    const peer = this.#peers.get(name) ?? this.#expect(name);
    if (peer.connection !== undefined) return "alive";
    if (this.#attempts.get(peer)?.ours !== "under way") return "ok";
    return ownName > peerName ? "nok" : "ok_simultaneous";
  }

  /** A peer that is not known yet, to which a connection is to come about. */
  #expect(name: Atom): Peer {
    const peer = new Peer(name);
    this.#peers.set(name, peer);
    const attempt: Attempt = {
      abort: new AbortController(),
      done: deferred(),
      ours: "not begun",
      failure: undefined,
      chosen: undefined,
      theirs: 0,
      headStart: undefined,
      wanted: false,
      explicit: false,
    };
    // Whoever waits for the attempt gets its error; nobody has to.
    attempt.done.promise.catch(() => {});
    this.#attempts.set(peer, attempt);
    return peer;
  }

  /** An attempt of the peer's own goes on. */
  #expected(name: Atom): { peer: Peer; attempt: Attempt } {
    const peer = this.#peers.get(name)!;
    const attempt = this.#attempts.get(peer)!;
    attempt.theirs++;
    return { peer, attempt };
  }

  /** A peer that was connecting to us did not get through the handshake. */
  #notComing(peer: Peer, attempt: Attempt, error: Error): void {
    if (this.#attempts.get(peer) !== attempt || attempt.ours === "under way") return;
    if (this.#stopped) {
      this.#failed(peer, attempt, stoppedError());
    } else if (attempt.wanted && attempt.ours === "not begun") {
      this.#begin(peer, attempt);
    } else if (attempt.theirs === 0) {
      this.#failed(peer, attempt, attempt.failure ?? error);
    }
  }

  #accepted(transport: Transport, result: HandshakeResult, given: GivenName | undefined): void {
    const name = asAtom(result.peerName);
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
        control: (message, payload) => this.#messages?.handle(peer, message, payload),
        closed: (error) => this.#closed(peer, error),
      },
    });
    const released = connection.released();
    this.#open.add(released);
    void released.then(() => this.#open.delete(released));
    const attempt = this.#attempts.get(peer);
    attempt?.headStart?.cancel();
    this.#attempts.delete(peer);
    this.#barred.delete(peer.name);
    peer.up(connection);
    this.#handler.up(peer);
    attempt?.done.resolve(connection);
    // An attempt of our own is under way still; the peer's is what came through.
    if (attempt?.ours === "under way") attempt.abort.abort(supersededError(peer));
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

function givenUpError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_NOK",
    `${peer.name.name} gave this attempt up for ours, made at the same time. Nothing is to be done.`,
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
