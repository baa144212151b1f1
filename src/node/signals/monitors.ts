/**
 * Monitors: set here, set by a peer, removed, fired, and lost with a connection.
 *
 * Spec: erl_dist_protocol, MONITOR_P, DEMONITOR_P, MONITOR_P_EXIT.
 */
import type { Atom, Pid, Reference, Term } from "../../../etf/index.ts";
import { atomTerm, isPid, tuple } from "../../../etf/index.ts";
import * as forms from "../../distribution/control-forms.ts";
import { DOWN, NOCONNECTION, NOPROC, PROCESS } from "../atoms.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "../peers/peer.ts";
import type { Reach } from "../peers/reach.ts";
import { type Identifiers, ReferenceMap } from "../process/identifiers.ts";
import type { MonitorPort } from "../process/kernel.ts";
import type { MonitorTarget, Process } from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type {
  IncomingMonitor,
  Lost,
  MonitorOptions,
  OnDown,
  OutgoingMonitor,
} from "../process/ties.ts";
import type { Aliases } from "./aliases.ts";
import { nameAndNode } from "./destination.ts";

const NO_SUCH_PROCESS = new forms.ExitReason(NOPROC);

/** Sets, removes and fires the monitors of all processes of a node. */
export class Monitors implements MonitorPort {
  readonly #self: Pick<ThisNode, "node">;
  readonly #table: ProcessTable;
  readonly #identifiers: Identifiers;
  readonly #peers: Reach;
  readonly #aliases: Aliases;

  constructor(
    self: Pick<ThisNode, "node">,
    table: ProcessTable,
    identifiers: Identifiers,
    peers: Reach,
    aliases: Aliases,
  ) {
    this.#self = self;
    this.#table = table;
    this.#identifiers = identifiers;
    this.#peers = peers;
    this.#aliases = aliases;
  }

  /** Monitors a process; a DOWN message reports its end. Returns the reference of the monitor. */
  monitor(process: Process, target: MonitorTarget, options: MonitorOptions): Reference {
    const ref = this.#identifiers.newReference();
    this.#aliases.ofMonitor(process, ref, options);
    this.monitorWith(process, target, ref, undefined, options.tag);
    return ref;
  }

  /** As `monitor`, with an existing reference and, if given, a callback in place of the DOWN message. */
  monitorWith(
    watcher: Process,
    target: MonitorTarget,
    ref: Reference,
    onDown: OnDown | undefined,
    tag?: Term,
  ): void {
    const object = isPid(target) ? target : nameAndNode(target, this.#self.node);
    const monitor: OutgoingMonitor = { ref, watcher, target: object, onDown, tag };
    addOutgoing(monitor);
    if (object.node === this.#self.node) {
      this.#monitorHere(monitor);
      return;
    }
    const peer = this.#peers.reach(object.node);
    peer.outgoingMonitors.set(ref, monitor);
    peer.send(() => forms.monitor(watcher.pid, isPid(object) ? object : object.name, ref));
  }

  #monitorHere(monitor: OutgoingMonitor): void {
    const { ref, watcher, target } = monitor;
    const local = isPid(target) ? this.#table.get(target) : this.#table.whereis(target.name);
    if (local === undefined) {
      this.#down(monitor, NOPROC);
      return;
    }
    const name = isPid(target) ? undefined : target.name;
    monitor.incoming = { ref, watcher: watcher.pid, target: local, name };
    addIncoming(monitor.incoming);
  }

  /** Adds a monitor that the peer set when it spawned the monitored process. */
  setBySpawn(peer: Peer, monitor: OutgoingMonitor): void {
    addOutgoing(monitor);
    peer.outgoingMonitors.set(monitor.ref, monitor);
  }

  /** Removes a monitor; returns whether it was in force. */
  demonitor(process: Process, ref: Reference): boolean {
    const monitor = process.monitors?.take(ref);
    if (monitor === undefined) return false;
    this.#aliases.monitorOver(monitor);
    this.#takeBack(monitor);
    return true;
  }

  /** A process of a peer monitors a pid or a name of this node, which may not exist. */
  askedByPeer(peer: Peer, watcher: Pid, to: Pid | Atom, ref: Reference): void {
    const target = isPid(to) ? this.#table.get(to) : this.#table.whereis(to);
    if (target !== undefined) {
      this.inForce(peer, { ref, watcher, target, name: isPid(to) ? undefined : to });
      return;
    }
    peer.send((negotiated) => forms.monitorExit(negotiated, to, watcher, ref, NO_SUCH_PROCESS));
  }

