/**
 * Term maps: how `TermMap` (the type is in terms.ts) finds its keys.
 *
 * Keys and values lie in one array in order of insertion. Few entries are found by looking
 * through them; more get an index when first asked.
 */
import { Atom } from "./atom.ts";
import { copyBytes } from "./bytes.ts";
import { refuseShortCycle } from "./cycle.ts";
import { hashOf, hashSimple, normalize, sameBytes } from "./exact.ts";
import { KeyIndex, sameKey } from "./key-index.ts";
import { Known } from "./known.ts";
import { MapBase, type MapValues } from "./map-base.ts";
import type { Term, TermInput, TermMapConstructor, TermMap as TermMapType } from "./terms.ts";

/** A map with at most this many entries has no index. */
const SCAN_ENTRIES = 8;

const DELETED = Symbol("deleted");

/** Of keys that are equal only if they are the same to JavaScript. */
function isIdentity(key: unknown): boolean {
  return typeof key !== "object" || key instanceof Atom;
}

/** Of keys that hold nothing that would have to be gone through. */
function isSimple(key: unknown): boolean {
  return isIdentity(key) || key instanceof Uint8Array;
}

/** What is found out about a key while it is looked for; nothing about a simple one. */
function knownOf(key: unknown): Known | null {
  return isSimple(key) ? null : new Known(key);
}

function hashKey(key: unknown, known: Known | null): number {
  return known === null || isSimple(key) ? hashSimple(key) : hashOf(key, known);
}

/** The class behind `TermMap`, with what only the codec may use. */
export class TermMapClass<K = Term, V = Term> extends MapBase implements TermMapType<K, V> {
  /** As it is shown to the programmer. */
  static override readonly name = "TermMap";
  private pairs: unknown[] = [];
  private live = 0;
  private index: KeyIndex | null = null;
  /** Other maps have the same byte arrays as keys: nobody may be handed them. */
  private sharesKeys = false;

  constructor(entries?: Iterable<readonly [K | TermInput, V]>) {
    super();
    if (entries === undefined) return;
    for (const [key, value] of entries) this.set(key as K, value);
  }

  /**
   * The map of `[key, value, key, value ...]`, or null if a key is there twice.
   *
   * @param known what is known of the terms that the pairs are a part of
   * @param sharesKeys true if other maps may have the same byte arrays as keys
   */
  static fromPairs(pairs: unknown[], known: Known, sharesKeys: boolean): TermMapClass | null {
    const map = new TermMapClass();
    map.pairs = pairs;
    map.live = pairs.length >> 1;
    map.sharesKeys = sharesKeys;
    return inOrder(pairs) || !map.hasDoubles(known) ? map : null;
  }

