/**
 * Terms: one JavaScript type for each Erlang type, their makers and guards.
 *
 * `true` and `false` are booleans, integers are `number` while safe and `bigint` beyond, lists
 * are plain arrays, binaries are `Uint8Array`. The classes here stand for everything else.
 */
import { Atom, namedAtom } from "./atom.ts";
import { copyBytes } from "./bytes.ts";
import { EtfEncodeError } from "./errors.ts";
import type { MapValues } from "./map-base.ts";

export type Term =
  | number
  | bigint
  | boolean
  | Float
  | Atom
  | Uint8Array
  | BitString
  | Term[]
  | ImproperList
  | AnyTuple
  | TermMap
  | Pid
  | Port
  | Reference
  | ExternalFun
  | LocalFun
  | NativeRecord
  | OpaqueTerm;

/** What may be written: terms, and strings, Maps and plain objects where they are unambiguous. */
export type TermInput =
  | Term
  | string
  | readonly TermInput[]
  | ReadonlyMap<TermInput, TermInput>
  | { readonly [key: string]: TermInput };

declare const tupleBrand: unique symbol;

/** A tuple of any size and elements. */
export interface AnyTuple extends ReadonlyArray<Term> {
  readonly [tupleBrand]: true;
}

/** A tuple: an array that is not a list. Make it with `tuple(...)`; it destructures. */
export type Tuple<T extends readonly unknown[] = AnyTuple> = T & { readonly [tupleBrand]: true };

/** A tuple of `N` terms; of any size where `N` is not one number. */
export type SizedTuple<N extends number> = number extends N
  ? AnyTuple
  : N extends unknown
    ? Tuple<Terms<N>>
    : never;

type Terms<N extends number, T extends readonly Term[] = readonly []> = T["length"] extends N
  ? T
  : Terms<N, readonly [...T, Term]>;

interface TupleConstructor {
  /** Holes to be filled; like `new Array(size)`. `tuple(...)` is the maker. */
  new (size?: number): Tuple;
  readonly prototype: Tuple;
}

class TupleArray extends Array<unknown> {
  // Without it the elements would pass through a rest parameter: five times as slow where the
  // compiler does not make the array in place.
  constructor(size = 0) {
    super(size);
  }
}

// What `map`, `filter` and `slice` of a tuple make is to be a list. A static Symbol.species in the
// class would say so too, but then making a tuple takes twenty times as long; so the species is
// that of the function found under `constructor`, which also gives tuples their name when shown.
const shownConstructor = Object.defineProperties(function Tuple() {}, {
  [Symbol.species]: { value: Array },
  prototype: { value: TupleArray.prototype },
});
Object.defineProperty(TupleArray.prototype, "constructor", {
  value: shownConstructor,
  configurable: true,
  writable: true,
});

export const Tuple: TupleConstructor = TupleArray as unknown as TupleConstructor;

export function tuple<const T extends readonly TermInput[]>(...elements: T): Tuple<T> {
  return tupleOf(elements) as Tuple<T>;
}

/** The tuple of an array's elements, for a size not known when the program is written. */
export function tupleFrom<T>(elements: Iterable<T>): Tuple<T[]> {
  return tupleOf(Array.isArray(elements) ? elements : [...elements]) as Tuple<T[]>;
}

/** From this size on an array made with its size is kept as a dictionary. */
const DICTIONARY_SIZE = 1 << 24;

function tupleOf(elements: readonly unknown[]): unknown {
  const size = elements.length;
  // A size, then the elements: one argument alone would be taken for a size anyhow.
  const made = new TupleArray(size < DICTIONARY_SIZE ? size : 0);
  for (let i = 0; i < size; i++) made[i] = elements[i];
  return made;
}

/** A float. Its own class, because `1.0` is not `1`. */
export class Float {
  readonly value: number;

  /** @throws EtfEncodeError ETF_NOT_A_TERM for NaN and the infinities */
  constructor(value: number) {
    if (!Number.isFinite(value)) {
      throw new EtfEncodeError(
        "ETF_NOT_A_TERM",
        `${value} is not an Erlang float: floats are finite`,
      );
    }
    this.value = value;
  }

  valueOf(): number {
    return this.value;
  }

  toString(): string {
    return String(this.value);
  }

