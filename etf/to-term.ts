/**
 * What may be written, as the term it stands for: the value that decoding would give after the
 * value was encoded, without going through bytes.
 */
import { Atom } from "./atom.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { EtfEncodeError } from "./errors.ts";
import { normalize } from "./exact.ts";
import { isPlainObject, MapBase } from "./map-base.ts";
import { TermMap } from "./term-map.ts";
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

const TERM_CLASSES: ReadonlySet<unknown> = new Set([
  Atom,
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
 * @throws EtfEncodeError when some part of the value is no term
 */
export function toTerm(value: TermInput): Term {
  try {
    return convert(value, 0) as Term;
  } catch (error) {
    // Encoding says the same, with the path inside the whole value.
    if (error instanceof EtfEncodeError) encode(value);
    throw error;
  }
}

function convert(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) {
    return isScalarTerm(value) ? normalize(value) : refuse(value);
  }
  if (depth > CALL_DEPTH) return decode(encode(value as TermInput));
  if (Array.isArray(value)) {
    const converted = convertElements(value, depth);
    if (converted === value || isList(value)) return converted;
    return tupleFrom(converted);
  }
  if (value instanceof ImproperList) {
    const elements = convertElements(value.elements, depth);
    const tail = convert(value.tail, depth + 1);
    const same = elements === value.elements && tail === value.tail;
    return same ? value : new ImproperList(elements, tail);
  }
  if (value instanceof TermMap) return convertMap(value, depth);
  if (value instanceof Map) return new TermMap(convertPairs(value, depth));
  if (!(value instanceof MapBase) && isPlainObject(value)) {
    return new TermMap(convertPairs(Object.entries(value), depth));
  }
  return isObjectTerm(value) ? value : refuse(value);
}

function convertElements(elements: readonly unknown[], depth: number): readonly unknown[] {
  let converted: unknown[] | undefined;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index];
    const term = convert(element, depth + 1);
    if (converted === undefined && !Object.is(term, element)) {
      converted = Array.from(elements.slice(0, index));
    }
    converted?.push(term);
  }
  return converted ?? elements;
}

function convertMap(map: TermMap, depth: number): TermMap {
  const pairs = convertPairs(map.entries(), depth);
  let index = 0;
  for (const [key, value] of map.entries()) {
    const pair = pairs[index++]!;
    if (!Object.is(pair[0], key) || !Object.is(pair[1], value)) return new TermMap(pairs);
  }
  return map;
}

function convertPairs(pairs: Iterable<readonly [unknown, unknown]>, depth: number): [Term, Term][] {
  const converted: [Term, Term][] = [];
  for (const [key, value] of pairs) {
    converted.push([convert(key, depth + 1) as Term, convert(value, depth + 1) as Term]);
  }
  return converted;
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

/** Encoding says what is wrong. */
function refuse(value: unknown): never {
  encode(value as TermInput);
  throw new EtfEncodeError("ETF_NOT_A_TERM", "the value is no term");
}
