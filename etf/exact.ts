/**
 * `=:=` and a hash that agrees with it, over everything that can be written as a term: a string
 * is the binary of its UTF-8 bytes, a Map and a plain object are maps, `1.5` is a float.
 */
import { Atom } from "./atom.ts";
import { utf8Bytes } from "./bytes.ts";
import { isCycle, itemsOf, refuseCycle } from "./cycle.ts";
import { unsafeInteger } from "./errors.ts";
import { mix, mixBytes, mixDouble, mixText, startOf } from "./hash.ts";
import { Known } from "./known.ts";
import type { MapBase } from "./map-base.ts";
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

/** Levels gone through by recursion; what lies deeper is kept on a list or a stack. */
const CALL_DEPTH = 256;

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

/**
 * Erlang's `=:=`.
 *
 * @throws EtfEncodeError ETF_CYCLE for values that contain themselves, unless they differ before
 */
export function exactEquals(a: unknown, b: unknown): boolean {
  return areSame(a, b, new Known(a, b));
}

/** @internal The same, as a part of another operation. */
export function areSame(a: unknown, b: unknown, known: Known): boolean {
  const pending: unknown[] = [];
  if (!same(a, b, 0, pending, known)) return false;
  if (pending.length > 0) known.refuseCycles();
  while (pending.length > 0) {
    const right = pending.pop();
    if (!same(pending.pop(), right, 0, pending, known)) return false;
  }
  return true;
}

function same(a: unknown, b: unknown, depth: number, pending: unknown[], known: Known): boolean {
  if (a === b) return a !== 0 || Object.is(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    const left = normalize(a);
    const right = normalize(b);
    if (left === a && right === b) return false;
    return same(left, right, depth, pending, known);
  }
  if (a instanceof Atom) return b instanceof Atom && a.name === b.name;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a instanceof Tuple === b instanceof Tuple &&
      sameElements(a, b, depth, pending, known)
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
      sameElements(a.elements, b.elements, depth, pending, known) &&
      sameElement(a.tail, b.tail, depth, pending, known)
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
      sameElements(a.freeVariables, b.freeVariables, depth, pending, known)
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
      sameElements(a.values, b.values, depth, pending, known)
    );
  }
  if (a instanceof OpaqueTerm) return b instanceof OpaqueTerm && sameBytes(a.bytes, b.bytes);
  return sameMaps(a, b, depth, pending, known);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameElement(
  a: unknown,
  b: unknown,
  depth: number,
  pending: unknown[],
  known: Known,
): boolean {
  if (depth < CALL_DEPTH) return same(a, b, depth + 1, pending, known);
  pending.push(a, b);
  return true;
}

function sameElements(
  a: readonly unknown[],
  b: readonly unknown[],
  depth: number,
  pending: unknown[],
  known: Known,
): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!sameElement(a[i], b[i], depth, pending, known)) return false;
  }
  return true;
}

/** Each key is compared with the one that it can be, and so are their values. */
function sameMaps(a: object, b: object, depth: number, pending: unknown[], known: Known): boolean {
  const left = known.map(a);
  const right = known.map(b);
  if (left === null || right === null || left.size !== right.size) return false;
  const pairs = left.toPairs();
  const others = right.toPairs();
  // One entry each: nothing to look for.
  if (pairs.length === 2) return sameElements(pairs, others, depth, pending, known);
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    const at = right.candidate(key, known);
    if (at < 0) return false;
    if (key !== others[at] && !sameElement(key, others[at], depth, pending, known)) return false;
    if (!sameElement(pairs[i + 1], others[at + 1], depth, pending, known)) return false;
  }
  return true;
}

const INTEGER = startOf(0);
const SPECIAL = startOf(1);
const BIG_INTEGER = startOf(3);
const FLOAT = startOf(4);
const BINARY = startOf(5);
const BITSTRING = startOf(6);
const LIST = startOf(7);
const IMPROPER_LIST = startOf(8);
const TUPLE = startOf(9);
const MAP = startOf(10);
const PID = startOf(11);
const PORT = startOf(12);
const REFERENCE = startOf(13);
const EXTERNAL_FUN = startOf(14);
const LOCAL_FUN = startOf(15);
const RECORD = startOf(16);
const OPAQUE = startOf(17);
const PAIR = startOf(18);

/**
 * A 32-bit hash of all of a term, the same for terms that are `=:=`; it differs between processes,
 * so that nobody can prepare terms that fall together.
 *
 * @throws EtfEncodeError ETF_CYCLE for a value that contains itself
 */
export function hashTerm(value: unknown): number {
  return hashOf(value, new Known(value));
}

/** @internal The same, as a part of another operation. */
export function hashOf(value: unknown, known: Known): number {
  return hash(value, 0, known);
}

/** @internal Of an integer, an atom, a boolean or a binary. */
export function hashSimple(term: unknown): number {
  switch (typeof term) {
    case "number":
      return (term | 0) === term ? mix(INTEGER, term) : mixDouble(INTEGER, term);
    case "bigint":
      return mixText(BIG_INTEGER, term.toString(16));
    case "object":
      if (term instanceof Atom) return term.hash;
      if (term instanceof Uint8Array) return mixBytes(BINARY, term);
  }
  return mix(SPECIAL, term === true ? 1 : 0);
}

