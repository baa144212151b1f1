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
import { enterKey, leaveKey, normalize } from "./exact.ts";
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
 * @throws EtfEncodeError ETF_NOT_A_TERM; ETF_LIMIT for maps nested in keys of maps 256 times
 */
export function compare(a: TermInput, b: TermInput): number {
  return order(a, b, false, 0);
}

/** Erlang's `==`: `1 == 1.0`, but keys of maps are the same only if they are `=:=`. */
export function equals(a: TermInput, b: TermInput): boolean {
  return order(a, b, false, 0) === 0;
}

function order(a: unknown, b: unknown, exact: boolean, depth: number): number {
  if (depth >= CALL_DEPTH) return orderDeep(a, b, exact);
  const step = open(a, b, exact);
  if (typeof step === "number") return step;
  for (let i = 0; i < step.size; i++) {
    const result = order(step.a[i], step.b[i], exact || i < step.keys, depth + 1);
    if (result !== 0) return result;
  }
  return step.verdict;
}

/** The same without recursion: the first difference met decides, however deep it lies. */
function orderDeep(a: unknown, b: unknown, exact: boolean): number {
  const stack: { step: Step; next: number; exact: boolean }[] = [];
  let left = a;
  let right = b;
  let asKey = exact;
  for (;;) {
    const step = open(left, right, asKey);
    if (typeof step === "number") {
      if (step !== 0) return step;
    } else stack.push({ step, next: 0, exact: asKey });
    let top = stack[stack.length - 1];
    while (top !== undefined && top.next === top.step.size) {
      if (top.step.verdict !== 0) return top.step.verdict;
      stack.pop();
      top = stack[stack.length - 1];
    }
    if (top === undefined) return 0;
    left = top.step.a[top.next];
    right = top.step.b[top.next];
    asKey = top.exact || top.next < top.step.keys;
    top.next++;
  }
}

function open(left: unknown, right: unknown, exact: boolean): number | Step {
  if (left === right && typeof left !== "number") return 0;
  const a = normalize(left);
  const b = normalize(right);
  const rank = rankOf(a);
  const other = rankOf(b);
  if (rank !== other) return rank - other;
  switch (rank) {
    case NUMBER:
      return orderNumbers(a as number, b as number, exact);
    case ATOM:
      return orderText(String(a), String(b));
    case REFERENCE:
      return orderReferences(a as Reference, b as Reference);
    case FUN:
      return openFuns(a as ExternalFun | LocalFun, b as ExternalFun | LocalFun);
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
      return openMaps(MapBase.from(a as object)!, MapBase.from(b as object)!);
    case LIST:
      return openLists(a as readonly unknown[], b as readonly unknown[]);
    case BITSTRING:
      return orderBits(a as Uint8Array | BitString, b as Uint8Array | BitString);
    case OPAQUE:
      return orderBytes((a as OpaqueTerm).bytes, (b as OpaqueTerm).bytes);
    default:
      return 0;
  }
}

function rankOf(term: unknown): number {
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
  MapBase.require(term);
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
export function orderText(a: string, b: string): number {
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

function openFuns(a: ExternalFun | LocalFun, b: ExternalFun | LocalFun): number | Step {
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
    all(a.freeVariables, b.freeVariables)
  );
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
function openMaps(a: MapBase, b: MapBase): number | Step {
  if (a.size !== b.size) return a.size - b.size;
  const left = sortedPairs(a);
  const right = sortedPairs(b);
  return { a: left, b: right, size: left.length, keys: a.size, verdict: 0 };
}

/** The keys in ascending order, then their values. */
function sortedPairs(map: MapBase): unknown[] {
  const keys = sortedKeys(map);
  return keys.concat(keys.map((key) => map.get(key)));
}

/** As `compare`, of two keys of a map: every integer is less than every float. */
export function compareKeys(a: unknown, b: unknown): number {
  enterKey();
  try {
    return order(a, b, true, 0);
  } finally {
    leaveKey();
  }
}

/** A map's keys in the order in which Erlang compares them. */
export function sortedKeys(map: MapBase): unknown[] {
  const keys: unknown[] = [];
  for (const [key] of map.entries()) keys.push(key);
  if (keys.length < 2) return keys;
  enterKey();
  try {
    return keys.sort((x, y) => order(x, y, true, 0));
  } finally {
    leaveKey();
  }
}

function openLists(
  left: readonly unknown[] | ImproperList<unknown, unknown>,
  right: readonly unknown[] | ImproperList<unknown, unknown>,
): Step {
  const a = left instanceof ImproperList ? left.elements : left;
  const b = right instanceof ImproperList ? right.elements : right;
  if (a.length !== b.length) {
    // Where the shorter one ends, its tail meets a list.
    const [shorter, sign] = a.length < b.length ? [left, 1] : [right, -1];
    const tail = shorter instanceof ImproperList ? rankOf(normalize(shorter.tail)) : NIL;
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
