/**
 * Exposed functions of JavaScript's own types: what the caller sends is read into numbers, strings
 * and the like, and what the function returns is written as the term its type says.
 *
 * Arguments of other types are answered `function_clause`, as by an Erlang function without a clause
 * for them. A result that is not of its type is a TypeError of the function.
 */

import {
  atomOf,
  charlist,
  Float,
  float,
  fromPlain,
  isList,
  isPid,
  isTuple,
  type Pid,
  type Plain,
  type Term,
  type TermInput,
  toPlain,
  toTerm,
  tuple,
  utf8Text,
} from "../../../etf/index.ts";
import { asTerm, OK } from "../atoms.ts";
import { NoClauseError } from "../exceptions.ts";
import type { CallContext, ExposedFunction } from "./functions.ts";
import { withArity } from "./parameters.ts";

/** How a type of JavaScript stands for terms. */
export interface TermType<T> {
  /** @throws NoClauseError when the term is none of this type */
  read(term: Term): T;
  /** @throws TypeError when the value is none */
  write(value: T): TermInput;
}

// biome-ignore lint/suspicious/noExplicitAny: any type may stand in a list of types
type AnyType = TermType<any>;
type ValueOf<Type> = Type extends TermType<infer T> ? T : never;
type ValuesOf<Types extends readonly AnyType[]> = { [At in keyof Types]: ValueOf<Types[At]> };

/** A type by its two tests: what a term is read as, if it is one, and whether a value can be written. */
function type<T>(
  name: string,
  read: (term: Term) => T | undefined,
  isValue: (value: unknown) => boolean,
  write: (value: T) => TermInput,
): TermType<T> {
  return {
    read(term) {
      const value = read(term);
      if (value === undefined) throw new NoClauseError();
      return value;
    },
    write(value) {
      if (!isValue(value)) throw new TypeError(`${String(value)} is no ${name}`);
      return write(value);
    },
  };
}

const isString = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";

function listOf<T>(element: TermType<T>): TermType<T[]> {
  return type(
    "array",
    (term) => (isList(term) ? term.map((each) => element.read(each)) : undefined),
    Array.isArray,
    (values) => values.map((each) => element.write(each)),
  );
}

function tupleOf<const Types extends readonly AnyType[]>(
  ...elements: Types
): TermType<ValuesOf<Types>> {
  return type(
    `array of ${elements.length}`,
    (term) =>
      isTuple(term, elements.length)
        ? (elements.map((each, at) => each.read(term[at] as Term)) as ValuesOf<Types>)
        : undefined,
    (value) => Array.isArray(value) && value.length === elements.length,
    (values: readonly unknown[]) =>
      tuple(...elements.map((each, at) => each.write(values[at]) as Term)),
  );
}

/** Integers are `number` up to 2^53, and `bigint` in all sizes; a string is a binary when written. */
export const types = {
  integer: type<number>(
    "integer",
    (term) => (typeof term === "number" ? term : undefined),
    Number.isSafeInteger,
    (value) => value,
  ),
  bigint: type<bigint>(
    "bigint",
    (term) => (typeof term === "number" || typeof term === "bigint" ? BigInt(term) : undefined),
    (value) => typeof value === "bigint",
    (value) => value,
  ),
  float: type<number>(
    "number",
    (term) => (term instanceof Float ? term.value : undefined),
    isNumber,
    (value) => float(value),
  ),
  /** An integer or a float; written as the integer it is, else as a float, and refused beyond 2^53 if it has no fraction. */
  number: type<number>(
    "number",
    (term) => (term instanceof Float ? term.value : typeof term === "number" ? term : undefined),
    isNumber,
    (value) => (Number.isInteger(value) ? toTerm(value) : value),
  ),
  boolean: type<boolean>(
    "boolean",
    (term) => (typeof term === "boolean" ? term : undefined),
    (value) => typeof value === "boolean",
    (value) => value,
  ),
  /** Read from UTF-8 and from charlists, written as UTF-8. */
  string: type<string>("string", textOf, isString, (value) => value),
  /** Read as `string` is, written as a charlist. */
  charlist: type<string>("string", textOf, isString, (value) => charlist(value)),
  /** The name of an atom, `"true"` and `"false"` among them. */
  atom: type<string>(
    "string",
    (term) => atomOf(term)?.name,
    isString,
    (value) => asTerm(value),
  ),
  bytes: type<Uint8Array>(
    "Uint8Array",
    (term) => (term instanceof Uint8Array ? term : undefined),
    (value) => value instanceof Uint8Array,
    (value) => value,
  ),
  pid: type<Pid>(
    "Pid",
    (term) => (isPid(term) ? term : undefined),
    isPid,
    (value) => value,
  ),
  /** Any term, as it is. */
  term: type<Term>(
    "term",
    (term) => term,
    () => true,
    (value) => value,
  ),
  /** Any term as the plain value of `toPlain`, written by `fromPlain`. */
  plain: type<Plain>(
    "value",
    (term) => toPlain(term),
    () => true,
    (value) => fromPlain(value),
  ),
  /** Nothing, which is the atom `ok`. */
  ok: type<void>(
    "nothing",
    () => undefined,
    (value) => value === undefined,
    () => OK,
  ),
  listOf,
  tupleOf,
};

/**
 * An exposed function of those types; its arity is the number of arguments.
 *
 *   node.expose("sums", { add: typed([types.number, types.number], types.number, (a, b) => a + b) })
 */
export function typed<const Types extends readonly AnyType[], R>(
  args: Types,
  result: TermType<R>,
  run: (this: CallContext, ...values: ValuesOf<Types>) => R | Promise<R>,
): ExposedFunction {
  const wrapped: ExposedFunction = function (this: CallContext, ...terms: Term[]): unknown {
    const values = args.map((each, at) => each.read(terms[at] as Term)) as ValuesOf<Types>;
    const returned = Reflect.apply(run, this, values as readonly unknown[]) as R | Promise<R>;
    if (returned instanceof Promise) return returned.then((value) => result.write(value));
    return result.write(returned);
  };
  return withArity(wrapped, args.length);
}

/** The text of UTF-8 or of a charlist; undefined for what is neither. */
function textOf(term: Term): string | undefined {
  if (term instanceof Uint8Array) return utf8Text(term) ?? undefined;
  if (!isList(term)) return undefined;
  let text = "";
  for (const point of term) {
    if (!isCharacter(point)) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

function isCharacter(point: Term): point is number {
  return (
    typeof point === "number" &&
    point >= 0 &&
    point <= 0x10ffff &&
    (point < 0xd800 || point > 0xdfff)
  );
}
