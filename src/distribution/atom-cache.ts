/**
 * The atom cache of one direction of a connection: an atom travels as text once, and as one byte
 * from then on.
 *
 * Spec: erl_ext_dist, "Distribution Header" and ATOM_CACHE_REF. Sender and receiver keep a table
 * of 2048 entries; the header of each message says which entries the message uses, and what it puts
 * into them anew. So messages must be written in the order in which their headers were made.
 */
import type { Atom, AtomRefTable } from "../../etf/index.ts";
import type { AtomEntries } from "./atom-entries.ts";
import {
  ATOM_CACHE_ENTRIES,
  type AtomCacheEntries,
  atomCacheRefsBytes,
  type CachedAtom,
  type OutgoingRefs,
  writeAtomCacheRefs,
  writeKnownAtomCacheRefs,
} from "./header.ts";

/** What the peer's headers have filled in so far. */
export class ReceivingAtomCache implements AtomCacheEntries {
  /** Place in `atoms`, plus one, by cache index; made when the first atom comes. */
  #places: Uint16Array | undefined;
  readonly #atoms: CachedAtom[] = [];

  get(cacheIndex: number): CachedAtom | undefined {
    const places = this.#places;
    if (places === undefined) return undefined;
    const place = places[cacheIndex]!;
    return place === 0 ? undefined : this.#atoms[place - 1];
  }

  set(cacheIndex: number, atom: CachedAtom): void {
    this.#places ??= new Uint16Array(ATOM_CACHE_ENTRIES);
    const place = this.#places[cacheIndex]!;
    if (place === 0) this.#places[cacheIndex] = this.#atoms.push(atom);
    else this.#atoms[place - 1] = atom;
  }
}

/**
 * What the peer knows, and the references of the message being written: `begin`, then the terms
 * by a TermWriter that has this as its `atomRefs`, then `bytes` and `write`, and always `end`.
 */
export class SendingAtomCache implements AtomRefTable, OutgoingRefs {
  count = 0;
  readonly cacheIndexes: Uint16Array;
  readonly texts: (Uint8Array | undefined)[];
  readonly #entries: AtomEntries;
  /** The edition of each entry that the peer has; grows with the entries used. */
  #known = new Uint32Array(0);
  /** How many of the references tell the peer what it does not know. */
  #news = 0;

  constructor(entries: AtomEntries) {
    this.#entries = entries;
    this.cacheIndexes = entries.cacheIndexes;
    this.texts = entries.texts;
  }

  /** False while another message is being written: this one then goes without references. */
  begin(): boolean {
    if (!this.#entries.begin(this)) return false;
    this.count = 0;
    return true;
  }

  /** The internal segment index of an atom in this message's header, or -1 when that is full. */
  ref(atom: Atom): number {
    const index = this.#entries.reference(atom, this.count);
    if (index === this.count) this.count++;
    return index;
  }

  /** The size of the references in the header. */
  bytes(): number {
    const { count, cacheIndexes, texts } = this;
    const { atomIn, edition } = this.#entries;
    const known = this.#known;
    let news = 0;
    for (let index = 0; index < count; index++) {
      const entry = cacheIndexes[index]!;
      // Beyond its end `known` is undefined, and an edition is at least 1.
      if (known[entry] !== edition[entry]) news++;
    }
    this.#news = news;
    if (news === 0) return count === 0 ? 1 : 2 + (count >> 1) + count;
    for (let index = 0; index < count; index++) {
      const entry = cacheIndexes[index]!;
      texts[index] = known[entry] === edition[entry] ? undefined : atomIn[entry]!.utf8;
    }
    return atomCacheRefsBytes(this);
  }

  /**
   * Writes the references, after `bytes`. From now on the peer is expected to know them, so the
   * message must be sent before any other of this connection. Returns where they end.
   */
  write(bytes: Uint8Array, at: number): number {
    const { count, cacheIndexes, texts } = this;
    if (this.#news === 0) return writeKnownAtomCacheRefs(count, cacheIndexes, bytes, at);
    for (let index = 0; index < count; index++) {
      if (texts[index] === undefined) continue;
      const entry = cacheIndexes[index]!;
      if (entry >= this.#known.length) this.#grow(entry);
      this.#known[entry] = this.#entries.edition[entry]!;
    }
    return writeAtomCacheRefs(this, bytes, at);
  }

  /** Ends the message, sent or not. */
  end(): void {
    this.#entries.end(this);
  }

  #grow(entry: number): void {
    let size = Math.max(64, this.#known.length);
    while (size <= entry) size *= 2;
    const grown = new Uint32Array(size);
    grown.set(this.#known);
    this.#known = grown;
  }
}
