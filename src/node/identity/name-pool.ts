/**
 * Names for nodes that ask this node for one (dynamic node names).
 *
 * As in net_kernel, a name that its node has given up is the next one handed out on that host, each time
 * with a new creation. So names do not fill the atom tables of the peers.
 */
import type { GivenName } from "../../handshake/drive.ts";
import { dynamicNodeName } from "../../handshake/names.ts";
import { parseNodeName } from "./names.ts";

/** Creations 0 to 3 have another meaning in older releases. */
const LOWEST_CREATION = 4;
const CREATIONS = 2 ** 32;
/** How many names are kept for reuse; limited because peers choose the hosts. */
const MAX_FREE = 1000;

/** Hands out names and takes them back. */
export class NamePool {
  readonly #random: () => bigint;
  readonly #free = new Map<string, GivenName[]>();
  #size = 0;

  /** @param random returns 64 random bits */
  constructor(random: () => bigint) {
    this.#random = random;
  }

  /** A name on a host; undefined if the host is not valid in a node name. */
  take(host: string): GivenName | undefined {
    const names = this.#free.get(host);
    const free = names?.pop();
    if (free !== undefined) {
      this.#size--;
      if (names!.length === 0) this.#free.delete(host);
      return free;
    }
    const random = this.#random();
    const name = dynamicNodeName(host, random);
    if (parseNodeName(name) === undefined) return undefined;
    return { name, creation: later(Number(random % BigInt(CREATIONS))) };
  }

  /** Takes back the name of a node that has gone or never connected. Keeps 1,000 names and drops the rest. */
  giveBack({ name, creation }: GivenName): void {
    if (this.#size === MAX_FREE) return;
    this.#size++;
    const { host } = parseNodeName(name)!;
    const free = this.#free.get(host) ?? [];
    free.push({ name, creation: later(creation) });
    this.#free.set(host, free);
  }
}

function later(creation: number): number {
  const next = (creation + 1) % CREATIONS;
  return next < LOWEST_CREATION ? LOWEST_CREATION : next;
}
