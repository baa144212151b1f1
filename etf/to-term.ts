/**
 * What may be written, as the term it stands for: the value that decoding would give after the
 * value was encoded, without going through bytes.
 */
import { Atom, atomTerm } from "./atom.ts";
import { copyBytes } from "./bytes.ts";
import { refuseCycle } from "./cycle.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { EtfEncodeError } from "./errors.ts";
import { normalize } from "./exact.ts";
import { isPlainObject, MapBase } from "./map-base.ts";
import { TermMap, TermMapClass } from "./term-map.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  isList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
  type TermInput,
  tupleFrom,
} from "./terms.ts";

/** Levels walked by recursion; what is deeper goes through bytes. */
const CALL_DEPTH = 512;
/** Levels up to which each container is looked for among those it lies in; then at powers of two. */
const WATCHED_DEPTH = 32;

const TERM_CLASSES: ReadonlySet<unknown> = new Set([
  BitString,
  ExternalFun,
  Float,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
]);

/**
 * Returns the very value when it is a term already, else a term made of it; the input is never
 * changed.
 *
 * @throws EtfEncodeError when some part of the value is not a term, with the path to it; ETF_CYCLE
 */
export function toTerm(value: TermInput): Term {
  return whole(value, { path: [], copies: false });
}

/**
 * As `toTerm`, and the term shares nothing with the value that could change: what was sent to a process
 * of the same node is what it was when it was sent.
 *
 * @throws EtfEncodeError as `toTerm`
 */
export function copyTerm(value: TermInput): Term {
  return whole(value, { path: [], copies: true });
}

interface Conversion {
  /** The containers that a value lies in, by their depth. */
  readonly path: unknown[];
  readonly copies: boolean;
}

function whole(value: TermInput, how: Conversion): Term {
  if (typeof value !== "object") return convert(value, 0, how) as Term;
  try {
    return convert(value, 0, how) as Term;
  } catch (error) {
    // Encoding says what is wrong, with the path inside the whole.
    if (error instanceof EtfEncodeError) encode(value);
    throw error;
  }
}

function convert(value: unknown, depth: number, how: Conversion): unknown {
  if (typeof value !== "object" || value === null) {
    return isScalarTerm(value) ? normalize(value) : refuse(value);
  }
  if (value instanceof Atom) return atomTerm(value);
  if (depth > CALL_DEPTH) return decode(encode(value as TermInput));
  enter(value, depth, how.path);
  if (Array.isArray(value)) {
    const converted = convertElements(value, depth, how);
    if (converted === value || isList(value)) return converted;
    return tupleFrom(converted);
  }
  if (value instanceof ImproperList) {
    const elements = convertElements(value.elements, depth, how);
    const tail = convert(value.tail, depth + 1, how);
    const same = elements === value.elements && tail === value.tail;
    return same ? value : new ImproperList(elements, tail);
  }
  if (value instanceof TermMapClass) {
    const pairs = value.toPairs();
    const converted = convertElements(pairs, depth, how);
    if (converted === pairs) return value;
    return how.copies && sameKeys(pairs, converted)
      ? TermMapClass.ofDistinct(converted as unknown[])
      : mapOf(converted);
  }
  if (value instanceof Map) return mapOf(convertElements([...value].flat(), depth, how));
  if (!(value instanceof MapBase) && isPlainObject(value)) {
    return mapOf(convertElements(Object.entries(value).flat(), depth, how));
  }
  if (!isObjectTerm(value)) return refuse(value);
  return how.copies ? copyLeaf(value, depth, how) : value;
}

function enter(value: object, depth: number, path: unknown[]): void {
  if (depth <= WATCHED_DEPTH || (depth & (depth - 1)) === 0) {
    for (let i = 0; i < depth; i++) if (path[i] === value) refuseCycle(value);
  }
  path[depth] = value;
}

/** Whether each key is one that conversion does not change, but to a copy of its bytes or elements. */
function sameKeys(pairs: readonly unknown[], converted: readonly unknown[]): boolean {
  for (let i = 0; i < pairs.length; i += 2) {
    if (typeof pairs[i] !== typeof converted[i]) return false;
  }
  return true;
}

/** What holds bytes or terms that a program may change is copied; everything else is a value. */
function copyLeaf(value: object, depth: number, how: Conversion): unknown {
  if (value instanceof Uint8Array) return copyBytes(value, 0, value.length);
  if (value instanceof BitString) {
    return new BitString(copyBytes(value.bytes, 0, value.bytes.length), value.lastBits);
  }
  if (value instanceof LocalFun) {
    const freeVariables = convertElements(value.freeVariables, depth, how) as Term[];
    return new LocalFun({ ...value, freeVariables });
  }
  if (value instanceof NativeRecord) {
    const { module, recordName, exported, fields } = value;
    const values = convertElements(value.values, depth, how);
    return new NativeRecord(module, recordName, exported, fields, values);
  }
  return value;
}

function convertElements(
  elements: readonly unknown[],
  depth: number,
  how: Conversion,
): readonly unknown[] {
  let converted: unknown[] | undefined = how.copies ? [] : undefined;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index];
    const term = convert(element, depth + 1, how);
    if (converted === undefined && !Object.is(term, element)) {
      converted = Array.from(elements.slice(0, index));
    }
    converted?.push(term);
  }
  return converted ?? elements;
}

function mapOf(pairs: readonly unknown[]): TermMap {
  const map = new TermMap();
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i] as Term, pairs[i + 1] as Term);
  return map;
}

function isScalarTerm(value: unknown): boolean {
  switch (typeof value) {
    case "number":
      return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
    case "bigint":
    case "boolean":
    case "string":
      return true;
    default:
      return false;
  }
}

/** Instances of the term classes; anything else is left to the encoder's error. */
function isObjectTerm(value: object): boolean {
  return value instanceof Uint8Array || TERM_CLASSES.has(value.constructor);
}

function refuse(value: unknown): never {
  encode(value as TermInput);
  throw new EtfEncodeError("ETF_NOT_A_TERM", "the value is not a term");
}
