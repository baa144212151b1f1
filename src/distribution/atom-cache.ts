/**
 * The atom cache of one direction of a connection: atoms travel as text once, and as one byte
 * from then on.
 *
 * Spec: erl_ext_dist, "Distribution Header" and ATOM_CACHE_REF. Sender and receiver keep a table
 * of 2048 entries; the sender says with each message which entries it uses and what it has put
 * into them anew. So a message must be written in the order in which its header was made.
 *
 * The runtime puts an atom where its number modulo 2039 says. Here entries are given out in turn,
 * once for all connections, and each connection only remembers which of them its peer knows:
 * atoms meet in one entry only after 2048 others, and an idle connection costs a few hundred bytes.
 */
import type { Atom, AtomRefTable } from "../../etf/index.ts";
import {
  ATOM_CACHE_ENTRIES,
  type AtomCacheEntries,
  atomCacheRefsBytes,
  type CachedAtom,
  MAX_ATOM_CACHE_REFS,
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

/** The entry each atom has, for as long as it has one. */
const entryOf = new Map<Atom, number>();
const atomIn: (Atom | undefined)[] = new Array(ATOM_CACHE_ENTRIES).fill(undefined);
/** How often an entry was given out. */
const edition = new Uint32Array(ATOM_CACHE_ENTRIES);
let nextEntry = 0;

/** The message being written: its number, the entries it uses, and where in its header they are. */
let message = 0;
const usedBy = new Uint32Array(ATOM_CACHE_ENTRIES);
const position = new Uint8Array(ATOM_CACHE_ENTRIES);
const cacheIndexes = new Uint16Array(MAX_ATOM_CACHE_REFS);
const texts: (Uint8Array | undefined)[] = new Array(MAX_ATOM_CACHE_REFS).fill(undefined);
let writing: SendingAtomCache | undefined;

function giveEntry(atom: Atom): number {
  // At most 255 of the entries are in use by the message being written.
  while (usedBy[nextEntry] === message) nextEntry = (nextEntry + 1) % ATOM_CACHE_ENTRIES;
  const entry = nextEntry;
  nextEntry = (nextEntry + 1) % ATOM_CACHE_ENTRIES;
  const former = atomIn[entry];
  if (former !== undefined) entryOf.delete(former);
  entryOf.set(atom, entry);
  atomIn[entry] = atom;
  edition[entry]!++;
  return entry;
}

/**
 * What the peer knows, and the references of the message being written: `begin`, then the terms
 * by a TermWriter that has this as its `atomRefs`, then `bytes` and `write`, and always `end`.
 */
export class SendingAtomCache implements AtomRefTable, OutgoingRefs {
  count = 0;
  readonly cacheIndexes: Uint16Array = cacheIndexes;
  readonly texts: (Uint8Array | undefined)[] = texts;
  /** The edition of each entry that the peer has; grows with the entries used. */
  #known = new Uint32Array(0);
  /** How many of the references tell the peer what it does not know. */
  #news = 0;

  /** False while another message is being written: this one then does without references. */
  begin(): boolean {
    if (writing !== undefined) return false;
    writing = this;
    message = (message + 1) >>> 0;
    if (message === 0) {
      usedBy.fill(0);
      message = 1;
    }
    this.count = 0;
    return true;
  }

  /** The internal segment index of an atom in this message's header, or -1 when that is full. */
  ref(atom: Atom): number {
    let entry = entryOf.get(atom);
    if (entry === undefined) {
      if (this.count === MAX_ATOM_CACHE_REFS) return -1;
      entry = giveEntry(atom);
    } else if (usedBy[entry] === message) return position[entry]!;
    if (this.count === MAX_ATOM_CACHE_REFS) return -1;
    const index = this.count++;
    usedBy[entry] = message;
    position[entry] = index;
    cacheIndexes[index] = entry;
    return index;
  }

  /** The size of the references in the header. */
  bytes(): number {
    const { count } = this;
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
   * Writes the references, after `bytes`; from now on the peer is taken to know them, so the
   * message must be sent, and before any other of this connection. Returns where they end.
   */
  write(bytes: Uint8Array, at: number): number {
    if (this.#news === 0) return writeKnownAtomCacheRefs(this.count, cacheIndexes, bytes, at);
    for (let index = 0; index < this.count; index++) {
      if (texts[index] === undefined) continue;
      const entry = cacheIndexes[index]!;
      if (entry >= this.#known.length) this.#grow(entry);
      this.#known[entry] = edition[entry]!;
    }
    return writeAtomCacheRefs(this, bytes, at);
  }

  end(): void {
    if (writing === this) writing = undefined;
  }

  #grow(entry: number): void {
    let size = Math.max(64, this.#known.length);
    while (size <= entry) size *= 2;
    const grown = new Uint32Array(size);
    grown.set(this.#known);
    this.#known = grown;
  }
}
