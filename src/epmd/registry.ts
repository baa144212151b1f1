/**
 * The names an EPMD server keeps, and the creations it gives out. Pure: time is handed in.
 *
 * As epmd does it: a new name gets the time in seconds, a name that comes back one more than it
 * had, so that two lives of a node differ even within one second. Nodes that know version 5 only
 * get one of 1 to 3. Unlike epmd's, a name that was forgotten starts from the time again.
 */
import type { NodeEntry } from "./messages.ts";

/** Names no longer registered whose creation is remembered, as many as epmd does. */
const MAX_UNUSED = 1000;

export interface RegisteredNode extends NodeEntry {
  readonly creation: number;
  /** Which connection holds the name; what epmd calls the file descriptor. */
  readonly descriptor: number;
}

export class NameRegistry {
  /** Newest last. */
  readonly #active = new Map<string, RegisteredNode>();
  /** Oldest first. */
  readonly #unused = new Map<string, { tcpPort: number; counter: number }>();
  readonly #counters = new Map<string, number>();

  /** Undefined when the name is taken. */
  register(node: NodeEntry, descriptor: number, nowSeconds: number): RegisteredNode | undefined {
    if (this.#active.has(node.name)) return undefined;
    const last = this.#unused.get(node.name);
    this.#unused.delete(node.name);
    const counter = nextCounter(last?.counter, nowSeconds);
    const creation = node.highestVersion >= 6 ? counter : (counter % 3) + 1;
    const registered = { ...node, creation, descriptor };
    this.#active.set(node.name, registered);
    this.#counters.set(node.name, counter);
    return registered;
  }

  /** Gives a name back; returns who had it. */
  unregister(name: string): RegisteredNode | undefined {
    const node = this.#active.get(name);
    if (node === undefined) return undefined;
    this.#active.delete(name);
    const counter = this.#counters.get(name)!;
    this.#counters.delete(name);
    this.#unused.set(name, { tcpPort: node.tcpPort, counter });
    if (this.#unused.size > MAX_UNUSED) {
      const [oldest] = this.#unused.keys();
      this.#unused.delete(oldest!);
    }
    return node;
  }

  find(name: string): RegisteredNode | undefined {
    return this.#active.get(name);
  }

  /** Newest first, as epmd lists them. */
  active(): RegisteredNode[] {
    return [...this.#active.values()].reverse();
  }

  unused(): { name: string; tcpPort: number }[] {
    return [...this.#unused].map(([name, { tcpPort }]) => ({ name, tcpPort }));
  }
}

/** 0 to 3 mean other things as a creation, so the counter passes over them. */
function nextCounter(last: number | undefined, nowSeconds: number): number {
  const counter = (last === undefined ? Math.floor(nowSeconds) : last + 1) % 2 ** 32;
  return Math.max(counter, 4);
}
