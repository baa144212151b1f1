/** The port through which `spawn/`, which is above this folder, handles the control messages about spawning. */
import type { Pid, Reference, Term } from "../../../etf/index.ts";
import type { ControlOf } from "../../distribution/control.ts";
import type { Payload } from "../../distribution/payload.ts";
import type { Peer } from "../peers/peer.ts";

/** Handles the control messages about spawning. */
export interface SpawnMessages {
  /** A peer requests a process here; the payload is the list of arguments. */
  requested(
    peer: Peer,
    message: ControlOf<"SPAWN_REQUEST"> | ControlOf<"SPAWN_REQUEST_TT">,
    payload: Payload,
  ): void;
  /** A peer replies to a request of this node, with a pid or with an atom for the error. */
  replied(peer: Peer, reqId: Reference, flags: number, result: Pid | Term): void;
  /** A requested process ended before the peer replied to the request. */
  ended(peer: Peer, reqId: Reference, reason: () => Term): void;
}
