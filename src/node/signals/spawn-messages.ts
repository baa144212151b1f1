/** Who carries out the control messages about spawning: `spawn/` does, which stands above this folder. */
import type { Pid, Reference, Term } from "../../../etf/index.ts";
import type { ControlOf } from "../../distribution/control.ts";
import type { Payload } from "../../distribution/payload.ts";
import type { Peer } from "../peers/peer.ts";

export interface SpawnMessages {
  /** A peer wants a process here; the payload is the list of arguments. */
  requested(
    peer: Peer,
    message: ControlOf<"SPAWN_REQUEST"> | ControlOf<"SPAWN_REQUEST_TT">,
    payload: Payload,
  ): void;
  /** A peer answers a request of this node: with a pid, or with an atom that says what went wrong. */
  replied(peer: Peer, reqId: Reference, flags: number, result: Pid | Term): void;
  /** A process that this node asked for has ended before the peer answered the request. */
  ended(peer: Peer, reqId: Reference, reason: () => Term): void;
}
