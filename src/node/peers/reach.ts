/** What those who send signals need of the connections. */
import type { Atom } from "../../../etf/index.ts";
import type { ConnectionLimits } from "../../distribution/connection.ts";
import type { Peer } from "./peer.ts";

export interface Reach {
  /** The peer of that name; an attempt to connect to it begins unless it is connected. */
  reach(node: Atom): Peer;
  /** The peer, if connected or connecting. */
  get(node: Atom): Peer | undefined;
  /** How much may wait to be sent. */
  readonly limits: Pick<ConnectionLimits, "highWaterMarkBytes" | "maxQueuedBytes">;
}
