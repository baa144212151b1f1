/**
 * How a connection is set up: by this node, by the peer, or by both at once.
 *
 * Simultaneous connects resolve as erl_dist_protocol says ("Distribution Handshake", send_status):
 * of two attempts at once, the attempt of the node with the greater name goes on. A peer that
 * connects again while a connection is up replaces it (`alive`, then `true`): the peer knows better
 * that the old one is dead.
 *
 *   no peer --signal, connect--> connecting --handshake done--> up --closed--> no peer
 *      \--its send_name--> expected --handshake done------------/
 *                             \--failed, or a signal waits--> connecting, else no peer
 *
 * Anybody can send a name. When this node needs a peer that is only expected, it therefore begins an
 * attempt of its own beside the peer's after a moment. The peer's answer to that attempt says which
 * of the two it goes on with, so an attempt on which the peer has proved the cookie waits for the
 * answer. OTP waits for the peer's attempt instead, for net_setuptime.
 */
import type { Atom } from "../../../etf/index.ts";
import { DFLAG } from "../../distribution/flags.ts";
import {
  type AcceptStatus,
  accept,
  type GivenName,
  type HandshakeResult,
  initiate,
} from "../../handshake/drive.ts";
import { HandshakeError } from "../../handshake/errors.ts";
import { deferred } from "../../transport/deferred.ts";
import type { Transport } from "../../transport/transport.ts";
import { asAtom } from "../atoms.ts";
import { NodeError } from "../errors.ts";
import { checkPeerName, isPeerName } from "../identity/names.ts";
import type { Naming } from "./naming.ts";
import type { Connecting, Expected, Peer, SetUp } from "./peer.ts";
import type { PeersOptions } from "./peers-options.ts";

/** The peers of a node, and what becomes of them. */
export interface PeerRegistry {
  readonly stopped: boolean;
  get(name: Atom): Peer | undefined;
  /** Adds a peer that is not known yet. */
  expect(name: Atom): Peer;
  /** Whether a signal may not connect to that peer (dist_auto_connect). */
  barsAutoConnect(peer: Peer): boolean;
  /** Ends the connection to that peer, if one is up. */
  disconnect(name: Atom): void;
  established(peer: Peer, transport: Transport, result: HandshakeResult): void;
  /** This node got its name. */
  renamed(): void;
  /** The set-up is over, without a connection. Does nothing when the peer is up or dropped. */
  failed(peer: Peer, error: Error): void;
  /** A node that connected did not get through the handshake. */
  rejected(error: Error): void;
}

/** Codes with which one of two attempts between a pair gives way to the other. */
const GAVE_WAY: ReadonlySet<string> = new Set(["HS_NOK", "HS_ALIVE"]);

/** How long a peer's own attempt may take before ours begins beside it, in milliseconds. */
const HEAD_START_MS = 100;
/** How long the peer's attempt waits for the answer to ours, in milliseconds. */
const ANSWER_MS = 1000;

export class ConnectionSetUp {
  readonly #options: PeersOptions;
  readonly #naming: Naming;
  readonly #peers: PeerRegistry;
  readonly #accepting = new Set<AbortController>();

  constructor(options: PeersOptions, naming: Naming, peers: PeerRegistry) {
    this.#options = options;
    this.#naming = naming;
    this.#peers = peers;
  }

  /** Ends the handshakes of the nodes that are connecting to this one. */
  stop(): void {
    for (const abort of this.#accepting) abort.abort(stoppedError());
  }

  /** Begins an attempt of this node's. */
  begin(peer: Peer): void {
    const { state } = peer;
    if (state.is !== "expected") return;
    state.headStart?.cancel();
    const ours: Connecting = {
      is: "connecting",
      setUp: state.setUp,
      abort: new AbortController(),
      chosen: undefined,
    };
    peer.state = ours;
    void this.#connect(peer, ours);
  }

  /**
   * This node needs a peer that is connecting to it: begins an attempt of its own in a moment,
   * unless the peer's has got through, or failed, by then.
   */
  want(peer: Peer, state: Expected): void {
    state.wanted = true;
    if (state.failure !== undefined || state.headStart !== undefined) return;
    state.headStart = this.#options.clock.setTimer(HEAD_START_MS, () => {
      state.headStart = undefined;
      // A signal that may not connect waits for the peer's attempt.
      if (state.setUp.explicit || !this.#peers.barsAutoConnect(peer)) this.begin(peer);
    });
  }