  /** The map of `[key, value, key, value ...]`, of which no key is there twice. */
  static ofDistinct(pairs: unknown[]): TermMapClass {
    const map = new TermMapClass();
    map.pairs = pairs;
    map.live = pairs.length >> 1;
    return map;
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

  set(key: K | TermInput, value: V): this {
    const normal = normalize(key);
    const known = knownOf(normal);
    const index = this.indexed();
    const hash = index === null ? 0 : hashKey(normal, known);
    const at = index === null ? this.scan(normal, known) : index.find(hash, normal, known);
    if (at >= 0) {
      this.pairs[at + 1] = value;
      return this;
    }
    if (known !== null) refuseShortCycle(normal);
    const kept =
      normal instanceof Uint8Array && typeof key !== "string"
        ? copyBytes(normal, 0, normal.length)
        : normal;
    const added = this.pairs.push(kept, value) - 2;
    this.live++;
    index?.add(hash, added, known);
    return this;
  }

  delete(key: K | TermInput): boolean {
    const normal = normalize(key);
    const at = this.find(normal);
    if (at < 0) return false;
    if (this.index !== null) {
      const known = knownOf(normal);
      this.index.remove(hashKey(normal, known), at, known);
    }
    this.pairs[at] = DELETED;
    this.pairs[at + 1] = undefined;
    this.live--;
    if (this.pairs.length > 16 && this.live < this.pairs.length >> 2) this.compact();
    return true;
  }

  clear(): void {
    this.pairs = [];
    this.live = 0;
    this.index = null;
  }

  *entries(): MapValues<[K, V]> {
    const pairs = this.ownPairs();
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] !== DELETED) yield [pairs[i] as K, pairs[i + 1] as V];
    }
  }

  *keys(): MapValues<K> {
    const pairs = this.ownPairs();
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] !== DELETED) yield pairs[i] as K;
  }

  *values(): MapValues<V> {
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] !== DELETED) yield pairs[i + 1] as V;
  }

  [Symbol.iterator](): MapValues<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: this) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  get [Symbol.toStringTag](): "TermMap" {
    return "TermMap";
  }

  toPairs(): readonly unknown[] {
    if (this.pairs.length !== 2 * this.live) this.compact();
    return this.pairs;
  }

  candidate(key: unknown, known: Known): number {
    const pairs = this.toPairs();
    const normal = normalize(key);
    if (this.index === null && pairs.length <= 2 * SCAN_ENTRIES) {
      return isSimple(normal) ? this.scan(normal, null) : this.smallCandidate(normal, known);
    }
    this.index ??= this.makeIndex(known);
    return this.index.candidate(hashKey(normal, known), normal, known);
  }

  /** Without an index, which a small map would have for this alone. */
  private smallCandidate(key: unknown, known: Known): number {
    let hashes = known.keyHashesOf(this);
    if (hashes === undefined) {
      hashes = this.pairs.filter((_, i) => i % 2 === 0).map((each) => hashKey(each, known));
      known.keepKeyHashes(this, hashes);
    }
    const hash = hashKey(key, known);
    const found = hashes.indexOf(hash);
    if (found < 0) return -1;
    return hashes.includes(hash, found + 1) ? this.scan(key, known) : 2 * found;
  }

  /** With keys that no other map has. */
  private ownPairs(): readonly unknown[] {
    const { pairs } = this;
    if (this.sharesKeys) {
      for (let i = 0; i < pairs.length; i += 2) {
        const key = pairs[i];
        if (key instanceof Uint8Array) pairs[i] = copyBytes(key, 0, key.length);
      }
      this.sharesKeys = false;
    }
    return pairs;
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
    const index = this.indexed();
    if (typeof key !== "object" || key instanceof Atom) {
      if (index !== null) return index.findIdentity(hashSimple(key), key);
      const { pairs } = this;
      for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === key) return i;
      return -1;
    }
    const known = knownOf(key);
    return index === null ? this.scan(key, known) : index.find(hashKey(key, known), key, known);
  }

  /** The index, or null while the map is to be looked through. */
  private indexed(): KeyIndex | null {
    if (this.index === null && this.pairs.length > 2 * SCAN_ENTRIES) {
      this.index = this.makeIndex(null);
    }
    return this.index;
  }

  private scan(key: unknown, known: Known | null): number {
    const { pairs } = this;
    const identity = isIdentity(key);
    for (let i = 0; i < pairs.length; i += 2) {
      const other = pairs[i];
      if (other === key || (!identity && sameKey(key, other, known))) return i;
    }
    return -1;
  }

  private makeIndex(known: Known | null): KeyIndex {
    const { pairs } = this;
    const index = new KeyIndex(pairs, this.live);
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i];
      if (key === DELETED) continue;
      const found = known ?? knownOf(key);
      index.add(hashKey(key, found), i, found);
    }
    return index;
  }

  private hasDoubles(known: Known): boolean {
    const { pairs } = this;
    if (pairs.length <= 2 * SCAN_ENTRIES) return haveDoubles(pairs, known);
    const index = new KeyIndex(pairs, this.live);
    for (let i = 0; i < pairs.length; i += 2) {
      if (index.add(hashKey(pairs[i], known), i, known) >= 0) return true;
    }
    this.index = index;
    return false;
  }
}

/** Of few keys: compared each with each, those that are not simple by their hashes first. */
function haveDoubles(pairs: readonly unknown[], known: Known): boolean {
  let others = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    const isBytes = key instanceof Uint8Array;
    if (!isBytes && !isIdentity(key)) others++;
    for (let j = 0; j < i; j += 2) {
      const other = pairs[j];
      if (key === other) return true;
      if (isBytes && other instanceof Uint8Array && sameBytes(key, other)) return true;
    }
  }
  if (others < 2) return false;
  const keys: unknown[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (!isSimple(pairs[i])) keys.push(pairs[i]);
  const hashes = keys.map((key) => hashOf(key, known));
  return keys.some((key, i) => {
    const first = hashes.indexOf(hashes[i]!);
    return first < i && keys.slice(first, i).some((other) => sameKey(key, other, known));
  });
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

/** The term map as users see it. */
export type TermMap<K = Term, V = Term> = TermMapType<K, V>;
/** The term map as users see it. */
export const TermMap: TermMapConstructor = TermMapClass;

MapBase.build = (pairs) => new TermMapClass(pairs as Iterable<readonly [TermInput, Term]>);
