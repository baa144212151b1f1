/**
 * Nodes in one program, on an in-memory network, with a clock and a name service that the test
 * controls. Nothing moves unless the test lets it, so "nothing more happens" can be asserted.
 */
import type { Term } from "../../etf/index.ts";
import type { Process } from "../../src/node/process/process.ts";
import { Node, type NodeOptions } from "../../src/otp/node.ts";
import type { MemoryPairOptions } from "../../src/transport/memory.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeNames } from "./fake-names.ts";

export const COOKIE = "precious";

/** A node of the test, with what it printed and which events it emitted. */
export interface TestNode extends Node {
  readonly printed: string[];
  /** `up Name`, `down Name Code`, in order. */
  readonly events: string[];
}

export class Cluster implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly names = new FakeNames();
  readonly network: MemoryNetwork;
  readonly #nodes: Node[] = [];

  constructor(options: Omit<MemoryPairOptions, "addresses" | "clock"> = {}) {
    this.network = new MemoryNetwork({ ...options, clock: this.clock });
  }

  /** Starts a node; `name` is a full one. */
  async start(name: string, options: Partial<NodeOptions> = {}): Promise<TestNode> {
    const host = name.slice(name.indexOf("@") + 1);
    const printed: string[] = [];
    const events: string[] = [];
    const node = await this.settled(
      Node.start({
        name,
        cookie: COOKIE,
        network: this.network.host(host),
        nameService: this.names.host(host),
        clock: this.clock,
        output: (text) => printed.push(text),
        ...options,
      }),
    );
    this.#nodes.push(node);
    node.on("nodeup", (up) => events.push(`up ${up.name}`));
    node.on("nodedown", (down) => {
      events.push(`down ${down.name} ${(down.error as { code?: string }).code}`);
    });
    return Object.assign(node, { printed, events });
  }

  /** Two connected nodes, `gandalf@vm` and `bilbo@vm`. */
  async pair(options: Partial<NodeOptions> = {}): Promise<[TestNode, TestNode]> {
    const gandalf = await this.start("gandalf@vm", options);
    const bilbo = await this.start("bilbo@vm", options);
    await this.settled(gandalf.connect("bilbo@vm"));
    await this.settle();
    return [gandalf, bilbo];
  }

  /** Runs everything that can happen at this instant. */
  settle(): Promise<void> {
    return this.clock.settle();
  }

  /** Settles a promise at this instant; throws if it is still pending then. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let pending = true;
    const done = (): void => {
      pending = false;
    };
    promise.then(done, done);
    await this.clock.settle();
    if (pending) throw new Error("nothing more happens, and the promise is still pending");
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = Promise.all(this.#nodes.map((node) => node.stop()));
    await this.clock.settle();
    // A peer that does not close its end keeps the connection open briefly.
    await this.clock.advance(5000);
    await stopped;
  }
}

/** A process that keeps its messages in order; `died` is its exit reason once it has ended. */
export interface Inbox {
  readonly process: Process;
  readonly messages: Term[];
  died: Term | undefined;
}

export function inbox(node: Node, options: { trapExit?: boolean; name?: string } = {}): Inbox {
  const messages: Term[] = [];
  const process = node.spawn({
    message: (message) => {
      messages.push(message);
    },
    terminated: (reason) => {
      box.died = reason;
    },
  });
  const box: Inbox = { process, messages, died: undefined };
  process.trapExit = options.trapExit ?? false;
  if (options.name !== undefined) process.register(options.name);
  return box;
}
