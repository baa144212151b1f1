/**
 * A node with the services that every Erlang node has: `rpc` and `erpc`, `rex`, `net_kernel`, what a
 * visible node needs of `global`, and a group leader that prints and reads.
 */
import { type ExternalFun, LocalFun, type Term, type TermInput } from "../../etf/index.ts";
import type { NameLike } from "../node/atoms.ts";
import { NodeCore } from "../node/node.ts";
import type { NodeCoreOptions } from "../node/options.ts";
import type { Process } from "../node/process/process.ts";
import { type PreparedNode, prepareNode } from "../node/start.ts";
import { Sys } from "./behaviours/sys.ts";
import { type GenCallOptions, GenClient } from "./gen/gen.ts";
import { GenEventClient } from "./gen/gen-event.ts";
import { IoClient } from "./io/io-client.ts";
import { type DeviceOptions, startDevice } from "./io/io-device.ts";
import { ping } from "./kernel/net-kernel.ts";
import { type CallOptions, Erpc } from "./rpc/erpc.ts";
import { Rpc } from "./rpc/rpc.ts";
import { type ServiceOptions, startServices } from "./services.ts";
import { SupervisorClient } from "./supervisor/supervisor-client.ts";

/** Options of `Node.start`. */
export interface NodeOptions extends NodeCoreOptions, ServiceOptions {}

/**
 * A node that connects to Erlang nodes and is called by them.
 *
 * ```ts
 * await using node = await Node.start({ name: "a@host", cookie: "secret" });
 * const sum = await node.rpc.call("b@host", "lists", "sum", [[1, 2, 3]]);
 * ```
 */
export class Node extends NodeCore {
  /** Calls functions, as `rpc`. */
  readonly rpc: Rpc;
  /** Calls functions, as `erpc`. */
  readonly erpc: Erpc;
  /** Calls and casts to servers, as `gen_server` and `gen_statem`. */
  readonly gen: GenClient;
  /** Sends events to event managers and queries handlers, as `gen_event`. */
  readonly genEvent: GenEventClient;
  /** Inspects and controls servers, as `sys`. */
  readonly sys: Sys;
  /** Prints to devices of any node and reads from them, as `io`. */
  readonly io: IoClient;
  /** Inspects and controls supervisors, as `supervisor`. */
  readonly supervisor: SupervisorClient;

  /**
   * Starts a node: it listens for connections and registers its name with EPMD. End it with `stop`, or
   * declare it with `await using`.
   *
   * @throws NodeError for a bad name or cookie; EpmdError EPMD_NAME_TAKEN or another; TransportError
   *   when no TCP port is available
   */
  static async start(options: NodeOptions): Promise<Node> {
    return new Node(options, await prepareNode(options));
  }

  private constructor(options: NodeOptions, prepared: PreparedNode) {
    super(prepared);
    this.erpc = new Erpc(this);
    this.gen = new GenClient(this);
    startServices({ core: this, erpc: this.erpc, gen: this.gen }, options);
    this.genEvent = new GenEventClient(this.gen);
    this.sys = new Sys(this, this.gen);
    this.supervisor = new SupervisorClient(this.gen);
    this.rpc = new Rpc(this, this.erpc, this.gen);
    this.io = new IoClient(this);
  }

  /**
   * Starts an I/O device. Make the returned process the group leader of others, or give its pid to
   * other nodes, whose `io` functions can print to it and read from it.
   */
  openDevice(options: DeviceOptions): Process {
    return startDevice(this, options);
  }

  /**
   * Applies a fun. `fun M:F/A` is applied on `options.node`, by default on this node, where it is an
   * exposed function. Any other fun is applied on the node that has its code.
   * @throws as `erpc.call`
   */
  apply(
    fun: ExternalFun | LocalFun,
    args: readonly TermInput[],
    options: CallOptions & { node?: NameLike } = {},
  ): Promise<Term> {
    const node = options.node ?? (fun instanceof LocalFun ? fun.pid.node : this.name);
    return this.erpc.call(node, "erlang", "apply", [fun, [...args]], options);
  }

  /**
   * Checks whether a node is up and accepts this one, as `net_adm:ping/1`. Use `connect` to learn why not.
   * @param options.timeoutMs milliseconds to wait for the answer once connected. Default: 5,000
   */
  async ping(peer: string, options: GenCallOptions = {}): Promise<"pong" | "pang"> {
    try {
      await ping(this, this.gen, peer, options);
      return "pong";
    } catch {
      options.signal?.throwIfAborted();
      return "pang";
    }
  }
}
