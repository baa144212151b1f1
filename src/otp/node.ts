/**
 * A node with the services every genuine node has: `rpc` and `erpc`, `rex`, `net_kernel`, and a
 * group leader that prints.
 */
import { NodeCore } from "../node/node.ts";
import { type NodeCoreOptions, type PreparedNode, prepareNode } from "../node/prepare.ts";
import { Erpc, serveErpc } from "./erpc.ts";
import { type GenCallOptions, GenClient } from "./gen.ts";
import { serveUser, type TextSink } from "./io.ts";
import { ping, serveNetKernel } from "./net-kernel.ts";
import { serveRex } from "./rex.ts";
import { Rpc } from "./rpc.ts";

export interface NodeOptions extends NodeCoreOptions {
  /** Takes what code that this node runs on others prints. Default: standard output. */
  output?: TextSink;
}

export class Node extends NodeCore {
  /** Calls as `rpc`, with its ways to tell failures. */
  readonly rpc: Rpc;
  /** Calls as `erpc`. */
  readonly erpc: Erpc;
  /** Calls and casts to servers, as `gen_server`. */
  readonly gen: GenClient;

  /**
   * Starts a node: it listens, and EPMD knows its name. Stop it with `stop`, or `await using`.
   *
   * @throws NodeError for a bad name or cookie, EpmdError EPMD_NAME_TAKEN or another, TransportError
   *   when there is no TCP port to listen on
   */
  static async start(options: NodeOptions): Promise<Node> {
    return new Node(options, await prepareNode(options));
  }

  private constructor(options: NodeOptions, prepared: PreparedNode) {
    super(prepared);
    const output = options.output ?? ((text: string): void => void process.stdout.write(text));
    serveUser(this, output);
    serveNetKernel(this);
    serveRex(this);
    serveErpc(this);
    this.erpc = new Erpc(this);
    this.gen = new GenClient(this);
    this.rpc = new Rpc(this, this.erpc, this.gen);
  }

  /**
   * Whether a node is there and lets us in, as `net_adm:ping/1`. `connect` tells why not.
   * @param options.timeoutMs limit for the answer once connected. Default 5,000
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