  toJSON(): number {
    return this.value;
  }
}

export function float(value: number): Float {
  return new Float(value);
}

/** A bitstring whose size is not a multiple of 8; the unused low bits of the last byte are 0. */
export class BitString {
  readonly bytes: Uint8Array;
  /** Bits used in the last byte, 1 to 7. */
  readonly lastBits: number;

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE */
  constructor(bytes: Uint8Array, lastBits: number) {
    if (!(Number.isInteger(lastBits) && lastBits >= 1 && lastBits <= 7)) {
      throw new EtfEncodeError(
        "ETF_OUT_OF_RANGE",
        `bits of the last byte: ${lastBits}, not 1 to 7`,
      );
    }
    if (bytes.length === 0) {
      throw new EtfEncodeError("ETF_OUT_OF_RANGE", "a bitstring has at least one byte");
    }
    const last = bytes[bytes.length - 1]!;
    const clean = last & (0xff << (8 - lastBits)) & 0xff;
    if (clean !== last) {
      // Not by slice, which for a Buffer is a view.
      bytes = copyBytes(bytes, 0, bytes.length);
      bytes[bytes.length - 1] = clean;
    }
    this.bytes = bytes;
    this.lastBits = lastBits;
  }

  get bitLength(): number {
    return (this.bytes.length - 1) * 8 + this.lastBits;
  }
}

/** `[a, b | tail]` with a tail that is not a list. */
export class ImproperList<T = Term, Tail = Term> {
  readonly elements: readonly T[];
  readonly tail: Tail;

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE without elements, or when the tail is a list */
  constructor(elements: readonly T[], tail: Tail) {
    if (elements.length === 0) {
      throw new EtfEncodeError("ETF_OUT_OF_RANGE", "an improper list has at least one element");
    }
    if (isList(tail) || tail instanceof ImproperList) {
      throw new EtfEncodeError(
        "ETF_OUT_OF_RANGE",
        "the tail of an improper list cannot be a list: append its elements to the list instead",
      );
    }
    this.elements = elements;
    this.tail = tail;
  }
}

/**
 * A map whose keys are compared as Erlang compares them, with `=:=`: a tuple or a binary is found by
 * any equal one, and `1` and `1.0` are two keys. It keeps the order of insertion.
 *
 * A key must not change while it is in a map: the map would not find it again. Binaries are copied
 * when they become keys; what lies in tuples, lists and maps is not.
 */
export interface TermMap<K = Term, V = Term> {
  /** The number of entries. */
  readonly size: number;
  /** The value of a key, or undefined if the map does not have the key. */
  get(key: K | TermInput): V | undefined;
  /** Whether the map has a key. */
  has(key: K | TermInput): boolean;
  /**
   * Sets the value of a key. A new key is kept in the form to which it is decoded, a string as its
   * bytes; a binary is copied.
   *
   * @throws EtfEncodeError ETF_CYCLE for a key that contains itself
   */
  set(key: K | TermInput, value: V): this;
  /** Removes a key; false if the map does not have it. */
  delete(key: K | TermInput): boolean;
  /** Removes all entries. */
  clear(): void;
  /** The entries in order of insertion. Entries may be set and deleted meanwhile. */
  entries(): MapValues<[K, V]>;
  /** The keys, in the order of `entries`. */
  keys(): MapValues<K>;
  /** The values, in the order of `entries`. */
  values(): MapValues<V>;
  /** As `entries`. */
  [Symbol.iterator](): MapValues<[K, V]>;
  /** Calls back with each entry, in the order of `entries`. */
  forEach(callback: (value: V, key: K, map: this) => void): void;
  readonly [Symbol.toStringTag]: "TermMap";
}

/** Makes a map of entries; of entries with equal keys the last one counts. */
export interface TermMapConstructor {
  new <K = Term, V = Term>(entries?: Iterable<readonly [K | TermInput, V]>): TermMap<K, V>;
  // biome-ignore lint/suspicious/noExplicitAny: as of `Map`, so that `instanceof` narrows to any map
  readonly prototype: TermMap<any, any>;
}

function checkUint32(what: string, value: number): void {
  if (value >>> 0 !== value) {
    throw new EtfEncodeError("ETF_OUT_OF_RANGE", `${what} is ${value}, not 0 to 4294967295`);
  }
}