function hash(value: unknown, depth: number, known: Known): number {
  const term = normalize(value);
  if (typeof term !== "object" || term instanceof Atom || term instanceof Uint8Array) {
    return hashSimple(term);
  }
  if (term === null) return SPECIAL;
  const leaf = hashLeaf(term);
  if (leaf !== null) return leaf;
  if (depth >= CALL_DEPTH) return hashDeep(term, known);
  const start = headHash(term);
  if (start === null) return hashMap(term, depth, known);
  if (Array.isArray(term)) {
    let h = start;
    for (let i = 0; i < term.length; i++) h = mix(h, hash(term[i], depth + 1, known));
    return h;
  }
  let h = start;
  for (const item of itemsOf(term)!) h = mix(h, hash(item, depth + 1, known));
  return h;
}

/** Of what holds no other terms, or null. */
function hashLeaf(term: object): number | null {
  if (Array.isArray(term)) return null;
  if (term instanceof Float) return mixDouble(FLOAT, term.value);
  if (term instanceof Pid) return mix(mix(hashIdentifier(PID, term), term.id), term.serial);
  if (term instanceof Port) return mixDouble(hashIdentifier(PORT, term), Number(term.id));
  if (term instanceof Reference) {
    let h = hashIdentifier(REFERENCE, term);
    for (let i = 0; i < 5; i++) h = mix(h, term.ids[i] ?? 0);
    return h;
  }
  if (term instanceof BitString) return mixBytes(mix(BITSTRING, term.lastBits), term.bytes);
  if (term instanceof ExternalFun) {
    return mix(mix(mix(EXTERNAL_FUN, term.module.hash), term.function.hash), term.arity);
  }
  return term instanceof OpaqueTerm ? mixBytes(OPAQUE, term.bytes) : null;
}

function hashIdentifier(start: number, { node, creation }: Pid | Port | Reference): number {
  return mix(mix(start, node.hash), creation);
}

/** Of a container without what it holds; null for a map, of which that would be its size alone. */
function headHash(term: object): number | null {
  if (Array.isArray(term)) return mix(term instanceof Tuple ? TUPLE : LIST, term.length);
  if (term instanceof ImproperList) return mix(IMPROPER_LIST, term.elements.length);
  if (term instanceof LocalFun) {
    const start = mix(mix(mix(LOCAL_FUN, term.module.hash), term.index), term.oldUniq);
    return mix(mixBytes(mix(start, term.arity), term.uniq), term.freeVariables.length);
  }
  if (term instanceof NativeRecord) {
    let h = mix(mix(mix(RECORD, term.module.hash), term.recordName.hash), Number(term.exported));
    for (const field of term.fields) h = mix(h, field.hash);
    return mix(h, term.fields.length);
  }
  return null;
}

/** The order of a map's entries means nothing: their hashes are added. */
function hashMap(term: object, depth: number, known: Known): number {
  const before = known.hashOf(term);
  if (before !== undefined) return before;
  const pairs = pairsOf(term, known);
  let sum = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const key = mix(PAIR, hash(pairs[i], depth + 1, known));
    sum = (sum + mix(key, hash(pairs[i + 1], depth + 1, known))) | 0;
  }
  return endOfMap(term, pairs.length, sum, known);
}

function endOfMap(term: object, size: number, sum: number, known: Known): number {
  const h = mix(mix(MAP, size), sum);
  known.keepHash(term, h);
  return h;
}

/** `[key, value, ...]` of a map; empty for a value that is not a term. */
function pairsOf(term: object, known: Known): readonly unknown[] {
  return (known.map(term) as MapBase | null)?.toPairs() ?? [];
}

/** A container whose items are being hashed; of a map `hash` is the sum and `key` a key's. */
interface HashFrame {
  readonly value: object;
  readonly items: readonly unknown[];
  readonly isMap: boolean;
  next: number;
  hash: number;
  key: number;
}

/** The same hash without recursion. */
function hashDeep(root: object, known: Known): number {
  const first = openHash(root, known);
  if (typeof first === "number") return first;
  const frames = [first];
  for (;;) {
    const frame = frames[frames.length - 1]!;
    if (frame.next < frame.items.length) {
      const opened = openHash(normalize(frame.items[frame.next++]), known);
      if (typeof opened === "number") absorb(frame, opened);
      else {
        frames.push(opened);
        if (isCycle(frames)) {
          known.refuseCycles();
          refuseCycle(root);
        }
      }
      continue;
    }
    const { value, items, isMap, hash: sum } = frame;
    const done = isMap ? endOfMap(value, items.length, sum, known) : sum;
    frames.pop();
    if (frames.length === 0) return done;
    absorb(frames[frames.length - 1]!, done);
  }
}

function openHash(term: unknown, known: Known): number | HashFrame {
  if (typeof term !== "object" || term instanceof Atom || term instanceof Uint8Array) {
    return hashSimple(term);
  }
  if (term === null) return SPECIAL;
  const leaf = hashLeaf(term) ?? known.hashOf(term);
  if (leaf !== undefined) return leaf;
  const start = headHash(term);
  const isMap = start === null;
  const items = isMap ? pairsOf(term, known) : itemsOf(term)!;
  return { value: term, items, isMap, next: 0, hash: start ?? 0, key: 0 };
}

function absorb(frame: HashFrame, item: number): void {
  if (!frame.isMap) frame.hash = mix(frame.hash, item);
  else if (frame.next % 2 === 1) frame.key = mix(PAIR, item);
  else frame.hash = (frame.hash + mix(frame.key, item)) | 0;
}
