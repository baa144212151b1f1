/**
 * Names for nodes that ask for one (dynamic node names).
 *
 * As net_kernel makes them: a name that its node has given up is the next one given on that host,
 * with a creation of its own each time, so names do not fill the atom table of every peer.
 */
import type { GivenName } from "../../handshake/drive.ts";
import { dynamicNodeName } from "../../handshake/names.ts";
import { splitNodeName } from "./names.ts";

/** Creations from 0 to 3 stand for something else in older releases. */
const LOWEST_CREATION = 4;
const CREATIONS = 2 ** 32;
/** Names kept for later: hosts are what strangers say they are. */
const MAX_FREE = 1000;

export class NamePool {
  readonly #random: () => bigint;
  readonly #free = new Map<string, GivenName[]>();
  #size = 0;

  /** @param random 64 bits */
  constructor(random: () => bigint) {
    this.#random = random;
  }

  /** A name on a host; undefined when there can be none on it. */
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
    if (splitNodeName(name) === undefined) return undefined;
    return { name, creation: later(Number(random % BigInt(CREATIONS))) };
  }

  /** The node of that name is gone, or did not come. Beyond 1,000 such names one is forgotten. */
  giveBack({ name, creation }: GivenName): void {
    if (this.#size === MAX_FREE) return;
    this.#size++;
    const { host } = splitNodeName(name)!;
    const free = this.#free.get(host) ?? [];
    free.push({ name, creation: later(creation) });
    this.#free.set(host, free);
  }
}

function later(creation: number): number {
  const next = (creation + 1) % CREATIONS;
  return next < LOWEST_CREATION ? LOWEST_CREATION : next;
}
