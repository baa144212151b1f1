/**
 * Checks of the processes that a peer's control message names. As in the runtime, a peer may speak only
 * for its own processes, and only to processes of this node.
 */
import { type Atom, isPid, type Pid, type Reference } from "../../../etf/index.ts";
import { DistProtocolError } from "../../distribution/errors.ts";
import type { Peer } from "../peers/peer.ts";
import type { ProcessTable } from "../process/process-table.ts";

/** The checks. Each throws DistProtocolError DIST_CONTROL_MALFORMED, which ends the connection. */
export class Ends {
  readonly #table: ProcessTable;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** A signal goes from a process of the peer to a process of this node, or to a name. */
  check(peer: Peer, from: Pid, to: Pid | Atom): void {
    this.checkSender(peer, from);
    if (isPid(to)) this.checkReceiver(peer, to);
  }

  /** As `check`, for links. A link ends with the node, so pids with an earlier creation have none. */
  checkLink(peer: Peer, from: Pid, to: Pid): void {
    this.checkSender(peer, from);
    if (!this.#table.isLocal(to)) throw notOfThisNode(peer, to);
  }

  /** The sender is a process of the peer. */
  checkSender(peer: Peer, from: Pid): void {
    if (from.node === peer.name) return;
    throw malformed(
      `${peer.name.name} sent a signal from the process ${from}, which is not one of its own.`,
    );
  }

  /** The receiver is a process of this node. */
  checkReceiver(peer: Peer, to: Pid): void {
    if (!this.#table.isOfNode(to)) throw notOfThisNode(peer, to);
  }

  /** A spawn request names neither a process nor a reference of this node. */
  checkRequest(peer: Peer, from: Pid, ref: Reference): void {
    if (this.#table.isOfNode(from) || ref.node === this.#table.node) {
      throw malformed(
        `${peer.name.name} sent a spawn request from ${from} with ${ref}, which belong to this node.`,
      );
    }
  }

  /** The end of a monitored process goes to a process of this node, and is not about one of them. */
  checkDown(peer: Peer, from: Pid | Atom, to: Pid): void {
    this.checkReceiver(peer, to);
    if (isPid(from) && this.#table.isOfNode(from)) {
      throw malformed(
        `${peer.name.name} reported the end of ${from}, which is a process of this node.`,
      );
    }
  }
}

function notOfThisNode(peer: Peer, pid: Pid): DistProtocolError {
  return malformed(
    `${peer.name.name} sent a signal to the process ${pid}, which is not on this node.`,
  );
}

function malformed(message: string): DistProtocolError {
  return new DistProtocolError("DIST_CONTROL_MALFORMED", message);
}
