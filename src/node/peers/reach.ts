/** The connections as senders of signals see them. */
import type { Atom } from "../../../etf/index.ts";
import type { ConnectionLimits } from "../../distribution/connection.ts";
import type { Peer } from "./peer.ts";

/** Finds peers by name; `Peers` is one. */
export interface Reach {
  /** The peer of that name. Begins to connect to it unless it is connected. */
  reach(node: Atom): Peer;
  /** The peer, if connected or connecting. */
  get(node: Atom): Peer | undefined;
  /** How much may wait to be sent. */
  readonly limits: Pick<ConnectionLimits, "highWaterMarkBytes" | "maxQueuedBytes">;
}
