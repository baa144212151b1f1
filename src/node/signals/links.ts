/**
 * Links: made here, requested by a peer, removed, broken, and lost with a connection.
 *
 * Spec: erl_dist_protocol, "Link Protocol". Each process has its own table of links. After unlinking a
 * process of another node, the record stays, not in force, until the other side has acknowledged. So an
 * exit signal that is already on its way is not taken for that of a newer link.
 */
import { type Atom, isPid, type Pid, type Term } from "../../../etf/index.ts";
import * as forms from "../../distribution/control-forms.ts";
import { NOCONNECTION, NOPROC } from "../atoms.ts";
import { ErlangError } from "../exceptions.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "../peers/peer.ts";
import type { Reach } from "../peers/reach.ts";
import { PidMap } from "../process/identifiers.ts";
import type { LinkPort } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type { Link } from "../process/ties.ts";

const NO_SUCH_PROCESS = new forms.ExitReason(NOPROC);

/** Makes, removes and breaks the links of all processes of a node. */
export class Links implements LinkPort {
  readonly #self: Pick<ThisNode, "node">;
  readonly #table: ProcessTable;
  readonly #peers: Reach;
  #nextUnlinkId = 1;

  constructor(self: Pick<ThisNode, "node">, table: ProcessTable, peers: Reach) {
    this.#self = self;
    this.#table = table;
    this.#peers = peers;
  }

  /**
   * Links a process of this node to another process.
   * @throws ErlangError error `noproc` if `to` is on this node and does not exist, unless the process
   *   traps exits
   */
  link(process: Process, to: Pid): void {
    if (to.equals(process.pid)) return;
    const known = process.links?.get(to);
    if (known !== undefined && known.unlinkId === undefined) return;
    if (to.node === this.#self.node) {
      this.#linkHere(process, to);
      return;
    }
    const peer = this.#peers.reach(to.node);
    peer.links.add(known ?? addLink(process, to));
    if (known !== undefined) known.unlinkId = undefined;
    peer.send(() => forms.link(process.pid, to));
  }

  #linkHere(process: Process, to: Pid): void {
    const other = this.#table.get(to);
    if (other !== undefined) {
      addLink(process, other.pid);
      addLink(other, process.pid);
    } else if (process.trapExit) {
      process.exitFromLink(to, NOPROC);
    } else {
      // As in Erlang: within a node the caller learns it at once.
      throw ErlangError.error(NOPROC);
    }
  }

  /** Removes a link; does nothing if there is none. */
  unlink(process: Process, from: Pid): void {
    const link = process.links?.get(from);
    if (link === undefined || link.unlinkId !== undefined) return;
    if (from.node === this.#self.node) {
      process.links?.delete(from);
      this.#table.get(from)?.links?.delete(process.pid);
      return;
    }
    const unlinkId = this.#nextUnlinkId++;
    link.unlinkId = unlinkId;
    this.#peers.get(from.node)?.whenUp((connection) => {
      const { form, acknowledged } = forms.unlink(connection, unlinkId, process.pid, from);
      connection.send(...form);
      // A link made meanwhile, before the connection was up, stays.
      if (!acknowledged && link.unlinkId === unlinkId) this.#forget(process, from);
    });
  }

  /** A peer links one of its processes to `to`, which may not exist or may not even be a pid. */
  askedByPeer(peer: Peer, from: Pid, to: Term): void {
    const process = isPid(to) ? this.#table.get(to) : undefined;
    if (process === undefined) refuse(peer, to, from, NO_SUCH_PROCESS);
    else this.inForce(process, peer, from);
  }

  /** A link with a process of a peer takes effect: the peer requested it, or it belongs to a spawn. */
  inForce(process: Process, peer: Peer, other: Pid): void {
    const link = process.links?.get(other) ?? addLink(process, other);
    // The peer sent this link before it saw the unlink that still waits for its acknowledgement.
    if (link.unlinkId === undefined) peer.links.add(link);
  }

  /** Breaks a link that a process of a peer believes to exist. @param reason default `noproc` */
  refuse(peer: Peer, ours: Pid, theirs: Pid, reason?: Atom): void {
    refuse(
      peer,
      ours,
      theirs,
      reason === undefined ? NO_SUCH_PROCESS : new forms.ExitReason(reason),
    );
  }

  /** A peer removes a link. */
  takenBackByPeer(from: Pid, to: Pid): void {
    const process = this.#table.get(to);
    // If this node's unlink waits for its acknowledgement, the record stays.
    if (process !== undefined && process.links?.get(from)?.unlinkId === undefined) {
      this.#forget(process, from);
    }
  }

  /** A peer acknowledges that this node removed a link. */
  acknowledged(id: number | bigint, from: Pid, to: Pid): void {
    const process = this.#table.get(to);
    if (process?.links?.get(from)?.unlinkId === id) this.#forget(process, from);
  }

  /** A process of a peer has ended: returns the process linked to it, if the link was in force. */
  brokenByPeer(from: Pid, to: Pid): Process | undefined {
    const process = this.#table.get(to);
    // The record goes even if an unlink waits; the exit reason counts only if the link was in force.
    return process !== undefined && this.#forget(process, from) ? process : undefined;
  }

  /** A process of this node has ended: breaks its links. */
  processEnded(process: Process, reason: forms.ExitReason): void {
    for (const link of process.links?.values() ?? []) this.#break(process, link, reason);
    process.links = undefined;
  }

  /** The connection to a peer is gone: breaks the links over it with `noconnection`. */
  peerDown(peer: Peer): void {
    const broken: Link[] = [];
    for (const link of peer.links) {
      if (link.local.links?.delete(link.other) === true && link.unlinkId === undefined) {
        broken.push(link);
      }
    }
    peer.links.clear();
    // All records go before any process is notified, so that one which links again at once gets a new link.
    for (const { local, other } of broken) local.exitFromLink(other, NOCONNECTION);
  }

  #break(process: Process, link: Link, reason: forms.ExitReason): void {
    const { other, unlinkId } = link;
    if (other.node === this.#self.node) {
      const linked = this.#table.get(other);
      if (linked?.links?.delete(process.pid) === true) {
        linked.exitFromLink(process.pid, reason.term);
      }
      return;
    }
    const peer = this.#peers.get(other.node);
    peer?.links.delete(link);
    if (unlinkId === undefined) peer?.send((to) => forms.exit(to, process.pid, other, reason));
  }

  /** Removes the record of a link; returns whether the link was in force. */
  #forget(process: Process, other: Pid): boolean {
    const link = process.links?.get(other);
    if (link === undefined) return false;
    process.links?.delete(other);
    this.#peers.get(other.node)?.links.delete(link);
    return link.unlinkId === undefined;
  }
}

function addLink(local: Process, other: Pid): Link {
  const link: Link = { local, other, unlinkId: undefined };
  local.links ??= new PidMap();
  local.links.set(other, link);
  return link;
}

function refuse(peer: Peer, ours: Term, theirs: Pid, reason: forms.ExitReason): void {
  peer.send((to) => forms.exit(to, ours, theirs, reason));
}
