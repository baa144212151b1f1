/**
 * The pids and references that this node makes, and maps keyed by the pids and references of any node.
 *
 * Pids use 15 bits of id and 13 of serial, references three words with 18 bits in the first: as much as
 * a peer without V4_NC (OTP 23) can hold. Pid numbers wrap around after 2^28 and skip those in use.
 */
import { Pid, Reference } from "../../../etf/index.ts";
import type { ThisNode } from "../identity/this-node.ts";

const ID_BITS = 15;
const SERIAL_BITS = 13;
const REF_FIRST_BITS = 18;

/** The number of a pid of this node, unique among its live processes. */
export function localPidKey(pid: Pid): number {
  return pid.serial * 2 ** ID_BITS + pid.id;
}

/** Makes the pids and references of a node. */
export class Identifiers {
  readonly #self: Pick<ThisNode, "node" | "creation">;
  readonly #firstRef: number;
  #nextPid = 1;
  #nextRef: number;

  /** @param seed 32 random bits, so that two nodes with the same name make different references */
  constructor(self: Pick<ThisNode, "node" | "creation">, seed: number) {
    this.#self = self;
    this.#firstRef = seed;
    this.#nextRef = seed;
  }

  /** How many references this node has made. */
  get made(): number {
    return this.#nextRef - this.#firstRef;
  }

  /** How many references this node made before this one; -1 if it did not make this one. */
  madeBefore(ref: Reference): number {
    if (ref.node !== this.#self.node || ref.creation !== this.#self.creation) return -1;
    const [first, low = 0, high = 0] = ref.ids as [number, number?, number?];
    const before = first + (low + high * 2 ** 32) * 2 ** REF_FIRST_BITS - this.#firstRef;
    return before < this.made ? before : -1;
  }

  /** A pid that no live process has. @param inUse whether a live process has the key */
  newPid(inUse: (key: number) => boolean): Pid {
    let key: number;
    do {
      key = this.#nextPid;
      this.#nextPid = key + 1 === 2 ** (ID_BITS + SERIAL_BITS) ? 1 : key + 1;
    } while (inUse(key));
    const id = key % 2 ** ID_BITS;
    const serial = (key - id) / 2 ** ID_BITS;
    return new Pid(this.#self.node, id, serial, this.#self.creation);
  }

  /** A new reference. */
  newReference(): Reference {
    const number = this.#nextRef++;
    const first = number % 2 ** REF_FIRST_BITS;
    const rest = (number - first) / 2 ** REF_FIRST_BITS;
    return new Reference(this.#self.node, this.#self.creation, [
      first,
      rest >>> 0,
      Math.floor(rest / 2 ** 32),
    ]);
  }
}

interface Identifier<Self> {
  equals(other: Self): boolean;
}

interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  next: Entry<Key, Value> | undefined;
}

/** How many identifiers with the same hash are searched one by one; further ones are found by their text. */
const MAX_CHAIN = 8;

/**
 * A map keyed by identifiers, compared as Erlang compares them. Peers choose their identifiers and can
 * make any number with the same hash; looking those up costs no more than others.
 */
class IdentifierMap<Key extends Identifier<Key>, Value> {
  readonly #hash: (key: Key) => number;
  readonly #text: (key: Key) => string;
  readonly #entries = new Map<number, Entry<Key, Value>>();
  /** By their text, the entries that were added when the chain for their hash was full. */
  #crowded: Map<string, Entry<Key, Value>> | undefined;
  #size = 0;

  /** @param text returns a different text for each key */
  constructor(hash: (key: Key) => number, text: (key: Key) => string) {
    this.#hash = hash;
    this.#text = text;
  }

  /** How many entries the map has. */
  get size(): number {
    return this.#size;
  }

  /** The value for a key. */
  get(key: Key): Value | undefined {
    return this.#find(key)?.value;
  }

  /** Whether the map has a key. */
  has(key: Key): boolean {
    return this.#find(key) !== undefined;
  }

  /** Adds or replaces the value for a key. */
  set(key: Key, value: Value): void {
    const found = this.#find(key);
    if (found !== undefined) {
      found.value = value;
      return;
    }
    this.#size++;
    const hash = this.#hash(key);
    const next = this.#entries.get(hash);
    if (next !== undefined && isFull(next)) {
      this.#crowded ??= new Map();
      this.#crowded.set(this.#text(key), { key, value, next: undefined });
    } else this.#entries.set(hash, { key, value, next });
  }

  /** Removes a key; returns whether the map had it. */
  delete(key: Key): boolean {
    const hash = this.#hash(key);
    let before: Entry<Key, Value> | undefined;
    let entry = this.#entries.get(hash);
    while (entry !== undefined && !entry.key.equals(key)) {
      before = entry;
      entry = entry.next;
    }
    if (entry === undefined) {
      if (this.#crowded?.delete(this.#text(key)) !== true) return false;
    } else if (before !== undefined) before.next = entry.next;
    else if (entry.next !== undefined) this.#entries.set(hash, entry.next);
    else this.#entries.delete(hash);
    this.#size--;
    return true;
  }

  /** Removes a key and returns its value. */
  take(key: Key): Value | undefined {
    const value = this.get(key);
    if (value !== undefined) this.delete(key);
    return value;
  }

  /** A copy of the values; the map may change while you iterate over it. */
  values(): Value[] {
    const values: Value[] = [];
    this.#walk((entry) => values.push(entry.value));
    return values;
  }

  /** A copy of the keys. */
  keys(): Key[] {
    const keys: Key[] = [];
    this.#walk((entry) => keys.push(entry.key));
    return keys;
  }

  /** Removes all entries. */
  clear(): void {
    this.#entries.clear();
    this.#crowded = undefined;
    this.#size = 0;
  }

  #walk(visit: (entry: Entry<Key, Value>) => void): void {
    for (const first of this.#entries.values()) {
      for (let entry: Entry<Key, Value> | undefined = first; entry; entry = entry.next)
        visit(entry);
    }
    for (const entry of this.#crowded?.values() ?? []) visit(entry);
  }

  #find(key: Key): Entry<Key, Value> | undefined {
    let entry = this.#entries.get(this.#hash(key));
    while (entry !== undefined && !entry.key.equals(key)) entry = entry.next;
    if (entry !== undefined || this.#crowded === undefined) return entry;
    return this.#crowded.get(this.#text(key));
  }
}

function isFull(first: Entry<unknown, unknown>): boolean {
  let length = 0;
  for (let entry: Entry<unknown, unknown> | undefined = first; entry; entry = entry.next) length++;
  return length >= MAX_CHAIN;
}

/** A map keyed by pids. */
export class PidMap<Value> extends IdentifierMap<Pid, Value> {
  constructor() {
    super(
      (pid) => pid.serial * 2 ** 32 + pid.id,
      ({ node, id, serial, creation }) => `${id} ${serial} ${creation} ${node.name}`,
    );
  }
}

/** A map keyed by references. */
export class ReferenceMap<Value> extends IdentifierMap<Reference, Value> {
  constructor() {
    super(
      ({ ids }) => (ids[0]! ^ Math.imul(ids[2] ?? 0, 0x9e3779b1)) + (ids[1] ?? 0) * 2 ** 18,
      ({ node, creation, ids: [a, b = 0, c = 0, d = 0, e = 0] }) =>
        `${a} ${b} ${c} ${d} ${e} ${creation} ${node.name}`,
    );
  }
}