  async #connect(peer: Peer, ours: Connecting): Promise<void> {
    const { clock, netSetupTimeMs, network, self } = this.#options;
    const { abort, setUp } = ours;
    const { signal } = abort;
    const timer = clock.setTimer(netSetupTimeMs, () => abort.abort(setupTimeError(peer)));
    try {
      // The caller has yet to tie something to the peer, which must not be dropped before.
      await undefined;
      if (this.#peers.stopped) throw stoppedError();
      const name = checkPeerName(peer.name.name, self.given, self.nameKind);
      if (name === self.name) {
        throw new NodeError("NODE_CONNECT_SELF", `${name} is the node itself.`);
      }
      if (!setUp.explicit && this.#peers.barsAutoConnect(peer)) throw this.#noAutoConnect(peer);
      const asksForName = await this.#naming.asks(peer, signal);
      const address = await this.#options.lookUp(name, signal);
      const transport = await network.connect({ ...address, signal });
      const result = await initiate(
        transport,
        {
          ...(asksForName
            ? { ownName: self.dynamicHost!, flags: this.#options.flags | DFLAG.NAME_ME }
            : { ownName: self.name, flags: this.#options.flags }),
          peerName: name,
          creation: self.creation,
          cookie: this.#options.cookieFor(name),
          replyToAlive: () => peer.connection === undefined,
          nameSent: () => {
            ours.chosen ??= deferred();
          },
          chosen: () => ours.chosen?.resolve(true),
        },
        { clock, timeoutMs: netSetupTimeMs, signal },
      );
      timer.cancel();
      // The peer's own attempt got through while this one was under way.
      if (signal.aborted || peer.connection !== undefined) {
        transport.destroy();
        return;
      }
      if (asksForName) {
        this.#naming.named(peer, result);
        this.#peers.renamed();
      }
      this.#peers.established(peer, transport, result);
    } catch (error) {
      ours.chosen?.resolve(false);
      if (peer.state !== ours) {
        timer.cancel();
      } else if (error instanceof HandshakeError && error.code === "HS_NOK" && !signal.aborted) {
        // The peer goes on with its own attempt, which ends this one; otherwise the timer does.
        signal.addEventListener("abort", () => {
          timer.cancel();
          this.#peers.failed(peer, signal.reason);
        });
      } else {
        timer.cancel();
        const failure = signal.aborted ? signal.reason : error;
        peer.state = expected(setUp, failure);
        // The peer's own attempt may get through yet, and reports its failure if it does not.
        if (setUp.theirs === 0 || this.#peers.stopped) this.#peers.failed(peer, failure);
      }
    }
  }

  /** Runs the handshake with a node that has connected to this one. */
  async accept(transport: Transport): Promise<void> {
    const abort = new AbortController();
    this.#accepting.add(abort);
    const { self, clock, netSetupTimeMs } = this.#options;
    let applicant: { readonly peer: Peer; readonly setUp: SetUp } | undefined;
    /** This node was not connecting: an attempt that it has begun since may take precedence. */
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
            given = this.#peers.stopped ? undefined : this.#freeName(host);
            return given;
          },
          decide: (peerName) => {
            const { status, peer } = this.#decide(peerName);
            if (peer !== undefined && peer.state.is !== "up") {
              applicant = { peer, setUp: peer.state.setUp };
              applicant.setUp.theirs++;
            }
            givesWay = status === "ok";
            return status;
          },
          mayConnect: () =>
            givesWay && applicant !== undefined ? this.#unlessOurs(applicant.peer) : undefined,
          oldConnectionGone: async (peer) => this.#peers.disconnect(asAtom(peer)),
        },
        { clock, timeoutMs: netSetupTimeMs, signal: abort.signal },
      );
      if (applicant !== undefined) applicant.setUp.theirs--;
      this.#accepted(transport, result, given);
    } catch (error) {
      // The handshake has closed the stream. Do not report a stopped node's, nor an attempt that
      // gave way to another between the two nodes.
      const gaveWay = error instanceof HandshakeError && GAVE_WAY.has(error.code);
      if (!this.#peers.stopped && !gaveWay) this.#peers.rejected(error as Error);
      if (given !== undefined) this.#naming.giveBack(given);
      if (applicant !== undefined) {
        applicant.setUp.theirs--;
        this.#notComing(applicant.peer, error as Error);
      }
    } finally {
      this.#accepting.delete(abort);
    }
  }

  #freeName(host: string): GivenName | undefined {
    return this.#naming.give(host, (name) => this.#peers.get(name) !== undefined);
  }

  /** The status for a node that sent its name, and the peer if its attempt goes on. */
  #decide(peerName: string): { status: AcceptStatus; peer?: Peer } {
    const ownName = this.#options.self.name;
    if (this.#peers.stopped || peerName === ownName) return { status: "not_allowed" };
    // OTP gives this answer to a name that no node can have.
    if (!isPeerName(peerName)) return { status: "nok" };
    const name = asAtom(peerName);
    const peer = this.#peers.get(name) ?? this.#peers.expect(name);
    switch (peer.state.is) {
      case "up":
        return { status: "alive" };
      case "expected":
        return { status: "ok", peer };
      case "connecting":
        return ownName > peerName ? { status: "nok" } : { status: "ok_simultaneous", peer };
    }
  }

  /**
   * The peer's attempt has got through: it goes on, unless the peer has given it up for ours.
   * @throws HandshakeError HS_NOK
   */
  async #unlessOurs(peer: Peer): Promise<void> {
    const { state } = peer;
    if (state.is !== "connecting") return;
    if (state.chosen === undefined) {
      // The peer does not know of ours.
      peer.state = expected(state.setUp);
      state.abort.abort(supersededError(peer));
      return;
    }
    const { promise, resolve } = state.chosen;
    const timer = this.#options.clock.setTimer(ANSWER_MS, () => resolve(false));
    const ours = await promise;
    timer.cancel();
    if (ours) throw givenUpError(peer);
  }

