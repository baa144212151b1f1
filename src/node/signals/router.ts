/**
 * Signals between processes, wherever the other one is: messages, links, monitors, exits.
 *
 * A signal to a process of this node takes effect at once; one to another node is encoded at
 * once and leaves in the order it was made, also while the connection is still being set up.
 * So signals between two processes never overtake one another.
 */
import type { Atom, Pid, Reference, Term, TermInput } from "../../../etf/index.ts";
import { atomTerm, copyTerm, isPid, isReference, toTerm, tuple } from "../../../etf/index.ts";
import {
  type Connection,
  type ConnectionLimits,
  overloadedError,
} from "../../distribution/connection.ts";
import { CONTROL } from "../../distribution/control.ts";
import { EncodedTerm } from "../../distribution/encoded-term.ts";
import { DFLAG } from "../../distribution/flags.ts";
import type { Payload } from "../../distribution/payload.ts";
import { deferred } from "../../transport/deferred.ts";
import { asAtom, DOWN, type NameLike, NOCONNECTION, NOPROC, PROCESS } from "../atoms.ts";
import { NodeError } from "../errors.ts";
import { ErlangError } from "../exceptions.ts";
import type { ThisNode } from "../identity/this-node.ts";
import { messageToAlias, messageToName, messageToPid, sendExit2 } from "../outbound.ts";
import type { Peer } from "../peers/peer.ts";
import type { Alias } from "../process/alias.ts";
import { type Identifiers, PidMap, ReferenceMap } from "../process/identifiers.ts";
import type { Signals } from "../process/kernel.ts";
import type { Link } from "../process/link.ts";
import type {
  IncomingMonitor,
  Lost,
  MonitorOptions,
  OnDown,
  OutgoingMonitor,
} from "../process/monitor.ts";
import {
  type Destination,
  type MonitorTarget,
  type Process,
  READY,
  type SendOptions,
} from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import { TraceSerials } from "./tracing.ts";

/** What the router needs of the connections. */
export interface Reach {
  /** The peer of that name, being connected to if it is not. */
  reach(node: Atom): Peer;
  /** The peer, if connected or connecting. */
  get(node: Atom): Peer | undefined;
  /** How much may wait to be sent. */
  readonly limits: Pick<ConnectionLimits, "highWaterMarkBytes" | "maxQueuedBytes">;
}

export class SignalRouter implements Signals {
  readonly #self: Pick<ThisNode, "node">;
  readonly #table: ProcessTable;
  readonly #identifiers: Identifiers;
  readonly #peers: Reach;
  readonly #aliases = new ReferenceMap<Alias>();
  readonly #traceSerials = new TraceSerials();
  #nextUnlinkId = 1;

  constructor(
    self: Pick<ThisNode, "node">,
    table: ProcessTable,
    identifiers: Identifiers,
    peers: Reach,
  ) {
    this.#self = self;
    this.#table = table;
    this.#identifiers = identifiers;
    this.#peers = peers;
  }

