/** Another node: the state of the one connection to it, and what ties it to this node. */
import type { Atom } from "../../../etf/index.ts";
import type { Connection } from "../../distribution/connection.ts";
import type { Form, Negotiated } from "../../distribution/control-forms.ts";
import type { GivenName } from "../../handshake/drive.ts";
import type { Timer } from "../../transport/clock.ts";
import { type Deferred, deferred } from "../../transport/deferred.ts";
import { ReferenceMap } from "../process/identifiers.ts";
import type { SpawnRequest } from "../process/spawn-request.ts";
import type { Link, OutgoingMonitor } from "../process/ties.ts";
import { IncomingMonitors } from "./incoming-monitors.ts";

/** What is known of a connection that is being set up, whoever began. */
export interface SetUp {
  /** How many attempts of the peer's are under way. */
  theirs: number;
  /** Whether the program asked for the connection by name, so that dist_auto_connect does not apply. */
  explicit: boolean;
}

/** This node connects to the peer; the peer may be connecting to this node too. */
export interface Connecting {
  readonly is: "connecting";
  readonly setUp: SetUp;
  /** Ends this node's attempt. */
  readonly abort: AbortController;
  /** Exists once our name is sent: resolves to whether the peer chose this attempt over its own. */
  chosen: Deferred<boolean> | undefined;
}

/** Only the peer connects, or nobody yet. */
export interface Expected {
  readonly is: "expected";
  readonly setUp: SetUp;
  /** Whether this node needs the connection too: it connects if the peer does not get through. */
  wanted: boolean;
  /** Runs until this node connects too, although the peer's attempt is under way. */
  headStart: Timer | undefined;
  /** Why this node's attempt failed, if it made one. */
  readonly failure: Error | undefined;
}

export interface Up {
  readonly is: "up";
  readonly connection: Connection;
}

/** A peer lives for one connection: it is dropped when its set-up fails or its connection ends. */
export type PeerState = Connecting | Expected | Up;

export class Peer {
  readonly name: Atom;
  /** The name this node gave it, if it asked for one. */
  given: GivenName | undefined;
  /** Change it to `up` with `up` only. */
  state: PeerState = {
    is: "expected",
    setUp: { theirs: 0, explicit: false },
    wanted: false,
    headStart: undefined,
    failure: undefined,
  };
  readonly links: Set<Link> = new Set();
  readonly outgoingMonitors: ReferenceMap<OutgoingMonitor> = new ReferenceMap();
  readonly incomingMonitors: IncomingMonitors = new IncomingMonitors();
  readonly spawnRequests: ReferenceMap<SpawnRequest> = new ReferenceMap();
  /** Bytes of the messages that wait for the connection. */
  waitingBytes = 0;
  #waiting: ((connection: Connection) => void)[] = [];
  #settled: Deferred<void> | undefined;

  constructor(name: Atom) {
    this.name = name;
  }

  /** Undefined until the handshake is done. It stays after it has ended. */
  get connection(): Connection | undefined {
    const { state } = this;
    return state.is === "up" ? state.connection : undefined;
  }

  /** Sends a control message: now, or in order when the connection is up. */
  send(form: (peer: Negotiated) => Form): void {
    this.whenUp((connection) => connection.send(...form(connection)));
  }

  /** Runs `act` with the connection: now, or in order when it is up. */
  whenUp(act: (connection: Connection) => void, bytes = 0): void {
    const { connection } = this;
    if (connection !== undefined) {
      act(connection);
      return;
    }
    this.#waiting.push(act);
    this.waitingBytes += bytes;
  }

  /**
   * Resolves when the connection is up.
   * @throws why it could not be established; whatever waited for it is lost then
   */
  settled(): Promise<void> {
    if (this.#settled === undefined) {
      this.#settled = deferred();
      // A program that sends without awaiting must not end by it.
      this.#settled.promise.catch(() => {});
      if (this.state.is === "up") this.#settled.resolve();
    }
    return this.#settled.promise;
  }

  /** The connection failed or ended: drops what waited for it. */
  lost(error: Error): void {
    this.#waiting = [];
    this.#settled?.reject(error);
  }

  /** The connection is up: what waited for it is sent before anything else. */
  up(connection: Connection): void {
    this.state = { is: "up", connection };
    const waiting = this.#waiting;
    this.#waiting = [];
    this.waitingBytes = 0;
    for (const act of waiting) act(connection);
    this.#settled?.resolve();
  }
}