  #accepted(transport: Transport, result: HandshakeResult, given: GivenName | undefined): void {
    if (this.#peers.stopped) {
      transport.destroy();
      return;
    }
    const name = asAtom(result.peerName);
    this.#peers.disconnect(name);
    const peer = this.#peers.get(name) ?? this.#peers.expect(name);
    peer.given = given;
    this.#peers.established(peer, transport, result);
  }

  /** A peer that was connecting to this node did not get through the handshake. */
  #notComing(peer: Peer, error: Error): void {
    const { state } = peer;
    if (state.is !== "expected") return;
    if (this.#peers.stopped) {
      this.#peers.failed(peer, stoppedError());
    } else if (state.wanted && state.failure === undefined) {
      this.begin(peer);
    } else if (state.setUp.theirs === 0) {
      this.#peers.failed(peer, state.failure ?? error);
    }
  }

  #noAutoConnect({ name }: Peer): NodeError {
    return new NodeError(
      "NODE_NO_AUTO_CONNECT",
      `There is no connection to ${name.name}, and signals may not make one (distAutoConnect is ${this.#options.distAutoConnect}). Connect to it by name: connect.`,
    );
  }
}

/** The state of a peer that this node has tried to connect to, or needs. */
function expected(setUp: SetUp, failure?: Error): Expected {
  return { is: "expected", setUp, wanted: true, headStart: undefined, failure };
}

/** The error of every set-up that a stop of the node ends. */
export function stoppedError(): NodeError {
  return new NodeError("NODE_STOPPED", "The node has been stopped.");
}

/** The error of an attempt of this node's that the peer's own has overtaken. */
export function supersededError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_NOK",
    `${peer.name.name} connected to this node at the same time.`,
    peer.name.name,
  );
}

function givenUpError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_NOK",
    `${peer.name.name} gave up this attempt for this node's, made at the same time. Nothing needs to be done.`,
    peer.name.name,
  );
}

function setupTimeError(peer: Peer): HandshakeError {
  return new HandshakeError(
    "HS_TIMEOUT",
    `The connection to ${peer.name.name} was not established within the set-up time. The host may be down, or a firewall may drop what is sent to it.`,
    peer.name.name,
  );
}
