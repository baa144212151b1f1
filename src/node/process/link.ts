/**
 * Links: who is linked to whom, and links being taken back.
 *
 * Spec: erl_dist_protocol, "Link Protocol". A link of a process here is a record in its own
 * table; unlinking a process of another node keeps the record, out of force, until the other side
 * has acknowledged, so that an exit signal already on its way is not taken for a new link's.
 */
import { type Atom, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { CONTROL } from "../../distribution/control.ts";
import { DFLAG } from "../../distribution/flags.ts";
import { NOPROC } from "../atoms.ts";
import type { Peer } from "../peers/peer.ts";
import type { Process } from "./process.ts";

export interface Link {
  readonly local: Process;
  readonly other: Pid;
  /** Set while UNLINK_ID waits for its acknowledgement: the link is not in force. */
  unlinkId: number | undefined;
}

/**
 * A process of a peer is linked to one of ours (or to what is not a process) that is not there (any more), or does not want it:
 * it hears so.
 */
export function refuseLink(peer: Peer, ours: Term, theirs: Pid, reason: Atom = NOPROC): void {
  peer.signal((connection) => {
    if (connection.has(DFLAG.EXIT_PAYLOAD)) {
      connection.send(tuple(CONTROL.PAYLOAD_EXIT.op, ours, theirs), reason);
    } else {
      connection.send(tuple(CONTROL.EXIT.op, ours, theirs, reason));
    }
  });
}
