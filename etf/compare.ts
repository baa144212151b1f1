/**
 * Erlang's term order and `==`, over everything that can be written as a term.
 *
 * number < atom < reference < fun < port < pid < tuple < record < map < nil < list < bitstring.
 * Integers and floats compare by value, exactly at any size; as keys of maps every integer is
 * less than every float. `0.0` and `-0.0` are `==`, and as keys `-0.0` is less (OTP 27 and later).
 * Funs compare by module, index, number and values of what they captured; records (OTP 29) by
 * module, name, exported or not, number of fields, fields, values.
 */
import { Atom } from "./atom.ts";
import { itemsOf } from "./cycle.ts";
import { normalize } from "./exact.ts";
import { Known } from "./known.ts";
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
  type TermInput,
  Tuple,
} from "./terms.ts";

/** Levels compared by recursion. */
const CALL_DEPTH = 256;
/** Those that sorting the keys of a map counts for, by what it takes of the engine's stack. */
const SORT_DEPTH = 8;

const NUMBER = 0;
const ATOM = 1;
const REFERENCE = 2;
const FUN = 3;
const PORT = 4;
const PID = 5;
const TUPLE = 6;
const RECORD = 7;
const MAP = 8;
const NIL = 9;
const LIST = 10;
const BITSTRING = 11;
const OPAQUE = 12;

/** Two containers whose heads are equal: what they hold decides, and else the verdict. */
interface Step {
  readonly a: readonly unknown[];
  readonly b: readonly unknown[];
  readonly size: number;
  /** Elements before this one are keys of maps. */
  readonly keys: number;
  readonly verdict: number;
}

/**
 * Negative, 0 or positive, as `a` is less than, `==` to or greater than `b`: fit for `sort`.
 *
 * @throws EtfEncodeError ETF_NOT_A_TERM; ETF_CYCLE for values that contain themselves, unless they
 * differ before
 */
export function compare(a: TermInput, b: TermInput): number {
  return order(a, b, false, 0, new Known(a, b));
}

/** Erlang's `==`: `1 == 1.0`, but keys of maps are the same only if they are `=:=`. */
export function equals(a: TermInput, b: TermInput): boolean {
  return compare(a, b) === 0;
}

function order(a: unknown, b: unknown, exact: boolean, depth: number, known: Known): number {
  if (depth >= CALL_DEPTH) return orderDeep(a, b, exact, known);
  const step = open(a, b, exact, depth, known);
  if (typeof step === "number") return step;
  for (let i = 0; i < step.size; i++) {
    const result = order(step.a[i], step.b[i], exact || i < step.keys, depth + 1, known);
    if (result !== 0) return result;
  }
  return step.verdict;
}

/** The same without recursion: the first difference met decides, however deep it lies. */
function orderDeep(a: unknown, b: unknown, exact: boolean, known: Known): number {
  const first = open(a, b, exact, CALL_DEPTH, known);
  if (typeof first === "number") return first;
  known.refuseCycles();
  const stack = [{ step: first, next: 0, exact }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next === top.step.size) {
      if (top.step.verdict !== 0) return top.step.verdict;
      stack.pop();
      continue;
    }
    const asKey = top.exact || top.next < top.step.keys;
    const step = open(top.step.a[top.next], top.step.b[top.next], asKey, CALL_DEPTH, known);
    top.next++;
    if (typeof step !== "number") stack.push({ step, next: 0, exact: asKey });
    else if (step !== 0) return step;
  }
  return 0;
}

/** Compares the heads; returns a step if what they hold is to be compared. */
function open(
  left: unknown,
  right: unknown,
  exact: boolean,
  depth: number,
  known: Known,
): number | Step {
  if (left === right && typeof left !== "number") return 0;
  const a = normalize(left);
  const b = normalize(right);
  const rank = rankOf(a, known);
  const other = rankOf(b, known);
  if (rank !== other) return rank - other;
  switch (rank) {
    case NUMBER:
      return orderNumbers(a as number, b as number, exact);
    case ATOM:
      return orderText(String(a), String(b));
    case REFERENCE:
      return orderReferences(a as Reference, b as Reference);
    case FUN:
      return openFuns(a as ExternalFun | LocalFun, b as ExternalFun | LocalFun, exact);
    case PORT:
      return orderPorts(a as Port, b as Port);
    case PID:
      return orderPids(a as Pid, b as Pid);
    case TUPLE: {
      const x = a as readonly unknown[];
      const y = b as readonly unknown[];
      return x.length - y.length || all(x, y);
    }
    case RECORD:
      return openRecords(a as NativeRecord, b as NativeRecord);
    case MAP:
      return openMaps(a as object, b as object, depth, known);
    case LIST:
      return openLists(a as readonly unknown[], b as readonly unknown[], known);
    case BITSTRING:
      return orderBits(a as Uint8Array | BitString, b as Uint8Array | BitString);
    case OPAQUE:
      return orderBytes((a as OpaqueTerm).bytes, (b as OpaqueTerm).bytes);
    default:
      return 0;
  }
}

