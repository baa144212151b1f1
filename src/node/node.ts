/**
 * A node, as programs use it: its name and cookie, its processes, its connections, and the functions
 * that other nodes can call.
 *
 * This is the kernel without the services OTP builds on it; `otp/node.ts` adds those. There is no
 * global state: several nodes live in one program, and `stop` leaves no timer and no socket.
 */
import { EventEmitter } from "node:events";
import type { Pid, Reference, Term, TermInput } from "../../etf/index.ts";
import type { Clock } from "../transport/clock.ts";
import { deferred } from "../transport/deferred.ts";
import { asAtom, type NameLike } from "./atoms.ts";
import type { NodeEvents } from "./events.ts";
import type { ExposedModule } from "./exposed/functions.ts";
import { checkNodeName, type NodeName } from "./identity/names.ts";
import { type NodeKind, nodesOf } from "./peers/node-kind.ts";
import type {
  Destination,
  Process,
  ProcessBody,
  SendOptions,
  SignalOptions,
} from "./process/process.ts";
import { remoteFunction, type SpawnOnOptions, spawnOn } from "./process/spawn-on.ts";
import { NodeRuntime, type NodeStats } from "./runtime.ts";
import type { PreparedNode } from "./start.ts";

/** A node without the services of OTP. Programs start a `Node`, which has them. */
export class NodeCore extends EventEmitter<NodeEvents> implements AsyncDisposable {
  /** TCP port the node listens on; 0 when it does not. */
  readonly tcpPort: number;
  /** The clock that all its time limits run by. */
  readonly clock: Clock;
  /** When it started, by its clock, in milliseconds. */
  readonly startedAt: number;
  /** Silence after which a peer is taken for dead, in milliseconds. */
  readonly netTickTimeMs: number;
  /** Bytes waiting on a connection above which senders wait. */
  readonly highWaterMarkBytes: number;
  /** @internal Its parts, for the services in `otp/`. */
  readonly runtime: NodeRuntime;
  #stopping: Promise<void> | undefined;

  constructor(prepared: PreparedNode) {
    super();
    this.runtime = new NodeRuntime(prepared, this);
    this.clock = this.runtime.clock;
    this.startedAt = this.runtime.startedAt;
    this.netTickTimeMs = prepared.peers.netTickTimeMs;
    this.highWaterMarkBytes = prepared.peers.highWaterMarkBytes;
    this.tcpPort = prepared.listener?.tcpPort ?? 0;
  }

  /** The node's name. With a dynamic one it is `nonode@nohost` until a peer has named the node. */
  get name(): NodeName {
    return this.runtime.self.name;
  }

  /** Tells this run of the node from earlier ones of the same name; EPMD gives it. */
  get creation(): number {
    return this.runtime.self.creation;
  }

  /** Gets the output of code that this node runs elsewhere, unless a process has its own. */
  get groupLeader(): Pid {
    return this.runtime.groupLeader;
  }

  set groupLeader(pid: Pid) {
    this.runtime.groupLeader = pid;
  }

  /**
   * Names of nodes, as `erlang:nodes/1`: those that are of the kind, or of one of the kinds, given.
   * @param kind default `connected`; in Erlang it is `visible`, which lists no node on a hidden one
   */
  nodes(kind: NodeKind | readonly NodeKind[] = "connected"): string[] {
    return nodesOf(typeof kind === "string" ? [kind] : kind, this.name, this.runtime.peers.all());
  }

  /** The cookie used with a peer, as `erlang:get_cookie`. Without a peer: the one used with all others. */
  getCookie(peer: string = this.name): string {
    const { cookies } = this.runtime;
    return peer === this.name ? cookies.common : cookies.of(peer);
  }

  /**
   * Sets the cookie to use with a peer, whichever side connects, as `erlang:set_cookie/2`. With this
   * node's own name: the cookie for all peers that have none of their own. Connections that are up stay.
   * @throws NodeError NODE_COOKIE_INVALID, NODE_NAME_INVALID
   */
  setCookie(peer: string, cookie: string): void {
    const { cookies } = this.runtime;
    if (peer === this.name) cookies.common = cookie;
    else cookies.set(checkNodeName(peer), cookie);
  }

