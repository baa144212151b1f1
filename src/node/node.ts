/**
 * A node: its name and cookie, its processes, its connections, and what it lets others call.
 *
 * This is the kernel without the services OTP builds on it; `otp/node.ts` adds those. There is no
 * global state: several nodes live in one program, and `stop` leaves no timer and no socket.
 */
import { randomInt } from "node:crypto";
import { EventEmitter } from "node:events";
import type { Atom, Pid, Reference, Term, TermInput } from "../../etf/index.ts";
import type { ConnectionStats } from "../distribution/connection.ts";
import type { Clock } from "../transport/clock.ts";
import { deferred } from "../transport/deferred.ts";
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
import type { ExposedModule, ProcessFunction } from "./exposed/functions.ts";
import { FunctionTable } from "./exposed/functions.ts";
import type { CookieTable } from "./identity/cookie-table.ts";
import type { NameService } from "./identity/name-service.ts";
import { checkNodeName, type NodeName } from "./identity/names.ts";
import type { ThisNode } from "./identity/this-node.ts";
import { type NodeKind, nodesOf } from "./peers/node-kind.ts";
import type { Peer } from "./peers/peer.ts";
import { Peers } from "./peers/peers.ts";
import { Identifiers } from "./process/identifiers.ts";
import type { Kernel } from "./process/kernel.ts";
import { MailboxBudget } from "./process/mailbox-budget.ts";
import {
  type Behaviour,
  type Destination,
  type MonitorTarget,
  Process,
  type ProcessBody,
  type SendOptions,
  type SignalOptions,
} from "./process/process.ts";
import { ProcessTable } from "./process/process-table.ts";
import { remoteFunction, type SpawnOnOptions, spawnOn } from "./process/spawn-on.ts";
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
  /** Bytes of the messages that wait in all mailboxes, and how many there may be. */
  readonly mailboxBytes: number;
  readonly maxMailboxBytes: number;
  /** By node name. */
  readonly connections: Record<string, ConnectionStats>;
}

const NOTHING: Behaviour = { message: () => {} };

export class NodeCore extends EventEmitter<NodeEvents> implements AsyncDisposable {
  /** TCP port the node listens on; 0 when it does not. */
  readonly tcpPort: number;
  readonly clock: Clock;
  /** When it started, by its clock, in milliseconds. */
  readonly startedAt: number;
  /** Silence after which a peer is taken for dead, in milliseconds. */
  readonly netTickTimeMs: number;
  /** Bytes waiting on a connection above which senders wait. */
  readonly highWaterMarkBytes: number;
  readonly #self: ThisNode;
  readonly #table: ProcessTable;
  readonly #identifiers: Identifiers;
  readonly #signals: SignalRouter;
  readonly #functions = new FunctionTable();
  readonly #spawner: Spawner;
  readonly #peers: Peers;
  readonly #services: Services;
  readonly #listener: Listener | undefined;
  readonly #nameService: NameService;
  /** For all processes. */
  readonly #kernel: Kernel;
  readonly #mailboxes: MailboxBudget;
  readonly #cookies: CookieTable;
  /** Sends what the program sends outside of any process. */
  readonly #system: Process;
  #groupLeader: Pid;
  /** What connections that are over have carried. */
  #bytesIn = 0;
  #bytesOut = 0;
  #stopping: Promise<void> | undefined;

