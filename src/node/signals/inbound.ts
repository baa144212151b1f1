/**
 * Control messages of a peer, carried out in wire order: one place, one switch.
 *
 * A signal to a process that does not exist is dropped or answered `noproc`, as the runtime
 * does; its payload is not looked at. What ties two processes together is taken from the one's own node only, and for processes
 * of this node only, as the runtime takes it. Trace tokens are told to who listens.
 */
import type { Atom, Pid, Reference, Term } from "../../../etf/index.ts";
import { isPid, isReference, tuple } from "../../../etf/index.ts";
import {
  ALTACT_FLAG,
  altactFlags,
  CONTROL,
  type ControlMessage,
} from "../../distribution/control.ts";
import { DistProtocolError } from "../../distribution/errors.ts";
import { DFLAG } from "../../distribution/flags.ts";
import type { Payload } from "../../distribution/payload.ts";
import { NOPROC } from "../atoms.ts";
import type { Peer } from "../peers/peer.ts";
import { refuseLink } from "../process/link.ts";
import type { Process } from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type { Spawner } from "../spawn/spawner.ts";
import type { SignalRouter } from "./router.ts";
import { tellTraced } from "./tracing.ts";

export class InboundSignals {
  readonly #table: ProcessTable;
  readonly #signals: SignalRouter;
  readonly #spawner: Spawner;

  constructor(table: ProcessTable, signals: SignalRouter, spawner: Spawner) {
    this.#table = table;
    this.#signals = signals;
    this.#spawner = spawner;
  }

  handle(peer: Peer, message: ControlMessage, payload: Payload): void {
    tellTraced(this.#table.node.name, peer.name.name, message);
    switch (message[0]) {
      case CONTROL.SEND.op:
      case CONTROL.SEND_TT.op:
      case CONTROL.SEND_SENDER.op:
      case CONTROL.SEND_SENDER_TT.op:
        this.#table.get(message[2])?.arrive(payload);
        return;
      case CONTROL.REG_SEND.op:
      case CONTROL.REG_SEND_TT.op:
        this.#table.whereis(message[3])?.arrive(payload);
        return;
      case CONTROL.ALIAS_SEND.op:
      case CONTROL.ALIAS_SEND_TT.op:
        this.#signals.aliasArrival(message[2], payload);
        return;
      case CONTROL.ALTACT_SIG_SEND.op: {
        // None of our aliases has the option `priority`, so that PRIO is never heeded.
        const [, flags, from, to] = message;
        if ((altactFlags(flags) & ALTACT_FLAG.EXIT) !== 0) {
          this.#receiver(to)?.exitSignalFromPeer(from, payload);
        } else if (isReference(to)) {
          this.#signals.aliasArrival(to, payload);
        } else this.#receiver(to)?.arrive(payload);
        return;
      }
      case CONTROL.LINK.op:
        this.#link(peer, message[1], message[2]);
        return;
      case CONTROL.UNLINK.op:
        this.#unlink(peer, message[1], message[2]);
        return;
      case CONTROL.UNLINK_ID.op: {
        const [, id, from, to] = message;
        this.#unlink(peer, from, to);
        peer.signal((connection) => connection.send(tuple(CONTROL.UNLINK_ID_ACK.op, id, to, from)));
        return;
      }
      case CONTROL.UNLINK_ID_ACK.op: {
        const [, id, from, to] = message;
        this.#checkLinkEnds(peer, from, to);
        const process = this.#table.get(to);
        if (process?.links?.get(from)?.unlinkId === id) this.#signals.forgetLink(process, from);
        return;
      }
      case CONTROL.EXIT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromLink(message[1], message[3]);
        return;
      case CONTROL.EXIT_TT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromLink(message[1], message[4]);
        return;
      case CONTROL.PAYLOAD_EXIT.op:
      case CONTROL.PAYLOAD_EXIT_TT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromPeer(message[1], payload);
        return;
      case CONTROL.EXIT2.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignal(message[1], message[3]);
        return;
      case CONTROL.EXIT2_TT.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignal(message[1], message[4]);
        return;
      case CONTROL.PAYLOAD_EXIT2.op:
      case CONTROL.PAYLOAD_EXIT2_TT.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignalFromPeer(message[1], payload);
        return;
      case CONTROL.MONITOR_P.op:
        this.#monitor(peer, message[1], message[2], message[3]);
        return;
      case CONTROL.DEMONITOR_P.op:
        this.#demonitor(peer, message[1], message[2], message[3]);
        return;
      case CONTROL.MONITOR_P_EXIT.op:
        this.#checkDown(peer, message[1], message[2]);
        this.#monitorExit(peer, message[3], () => message[4]);
        return;
      case CONTROL.PAYLOAD_MONITOR_P_EXIT.op:
        this.#checkDown(peer, message[1], message[2]);
        this.#monitorExit(peer, message[3], () => payload.read(), payload);
        return;
      case CONTROL.GROUP_LEADER.op: {
        const process = this.#table.get(message[2]);
        if (process !== undefined) process.groupLeader = message[1];
        return;
      }
      case CONTROL.SPAWN_REQUEST.op:
      case CONTROL.SPAWN_REQUEST_TT.op:
        this.#checkRequest(peer, message[2], message[1]);
        this.#spawner.requested(peer, message, payload);
        return;
      case CONTROL.SPAWN_REPLY.op:
      case CONTROL.SPAWN_REPLY_TT.op:
        this.#checkReceiver(peer, message[2]);
        this.#spawner.replied(peer, message[1], message[3], message[4]);
        return;
    }
  }

  #receiver(to: Pid | Atom | Reference): Process | undefined {
    if (isPid(to)) return this.#table.get(to);
    return isReference(to) ? this.#signals.aliasProcess(to) : this.#table.whereis(to);
  }

