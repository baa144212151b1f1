/**
 * The parts of a node, put together: its processes, signals, connections, services and functions, and
 * what the services in `otp/` need of them beyond the public methods of the node.
 */
import { randomInt } from "node:crypto";
import type { Atom, Pid, Reference, Term } from "../../etf/index.ts";
import type { ConnectionStats } from "../distribution/connection.ts";
import type { Clock } from "../transport/clock.ts";
import type { Listener } from "../transport/transport.ts";
import { asAtom, KILLED, type NameLike, SHUTDOWN } from "./atoms.ts";
import { NodeError } from "./errors.ts";
import {
  type LogEvent,
  type NodeEvents,
  type NodeType,
  nodedownReason,
  overfullEvent,
} from "./events.ts";
import { FunctionTable } from "./exposed/functions.ts";
import type { CookieTable } from "./identity/cookie-table.ts";
import type { NameService } from "./identity/name-service.ts";
import type { ThisNode } from "./identity/this-node.ts";
import type { Peer } from "./peers/peer.ts";
import { Peers } from "./peers/peers.ts";
import { Identifiers } from "./process/identifiers.ts";
import type { Kernel } from "./process/kernel.ts";
import { MailboxBudget } from "./process/mailbox-budget.ts";
import { type Behaviour, type MonitorTarget, Process } from "./process/process.ts";
import { ProcessTable } from "./process/process-table.ts";
import type { RemoteFunction, RequestOptions, SpawnRequest } from "./process/spawn-request.ts";
import type { Lost, OnDown } from "./process/ties.ts";
import { type ServiceOptions, Services } from "./services.ts";
import { InboundSignals } from "./signals/inbound.ts";
import { SignalRouter } from "./signals/router.ts";
import { Spawner } from "./spawn/spawner.ts";
import type { PreparedNode } from "./start.ts";

/** What `stats` counts. */
export interface NodeStats {
  readonly processes: number;
  /** Bytes of the messages that wait in all mailboxes, and their limit. */
  readonly mailboxBytes: number;
  readonly maxMailboxBytes: number;
  /** By node name. */
  readonly connections: Record<string, ConnectionStats>;
}

/** Where a node emits its events. */
export interface EventSink {
  emit<Name extends keyof NodeEvents>(name: Name, ...event: NodeEvents[Name]): unknown;
  listenerCount(name: keyof NodeEvents): number;
}

const NOTHING: Behaviour = { message: () => {} };

export class NodeRuntime {
  readonly clock: Clock;
  /** When the node started, by its clock, in milliseconds. */
  readonly startedAt: number;
  readonly self: ThisNode;
  readonly table: ProcessTable;
  readonly identifiers: Identifiers;
  readonly functions = new FunctionTable();
  readonly peers: Peers;
  readonly cookies: CookieTable;
  /** Shared by all processes. */
  readonly kernel: Kernel;
  /** Sends what the program sends outside of any process. */
  readonly system: Process;
  groupLeader: Pid;
  readonly #events: EventSink;
  readonly #signals: SignalRouter;
  readonly #spawner: Spawner;
  readonly #services: Services;
  readonly #listener: Listener | undefined;
  readonly #nameService: NameService;
  readonly #mailboxes: MailboxBudget;
  /** What connections that have ended carried. */
  #bytesIn = 0;
  #bytesOut = 0;
  #stopped = false;