  /** A peer's monitor of a process of this node takes effect: it requested it, or spawned the process. */
  inForce(peer: Peer, monitor: IncomingMonitor): void {
    peer.incomingMonitors.add(monitor);
    addIncoming(monitor);
  }

  /** A process of a peer removes a monitor. */
  takenBackByPeer(peer: Peer, to: Pid | Atom, ref: Reference): void {
    const target = isPid(to) ? this.#table.get(to) : undefined;
    // A process that has ended has no monitors.
    if (target === undefined && isPid(to)) return;
    const monitor = peer.incomingMonitors.takeBack(ref, target);
    monitor?.target.monitoredBy?.delete(monitor);
  }

  /**
   * A peer reports the end of a process that a process here monitors.
   * @param reason reads the reason; called only if the monitor exists
   * @returns whether the monitor exists
   */
  endedAtPeer(
    peer: Peer,
    ref: Reference,
    reason: () => { readonly term: Term; readonly heapBytes?: number },
  ): boolean {
    const monitor = peer.outgoingMonitors.take(ref);
    if (monitor === undefined) return false;
    const { term, heapBytes } = reason();
    this.#down(monitor, term, undefined, heapBytes);
    return true;
  }

  /** A process of this node has ended: removes the monitors it has set. */
  watcherEnded(process: Process): void {
    for (const monitor of process.monitors?.values() ?? []) this.#takeBack(monitor);
    process.monitors = undefined;
  }

  /** A process of this node has ended: notifies the processes that monitor it. */
  processEnded(process: Process, reason: forms.ExitReason): void {
    for (const monitor of process.monitoredBy ?? []) this.#tellWatcher(process, monitor, reason);
    process.monitoredBy = undefined;
  }

  /** The connection to a peer is gone, or was never established: its monitors fire with `noconnection`. */
  peerDown(peer: Peer, lost: Lost): void {
    for (const monitor of peer.incomingMonitors.takeAll()) {
      monitor.target.monitoredBy?.delete(monitor);
    }
    const monitors = peer.outgoingMonitors.values();
    peer.outgoingMonitors.clear();
    for (const monitor of monitors) this.#down(monitor, NOCONNECTION, lost);
  }

  /** A monitored process is gone: notifies the watcher, once. */
  #down(monitor: OutgoingMonitor, reason: Term, lost?: Lost, heapBytes?: number): void {
    const { watcher, ref, target } = monitor;
    if (watcher.monitors?.delete(ref) !== true) return;
    this.#aliases.monitorOver(monitor);
    if (monitor.onDown !== undefined) {
      monitor.onDown(reason, lost);
      return;
    }
    const object = isPid(target) ? target : tuple(atomTerm(target.name), atomTerm(target.node));
    const down = tuple(monitor.tag ?? DOWN, ref, PROCESS, object, reason);
    watcher.deliver(down, heapBytes);
  }

  /** Removes the target's side of a monitor that its watcher no longer has. */
  #takeBack(monitor: OutgoingMonitor): void {
    const { ref, target, watcher, incoming } = monitor;
    if (target.node === this.#self.node) {
      if (incoming !== undefined) incoming.target.monitoredBy?.delete(incoming);
      return;
    }
    const peer = this.#peers.get(target.node);
    if (peer?.outgoingMonitors.delete(ref) !== true) return;
    peer.send(() => forms.demonitor(watcher.pid, isPid(target) ? target : target.name, ref));
  }

  #tellWatcher(process: Process, monitor: IncomingMonitor, reason: forms.ExitReason): void {
    const { ref, watcher } = monitor;
    if (watcher.node === this.#self.node) {
      const outgoing = this.#table.get(watcher)?.monitors?.get(ref);
      if (outgoing !== undefined) this.#down(outgoing, reason.term);
      return;
    }
    const peer = this.#peers.get(watcher.node);
    if (peer?.incomingMonitors.delete(monitor) !== true) return;
    const from = monitor.name ?? process.pid;
    peer.send((to) => forms.monitorExit(to, from, watcher, ref, reason));
  }
}

function addOutgoing(monitor: OutgoingMonitor): void {
  monitor.watcher.monitors ??= new ReferenceMap();
  monitor.watcher.monitors.set(monitor.ref, monitor);
}

function addIncoming(monitor: IncomingMonitor): void {
  monitor.target.monitoredBy ??= new Set();
  monitor.target.monitoredBy.add(monitor);
}
