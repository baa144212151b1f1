/** A node this one is connected to, or connecting to, and what ties the two together. */
import type { Atom } from "../../etf/index.ts";
import type { Connection } from "../distribution/connection.ts";
import { ReferenceMap } from "./identifiers.ts";
import type { Link } from "./links.ts";
import type { IncomingMonitor, OutgoingMonitor } from "./monitors.ts";
import type { SpawnRequest } from "./spawn-request.ts";

export class Peer {
  readonly name: Atom;
  /** Undefined until the handshake is done. */
  connection: Connection | undefined;
  readonly links: Set<Link> = new Set();
  readonly outgoingMonitors: ReferenceMap<OutgoingMonitor> = new ReferenceMap();
  readonly incomingMonitors: ReferenceMap<IncomingMonitor> = new ReferenceMap();
  readonly spawnRequests: ReferenceMap<SpawnRequest> = new ReferenceMap();
  #waiting: ((connection: Connection) => void)[] = [];

  constructor(name: Atom) {
    this.name = name;
  }

  /** Runs `act` with the connection: now, or in order when it is up. */
  signal(act: (connection: Connection) => void): void {
    if (this.connection === undefined) this.#waiting.push(act);
    else act(this.connection);
  }

  /** The connection is up: what waited for it is sent first. */
  up(connection: Connection): void {
    this.connection = connection;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const act of waiting) act(connection);
  }
}