  constructor(prepared: PreparedNode, events: EventSink) {
    const { clock, peers } = prepared;
    this.clock = clock;
    this.startedAt = clock.now();
    this.self = peers.self;
    this.cookies = prepared.cookies;
    this.#events = events;
    this.#listener = prepared.listener;
    this.#nameService = prepared.nameService;
    this.table = new ProcessTable(this.self);
    this.identifiers = new Identifiers(this.self, randomInt(2 ** 32));
    this.#mailboxes = new MailboxBudget(prepared.maxMailboxBytes, {
      half: (bytes, maxBytes) => this.#mailboxesHalfFull(bytes, maxBytes),
      exceeded: (_bytes, maxBytes, target) => this.#makeRoom(maxBytes, target),
    });
    this.peers = new Peers(peers, {
      up: (peer) => this.#emit("nodeup", { name: peer.name.name, nodeType: nodeType(peer) }),
      renamed: () => this.#renamed(),
      rejected: (error) => this.#emit("rejected", { error }),
      failed: (peer, error) => this.#unreachable(peer, { error, wasUp: false }),
      down: (peer, error) => {
        const carried = peer.connection?.stats();
        this.#bytesIn += carried?.bytesIn ?? 0;
        this.#bytesOut += carried?.bytesOut ?? 0;
        this.#unreachable(peer, { error, wasUp: true });
        const reason = nodedownReason(error, this.#stopped);
        this.#emit("nodedown", { name: peer.name.name, nodeType: nodeType(peer), reason, error });
      },
    });
    this.#signals = new SignalRouter(this.self, this.table, this.identifiers, this.peers);
    this.#spawner = new Spawner(
      this.self,
      this.functions,
      this.#signals,
      this.identifiers,
      this.peers,
      (groupLeader) => this.#newProcess(groupLeader),
    );
    this.kernel = {
      signals: this.#signals,
      links: this.#signals.links,
      monitors: this.#signals.monitors,
      aliases: this.#signals.aliases,
      clock,
      references: this.identifiers,
      spawner: this.#spawner,
      newReference: () => this.identifiers.newReference(),
      mailboxBudget: this.#mailboxes,
      overfull: (process, maxBytes) => this.#overfull(process, maxBytes),
      newProcess: (groupLeader, behaviour) => this.newProcess(groupLeader, behaviour),
    };
    this.peers.deliverTo(new InboundSignals(this.table, this.#signals, this.#spawner));
    const runtime = this;
    this.#services = new Services({
      clock,
      get stopped() {
        return runtime.#stopped;
      },
      newService: (behaviour, endable) =>
        this.#newProcess(this.groupLeader, behaviour, { service: !endable }),
      whereis: (name) => this.table.whereis(name),
      log: (event) => this.log(event),
    });
    const pid = this.#newPid();
    this.groupLeader = pid;
    this.system = this.#newProcess(pid, NOTHING, { pid, service: true });
    prepared.accepted.handOver((transport) => void this.peers.accept(transport));
  }

  /** @throws NodeError NODE_STOPPED */
  checkRunning(): void {
    if (this.#stopped) {
      throw new NodeError("NODE_STOPPED", `The node ${this.self.name} has been stopped.`);
    }
  }

  /**
   * Connects to a node, as a signal to it would.
   * @throws NodeError NODE_NO_AUTO_CONNECT, and what `connect` throws
   */
  async autoConnect(name: NameLike, signal?: AbortSignal): Promise<void> {
    this.checkRunning();
    await this.peers.connect(asAtom(name), false, signal);
  }

  /** A new process, with the node's group leader by default. */
  newProcess(groupLeader: Pid = this.groupLeader, behaviour?: Behaviour): Process {
    this.checkRunning();
    return this.#newProcess(groupLeader, behaviour);
  }

  /** See Services. */
  startService(name: Atom, make: () => Behaviour, options?: ServiceOptions): Process {
    this.checkRunning();
    return this.#services.start(name, make, options);
  }

  /** A service without a name: exit signals and exceptions do not end it. */
  spawnService(behaviour: Behaviour): Process {
    this.checkRunning();
    return this.#services.startUnnamed(behaviour);
  }

  /** See Monitors. */
  monitorWith(watcher: Process, target: MonitorTarget, ref: Reference, onDown: OnDown): void {
    this.checkRunning();
    this.#signals.monitors.monitorWith(watcher, target, ref, onDown);
  }

  /** See Aliases. */
  alias(process: Process, once: boolean, onMessage?: (message: Term) => void): Reference {
    this.checkRunning();
    return this.#signals.aliases.alias(process, once, onMessage);
  }

  /** See Aliases. */
  unalias(ref: Reference): boolean {
    return this.#signals.aliases.unalias(ref);
  }

  /** See Spawner. */
  requestSpawn(
    from: Process,
    node: NameLike,
    what: RemoteFunction,
    options: RequestOptions,
  ): SpawnRequest {
    this.checkRunning();
    return this.#spawner.request(from, asAtom(node), what, options);
  }

  /** See Spawner. */
  abandonSpawn(request: SpawnRequest): void {
    this.#spawner.abandon(request);
  }

  /** Emits the event `log`, which is made only when a listener exists. */
  log(event: () => LogEvent): void {
    if (this.#events.listenerCount("log") > 0) this.#emit("log", event());
  }

  stats(): NodeStats {
    const connections: Record<string, ConnectionStats> = {};
    for (const { name, connection } of this.peers.connected()) {
      connections[name.name] = connection!.stats();
    }
    const { bytes: mailboxBytes, maxBytes: maxMailboxBytes } = this.#mailboxes;
    return { processes: this.table.size, mailboxBytes, maxMailboxBytes, connections };
  }

  /** Bytes that all connections of this node have carried, those that have ended included. */
  traffic(): { bytesIn: number; bytesOut: number } {
    let [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut];
    for (const { connection } of this.peers.connected()) {
      const stats = connection!.stats();
      bytesIn += stats.bytesIn;
      bytesOut += stats.bytesOut;
    }
    return { bytesIn, bytesOut };
  }

  /** Ends everything; resolves when the sockets are closed. Call it once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // Connections first: peers see this node go (`noconnection`), as when `erl` halts.
    this.#services.stop();
    const released = [this.peers.stop(), this.#listener?.close(), this.#nameService.close()];
    for (const process of this.table.all()) process.terminate(SHUTDOWN);
    await Promise.all(released);
  }

  #mailboxesHalfFull(bytes: number, maxBytes: number): void {
    if (this.#events.listenerCount("mailboxes") === 0) return;
    const { pid, registeredName, messageBytes } = this.#byMailbox()[0]!;
    const named = registeredName === undefined ? {} : { registeredName: registeredName.name };
    const largest = { pid, ...named, bytes: messageBytes };
    this.#emit("mailboxes", { bytes, maxBytes, largest });
  }

  /** Ends the processes with the largest mailboxes until the messages left take `target` bytes. */
  #makeRoom(maxBytes: number, target: number): void {
    for (const process of this.#byMailbox()) {
      if (this.#mailboxes.bytes <= target) return;
      this.#overfull(process, maxBytes);
    }
  }

  /** The processes, those with the largest mailboxes first. */
  #byMailbox(): Process[] {
    return this.table.all().sort((a, b) => b.messageBytes - a.messageBytes);
  }

  #overfull(process: Process, maxBytes: number): void {
    this.log(() => overfullEvent(process, maxBytes));
    process.terminate(KILLED);
  }

  /** Whatever ties this node to a peer ends with `noconnection`. */
  #unreachable(peer: Peer, lost: Lost): void {
    this.#signals.peerDown(peer, lost);
    this.#spawner.peerDown(peer, lost);
  }

  /** What the node made under its old name belongs to its new name. */
  #renamed(): void {
    for (const { pid, monitors, aliases } of this.table.all()) {
      this.self.adopt(pid);
      for (const ref of [...(monitors?.keys() ?? []), ...(aliases?.keys() ?? [])]) {
        this.self.adopt(ref);
      }
    }
  }

  #newPid(): Pid {
    return this.identifiers.newPid((key) => this.table.hasKey(key));
  }

  #newProcess(
    groupLeader: Pid,
    behaviour?: Behaviour,
    { pid = this.#newPid(), service = false }: { pid?: Pid; service?: boolean } = {},
  ): Process {
    const process = new Process(this.kernel, pid, groupLeader, behaviour, service);
    this.table.add(process);
    return process;
  }

  /** A listener that throws is an error of the program, not of the connection it was notified of. */
  #emit<Name extends keyof NodeEvents>(name: Name, ...event: NodeEvents[Name]): void {
    try {
      this.#events.emit(name, ...event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function nodeType(peer: Peer): NodeType {
  return peer.connection?.hidden === false ? "visible" : "hidden";
}
