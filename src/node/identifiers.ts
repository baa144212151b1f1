/**
 * Pids and references of this node, and maps keyed by anybody's.
 *
 * Pids keep to 15 bits of id and 13 of serial, references to three words with 18 bits in the
 * first: what a peer without V4_NC (OTP 23) can hold. Numbers come around after 2^28 pids, and
 * those still in use are passed over.
 */
import { Pid, Reference } from "../../etf/index.ts";
import type { ThisNode } from "./this-node.ts";

const ID_BITS = 15;
const SERIAL_BITS = 13;
const REF_FIRST_BITS = 18;

/** The number that identifies a pid of this node among its live processes. */
export function localPidKey(pid: Pid): number {
  return pid.serial * 2 ** ID_BITS + pid.id;
}

export class Identifiers {
  readonly #self: Pick<ThisNode, "node" | "creation">;
  readonly #firstRef: number;
  #nextPid = 1;
  #nextRef: number;

  /** @param seed makes the references of two nodes with the same name differ; 32 bits */
  constructor(self: Pick<ThisNode, "node" | "creation">, seed: number) {
    this.#self = self;
    this.#firstRef = seed;
    this.#nextRef = seed;
  }

  /** How many references were made. */
  get made(): number {
    return this.#nextRef - this.#firstRef;
  }

  /** How many references had been made before this one; -1 if it is none of these. */
  madeBefore(ref: Reference): number {
    if (ref.node !== this.#self.node || ref.creation !== this.#self.creation) return -1;
    const [first, low = 0, high = 0] = ref.ids as [number, number?, number?];
    const before = first + (low + high * 2 ** 32) * 2 ** REF_FIRST_BITS - this.#firstRef;
    return before < this.made ? before : -1;
  }

  /** A pid no live process has. */
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

/** Entries of one hash beyond which they are found by text: peers choose identifiers. */
const MAX_CHAIN = 16;

/** All entries of one hash, by the text of their keys. */
type Crowd<Key, Value> = Map<string, Entry<Key, Value>>;

/** A map keyed by identifiers, equal as Erlang compares them. */
export class IdentifierMap<Key extends Identifier<Key>, Value> {
  readonly #hash: (key: Key) => number;
  readonly #text: (key: Key) => string;
  readonly #entries = new Map<number, Entry<Key, Value>>();
  /** Of hashes that many keys share, which then are none of `#entries`. */
  #crowds: Map<number, Crowd<Key, Value>> | undefined;
  #size = 0;

  /** @param text tells all keys apart */
  constructor(hash: (key: Key) => number, text: (key: Key) => string) {
    this.#hash = hash;
    this.#text = text;
  }

  get size(): number {
    return this.#size;
  }

  get(key: Key): Value | undefined {
    return this.#find(this.#hash(key), key)?.value;
  }

  has(key: Key): boolean {
    return this.#find(this.#hash(key), key) !== undefined;
  }

  set(key: Key, value: Value): void {
    const hash = this.#hash(key);
    const found = this.#find(hash, key);
    if (found !== undefined) {
      found.value = value;
      return;
    }
    this.#size++;
    const crowd = this.#crowds?.get(hash);
    if (crowd !== undefined) {
      crowd.set(this.#text(key), { key, value, next: undefined });
      return;
    }
    const entry = { key, value, next: this.#entries.get(hash) };
    let length = 0;
    for (let each: Entry<Key, Value> | undefined = entry; each; each = each.next) length++;
    if (length > MAX_CHAIN) this.#gather(hash, entry);
    else this.#entries.set(hash, entry);
  }

  delete(key: Key): boolean {
    const hash = this.#hash(key);
    const first = this.#entries.get(hash);
    if (first === undefined) return this.#deleteFromCrowd(hash, key);
    if (first.key.equals(key)) {
      if (first.next === undefined) this.#entries.delete(hash);
      else this.#entries.set(hash, first.next);
      this.#size--;
      return true;
    }
    for (let entry = first; entry.next !== undefined; entry = entry.next) {
      if (entry.next.key.equals(key)) {
        entry.next = entry.next.next;
        this.#size--;
        return true;
      }
    }
    return false;
  }

  /** The value, taken out. */
  take(key: Key): Value | undefined {
    const value = this.get(key);
    if (value !== undefined) this.delete(key);
    return value;
  }

  /** The values as they are now; the map may change while they are walked. */
  values(): Value[] {
    return this.#all().map(({ value }) => value);
  }

  keys(): Key[] {
    return this.#all().map(({ key }) => key);
  }

  clear(): void {
    this.#entries.clear();
    this.#crowds = undefined;
    this.#size = 0;
  }

  #all(): Entry<Key, Value>[] {
    const all: Entry<Key, Value>[] = [];
    for (const first of this.#entries.values()) {
      for (let entry: Entry<Key, Value> | undefined = first; entry; entry = entry.next) {
        all.push(entry);
      }
    }
    for (const crowd of this.#crowds?.values() ?? []) {
      for (const entry of crowd.values()) all.push(entry);
    }
    return all;
  }

  #find(hash: number, key: Key): Entry<Key, Value> | undefined {
    let entry = this.#entries.get(hash);
    if (entry === undefined && this.#crowds !== undefined) {
      return this.#crowds.get(hash)?.get(this.#text(key));
    }
    while (entry !== undefined && !entry.key.equals(key)) entry = entry.next;
    return entry;
  }

  #gather(hash: number, first: Entry<Key, Value>): void {
    const crowd: Crowd<Key, Value> = new Map();
    for (let entry: Entry<Key, Value> | undefined = first; entry; entry = entry.next) {
      crowd.set(this.#text(entry.key), entry);
    }
    this.#entries.delete(hash);
    this.#crowds ??= new Map();
    this.#crowds.set(hash, crowd);
  }

  #deleteFromCrowd(hash: number, key: Key): boolean {
    const crowd = this.#crowds?.get(hash);
    if (crowd?.delete(this.#text(key)) !== true) return false;
    if (crowd.size === 0) this.#crowds!.delete(hash);
    this.#size--;
    return true;
  }
}

export class PidMap<Value> extends IdentifierMap<Pid, Value> {
  constructor() {
    super(
      (pid) => pid.serial * 2 ** 32 + pid.id,
      ({ node, id, serial, creation }) => `${id}.${serial}.${creation}.${node.name}`,
    );
  }
}

export class ReferenceMap<Value> extends IdentifierMap<Reference, Value> {
  constructor() {
    super(
      (ref) => {
        const ids = ref.ids;
        return (ids[0]! ^ Math.imul(ids[2] ?? 0, 0x9e3779b1)) + (ids[1] ?? 0) * 2 ** 18;
      },
      ({ ids, creation, node }) => {
        // Words that are not there are 0.
        const [a = 0, b = 0, c = 0, d = 0, e = 0] = ids as readonly number[];
        return `${a}.${b}.${c}.${d}.${e}.${creation}.${node.name}`;
      },
    );
  }
}