  /** How many processes live, how many bytes their waiting messages take, and counters of each connection. */
  stats(): NodeStats {
    return this.runtime.stats();
  }

  /**
   * Connects to a node, if it is not connected.
   * @throws NodeError, EpmdError, TransportError, HandshakeError; the signal's reason
   */
  async connect(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.runtime.checkRunning();
    await this.runtime.peers.connect(asAtom(name), true, options.signal);
  }

  /** Ends the connection to a node; returns whether one was up. */
  disconnect(name: string): boolean {
    return this.runtime.peers.disconnect(asAtom(name));
  }

  /**
   * Starts a process: an async function, which gets the process as its argument and ends it when
   * it returns or throws, or a behaviour that takes messages as they come.
   * @throws NodeError NODE_STOPPED
   */
  spawn(body: ProcessBody): Process {
    if (typeof body !== "function") return this.runtime.newProcess(undefined, body);
    const process = this.runtime.newProcess();
    process.run(() => body(process));
    return process;
  }

  /**
   * Starts a process on a node, which runs a function there, and resolves with its pid. On this
   * node, the function must be exposed. For links and monitors see `Process.spawnOn`.
   * @throws SpawnError SPAWN_FAILED; CallError CALL_TIMEOUT; EtfEncodeError; the signal's reason
   */
  async spawnOn(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: Omit<SpawnOnOptions, "link" | "monitor"> = {},
  ): Promise<Pid> {
    this.runtime.checkRunning();
    const what = remoteFunction(module, name, args);
    const given = { groupLeader: this.groupLeader, ...options };
    const { kernel, system } = this.runtime;
    return (await spawnOn(kernel, system, asAtom(node), what, given)).pid;
  }

  /**
   * Sends a message from no process in particular; see `Process.send`.
   * @throws EtfEncodeError, NodeError PROCESS_NAME_UNKNOWN
   */
  send(to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    this.runtime.checkRunning();
    return this.runtime.system.send(to, message, options);
  }

  /** Sends an exit signal from no process in particular, as `exit/2`. */
  exit(to: Pid, reason: Term, options?: SignalOptions): void {
    this.runtime.checkRunning();
    this.runtime.system.sendExit(to, reason, options);
  }

  /** The process registered under that name. */
  whereis(name: NameLike): Process | undefined {
    return this.runtime.table.whereis(asAtom(name));
  }

  /** Names registered on this node. */
  registered(): string[] {
    return this.runtime.table.registered().map((name) => name.name);
  }

  /** The process with that pid, if it lives on this node. */
  processOf(pid: Pid): Process | undefined {
    return this.runtime.table.get(pid);
  }

  /**
   * Lets other nodes call functions of a module, by `rpc`, `erpc` and `spawn`: those of a plain object,
   * or the methods of an instance of a class, with the instance as `this`. `FunctionTable.expose` and
   * `ExposedModule` say which methods those are, and with how many arguments each can be called.
   * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
   */
  expose(module: string, functions: ExposedModule | object): void {
    this.runtime.functions.expose(module, functions);
  }

  /** A reference that no other is equal to, as `make_ref/0`. */
  newReference(): Reference {
    return this.runtime.identifiers.newReference();
  }

  /** Whether `stop` has been called. */
  get stopped(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Ends every process and connection, takes the name back from EPMD and stops listening. Resolves
   * when the sockets are closed. You can call it again.
   */
  stop(): Promise<void> {
    if (this.#stopping === undefined) {
      // Set before anything ends: code that is notified of an end may ask whether the node stops, or stop it.
      const { promise, resolve, reject } = deferred<void>();
      this.#stopping = promise;
      this.runtime.stop().then(resolve, reject);
    }
    return this.#stopping;
  }

  /** The same as `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
