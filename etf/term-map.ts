/**
 * Maps whose keys are compared as Erlang compares them, with `=:=`: a tuple or a binary is found
 * by any equal one, and `1` and `1.0` are two keys.
 *
 * Keys and values lie in one array in order of insertion. Few entries are found by looking
 * through them; more get an index when first asked: numbers, atoms and booleans by themselves,
 * everything else by its hash.
 */
import { Atom } from "./atom.ts";
import { EtfEncodeError } from "./errors.ts";
import { hashTerm, normalize, sameKeys } from "./exact.ts";
import { MapBase } from "./map-base.ts";
import type { Term, TermInput } from "./terms.ts";

/** Entries up to which there is no index. */
const SCAN_ENTRIES = 8;

/**
 * Keys of one hash. The hash differs from process to process and looks 256 levels deep, so only
 * keys made to be the same down to there get near this.
 */
const MAX_COLLISIONS = 64;

const DELETED = Symbol("deleted");

/** Of keys that are equal only if they are the same to JavaScript. */
function isIdentity(key: unknown): boolean {
  return typeof key !== "object" || key instanceof Atom;
}

interface Index {
  readonly identity: Map<unknown, number>;
  readonly hashed: Map<number, number | number[]>;
}

export class TermMap<K = Term, V = Term> extends MapBase {
  private pairs: unknown[] = [];
  private live = 0;
  private index: Index | null = null;

  constructor(entries?: Iterable<readonly [K | TermInput, V]>) {
    super();
    if (entries === undefined) return;
    for (const [key, value] of entries) this.set(key as K, value);
  }

  /** @internal The map of `[key, value, key, value ...]`, or null if a key is there twice. */
  static fromPairs(pairs: unknown[]): TermMap | null {
    const map = new TermMap();
    map.pairs = pairs;
    map.live = pairs.length >> 1;
    return inOrder(pairs) || !map.hasDoubles() ? map : null;
  }

  get size(): number {
    return this.live;
  }

  get(key: K | TermInput): V | undefined {
    const at = this.find(normalize(key));
    return at < 0 ? undefined : (this.pairs[at + 1] as V);
  }

  has(key: K | TermInput): boolean {
    return this.find(normalize(key)) >= 0;
  }

  /** A key that is new is kept in the form it is decoded to: a string as its bytes. */
  set(key: K | TermInput, value: V): this {
    const normal = normalize(key);
    const at = this.find(normal);
    if (at >= 0) {
      this.pairs[at + 1] = value;
      return this;
    }
    const added = this.pairs.push(normal, value) - 2;
    this.live++;
    if (this.index !== null) this.addToIndex(this.index, normal, added);
    return this;
  }

  delete(key: K | TermInput): boolean {
    const normal = normalize(key);
    const at = this.find(normal);
    if (at < 0) return false;
    this.pairs[at] = DELETED;
    this.pairs[at + 1] = undefined;
    this.live--;
    if (this.index !== null) removeFromIndex(this.index, normal, at);
    if (this.pairs.length > 16 && this.live < this.pairs.length >> 2) this.compact();
    return true;
  }

  clear(): void {
    this.pairs = [];
    this.live = 0;
    this.index = null;
  }