  constructor(prepared: PreparedNode) {
    super();
    const { clock } = prepared;
    this.#self = prepared.peers.self;
    this.clock = clock;
    this.startedAt = clock.now();
    this.netTickTimeMs = prepared.peers.netTickTimeMs;
    this.highWaterMarkBytes = prepared.peers.highWaterMarkBytes;
    this.tcpPort = prepared.listener?.tcpPort ?? 0;
    this.#listener = prepared.listener;
    this.#nameService = prepared.nameService;
    this.#cookies = prepared.cookies;
    this.#table = new ProcessTable(this.#self);
    this.#identifiers = new Identifiers(this.#self, randomInt(2 ** 32));
    this.#mailboxes = new MailboxBudget(prepared.maxMailboxBytes, {
      half: (bytes, maxBytes) => this.#mailboxesHalfFull(bytes, maxBytes),
      exceeded: (_bytes, maxBytes, target) => this.#makeRoom(maxBytes, target),
    });
    this.#peers = new Peers(prepared.peers, {
      up: (peer) => {
        tell(() => this.emit("nodeup", { name: peer.name.name, nodeType: nodeType(peer) }));
      },
      renamed: () => this.#renamed(),
      rejected: (error) => tell(() => this.emit("rejected", { error })),
      failed: (peer, error) => this.#unreachable(peer, { error, wasUp: false }),
      down: (peer, error) => {
        const carried = peer.connection?.stats();
        this.#bytesIn += carried?.bytesIn ?? 0;
        this.#bytesOut += carried?.bytesOut ?? 0;
        this.#unreachable(peer, { error, wasUp: true });
        const reason = nodedownReason(error, this.stopped);
        const down = { name: peer.name.name, nodeType: nodeType(peer), reason, error };
        tell(() => this.emit("nodedown", down));
      },
    });
    this.#signals = new SignalRouter(this.#self, this.#table, this.#identifiers, this.#peers);
    this.#spawner = new Spawner(
      this.#self,
      this.#functions,
      this.#signals,
      this.#identifiers,
      this.#peers,
      (groupLeader) => this.#newProcess(groupLeader),
    );
    this.#kernel = {
      signals: this.#signals,
      links: this.#signals.links,
      monitors: this.#signals.monitors,
      aliases: this.#signals.aliases,
      clock,
      references: this.#identifiers,
      spawner: this.#spawner,
      newReference: () => this.#identifiers.newReference(),
      mailboxBudget: this.#mailboxes,
      overfull: (process, maxBytes) => this.#overfull(process, maxBytes),
      newProcess: (groupLeader, behaviour) => {
        this.#checkRunning();
        return this.#newProcess(groupLeader, behaviour);
      },
    };
    this.#peers.deliverTo(new InboundSignals(this.#table, this.#signals, this.#spawner));
    const node = this;
    this.#services = new Services({
      clock,
      get stopped() {
        return node.stopped;
      },
      newService: (behaviour, endable) =>
        this.#newProcess(this.#groupLeader, behaviour, { service: !endable }),
      whereis: (name) => this.#table.whereis(name),
      log: (event) => this.log(event),
    });
    const pid = this.#newPid();
    this.#groupLeader = pid;
    this.#system = this.#newProcess(pid, NOTHING, { pid, service: true });
    prepared.accepted.handOver((transport) => void this.#peers.accept(transport));
  }

  /** The node's name: with a dynamic one `nonode@nohost`, until a peer has named it. */
  get name(): NodeName {
    return this.#self.name;
  }

  get creation(): number {
    return this.#self.creation;
  }

  /** Where the output of code that this node runs elsewhere goes, unless a process says otherwise. */
  get groupLeader(): Pid {
    return this.#groupLeader;
  }

  set groupLeader(pid: Pid) {
    this.#groupLeader = pid;
  }

  /**
   * Names of nodes, as `erlang:nodes/1`: those that are of the kind, or of one of the kinds, given.
   * @param kind default `connected`; in Erlang it is `visible`, which for a hidden node is nobody
   */
  nodes(kind: NodeKind | readonly NodeKind[] = "connected"): string[] {
    return nodesOf(typeof kind === "string" ? [kind] : kind, this.name, this.#peers.all());
  }

  /** The cookie used with a peer, as `erlang:get_cookie`; without a peer, that of all others. */
  getCookie(peer: string = this.name): string {
    return peer === this.name ? this.#cookies.common : this.#cookies.of(peer);
  }

  /**
   * Sets the cookie to use with a peer, whoever connects, as `erlang:set_cookie/2`; with this
   * node's own name, that of all peers which have none of their own. Connections there are stay.
   * @throws NodeError NODE_COOKIE_INVALID, NODE_NAME_INVALID
   */
  setCookie(peer: string, cookie: string): void {
    if (peer === this.name) this.#cookies.common = cookie;
    else this.#cookies.set(checkNodeName(peer), cookie);
  }

  /** @internal Bytes that all connections of this node have carried, also those that are over. */
  traffic(): { bytesIn: number; bytesOut: number } {
    let [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut];
    for (const peer of this.#peers.connected()) {
      const stats = peer.connection!.stats();
      bytesIn += stats.bytesIn;
      bytesOut += stats.bytesOut;
    }
    return { bytesIn, bytesOut };
  }

  /** How many processes live, what their waiting messages take, and counters of each connection. */
  stats(): NodeStats {
    const connections: Record<string, ConnectionStats> = {};
    for (const peer of this.#peers.connected()) {
      connections[peer.name.name] = peer.connection!.stats();
    }
    const { bytes: mailboxBytes, maxBytes: maxMailboxBytes } = this.#mailboxes;
    return { processes: this.#table.size, mailboxBytes, maxMailboxBytes, connections };
  }

  /**
   * Connects to a node, if it is not connected.
   * @throws NodeError, EpmdError, TransportError, HandshakeError; the signal's reason
   */
  async connect(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#checkRunning();
    await this.#peers.connect(asAtom(name), true, options.signal);
  }

  /**
   * @internal Connects to a node as sending to it would.
   * @throws NodeError NODE_NO_AUTO_CONNECT, and what `connect` throws
   */
  async autoConnect(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#checkRunning();
    await this.#peers.connect(asAtom(name), false, options.signal);
  }

  /** Ends the connection to a node; returns whether there was one. */
  disconnect(name: string): boolean {
    return this.#peers.disconnect(asAtom(name));
  }

  /**
   * Starts a process: an async function, which gets the process as its argument and ends it when
   * it returns or throws, or a behaviour that takes messages as they come.
   */
  spawn(body: ProcessBody): Process {
    this.#checkRunning();
    if (typeof body !== "function") return this.#newProcess(this.#groupLeader, body);
    const process = this.#newProcess(this.#groupLeader);
    process.run(() => body(process));
    return process;
  }

  /**
   * Starts a process on a node, which runs a function there; resolves with its pid. Here: a
   * function that is exposed. For links and monitors see `Process.spawnOn`.
   * @throws SpawnError SPAWN_FAILED; CallError CALL_TIMEOUT; EtfEncodeError; the signal's reason
   */
  async spawnOn(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: Omit<SpawnOnOptions, "link" | "monitor"> = {},
  ): Promise<Pid> {
    this.#checkRunning();
    const what = remoteFunction(module, name, args);
    const given = { groupLeader: this.#groupLeader, ...options };
    return (await spawnOn(this.#kernel, this.#system, asAtom(node), what, given)).pid;
  }

  /** @internal See Services. */
  startService(name: Atom, make: () => Behaviour, options?: ServiceOptions): Process {
    this.#checkRunning();
    return this.#services.start(name, make, options);
  }

  /** @internal A service without a name: exit signals and exceptions do not end it. */
  spawnService(behaviour: Behaviour): Process {
    this.#checkRunning();
    return this.#services.startUnnamed(behaviour);
  }

  /**
   * Sends a message from no process in particular; see `Process.send`.
   * @throws EtfEncodeError, NodeError PROCESS_NAME_UNKNOWN
   */
  send(to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    this.#checkRunning();
    return this.#system.send(to, message, options);
  }

  /** Sends an exit signal from no process in particular, as `exit/2`. */
  exit(to: Pid, reason: Term, options?: SignalOptions): void {
    this.#checkRunning();
    this.#system.sendExit(to, reason, options);
  }

  /** The process registered under that name. */
  whereis(name: NameLike): Process | undefined {
    return this.#table.whereis(asAtom(name));
  }

  /** Names registered on this node. */
  registered(): string[] {
    return this.#table.registered().map((name) => name.name);
  }

  /** @internal The processes that live. */
  processes(): Process[] {
    return this.#table.all();
  }

  /** The process with that pid, if it lives on this node. */
  processOf(pid: Pid): Process | undefined {
    return this.#table.get(pid);
  }

  /**
   * Lets other nodes call functions of a module, by `rpc`, `erpc` and `spawn`: those of a plain object,
   * or the methods of an instance of a class, with the instance as `this`. Which methods that are, and
   * with how many arguments each can be called, `FunctionTable.expose` and `ExposedModule` say.
   * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
   */
  expose(module: string, functions: ExposedModule | object): void {
    this.#functions.expose(module, functions);
  }

  newReference(): Reference {
    return this.#identifiers.newReference();
  }

  /** @internal See FunctionTable. */
  get functions(): Pick<FunctionTable, "apply" | "applyFun" | "modules" | "exports"> {
    return this.#functions;
  }

  /** @internal See FunctionTable. */
  exposeProcess(module: string, name: string, arity: number, run: ProcessFunction): void {
    this.#functions.exposeProcess(module, name, arity, run);
  }

  /** @internal A process of the node's own that runs a function for `caller`. */
  spawnFor(groupLeader: Pid): Process {
    this.#checkRunning();
    return this.#newProcess(groupLeader);
  }

  /** @internal See Monitors. */
  monitorWith(watcher: Process, target: MonitorTarget, ref: Reference, onDown: OnDown): void {
    this.#checkRunning();
    this.#signals.monitors.monitorWith(watcher, target, ref, onDown);
  }

  /** @internal See Aliases. */
  alias(process: Process, once: boolean, onMessage?: (message: Term) => void): Reference {
    this.#checkRunning();
    return this.#signals.aliases.alias(process, once, onMessage);
  }

  /** @internal See Aliases. */
  unalias(ref: Reference): boolean {
    return this.#signals.aliases.unalias(ref);
  }

  /** @internal See Spawner. */
  requestSpawn(
    from: Process,
    node: string,
    what: RemoteFunction,
    options: RequestOptions,
  ): SpawnRequest {
    this.#checkRunning();
    return this.#spawner.request(from, asAtom(node), what, options);
  }

  /** @internal See Spawner. */
  abandonSpawn(request: SpawnRequest): void {
    this.#spawner.abandon(request);
  }

  /** @internal Tells the event `log`, which is made only when somebody listens. */
  log(event: () => LogEvent): void {
    if (this.listenerCount("log") > 0) tell(() => this.emit("log", event()));
  }

  /** Whether `stop` has been called. */
  get stopped(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Ends every process and connection, takes the name back and stops listening. Resolves when
   * the sockets are closed; callable again.
   */
  stop(): Promise<void> {
    if (this.#stopping === undefined) {
      // Set before anything ends: what hears of an end may ask whether, or that, the node stops.
      const { promise, resolve, reject } = deferred<void>();
      this.#stopping = promise;
      this.#stop().then(resolve, reject);
    }
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    // Connections first: peers see this node go (`noconnection`), as when `erl` halts.
    this.#services.stop();
    const released = [this.#peers.stop(), this.#listener?.close(), this.#nameService.close()];
    for (const process of this.#table.all()) process.terminate(SHUTDOWN);
    await Promise.all(released);
  }

  #mailboxesHalfFull(bytes: number, maxBytes: number): void {
    if (this.listenerCount("mailboxes") === 0) return;
    const { pid, registeredName, messageBytes } = this.#byMailbox()[0]!;
    const named = registeredName === undefined ? {} : { registeredName: registeredName.name };
    const largest = { pid, ...named, bytes: messageBytes };
    tell(() => this.emit("mailboxes", { bytes, maxBytes, largest }));
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
    return this.#table.all().sort((a, b) => b.messageBytes - a.messageBytes);
  }

  #overfull(process: Process, maxBytes: number): void {
    this.log(() => overfullEvent(process, maxBytes));
    process.terminate(KILLED);
  }

  /** All that ties us to a peer ends with `noconnection`. */
  #unreachable(peer: Peer, lost: Lost): void {
    this.#signals.peerDown(peer, lost);
    this.#spawner.peerDown(peer, lost);
  }

  /** What the node has made under its old name is of its new one. */
  #renamed(): void {
    for (const { pid, monitors, aliases } of this.#table.all()) {
      this.#self.adopt(pid);
      for (const ref of [...(monitors?.keys() ?? []), ...(aliases?.keys() ?? [])]) {
        this.#self.adopt(ref);
      }
    }
  }

  #newPid(): Pid {
    return this.#identifiers.newPid((key) => this.#table.hasKey(key));
  }

  #newProcess(
    groupLeader: Pid,
    behaviour?: Behaviour,
    { pid = this.#newPid(), service = false }: { pid?: Pid; service?: boolean } = {},
  ): Process {
    const process = new Process(this.#kernel, pid, groupLeader, behaviour, service);
    this.#table.add(process);
    return process;
  }

  #checkRunning(): void {
    if (this.stopped)
      throw new NodeError("NODE_STOPPED", `The node ${this.name} has been stopped.`);
  }
}

function nodeType(peer: Peer): NodeType {
  return peer.connection?.hidden === false ? "visible" : "hidden";
}

/** A listener that throws is an error of the program, not of the connection it was told of. */
function tell(emit: () => void): void {
  try {
    emit();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
