/**
 * The connections of a node: one for each pair of nodes. `reach` makes one on the first signal to a
 * node, `accept` takes one from a node that connects; how a set-up runs is in set-up.ts.
 */
import type { Atom } from "../../../etf/index.ts";
import { Connection, type ConnectionLimits } from "../../distribution/connection.ts";
import type { ConnectionClosedError, DistProtocolError } from "../../distribution/errors.ts";
import { DFLAG } from "../../distribution/flags.ts";
import type { HandshakeResult } from "../../handshake/drive.ts";
import { deferred } from "../../transport/deferred.ts";
import type { Transport } from "../../transport/transport.ts";
import type { MessageHandler } from "./message-handler.ts";
import { Naming } from "./naming.ts";
import { Peer } from "./peer.ts";
import type { PeersHandler, PeersOptions } from "./peers-options.ts";
import { ConnectionSetUp, stoppedError, supersededError } from "./set-up.ts";

export class Peers {
  readonly #options: PeersOptions;
  readonly #handler: PeersHandler;
  #messages: MessageHandler | undefined;
  readonly #peers = new Map<Atom, Peer>();
  readonly #naming: Naming;
  readonly #setUp: ConnectionSetUp;
  /** Nodes that have been connected and went down, with dist_auto_connect `once`. */
  readonly #barred = new Set<Atom>();
  /** Sockets that are not closed yet. */
  readonly #open = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: PeersOptions, handler: PeersHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#naming = new Naming(options.self);
    const peers = this;
    this.#setUp = new ConnectionSetUp(options, this.#naming, {
      get stopped() {
        return peers.#stopped;
      },
      get: (name) => this.#peers.get(name),
      expect: (name) => this.#expect(name),
      barsAutoConnect: ({ name }) => options.distAutoConnect === "never" || this.#barred.has(name),
      disconnect: (name) => this.disconnect(name),
      established: (peer, transport, result) => this.#established(peer, transport, result),
      renamed: () => handler.renamed(),
      failed: (peer, error) => this.#failed(peer, error),
      rejected: (error) => handler.rejected(error),
    });
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

  /** The peer of that name, with a set-up under way if it was not connected. */
  reach(name: Atom): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) {
      const unknown = this.#expect(name);
      this.#setUp.begin(unknown);
      return unknown;
    }
    if (peer.state.is === "expected") this.#setUp.want(peer, peer.state);
    return peer;
  }

  /**
   * Resolves when the connection to that node is up.
   * @param explicit whether the program asked for it by name, so that dist_auto_connect does not apply
   * @throws NodeError (NODE_NO_AUTO_CONNECT if not explicit), EpmdError, TransportError,
   *   HandshakeError, or the signal's reason
   */
  async connect(name: Atom, explicit: boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const peer = this.reach(name);
    if (peer.state.is === "up") return;
    if (explicit) peer.state.setUp.explicit = true;
    if (signal === undefined) return peer.settled();
    const aborted = deferred<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([peer.settled(), aborted.promise]);
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

  /** A node has connected to this one. */
  async accept(transport: Transport): Promise<void> {
    if (this.#stopped) transport.destroy();
    else await this.#setUp.accept(transport);
  }

  /** Ends every connection and attempt; resolves when their sockets are closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#setUp.stop();
    this.#abortAttempts(stoppedError());
    for (const peer of this.connected()) peer.connection?.disconnect();
    await Promise.all(this.#open);
  }

  #abortAttempts(error: Error): void {
    for (const { state } of [...this.#peers.values()]) {
      if (state.is === "connecting") state.abort.abort(error);
    }
  }

  #expect(name: Atom): Peer {
    const peer = new Peer(name);
    this.#peers.set(name, peer);
    return peer;
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
    const before = peer.state;
    if (before.is === "expected") before.headStart?.cancel();
    this.#barred.delete(peer.name);
    peer.up(connection);
    this.#handler.up(peer);
    // The peer's attempt got through while this node's is still under way.
    if (before.is === "connecting") before.abort.abort(supersededError(peer));
    connection.start(result.leftover);
  }

  #failed(peer: Peer, error: Error): void {
    const { state } = peer;
    if (state.is === "up" || this.#peers.get(peer.name) !== peer) return;
    if (state.is === "expected") state.headStart?.cancel();
    this.#peers.delete(peer.name);
    this.#handler.failed(peer, error);
  }

  #closed(peer: Peer, error: ConnectionClosedError | DistProtocolError): void {
    this.#peers.delete(peer.name);
    if (this.#options.distAutoConnect === "once") this.#barred.add(peer.name);
    const unnamed = this.#naming.lost(peer);
    this.#handler.down(peer, error);
    if (unnamed) this.#unnamed(error);
  }

  /** The peer that named this node is gone: with the name, all other connections end. */
  #unnamed(error: Error): void {
    this.#abortAttempts(error);
    for (const peer of this.connected()) peer.connection?.disconnect();
    this.#options.self.unname();
    this.#handler.renamed();
  }
}
