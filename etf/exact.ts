/**
 * `=:=` and a hash that agrees with it, over everything that can be written as a term: a string
 * is the binary of its UTF-8 bytes, a Map and a plain object are maps, `1.5` is a float.
 */
import { Atom } from "./atom.ts";
import { utf8Bytes } from "./bytes.ts";
import { EtfEncodeError, unsafeInteger } from "./errors.ts";
import { MapBase } from "./map-base.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  Tuple,
} from "./terms.ts";

/** Levels compared by recursion; what lies deeper is kept on a list and compared afterwards. */
const CALL_DEPTH = 256;
/** Levels a hash looks into. */
const HASH_DEPTH = 256;
/** Maps as keys in maps as keys ... that can be looked up. */
const MAX_KEY_NESTING = 256;

/**
 * The decoded form of a value: what decoding gives after the value was encoded. Values nested in
 * it stay as they are.
 *
 * @throws EtfEncodeError ETF_OUT_OF_RANGE for a number that is an integer beyond 2^53; ETF_BAD_TEXT
 */
export function normalize(value: unknown): unknown {
  switch (typeof value) {
    case "number":
      if (Number.isSafeInteger(value)) return Object.is(value, -0) ? new Float(value) : value;
      if (Number.isInteger(value)) throw unsafeInteger(value);
      return Number.isFinite(value) ? new Float(value) : value;
    case "bigint": {
      const small = Number(value);
      return Number.isSafeInteger(small) ? small : value;
    }
    case "string":
      return utf8Bytes(value);
    default:
      return value;
  }
}

/** Erlang's `=:=`. */
export function exactEquals(a: unknown, b: unknown): boolean {
  const pending: unknown[] = [];
  if (!same(a, b, 0, pending)) return false;
  while (pending.length > 0) {
    const right = pending.pop();
    if (!same(pending.pop(), right, 0, pending)) return false;
  }
  return true;
}

function same(a: unknown, b: unknown, depth: number, pending: unknown[]): boolean {
  if (a === b) return a !== 0 || Object.is(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    const left = normalize(a);
    const right = normalize(b);
    if (left === a && right === b) return false;
    return same(left, right, depth, pending);
  }
  if (a instanceof Atom) return b instanceof Atom && a.name === b.name;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a instanceof Tuple === b instanceof Tuple &&
      sameElements(a, b, depth, pending)
    );
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (a instanceof Float) return b instanceof Float && Object.is(a.value, b.value);
  if (a instanceof Pid || a instanceof Port || a instanceof Reference) return a.equals(b);
  if (a instanceof BitString) {
    return b instanceof BitString && a.lastBits === b.lastBits && sameBytes(a.bytes, b.bytes);
  }
  if (a instanceof ImproperList) {
    return (
      b instanceof ImproperList &&
      sameElements(a.elements, b.elements, depth, pending) &&
      sameElements([a.tail], [b.tail], depth, pending)
    );
  }
  if (a instanceof ExternalFun) {
    return (
      b instanceof ExternalFun &&
      a.arity === b.arity &&
      a.module.name === b.module.name &&
      a.function.name === b.function.name
    );
  }
  if (a instanceof LocalFun) {
    return (
      b instanceof LocalFun &&
      a.module.name === b.module.name &&
      a.index === b.index &&
      a.oldUniq === b.oldUniq &&
      a.arity === b.arity &&
      sameBytes(a.uniq, b.uniq) &&
      sameElements(a.freeVariables, b.freeVariables, depth, pending)
    );
  }
  if (a instanceof NativeRecord) {
    return (
      b instanceof NativeRecord &&
      a.module.name === b.module.name &&
      a.recordName.name === b.recordName.name &&
      a.exported === b.exported &&
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => field.name === b.fields[i]!.name) &&
      sameElements(a.values, b.values, depth, pending)
    );
  }
  if (a instanceof OpaqueTerm) return b instanceof OpaqueTerm && sameBytes(a.bytes, b.bytes);
  return sameMaps(a, b, depth, pending);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameElements(
  a: readonly unknown[],
  b: readonly unknown[],
  depth: number,
  pending: unknown[],
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (depth >= CALL_DEPTH) pending.push(a[i], b[i]);
    else if (!same(a[i], b[i], depth + 1, pending)) return false;
  }
  return true;
}

