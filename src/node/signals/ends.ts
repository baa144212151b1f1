/**
 * Checks of whom a peer's control message names: what ties two processes together is taken only from the
 * node of the one, and only for processes of this node, as the runtime takes it.
 */
import { type Atom, isPid, type Pid, type Reference } from "../../../etf/index.ts";
import { DistProtocolError } from "../../distribution/errors.ts";
import type { Peer } from "../peers/peer.ts";
import type { ProcessTable } from "../process/process-table.ts";

/** Each check throws DistProtocolError DIST_CONTROL_MALFORMED, which ends the connection. */
export class Ends {
  readonly #table: ProcessTable;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** Of a signal from a process of the peer to one of this node, or to a name. */
  check(peer: Peer, from: Pid, to: Pid | Atom): void {
    this.checkSender(peer, from);
    if (isPid(to)) this.checkReceiver(peer, to);
  }

  /** Of a link. A link does not outlive a node, so an earlier life of this one has none. */
  checkLink(peer: Peer, from: Pid, to: Pid): void {
    this.checkSender(peer, from);
    if (!this.#table.isLocal(to)) throw notOfThisNode(peer, to);
  }

  checkSender(peer: Peer, from: Pid): void {
    if (from.node === peer.name) return;
    throw malformed(
      `${peer.name.name} sent a signal in the name of the process ${from}, which is not its own.`,
    );
  }

  checkReceiver(peer: Peer, to: Pid): void {
    if (!this.#table.isOfNode(to)) throw notOfThisNode(peer, to);
  }

  /** Of a request to spawn: it names neither a process nor a reference of this node. */
  checkRequest(peer: Peer, from: Pid, ref: Reference): void {
    if (this.#table.isOfNode(from) || ref.node === this.#table.node) {
      throw malformed(
        `${peer.name.name} sent a request of ${from}, by ${ref}, in the name of this node.`,
      );
    }
  }

  /** Of the end of a monitored process. */
  checkDown(peer: Peer, from: Pid | Atom, to: Pid): void {
    this.checkReceiver(peer, to);
    if (isPid(from) && this.#table.isOfNode(from)) {
      throw malformed(
        `${peer.name.name} sent the end of ${from}, which is a process of this node.`,
      );
    }
  }
}

function notOfThisNode(peer: Peer, pid: Pid): DistProtocolError {
  return malformed(
    `${peer.name.name} sent a signal for the process ${pid}, which is not of this node.`,
  );
}

function malformed(message: string): DistProtocolError {
  return new DistProtocolError("DIST_CONTROL_MALFORMED", message);
}