function nodeAtom(node: Atom | string): Atom {
  return typeof node === "string" ? namedAtom(node) : node;
}

export class Pid {
  readonly node: Atom;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE for a number outside 32 bits */
  constructor(node: Atom | string, id: number, serial: number, creation: number) {
    checkUint32("a pid's id", id);
    checkUint32("a pid's serial", serial);
    checkUint32("a pid's creation", creation);
    this.node = nodeAtom(node);
    this.id = id;
    this.serial = serial;
    this.creation = creation;
  }

  equals(other: unknown): boolean {
    return (
      other instanceof Pid &&
      this.id === other.id &&
      this.serial === other.serial &&
      this.node.name === other.node.name &&
      this.creation === other.creation
    );
  }

  /** With the node's name in place of the number by which a node abbreviates it. */
  toString(): string {
    return `#Pid<${this.node.name}.${this.id}.${this.serial}>`;
  }
}

export class Port {
  readonly node: Atom;
  /** Up to 64 bits; `bigint` beyond the safe integers. */
  readonly id: number | bigint;
  readonly creation: number;

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE */
  constructor(node: Atom | string, id: number | bigint, creation: number) {
    const safe = Number(id);
    if (
      typeof id === "number" ? !Number.isSafeInteger(id) || id < 0 : BigInt.asUintN(64, id) !== id
    ) {
      throw new EtfEncodeError("ETF_OUT_OF_RANGE", `a port's id is ${id}, not 0 to 2^64 - 1`);
    }
    checkUint32("a port's creation", creation);
    this.node = nodeAtom(node);
    this.id = Number.isSafeInteger(safe) ? safe : id;
    this.creation = creation;
  }

  equals(other: unknown): boolean {
    return (
      other instanceof Port &&
      this.id === other.id &&
      this.node.name === other.node.name &&
      this.creation === other.creation
    );
  }

  toString(): string {
    return `#Port<${this.node.name}.${this.id}>`;
  }
}

export class Reference {
  readonly node: Atom;
  readonly creation: number;
  /** 1 to 5 words of 32 bits, in the order of the wire: the least significant first; a peer may send none. */
  readonly ids: readonly number[];

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE */
  constructor(node: Atom | string, creation: number, ids: readonly number[]) {
    if (ids.length < 1 || ids.length > 5) {
      throw new EtfEncodeError(
        "ETF_OUT_OF_RANGE",
        `a reference has 1 to 5 words, not ${ids.length}`,
      );
    }
    checkUint32("a reference's creation", creation);
    for (let i = 0; i < ids.length; i++) checkUint32("a word of a reference", ids[i]!);
    this.node = nodeAtom(node);
    this.creation = creation;
    this.ids = ids;
  }

  /** @internal As it came from a peer. */
  static withoutWords(node: Atom, creation: number): Reference {
    const ref = new Reference(node, creation, [0]);
    (ref as { ids: readonly number[] }).ids = [];
    return ref;
  }

  /** Words of 0 at the end make no difference, as in OTP. */
  equals(other: unknown): boolean {
    const words = (ref: Reference, i: number) => ref.ids[i] ?? 0;
    return (
      other instanceof Reference &&
      [0, 1, 2, 3, 4].every((i) => words(this, i) === words(other, i)) &&
      this.node.name === other.node.name &&
      this.creation === other.creation
    );
  }

  toString(): string {
    return `#Ref<${[this.node.name, ...[...this.ids].reverse()].join(".")}>`;
  }
}

/** `fun Module:Function/Arity`. */
export class ExternalFun {
  readonly module: Atom;
  readonly function: Atom;
  readonly arity: number;

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE for an arity outside 0 to 255 */
  constructor(module: Atom | string, fun: Atom | string, arity: number) {
    if (!(Number.isInteger(arity) && arity >= 0 && arity <= 255)) {
      throw new EtfEncodeError("ETF_OUT_OF_RANGE", `an arity is 0 to 255, not ${arity}`);
    }
    this.module = nodeAtom(module);
    this.function = nodeAtom(fun);
    this.arity = arity;
  }