/** Entries that the other map has to be asked for; all others go the way of list elements. */
function sameMaps(a: object, b: object, depth: number, pending: unknown[]): boolean {
  const left = MapBase.from(a);
  const right = MapBase.from(b);
  if (left === null || right === null || left.size !== right.size) return false;
  if (left.size === 1) {
    // One entry each: nothing to look up, so a key may be as deep as a value.
    const [x] = left.entries();
    const [y] = right.entries();
    return sameElements(x!, y!, depth, pending);
  }
  for (const [key, value] of left.entries()) {
    if (!right.has(key)) return false;
    const other = right.get(key);
    if (depth >= CALL_DEPTH) pending.push(value, other);
    else if (!same(value, other, depth + 1, pending)) return false;
  }
  return true;
}

let keyNesting = 0;

/**
 * Looking for a key compares keys, which may be maps with keys to look for. That recursion is not
 * bounded by the depth of lists and tuples, so it has a limit of its own.
 *
 * @throws EtfEncodeError ETF_LIMIT
 */
export function enterKey(): void {
  if (keyNesting >= MAX_KEY_NESTING) {
    throw new EtfEncodeError(
      "ETF_LIMIT",
      `maps nested as keys of maps above ${MAX_KEY_NESTING} times`,
    );
  }
  keyNesting++;
}

export function leaveKey(): void {
  keyNesting--;
}

/** `=:=` of two keys, counted as one more level of keys. */
export function sameKeys(a: unknown, b: unknown): boolean {
  enterKey();
  try {
    return exactEquals(a, b);
  } finally {
    leaveKey();
  }
}

// Chosen anew by every process, so that nobody can prepare keys that fall together.
const seed = (Math.random() * 0x100000000) | 0;

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function mixBytes(hash: number, bytes: Uint8Array): number {
  let h = mix(hash, bytes.length);
  for (let i = 0; i < bytes.length; i++) h = mix(h, bytes[i]!);
  return h;
}

function mixText(hash: number, text: string): number {
  let h = mix(hash, text.length);
  for (let i = 0; i < text.length; i++) h = mix(h, text.charCodeAt(i));
  return h;
}

/** A 32-bit hash, the same for terms that are `=:=`; it differs between processes. */
export function hashTerm(value: unknown): number {
  return hash(value, 0);
}

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);

function hash(value: unknown, depth: number): number {
  const term = normalize(value);
  if (typeof term === "number") {
    doubles[0] = term;
    return mix(mix(seed, words[0]!), words[1]!);
  }
  if (typeof term === "bigint") return mixText(seed ^ 1, term.toString(36));
  if (typeof term !== "object" || term === null) return mix(seed, term === true ? 2 : 3);
  if (term instanceof Atom) return mixText(seed ^ 2, term.name);
  if (term instanceof Uint8Array) return mixBytes(seed ^ 3, term);
  if (Array.isArray(term)) {
    return hashElements(seed ^ (term instanceof Tuple ? 4 : 5), term, depth);
  }
  if (term instanceof Float) {
    doubles[0] = term.value;
    return mix(mix(seed ^ 6, words[0]!), words[1]!);
  }
  if (term instanceof Pid) return mixText(mix(mix(seed ^ 7, term.id), term.serial), term.node.name);
  if (term instanceof Port) return mixText(mix(seed ^ 8, Number(term.id)), term.node.name);
  if (term instanceof Reference) {
    return mixText(mix(mix(seed ^ 9, term.ids[0]!), term.ids[1] ?? 0), term.node.name);
  }
  if (term instanceof BitString) return mixBytes(seed ^ 10 ^ term.lastBits, term.bytes);
  if (term instanceof ImproperList) return hashElements(seed ^ 11, term.elements, depth);
  if (term instanceof ExternalFun) return mixText(seed ^ 12, term.module.name + term.function.name);
  if (term instanceof LocalFun) return mixText(mix(seed ^ 13, term.index), term.module.name);
  if (term instanceof NativeRecord) return hashElements(seed ^ 14, term.values, depth);
  if (term instanceof OpaqueTerm) return mixBytes(seed ^ 15, term.bytes);
  const map = MapBase.from(term);
  if (map === null) return seed;
  // A sum, since the order of a map's entries means nothing.
  let sum = mix(seed ^ 16, map.size);
  if (depth < HASH_DEPTH) {
    for (const [key, entry] of map.entries()) {
      sum = (sum + mix(hash(key, depth + 1), hash(entry, depth + 1))) | 0;
    }
  }
  return sum;
}

function hashElements(start: number, elements: readonly unknown[], depth: number): number {
  let h = mix(start, elements.length);
  if (depth < HASH_DEPTH) for (const element of elements) h = mix(h, hash(element, depth + 1));
  return h;
}
