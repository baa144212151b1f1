/**
 * Where the keys of a map lie, by their hashes: a table with open addressing.
 *
 * Keys of one hash lie one after the other, and are compared each with what is looked for. So
 * that it never takes long, whatever the hashes are, more than a few such keys are moved out of
 * the table and kept in term order.
 */
import { compareKeys } from "./compare.ts";
import { areSame, sameBytes } from "./exact.ts";
import { Known } from "./known.ts";

/** Keys of one hash that are compared one by one. */
const FEW = 8;
/** Slots at first. */
const MIN_SLOTS = 16;

const EMPTY = 0;
const DELETED = -1;

/** `=:=` of two keys in the form that maps keep. */
export function sameKey(a: unknown, b: unknown, known: Known | null): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  return areSame(a, b, known ?? new Known(a, b));
}

/** A slot is a number and a hash: the number 1 + `place` / 2 of a key, or -2 - that of a bucket. */
export class KeyIndex {
  /** `[key, value, key, value ...]` of the map; a place is that of a key in it. */
  private readonly pairs: readonly unknown[];
  private slots: Int32Array;
  private mask: number;
  /** Slots that are not empty. */
  private used = 0;
  private buckets: Bucket[] | null = null;

  constructor(pairs: readonly unknown[], keys: number) {
    this.pairs = pairs;
    let size = MIN_SLOTS;
    while (size < 2 * keys) size *= 2;
    this.slots = new Int32Array(2 * size);
    this.mask = size - 1;
  }

  /** Where a key lies, or -1. */
  find(hash: number, key: unknown, known: Known | null): number {
    const { slots, mask, pairs } = this;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number === EMPTY) return -1;
      if (slots[2 * i + 1] !== hash || number === DELETED) continue;
      if (number < DELETED) return this.buckets![-2 - number]!.find(key, known);
      const place = 2 * (number - 1);
      if (sameKey(key, pairs[place], known)) return place;
    }
  }

  /** As `find`, for a key that only the very same equals. */
  findIdentity(hash: number, key: unknown): number {
    const { slots, mask, pairs } = this;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number === EMPTY) return -1;
      if (slots[2 * i + 1] !== hash) continue;
      if (number < DELETED) return this.buckets![-2 - number]!.find(key, null);
      if (number !== DELETED && pairs[2 * (number - 1)] === key) return 2 * (number - 1);
    }
  }

  /** As `find`, but the only key of that hash is not compared. */
  candidate(hash: number, key: unknown, known: Known): number {
    const { slots, mask } = this;
    let found = -1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number === EMPTY) return found;
      if (slots[2 * i + 1] !== hash || number === DELETED) continue;
      if (number < DELETED || found >= 0) return this.find(hash, key, known);
      found = 2 * (number - 1);
    }
  }

  /** Adds the key of a place unless it is there; returns where it is, or -1 when it was added. */
  add(hash: number, place: number, known: Known | null): number {
    const { slots, mask, pairs } = this;
    const key = pairs[place];
    let free = -1;
    let alike = 0;
    let i = hash & mask;
    for (; slots[2 * i] !== EMPTY; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number === DELETED) {
        if (free < 0) free = i;
        continue;
      }
      if (slots[2 * i + 1] !== hash) continue;
      if (number < DELETED) return this.buckets![-2 - number]!.add(key, place, known);
      const other = 2 * (number - 1);
      if (sameKey(key, pairs[other], known)) return other;
      alike++;
    }
    if (alike >= FEW) {
      this.spill(hash).add(key, place, known);
      return -1;
    }
    if (free < 0) {
      free = i;
      this.used++;
    }
    slots[2 * free] = 1 + place / 2;
    slots[2 * free + 1] = hash;
    if (3 * this.used > 2 * mask) this.rebuild();
    return -1;
  }

  /** The key of a place, which is there. */
  remove(hash: number, place: number, known: Known | null): void {
    const { slots, mask } = this;
    for (let i = hash & mask; slots[2 * i] !== EMPTY; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number < DELETED && slots[2 * i + 1] === hash) {
        this.buckets![-2 - number]!.remove(this.pairs[place], known);
        return;
      }
      if (number === 1 + place / 2) {
        slots[2 * i] = DELETED;
        return;
      }
    }
  }

  /** Moves the keys of one hash into a bucket. */
  private spill(hash: number): Bucket {
    const { slots, mask, pairs } = this;
    this.buckets ??= [];
    const bucket = new Bucket(pairs);
    let first = -1;
    for (let i = hash & mask; slots[2 * i] !== EMPTY; i = (i + 1) & mask) {
      const number = slots[2 * i]!;
      if (number <= DELETED || slots[2 * i + 1] !== hash) continue;
      const place = 2 * (number - 1);
      bucket.add(pairs[place], place, null);
      slots[2 * i] = DELETED;
      if (first < 0) first = i;
    }
    slots[2 * first] = -2 - (this.buckets.push(bucket) - 1);
    return bucket;
  }

  /** In a table that has room, without what was deleted. */
  private rebuild(): void {
    const old = this.slots;
    let live = 0;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== EMPTY && old[i] !== DELETED) live++;
    }
    let size = MIN_SLOTS;
    while (size < 3 * live) size *= 2;
    const slots = new Int32Array(2 * size);
    const mask = size - 1;
    for (let from = 0; from < old.length; from += 2) {
      const number = old[from]!;
      if (number === EMPTY || number === DELETED) continue;
      const hash = old[from + 1]!;
      let i = hash & mask;
      while (slots[2 * i] !== EMPTY) i = (i + 1) & mask;
      slots[2 * i] = number;
      slots[2 * i + 1] = hash;
    }
    this.slots = slots;
    this.mask = mask;
    this.used = live;
  }
}

/** Places of a chunk, above which it is divided. */
const CHUNK = 512;

/** Keys of one hash in term order, in chunks: what is put in between moves few others. */
class Bucket {
  private readonly pairs: readonly unknown[];
  private readonly chunks: number[][] = [[]];

  constructor(pairs: readonly unknown[]) {
    this.pairs = pairs;
  }

  find(key: unknown, known: Known | null): number {
    const { chunk, at, found } = this.search(key, known ?? new Known(key));
    return found ? this.chunks[chunk]![at]! : -1;
  }

  /** As that of the index. */
  add(key: unknown, place: number, known: Known | null): number {
    const { chunk, at, found } = this.search(key, known ?? new Known(key));
    const places = this.chunks[chunk]!;
    if (found) return places[at]!;
    places.splice(at, 0, place);
    if (places.length > CHUNK) this.chunks.splice(chunk + 1, 0, places.splice(CHUNK / 2));
    return -1;
  }

  remove(key: unknown, known: Known | null): void {
    const { chunk, at, found } = this.search(key, known ?? new Known(key));
    if (!found) return;
    this.chunks[chunk]!.splice(at, 1);
    if (this.chunks[chunk]!.length === 0 && this.chunks.length > 1) this.chunks.splice(chunk, 1);
  }

  /** Where a key lies, or belongs. */
  private search(key: unknown, known: Known): { chunk: number; at: number; found: boolean } {
    const { chunks, pairs } = this;
    // The last chunk that does not begin behind the key.
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareKeys(pairs[chunks[middle]![0]!], key, known) <= 0) low = middle;
      else high = middle - 1;
    }
    const chunk = low;
    const places = chunks[chunk]!;
    low = 0;
    high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(pairs[places[middle]!], key, known) < 0) low = middle + 1;
      else high = middle;
    }
    const found = low < places.length && compareKeys(pairs[places[low]!], key, known) === 0;
    return { chunk, at: low, found };
  }
}