  /**
   * @internal As it came from a peer, which may say an arity that no function has; of what is beyond
   *   the safe integers 32 bits are left.
   */
  static received(module: Atom, fun: Atom, arity: number): ExternalFun {
    if (arity <= 255) return new ExternalFun(module, fun, arity);
    const odd = new ExternalFun(module, fun, 0);
    (odd as { arity: number }).arity = arity;
    return odd;
  }
}

/** The fields of NEW_FUN_EXT. */
export interface LocalFunFields {
  readonly arity: number;
  /** 16 bytes: MD5 of the significant parts of the beam file. */
  readonly uniq: Uint8Array;
  readonly index: number;
  readonly module: Atom;
  readonly oldIndex: number;
  readonly oldUniq: number;
  readonly pid: Pid;
  /** Values the fun captured. */
  readonly freeVariables: readonly Term[];
}

/** A fun of some module's code: cannot be called here, and goes back as it came. */
export class LocalFun implements LocalFunFields {
  readonly arity: number;
  readonly uniq: Uint8Array;
  readonly index: number;
  readonly module: Atom;
  readonly oldIndex: number;
  readonly oldUniq: number;
  readonly pid: Pid;
  readonly freeVariables: readonly Term[];

  constructor(fields: LocalFunFields) {
    this.arity = fields.arity;
    this.uniq = fields.uniq;
    this.index = fields.index;
    this.module = fields.module;
    this.oldIndex = fields.oldIndex;
    this.oldUniq = fields.oldUniq;
    this.pid = fields.pid;
    this.freeVariables = fields.freeVariables;
  }
}

/** A native record of OTP 29: `#module:name{field = value}`. */
export class NativeRecord<T = Term> {
  readonly module: Atom;
  readonly recordName: Atom;
  readonly exported: boolean;
  readonly fields: readonly Atom[];
  readonly values: readonly T[];

  /** @throws EtfEncodeError ETF_OUT_OF_RANGE when fields and values differ in number or a field is doubled */
  constructor(
    module: Atom,
    recordName: Atom,
    exported: boolean,
    fields: readonly Atom[],
    values: readonly T[],
  ) {
    if (fields.length !== values.length || new Set(fields).size !== fields.length) {
      throw new EtfEncodeError(
        "ETF_OUT_OF_RANGE",
        `record ${recordName.name}: ${fields.length} fields for ${values.length} values, or a field twice`,
      );
    }
    this.module = module;
    this.recordName = recordName;
    this.exported = exported;
    this.fields = fields;
    this.values = values;
  }
}

/** Bytes only their maker understands (LOCAL_EXT): kept, and sent back unchanged. */
export class OpaqueTerm {
  /** From the tag on. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** A text as Erlang's shell writes it in double quotes: the list of its code points. */
export function charlist(text: string): number[] {
  const points: number[] = [];
  for (const character of text) points.push(character.codePointAt(0)!);
  return points;
}

/** An `Atom`. `true` and `false`, which are atoms in Erlang, are not `Atom`s here: use `atomOf` for all of them. */
export function isAtom<const N extends string = string>(
  value: unknown,
  name?: N,
): value is Atom<N> {
  return value instanceof Atom && (name === undefined || value.name === name);
}

/**
 * A tuple; with `size`, one of that many elements. A size that the compiler knows types each
 * element, so that `const [tag, value] = term` needs no cast after `isTuple(term, 2)`.
 */
export function isTuple<const N extends number = number>(
  value: unknown,
  size?: N,
): value is SizedTuple<N> {
  return value instanceof TupleArray && (size === undefined || value.length === size);
}

/** A proper list. `Array.isArray` is true for tuples as well, this is not. */
export function isList(value: unknown): value is Term[] {
  return Array.isArray(value) && !(value instanceof TupleArray);
}

export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0));
}

export function isFloat(value: unknown): value is Float {
  return value instanceof Float;
}

export function isBinary(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function isPid(value: unknown): value is Pid {
  return value instanceof Pid;
}

export function isPort(value: unknown): value is Port {
  return value instanceof Port;
}

export function isReference(value: unknown): value is Reference {
  return value instanceof Reference;
}

/** Either kind of fun. */
export function isFun(value: unknown): value is ExternalFun | LocalFun {
  return value instanceof ExternalFun || value instanceof LocalFun;
}
