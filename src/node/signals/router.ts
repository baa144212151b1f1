/**
 * Signals between processes, wherever the receiver is. Messages and exit signals are here; links,
 * monitors and aliases have their own files.
 *
 * A signal to a process of this node takes effect at once. A signal to another node is encoded at once
 * and leaves in order, even while the connection is still being set up. So signals between two processes
 * never overtake each other.
 */
import type { Atom, Pid, Term, TermInput } from "../../../etf/index.ts";
import { copyTerm, isPid, isReference, toTerm } from "../../../etf/index.ts";
import { type Connection, overloadedError } from "../../distribution/connection.ts";
import * as forms from "../../distribution/control-forms.ts";
import { EncodedTerm } from "../../distribution/encoded-term.ts";
import { deferred } from "../../transport/deferred.ts";
import { NodeError } from "../errors.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "../peers/peer.ts";
import type { Reach } from "../peers/reach.ts";
import type { Identifiers } from "../process/identifiers.ts";
import type { SendPort } from "../process/kernel.ts";
import { type Destination, type Process, READY, type SendOptions } from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import type { Lost } from "../process/ties.ts";
import { Aliases } from "./aliases.ts";
import { nameAndNode } from "./destination.ts";
import { Links } from "./links.ts";
import { Monitors } from "./monitors.ts";
import { TraceSerials } from "./tracing.ts";

/** Makes the control message for a message; undefined if the peer cannot have the receiver. */
type MakesControl = (connection: Connection) => TermInput | undefined;

/** Sends messages and exit signals, and reports the end of processes and of connections. */
export class SignalRouter implements SendPort {
  readonly links: Links;
  readonly monitors: Monitors;
  readonly aliases: Aliases;
  readonly #self: Pick<ThisNode, "node">;
  readonly #table: ProcessTable;
  readonly #peers: Reach;
  readonly #traceSerials = new TraceSerials();

  constructor(
    self: Pick<ThisNode, "node">,
    table: ProcessTable,
    identifiers: Identifiers,
    peers: Reach,
  ) {
    this.#self = self;
    this.#table = table;
    this.#peers = peers;
    this.links = new Links(self, table, peers);
    this.aliases = new Aliases(identifiers, (process, ref) =>
      this.monitors.demonitor(process, ref),
    );
    this.monitors = new Monitors(self, table, identifiers, peers, this.aliases);
  }

  get #ownNode(): Atom {
    return this.#self.node;
  }

  /**
   * Sends a message. The promise resolves when the connection can take more.
   * @throws NodeError PROCESS_NAME_UNKNOWN, TRACE_TOKEN_INVALID; EtfEncodeError if the message is not a
   *   term; ConnectionClosedError CONN_OVERLOADED
   */
  send(from: Process, to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    const traceToken = options?.traceToken;
    const token = traceToken === undefined ? undefined : this.#traceSerials.next(from, traceToken);
    const byReference = options?.binaries === "reference";
    const localTerm = (): Term => (byReference ? toTerm(message) : copyTerm(message));
    if (isPid(to)) {
      if (to.node !== this.#ownNode) {
        const control: MakesControl = (peer) => forms.sendToPid(peer, from.pid, to, token);
        return this.#transmit(to.node, message, byReference, control);
      }
      const local = localTerm();
      this.#table.get(to)?.deliver(local);
    } else if (isReference(to)) {
      if (to.node !== this.#ownNode) {
        const control: MakesControl = (peer) => forms.sendToAlias(peer, from.pid, to, token);
        return this.#transmit(to.node, message, byReference, control);
      }
      this.aliases.deliver(to, localTerm());
    } else {
      const { name, node } = nameAndNode(to, this.#ownNode);
      if (node !== this.#ownNode) {
        const control: MakesControl = (peer) => forms.sendToName(peer, from.pid, name, token);
        return this.#transmit(node, message, byReference, control);
      }
      const process = this.#table.whereis(name);
      // As in Erlang: a bare name must be registered, a name with a node need not be.
      if (process === undefined && !Array.isArray(to)) {
        throw new NodeError(
          "PROCESS_NAME_UNKNOWN",
          `No process on this node is registered as ${name.name}.`,
        );
      }
      const local = localTerm();
      process?.deliver(local);
    }
    return READY;
  }

  /**
   * Sends an exit signal.
   * @throws NodeError TRACE_TOKEN_INVALID; EtfEncodeError if the reason is not a term
   */
  exit(process: Process, to: Pid, reason: Term, traceToken?: Term): void {
    const token =
      traceToken === undefined ? undefined : this.#traceSerials.next(process, traceToken);
    if (to.node === this.#ownNode) {
      const term = copyTerm(reason);
      this.#table.get(to)?.exitSignal(process.pid, term);
      return;
    }
    // Encoded now, because the sender may change it, and so that it throws at once if it is not a term.
    const given = new forms.ExitReason(reason, new EncodedTerm(reason));
    this.#peers.reach(to.node).send((peer) => forms.exit2(peer, process.pid, to, given, token));
  }

  /** Registers a process under a name. @throws NodeError PROCESS_NAME_INVALID, PROCESS_NAME_TAKEN */
  register(process: Process, name: Atom): void {
    this.#table.register(process, name);
  }

  /**
   * A process has ended: removes it, and notifies the processes that are linked to it or monitor it.
   * @param encoded the encoded reason, if it exists already
   */
  processEnded(process: Process, reason: Term, encoded?: EncodedTerm): void {
    const given = new forms.ExitReason(reason, encoded);
    this.#table.remove(process);
    this.aliases.processEnded(process);
    this.monitors.watcherEnded(process);
    this.links.processEnded(process, given);
    this.monitors.processEnded(process, given);
  }

  /** The connection to a peer is gone, or was never established: breaks links and fires monitors. */
  peerDown(peer: Peer, lost: Lost): void {
    peer.lost(lost.error);
    this.links.peerDown(peer);
    this.monitors.peerDown(peer, lost);
  }

  #transmit(
    node: Atom,
    message: TermInput,
    byReference: boolean,
    makeControl: MakesControl,
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
    // Encoded now, because the sender may change it, and so that it throws at once if it is not a term.
    const payload = new EncodedTerm(message);
    const peer = this.#peers.reach(node);
    const { highWaterMarkBytes, maxQueuedBytes } = this.#peers.limits;
    if (peer.waitingBytes > maxQueuedBytes) throw overloadedError(node.name);
    peer.whenUp((up) => {
      const control = makeControl(up);
      if (control !== undefined) up.send(control, payload);
    }, payload.bytes);
    return peer.waitingBytes > highWaterMarkBytes ? peer.settled() : READY;
  }
}