function rankOf(term: unknown, known: Known): number {
  if (typeof term === "number" || typeof term === "bigint") return NUMBER;
  if (typeof term === "boolean") return ATOM;
  if (typeof term === "object" && term !== null) {
    if (term instanceof Atom) return ATOM;
    if (Array.isArray(term)) return term instanceof Tuple ? TUPLE : term.length === 0 ? NIL : LIST;
    if (term instanceof Uint8Array || term instanceof BitString) return BITSTRING;
    if (term instanceof Float) return NUMBER;
    if (term instanceof ImproperList) return LIST;
    if (term instanceof Pid) return PID;
    if (term instanceof Reference) return REFERENCE;
    if (term instanceof Port) return PORT;
    if (term instanceof ExternalFun || term instanceof LocalFun) return FUN;
    if (term instanceof NativeRecord) return RECORD;
    if (term instanceof OpaqueTerm) return OPAQUE;
  }
  // What is left is a map, or no term, which the conversion refuses.
  if (typeof term !== "object" || term === null || known.map(term) === null) {
    MapBase.require(term);
  }
  return MAP;
}

function all(a: readonly unknown[], b: readonly unknown[], verdict = 0): Step {
  return { a, b, size: Math.min(a.length, b.length), keys: 0, verdict };
}

function orderNumbers(
  left: number | bigint | Float,
  right: number | bigint | Float,
  exact: boolean,
) {
  const leftFloat = left instanceof Float;
  const rightFloat = right instanceof Float;
  if (exact && leftFloat !== rightFloat) return leftFloat ? 1 : -1;
  const a = leftFloat ? left.value : left;
  const b = rightFloat ? right.value : right;
  // JavaScript compares a bigint with a number by value, without rounding either.
  if (a < b) return -1;
  if (a > b) return 1;
  if (exact && a === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return 0;
}

/** By code points, which is the order of UTF-8 bytes but not of JavaScript's `<`. */
function orderText(a: string, b: string): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for what lies above the last plain characters.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

function orderNodes(a: Pid | Port | Reference, b: Pid | Port | Reference): number {
  return orderText(a.node.name, b.node.name) || a.creation - b.creation;
}

function orderPids(a: Pid, b: Pid): number {
  return a.serial - b.serial || a.id - b.id || orderNodes(a, b);
}

function orderPorts(a: Port, b: Port): number {
  return orderNodes(a, b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function orderReferences(a: Reference, b: Reference): number {
  let result = orderNodes(a, b);
  for (let i = 4; i >= 0 && result === 0; i--) result = (a.ids[i] ?? 0) - (b.ids[i] ?? 0);
  return result;
}

function openFuns(
  a: ExternalFun | LocalFun,
  b: ExternalFun | LocalFun,
  exact: boolean,
): number | Step {
  if (a instanceof ExternalFun) {
    if (b instanceof LocalFun) return 1;
    return (
      orderText(a.module.name, b.module.name) ||
      orderText(a.function.name, b.function.name) ||
      a.arity - b.arity
    );
  }
  if (b instanceof ExternalFun) return -1;
  return (
    orderText(a.module.name, b.module.name) ||
    a.index - b.index ||
    a.freeVariables.length - b.freeVariables.length ||
    all(a.freeVariables, b.freeVariables, exact ? orderVersions(a, b) : 0)
  );
}

/** Of one fun in two versions of a module: `==`, but two keys (OTP 29). */
function orderVersions(a: LocalFun, b: LocalFun): number {
  return a.oldUniq - b.oldUniq || orderBytes(a.uniq, b.uniq) || a.arity - b.arity;
}

function openRecords(a: NativeRecord, b: NativeRecord): number | Step {
  let result =
    orderText(a.module.name, b.module.name) ||
    orderText(a.recordName.name, b.recordName.name) ||
    Number(a.exported) - Number(b.exported) ||
    a.fields.length - b.fields.length;
  for (let i = 0; i < a.fields.length && result === 0; i++) {
    result = orderText(a.fields[i]!.name, b.fields[i]!.name);
  }
  return result || all(a.values, b.values);
}

/** Of one size: by the keys in ascending order, then by the values in the order of the keys. */
function openMaps(a: object, b: object, depth: number, known: Known): number | Step {
  const left = known.map(a)!;
  const right = known.map(b)!;
  if (left.size !== right.size) return left.size - right.size;
  const first = inOrder(a, depth, known);
  return { a: first, b: inOrder(b, depth, known), size: first.length, keys: left.size, verdict: 0 };
}

/** The keys of a map in ascending order, then their values. */
function inOrder(map: object, depth: number, known: Known): readonly unknown[] {
  const before = known.orderOf(map);
  if (before !== undefined) return before;
  if (depth >= CALL_DEPTH) orderWithin(map, known);
  return sort(map, depth, known);
}

function sort(map: object, depth: number, known: Known): readonly unknown[] {
  const pairs = known.map(map)!.toPairs();
  const places = sortedPlaces(pairs, (a, b) => order(a, b, true, depth + SORT_DEPTH, known));
  const ordered: unknown[] = [];
  for (const at of places) ordered.push(pairs[at]);
  for (const at of places) ordered.push(pairs[at + 1]);
  known.keepOrder(map, ordered);
  return ordered;
}

/** Where in pairs the keys lie, in ascending order. */
function sortedPlaces(
  pairs: readonly unknown[],
  compareThem: (a: unknown, b: unknown) => number,
): number[] {
  const places: number[] = [];
  for (let at = 0; at < pairs.length; at += 2) places.push(at);
  return places.sort((a, b) => compareThem(pairs[a], pairs[b]));
}

/**
 * Puts into order all maps in the keys of a map, the innermost first: to compare two keys then
 * takes no sorting, and so no recursion.
 */
function orderWithin(root: object, known: Known): void {
  known.refuseCycles();
  const keys = known
    .map(root)!
    .toPairs()
    .filter((_, i) => i % 2 === 0);
  const frames = [{ value: root, items: keys as readonly unknown[], next: 0 }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.items.length) {
      frames.pop();
      if (frame.value !== root && isMap(frame.value, known)) sort(frame.value, 0, known);
      continue;
    }
    const value = frame.items[frame.next++];
    if (typeof value !== "object" || value === null) continue;
    if (known.orderOf(value) !== undefined) continue;
    const items = isMap(value, known) ? known.map(value)!.toPairs() : itemsOf(value);
    if (items !== null) frames.push({ value, items, next: 0 });
  }
}

function isMap(value: object, known: Known): boolean {
  return !Array.isArray(value) && known.map(value) !== null;
}

/** As `compare`, of two keys of a map: every integer is less than every float. */
export function compareKeys(a: unknown, b: unknown, known: Known): number {
  return order(a, b, true, 0, known);
}

/** A map's keys in the order in which Erlang compares them. */
export function sortedKeys(map: MapBase): readonly unknown[] {
  const keys = inOrder(map, 0, new Known(map));
  return keys.slice(0, map.size);
}

/** `[key, value, key, value ...]` with the keys in ascending order; the same array if they are. */
export function inKeyOrder(pairs: readonly unknown[], known: Known): readonly unknown[] {
  let ordered = true;
  for (let i = 2; i < pairs.length && ordered; i += 2) {
    ordered = compareKeys(pairs[i - 2], pairs[i], known) < 0;
  }
  if (ordered) return pairs;
  const places = sortedPlaces(pairs, (a, b) => compareKeys(a, b, known));
  return places.flatMap((at) => [pairs[at], pairs[at + 1]]);
}

function openLists(
  left: readonly unknown[] | ImproperList<unknown, unknown>,
  right: readonly unknown[] | ImproperList<unknown, unknown>,
  known: Known,
): Step {
  const a = left instanceof ImproperList ? left.elements : left;
  const b = right instanceof ImproperList ? right.elements : right;
  if (a.length !== b.length) {
    // Where the shorter one ends, its tail meets a list.
    const [shorter, sign] = a.length < b.length ? [left, 1] : [right, -1];
    const tail = shorter instanceof ImproperList ? rankOf(normalize(shorter.tail), known) : NIL;
    return all(a, b, sign * (tail - LIST));
  }
  if (left instanceof ImproperList || right instanceof ImproperList) {
    return all([...a, tailOf(left)], [...b, tailOf(right)]);
  }
  return all(a, b);
}

function tailOf(list: readonly unknown[] | ImproperList<unknown, unknown>): unknown {
  return list instanceof ImproperList ? list.tail : [];
}

function orderBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** Bit by bit: the unused bits of a last byte are 0, so its bytes compare as its bits do. */
function orderBits(a: Uint8Array | BitString, b: Uint8Array | BitString): number {
  return (
    orderBytes(a instanceof BitString ? a.bytes : a, b instanceof BitString ? b.bytes : b) ||
    (a instanceof BitString ? a.lastBits : 8) - (b instanceof BitString ? b.lastBits : 8)
  );
}
