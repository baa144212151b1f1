/**
 * Links: who is linked to whom, and links being taken back.
 *
 * Spec: erl_dist_protocol, "Link Protocol". A link of a process here is a record in its own
 * table; unlinking a process of another node keeps the record, out of force, until the other side
 * has acknowledged, so that an exit signal already on its way is not taken for a new link's.
 */
import type { Pid } from "../../etf/index.ts";
import type { Process } from "./process.ts";

export interface Link {
  readonly local: Process;
  readonly other: Pid;
  /** Set while UNLINK_ID waits for its acknowledgement: the link is not in force. */
  unlinkId: number | undefined;
}