  #link(peer: Peer, from: Pid, to: Term): void {
    this.#checkSender(peer, from);
    if (isPid(to)) this.#checkReceiver(peer, to);
    const process = isPid(to) ? this.#table.get(to) : undefined;
    if (process !== undefined) this.#signals.linkedByPeer(process, peer, from);
    else refuseLink(peer, to, from);
  }

  #unlink(peer: Peer, from: Pid, to: Pid): void {
    this.#checkLinkEnds(peer, from, to);
    const process = this.#table.get(to);
    // An unlink of our own that waits for its acknowledgement keeps its record.
    if (process?.links?.get(from)?.unlinkId === undefined && process !== undefined) {
      this.#signals.forgetLink(process, from);
    }
  }

  /** A process of the peer has ended: the one linked to it, if the link was in force. */
  #linkBroken(peer: Peer, from: Pid, to: Pid): Process | undefined {
    this.#checkLinkEnds(peer, from, to);
    const process = this.#table.get(to);
    // Its record goes even while our unlink waits; the reason counts only of a link in force.
    return process !== undefined && this.#signals.forgetLink(process, from) ? process : undefined;
  }

  #monitor(peer: Peer, watcher: Pid, toProc: Pid | Atom, ref: Reference): void {
    this.#checkEnds(peer, watcher, toProc);
    const target = isPid(toProc) ? this.#table.get(toProc) : this.#table.whereis(toProc);
    if (target !== undefined) {
      const name = isPid(toProc) ? undefined : toProc;
      this.#signals.monitoredByPeer(peer, { ref, watcher, target, name });
      return;
    }
    peer.signal((connection) => {
      if (connection.has(DFLAG.EXIT_PAYLOAD)) {
        connection.send(tuple(CONTROL.PAYLOAD_MONITOR_P_EXIT.op, toProc, watcher, ref), NOPROC);
      } else {
        connection.send(tuple(CONTROL.MONITOR_P_EXIT.op, toProc, watcher, ref, NOPROC));
      }
    });
  }

  #demonitor(peer: Peer, watcher: Pid, toProc: Pid | Atom, ref: Reference): void {
    this.#checkEnds(peer, watcher, toProc);
    const target = isPid(toProc) ? this.#table.get(toProc) : undefined;
    // Of a process that has ended there is none left.
    if (target === undefined && isPid(toProc)) return;
    this.#signals.demonitoredByPeer(peer, ref, target);
  }

  #monitorExit(peer: Peer, ref: Reference, reason: () => Term, payload?: Payload): void {
    const monitor = peer.outgoingMonitors.take(ref);
    if (monitor === undefined) this.#spawner.ended(peer, ref, reason);
    else this.#signals.monitorDown(monitor, reason(), undefined, payload?.heapBytes);
  }

  /** The process that an exit signal is for; the sender must be the peer's. */
  #exitReceiver(peer: Peer, from: Pid, to: Pid): Process | undefined {
    this.#checkEnds(peer, from, to);
    return this.#table.get(to);
  }

  #checkEnds(peer: Peer, from: Pid, to: Pid | Atom): void {
    this.#checkSender(peer, from);
    if (isPid(to)) this.#checkReceiver(peer, to);
  }

  /** No link outlives a node: an earlier life of this one has none. */
  #checkLinkEnds(peer: Peer, from: Pid, to: Pid): void {
    this.#checkSender(peer, from);
    if (!this.#table.isLocal(to)) throw notOurs(peer, to);
  }

  #checkReceiver(peer: Peer, to: Pid): void {
    if (!this.#table.isOfNode(to)) throw notOurs(peer, to);
  }

  /** Of a request from one node to another. */
  #checkRequest(peer: Peer, from: Pid, ref: Reference): void {
    if (this.#table.isOfNode(from) || ref.node === this.#table.node) {
      throw new DistProtocolError(
        "DIST_CONTROL_MALFORMED",
        `${peer.name.name} sent a request of ${from}, by ${ref}, in the name of this node.`,
      );
    }
  }

  #checkDown(peer: Peer, from: Pid | Atom, to: Pid): void {
    this.#checkReceiver(peer, to);
    if (isPid(from) && this.#table.isOfNode(from)) {
      throw new DistProtocolError(
        "DIST_CONTROL_MALFORMED",
        `${peer.name.name} sent the end of ${from}, which is a process of this node.`,
      );
    }
  }

  #checkSender(peer: Peer, from: Pid): void {
    if (from.node === peer.name) return;
    throw new DistProtocolError(
      "DIST_CONTROL_MALFORMED",
      `${peer.name.name} sent a signal in the name of the process ${from}, which is not its own.`,
    );
  }
}

function notOurs(peer: Peer, pid: Pid): DistProtocolError {
  return new DistProtocolError(
    "DIST_CONTROL_MALFORMED",
    `${peer.name.name} sent a signal for the process ${pid}, which is not of this node.`,
  );
}