  get #ownNode(): Atom {
    return this.#self.node;
  }

  send(from: Process, to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    const traceToken = options?.traceToken;
    const token = traceToken === undefined ? undefined : this.#traceSerials.next(from, traceToken);
    const byReference = options?.binaries === "reference";
    const localTerm = (): Term => (byReference ? toTerm(message) : copyTerm(message));
    if (isPid(to)) {
      if (to.node !== this.#ownNode) {
        const control = (connection: Connection) => messageToPid(connection, from.pid, to, token);
        return this.#transmit(to.node, message, byReference, control);
      }
      const local = localTerm();
      this.#table.get(to)?.deliver(local);
    } else if (isReference(to)) {
      if (to.node !== this.#ownNode) {
        const control = (connection: Connection) => messageToAlias(connection, from.pid, to, token);
        return this.#transmit(to.node, message, byReference, control);
      }
      this.aliasMessage(to, localTerm());
    } else {
      const { name, node } = this.#named(to);
      if (node !== this.#ownNode) {
        const control = (connection: Connection) =>
          messageToName(connection, from.pid, name, token);
        return this.#transmit(node, message, byReference, control);
      }
      const process = this.#table.whereis(name);
      // As in Erlang: a bare name must exist, a {Name, Node} need not.
      if (process === undefined && !Array.isArray(to)) {
        throw new NodeError(
          "PROCESS_NAME_UNKNOWN",
          `No process of this node is registered as ${name.name}.`,
        );
      }
      const local = localTerm();
      process?.deliver(local);
    }
    return READY;
  }

  link(process: Process, to: Pid): void {
    if (to.equals(process.pid)) return;
    const known = process.links?.get(to);
    if (known !== undefined && known.unlinkId === undefined) return;
    if (to.node === this.#ownNode) {
      const other = this.#table.get(to);
      if (other === undefined) {
        // As in Erlang: of this node it is known at once, and an exception unless exits are trapped.
        if (!process.trapExit) throw ErlangError.error(NOPROC);
        process.exitFromLink(to, NOPROC);
        return;
      }
      this.#addLink(process, other.pid);
      this.#addLink(other, process.pid);
      return;
    }
    const peer = this.#peers.reach(to.node);
    peer.links.add(known ?? this.#addLink(process, to));
    if (known !== undefined) known.unlinkId = undefined;
    peer.signal((connection) => connection.send(tuple(CONTROL.LINK.op, process.pid, to)));
  }

  unlink(process: Process, from: Pid): void {
    const link = process.links?.get(from);
    if (link === undefined || link.unlinkId !== undefined) return;
    if (from.node === this.#ownNode) {
      process.links?.delete(from);
      this.#table.get(from)?.links?.delete(process.pid);
      return;
    }
    const unlinkId = this.#nextUnlinkId++;
    link.unlinkId = unlinkId;
    this.#peers.get(from.node)?.signal((connection) => {
      if (connection.has(DFLAG.UNLINK_ID)) {
        connection.send(tuple(CONTROL.UNLINK_ID.op, unlinkId, process.pid, from));
      } else {
        connection.send(tuple(CONTROL.UNLINK.op, process.pid, from));
        // Nothing acknowledges it; a link made since, while there was no connection, stays.
        if (link.unlinkId === unlinkId) this.forgetLink(process, from);
      }
    });
  }

  monitor(process: Process, target: MonitorTarget, options: MonitorOptions): Reference {
    const ref = this.#identifiers.newReference();
    this.aliasOfMonitor(process, ref, options);
    this.monitorWith(process, target, ref, undefined, options.tag);
    return ref;
  }

  /** As `monitor`, with a reference made before and a callback instead of the DOWN message. */
  monitorWith(
    watcher: Process,
    target: MonitorTarget,
    ref: Reference,
    onDown: OnDown | undefined,
    tag?: Term,
  ): void {
    const object = isPid(target) ? target : this.#named(target);
    const monitor: OutgoingMonitor = { ref, watcher, target: object, onDown, tag };
    this.addOutgoingMonitor(monitor);
    if (object.node === this.#ownNode) {
      const local = isPid(object) ? this.#table.get(object) : this.#table.whereis(object.name);
      if (local === undefined) {
        this.monitorDown(monitor, NOPROC);
        return;
      }
      const name = isPid(object) ? undefined : object.name;
      monitor.incoming = { ref, watcher: watcher.pid, target: local, name };
      watched(monitor.incoming);
      return;
    }
    const peer = this.#peers.reach(object.node);
    peer.outgoingMonitors.set(ref, monitor);
    const toProc = isPid(object) ? object : object.name;
    peer.signal((connection) =>
      connection.send(tuple(CONTROL.MONITOR_P.op, watcher.pid, toProc, ref)),
    );
  }

  demonitor(process: Process, ref: Reference): boolean {
    const monitor = process.monitors?.take(ref);
    if (monitor === undefined) return false;
    this.#monitorOver(monitor);
    this.#takeBackMonitor(monitor);
    return true;
  }

  exit(process: Process, to: Pid, reason: Term, traceToken?: Term): void {
    const token =
      traceToken === undefined ? undefined : this.#traceSerials.next(process, traceToken);
    if (to.node === this.#ownNode) {
      const term = copyTerm(reason);
      this.#table.get(to)?.exitSignal(process.pid, term);
      return;
    }
    const both = { term: reason, encoded: new EncodedTerm(reason) };
    this.#peers
      .reach(to.node)
      .signal((connection) => sendExit2(connection, process.pid, to, both, token));
  }

  register(process: Process, name: Atom): void {
    this.#table.register(process, name);
  }

  /** A new alias of a process; `onMessage` takes what is sent to it instead of the process. */
  alias(process: Process, once: boolean, onMessage?: (message: Term) => void): Reference {
    const ref = this.#identifiers.newReference();
    this.#addAlias(ref, { process, once, onMessage });
    return ref;
  }

  /** Makes a monitor's reference an alias as well, if its options say so. */
  aliasOfMonitor(process: Process, ref: Reference, { alias }: MonitorOptions): void {
    if (alias === undefined) return;
    const once = alias === "reply_demonitor";
    this.#addAlias(ref, { process, once, ofMonitor: alias !== "explicit_unalias" });
  }

  #addAlias(ref: Reference, alias: Alias): void {
    this.#aliases.set(ref, alias);
    alias.process.aliases ??= new ReferenceMap();
    alias.process.aliases.set(ref, alias);
  }

  /** Takes an alias back; returns whether it was in force. */
  unalias(ref: Reference): boolean {
    const alias = this.#aliases.take(ref);
    alias?.process.aliases?.delete(ref);
    return alias !== undefined;
  }

  /** A message of this node to an alias. */
  aliasMessage(ref: Reference, message: Term): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(message);
    else alias?.process.deliver(message);
  }

  /** A peer's message to an alias. */
  aliasArrival(ref: Reference, payload: Payload): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(payload.read());
    else alias?.process.arrive(payload);
  }

  /** The alias that a message is for; with this one it may be over. */
  #reached(ref: Reference): Alias | undefined {
    const alias = this.#aliases.get(ref);
    if (alias?.once === true) {
      this.unalias(ref);
      if (alias.ofMonitor === true) this.demonitor(alias.process, ref);
    }
    return alias;
  }

  /** The process of an active alias. An exit signal to it leaves the alias as it is. */
  aliasProcess(ref: Reference): Process | undefined {
    return this.#aliases.get(ref)?.process;
  }

  /** A link with a process of a peer is in force: the peer asked, or spawned it linked. */
  linkedByPeer(process: Process, peer: Peer, other: Pid): void {
    const link = process.links?.get(other) ?? this.#addLink(process, other);
    // While our unlink waits for its acknowledgement, the peer's link signal is older news.
    if (link.unlinkId === undefined) peer.links.add(link);
  }

  /** Removes the record of a link; returns whether the link was in force. */
  forgetLink(process: Process, other: Pid): boolean {
    const link = process.links?.get(other);
    if (link === undefined) return false;
    process.links?.delete(other);
    this.#peers.get(other.node)?.links.delete(link);
    return link.unlinkId === undefined;
  }

  addOutgoingMonitor(monitor: OutgoingMonitor): void {
    monitor.watcher.monitors ??= new ReferenceMap();
    monitor.watcher.monitors.set(monitor.ref, monitor);
  }

  /** A process of a peer takes a monitor back; `target` is undefined when it was set on a name. */
  demonitoredByPeer(peer: Peer, ref: Reference, target: Process | undefined): void {
    const monitor = peer.incomingMonitors.takeBack(ref, target);
    monitor?.target.monitoredBy?.delete(monitor);
  }

  /** A process of a peer monitors one of ours. */
  monitoredByPeer(peer: Peer, monitor: IncomingMonitor): void {
    peer.incomingMonitors.add(monitor);
    watched(monitor);
  }

  /** What was monitored is gone: its watcher hears of it, once. */
  monitorDown(monitor: OutgoingMonitor, reason: Term, lost?: Lost, heapBytes?: number): void {
    if (monitor.watcher.monitors?.delete(monitor.ref) !== true) return;
    this.#monitorOver(monitor);
    if (monitor.onDown !== undefined) {
      monitor.onDown(reason, lost);
      return;
    }
    const object = isPid(monitor.target)
      ? monitor.target
      : tuple(atomTerm(monitor.target.name), atomTerm(monitor.target.node));
    const down = tuple(monitor.tag ?? DOWN, monitor.ref, PROCESS, object, reason);
    monitor.watcher.deliver(down, heapBytes);
  }

  buried(process: Process, reason: Term, ready?: EncodedTerm): void {
    this.#table.remove(process);
    for (const ref of process.aliases?.keys() ?? []) this.#aliases.delete(ref);
    for (const monitor of process.monitors?.values() ?? []) this.#takeBackMonitor(monitor);
    let encoded = ready;
    const payload = (): EncodedTerm => (encoded ??= new EncodedTerm(reason));
    for (const link of process.links?.values() ?? []) {
      this.#breakLink(process, link, reason, payload);
    }
    for (const monitor of process.monitoredBy ?? []) {
      this.#tellWatcher(process, monitor, reason, payload);
    }
    process.links = undefined;
    process.monitors = undefined;
    process.monitoredBy = undefined;
    process.aliases = undefined;
  }

  /** The connection to a peer is gone, or never came about. */
  peerDown(peer: Peer, lost: Lost): void {
    peer.lost(lost.error);
    const broken: Link[] = [];
    for (const link of peer.links) {
      if (link.local.links?.delete(link.other) === true && link.unlinkId === undefined) {
        broken.push(link);
      }
    }
    peer.links.clear();
    // All records are gone before anybody hears: who links anew at once has a new link.
    for (const { local, other } of broken) local.exitFromLink(other, NOCONNECTION);
    for (const monitor of peer.incomingMonitors.takeAll()) {
      monitor.target.monitoredBy?.delete(monitor);
    }
    const monitors = peer.outgoingMonitors.values();
    peer.outgoingMonitors.clear();
    for (const monitor of monitors) this.monitorDown(monitor, NOCONNECTION, lost);
  }

  #transmit(
    node: Atom,
    message: TermInput,
    byReference: boolean,
    makeControl: (connection: Connection) => TermInput | undefined,
  ): Promise<void> {
    const connection = this.#peers.get(node)?.connection;
    if (connection !== undefined) {
      if (connection.overloaded) throw overloadedError(node.name);
      const control = makeControl(connection);
      if (control === undefined) return READY;
      if (byReference) {
        const { promise, resolve } = deferred<void>();
        connection.send(control, message, resolve);
        return promise.then(() => connection.drained());
      }
      connection.send(control, message);
      return connection.congested ? connection.drained() : READY;
    }
    // Encoded now: the sender may change what it sent, and hears at once when it is no term.
    const payload = new EncodedTerm(message);
    const peer = this.#peers.reach(node);
    const { highWaterMarkBytes, maxQueuedBytes } = this.#peers.limits;
    if (peer.waitingBytes > maxQueuedBytes) throw overloadedError(node.name);
    peer.signal((up) => {
      const control = makeControl(up);
      if (control !== undefined) up.send(control, payload);
    }, payload.bytes);
    return peer.waitingBytes > highWaterMarkBytes ? peer.settled() : READY;
  }

  #named(target: NameLike | readonly [NameLike, NameLike]): {
    name: Atom;
    node: Atom;
  } {
    if (Array.isArray(target)) {
      const [name, node] = target as readonly [NameLike, NameLike];
      return { name: asAtom(name), node: asAtom(node) };
    }
    return { name: asAtom(target as NameLike), node: this.#ownNode };
  }

  #addLink(local: Process, other: Pid): Link {
    const link: Link = { local, other, unlinkId: undefined };
    local.links ??= new PidMap();
    local.links.set(other, link);
    return link;
  }

  /** A monitor has told of an end or was taken back: its alias may go with it. */
  #monitorOver({ watcher, ref }: OutgoingMonitor): void {
    if (watcher.aliases?.get(ref)?.ofMonitor === true) this.unalias(ref);
  }

  /** Tells the other side that a monitor of ours, already out of its watcher's table, is over. */
  #takeBackMonitor(monitor: OutgoingMonitor): void {
    const { ref, target, watcher, incoming } = monitor;
    if (target.node === this.#ownNode) {
      if (incoming !== undefined) incoming.target.monitoredBy?.delete(incoming);
      return;
    }
    const peer = this.#peers.get(target.node);
    if (peer?.outgoingMonitors.delete(ref) !== true) return;
    const toProc = isPid(target) ? target : target.name;
    peer.signal((connection) =>
      connection.send(tuple(CONTROL.DEMONITOR_P.op, watcher.pid, toProc, ref)),
    );
  }

  #breakLink(process: Process, link: Link, reason: Term, payload: () => EncodedTerm): void {
    const { other, unlinkId } = link;
    if (other.node === this.#ownNode) {
      const linked = this.#table.get(other);
      if (linked?.links?.delete(process.pid) === true) linked.exitFromLink(process.pid, reason);
      return;
    }
    const peer = this.#peers.get(other.node);
    peer?.links.delete(link);
    if (unlinkId !== undefined) return;
    peer?.signal((connection) => {
      if (connection.has(DFLAG.EXIT_PAYLOAD)) {
        connection.send(tuple(CONTROL.PAYLOAD_EXIT.op, process.pid, other), payload());
      } else {
        connection.send(tuple(CONTROL.EXIT.op, process.pid, other, reason));
      }
    });
  }

  #tellWatcher(
    process: Process,
    monitor: IncomingMonitor,
    reason: Term,
    payload: () => EncodedTerm,
  ): void {
    const { ref, watcher } = monitor;
    if (watcher.node === this.#ownNode) {
      const outgoing = this.#table.get(watcher)?.monitors?.get(ref);
      if (outgoing !== undefined) this.monitorDown(outgoing, reason);
      return;
    }
    const peer = this.#peers.get(watcher.node);
    if (peer?.incomingMonitors.delete(monitor) !== true) return;
    const from = monitor.name ?? process.pid;
    peer.signal((connection) => {
      if (connection.has(DFLAG.EXIT_PAYLOAD)) {
        connection.send(tuple(CONTROL.PAYLOAD_MONITOR_P_EXIT.op, from, watcher, ref), payload());
      } else {
        connection.send(tuple(CONTROL.MONITOR_P_EXIT.op, from, watcher, ref, reason));
      }
    });
  }
}

function watched(monitor: IncomingMonitor): void {
  const { target } = monitor;
  target.monitoredBy ??= new Set();
  target.monitoredBy.add(monitor);
}