  /** In order of insertion. Entries may be set and deleted meanwhile. */
  *entries(): MapIterator<[K, V]> {
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] !== DELETED) yield [pairs[i] as K, pairs[i + 1] as V];
    }
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: this) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  get [Symbol.toStringTag](): string {
    return "TermMap";
  }

  /** @internal `[key, value, key, value ...]` in order of insertion; not to be changed. */
  toPairs(): readonly unknown[] {
    if (this.pairs.length !== 2 * this.live) this.compact();
    return this.pairs;
  }

  private compact(): void {
    const kept: unknown[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (this.pairs[i] !== DELETED) kept.push(this.pairs[i], this.pairs[i + 1]);
    }
    this.pairs = kept;
    this.index = null;
  }

  /** Where a key lies in `pairs`, or -1. */
  private find(key: unknown): number {
    const { pairs } = this;
    const identity = isIdentity(key);
    if (pairs.length <= 2 * SCAN_ENTRIES) {
      for (let i = 0; i < pairs.length; i += 2) {
        const other = pairs[i];
        if (other === key || (!identity && sameObjects(key, other))) return i;
      }
      return -1;
    }
    this.index ??= this.makeIndex();
    if (identity) {
      const at = this.index.identity.get(key);
      return at ?? -1;
    }
    const places = this.index.hashed.get(hashTerm(key));
    if (places === undefined) return -1;
    if (typeof places === "number") return sameKeys(key, pairs[places]) ? places : -1;
    for (const at of places) if (sameKeys(key, pairs[at])) return at;
    return -1;
  }

  private makeIndex(): Index {
    const index: Index = { identity: new Map(), hashed: new Map() };
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (this.pairs[i] !== DELETED) this.addToIndex(index, this.pairs[i], i);
    }
    return index;
  }

  private addToIndex(index: Index, key: unknown, at: number): void {
    if (isIdentity(key)) {
      index.identity.set(key, at);
      return;
    }
    const hash = hashTerm(key);
    const places = index.hashed.get(hash);
    if (places === undefined) index.hashed.set(hash, at);
    else if (typeof places === "number") index.hashed.set(hash, [places, at]);
    else if (places.push(at) > MAX_COLLISIONS) {
      throw new EtfEncodeError("ETF_LIMIT", "too many keys of a map differ only in great depth");
    }
  }

  private hasDoubles(): boolean {
    const { pairs } = this;
    if (pairs.length <= 2 * SCAN_ENTRIES) {
      for (let i = 2; i < pairs.length; i += 2) {
        for (let j = 0; j < i; j += 2) {
          const a = pairs[i];
          const b = pairs[j];
          if (a === b || sameObjects(a, b)) return true;
        }
      }
      return false;
    }
    const index = this.makeIndex();
    this.index = index;
    let found = index.identity.size;
    for (const places of index.hashed.values()) {
      if (typeof places === "number") found++;
      else {
        found += places.length;
        for (let i = 1; i < places.length; i++) {
          for (let j = 0; j < i; j++) {
            if (sameKeys(pairs[places[i]!], pairs[places[j]!])) return true;
          }
        }
      }
    }
    return found !== this.live;
  }
}

/** Keys that are not the same to JavaScript. */
function sameObjects(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b) === 0;
  return !isIdentity(a) && !isIdentity(b) && sameKeys(a, b);
}

/** Entries up to which atoms are compared each with each. */
const FEW_ATOMS = 16;

/**
 * True if keys follow one another so that none can be there twice: as OTP sends maps of up to 32
 * entries, numbers before atoms before binaries, and those ascending. False says nothing.
 */
function inOrder(pairs: readonly unknown[]): boolean {
  let i = 0;
  const end = pairs.length;
  let number = Number.NEGATIVE_INFINITY;
  for (; i < end; i += 2) {
    const key = pairs[i];
    if (typeof key !== "number") break;
    if (!(key > number)) return false;
    number = key;
  }
  const atoms = i;
  for (; i < end; i += 2) {
    const key = pairs[i];
    if (!(key instanceof Atom || typeof key === "boolean")) break;
    if (i - atoms >= 2 * FEW_ATOMS) return false;
    for (let j = atoms; j < i; j += 2) if (pairs[j] === key) return false;
  }
  let bytes: Uint8Array | null = null;
  for (; i < end; i += 2) {
    const key = pairs[i];
    if (!(key instanceof Uint8Array)) return false;
    if (bytes !== null && compareBytes(bytes, key) >= 0) return false;
    bytes = key;
  }
  return true;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function removeFromIndex(index: Index, key: unknown, at: number): void {
  if (isIdentity(key)) {
    index.identity.delete(key);
    return;
  }
  const hash = hashTerm(key);
  const places = index.hashed.get(hash);
  if (typeof places === "number") index.hashed.delete(hash);
  else places?.splice(places.indexOf(at), 1);
}

MapBase.build = (pairs) => new TermMap(pairs as Iterable<readonly [TermInput, Term]>);
