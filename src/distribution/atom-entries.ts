/**
 * Which atom has which entry of the atom cache: one table for all connections, each of which only
 * remembers which of the entries its peer knows.
 *
 * The runtime puts an atom where its number modulo 2039 says. Here entries are assigned in turn, so
 * that atoms share an entry only after 2048 others, and an idle connection costs a few hundred bytes.
 */
import type { Atom } from "../../etf/index.ts";
import { ATOM_CACHE_ENTRIES, MAX_ATOM_CACHE_REFS } from "./header.ts";

/** The entries, and the references of the one message that is being written. */
export class AtomEntries {
  /** The atom in each entry. */
  readonly atomIn: (Atom | undefined)[] = new Array(ATOM_CACHE_ENTRIES).fill(undefined);
  /** How often each entry was assigned; 0 for one that never was. */
  readonly edition: Uint32Array = new Uint32Array(ATOM_CACHE_ENTRIES);
  /** The entries that the message uses, in the order of its header. */
  readonly cacheIndexes: Uint16Array = new Uint16Array(MAX_ATOM_CACHE_REFS);
  /** The text of each atom that the peer does not know yet, in the same order. */
  readonly texts: (Uint8Array | undefined)[] = new Array(MAX_ATOM_CACHE_REFS).fill(undefined);
  readonly #entryOf = new Map<Atom, number>();
  #next = 0;
  /** The number of the message, and of the last message that used each entry. */
  #message = 0;
  readonly #usedBy = new Uint32Array(ATOM_CACHE_ENTRIES);
  /** Where in the message's header each entry is that it uses. */
  readonly #position = new Uint8Array(ATOM_CACHE_ENTRIES);
  #writer: object | undefined;

  /** Begins a message; false while another writer's message is open. */
  begin(writer: object): boolean {
    if (this.#writer !== undefined) return false;
    this.#writer = writer;
    this.#message = (this.#message + 1) >>> 0;
    if (this.#message === 0) {
      this.#usedBy.fill(0);
      this.#message = 1;
    }
    return true;
  }

  /** Ends the message that `writer` began, if it is open. */
  end(writer: object): void {
    if (this.#writer === writer) this.#writer = undefined;
  }

  /**
   * The atom's position in the header of the message, which has `count` references so far: a new one
   * is at `count`. -1 when the header is full.
   */
  reference(atom: Atom, count: number): number {
    let entry = this.#entryOf.get(atom);
    if (entry === undefined) {
      if (count === MAX_ATOM_CACHE_REFS) return -1;
      entry = this.#assign(atom);
    } else if (this.#usedBy[entry] === this.#message) return this.#position[entry]!;
    if (count === MAX_ATOM_CACHE_REFS) return -1;
    this.#usedBy[entry] = this.#message;
    this.#position[entry] = count;
    this.cacheIndexes[count] = entry;
    return count;
  }

  #assign(atom: Atom): number {
    // The message being written uses at most 255 of the entries.
    while (this.#usedBy[this.#next] === this.#message) {
      this.#next = (this.#next + 1) % ATOM_CACHE_ENTRIES;
    }
    const entry = this.#next;
    this.#next = (this.#next + 1) % ATOM_CACHE_ENTRIES;
    const former = this.atomIn[entry];
    if (former !== undefined) this.#entryOf.delete(former);
    this.#entryOf.set(atom, entry);
    this.atomIn[entry] = atom;
    this.edition[entry]!++;
    return entry;
  }
}
