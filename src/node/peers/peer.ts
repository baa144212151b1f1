/** A node this one is connected to, or connecting to, and what ties the two together. */
import type { Atom } from "../../../etf/index.ts";
import type { Connection } from "../../distribution/connection.ts";
import type { Form, Negotiated } from "../../distribution/control-forms.ts";
import type { GivenName } from "../../handshake/drive.ts";
import { type Deferred, deferred } from "../../transport/deferred.ts";
import { ReferenceMap } from "../process/identifiers.ts";
import type { SpawnRequest } from "../process/spawn-request.ts";
import type { Link, OutgoingMonitor } from "../process/ties.ts";
import { IncomingMonitors } from "./incoming-monitors.ts";

export class Peer {
  readonly name: Atom;
  /** The name it got from us, if it asked for one. */
  given: GivenName | undefined;
  /** Undefined until the handshake is done. */
  connection: Connection | undefined;
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

  /** Sends a control message: now, or in order when the connection is up. */
  send(form: (peer: Negotiated) => Form): void {
    this.whenUp((connection) => connection.send(...form(connection)));
  }

  /** Runs `act` with the connection: now, or in order when it is up. */
  whenUp(act: (connection: Connection) => void, bytes = 0): void {
    if (this.connection !== undefined) {
      act(this.connection);
      return;
    }
    this.#waiting.push(act);
    this.waitingBytes += bytes;
  }

  /**
   * Resolves when the connection is up.
   * @throws what kept it from coming about: what waited for it is lost then
   */
  settled(): Promise<void> {
    if (this.#settled === undefined) {
      this.#settled = deferred();
      // Those who send and do not wait must not end the program.
      this.#settled.promise.catch(() => {});
    }
    return this.#settled.promise;
  }

  /** There is no connection, or none any more: what waited for it is dropped. */
  lost(error: Error): void {
    this.#waiting = [];
    this.#settled?.reject(error);
  }

  /** The connection is up: what waited for it is sent first. */
  up(connection: Connection): void {
    this.connection = connection;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.waitingBytes = 0;
    for (const act of waiting) act(connection);
    this.#settled?.resolve();
  }
}
