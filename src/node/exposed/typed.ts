/**
 * Exposed functions with JavaScript types: the caller's arguments are read as numbers, strings and the
 * like, and the result is written as the term that its type says.
 *
 * If an argument has another type, the caller gets `function_clause`, as from an Erlang function without
 * a matching clause. If the result has another type, the call fails with a TypeError.
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

/** How values of a JavaScript type map to terms and back. */
export interface TermType<T> {
  /** @throws NoClauseError if the term does not have this type */
  read(term: Term): T;
  /** @throws TypeError if the value does not have this type */
  write(value: T): TermInput;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of types may contain any type
type AnyType = TermType<any>;
type ValueOf<Type> = Type extends TermType<infer T> ? T : never;
type ValuesOf<Types extends readonly AnyType[]> = { [At in keyof Types]: ValueOf<Types[At]> };

/**
 * A type made of its two checks: `read` returns undefined for other terms, `isValue` false for other
 * values. `name`, with its article, is for error texts.
 */
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
      if (!isValue(value)) throw new TypeError(`${String(value)} is not ${name}.`);
      return write(value);
    },
  };
}

const isString = (value: unknown): boolean => typeof value === "string";
const isNumber = (value: unknown): boolean => typeof value === "number";

function listOf<T>(element: TermType<T>): TermType<T[]> {
  return type(
    "an array",
    (term) => (isList(term) ? term.map((each) => element.read(each)) : undefined),
    Array.isArray,
    (values) => values.map((each) => element.write(each)),
  );
}

function tupleOf<const Types extends readonly AnyType[]>(
  ...elements: Types
): TermType<ValuesOf<Types>> {
  return type(
    `an array of ${elements.length} elements`,
    (term) =>
      isTuple(term, elements.length)
        ? (elements.map((each, at) => each.read(term[at] as Term)) as ValuesOf<Types>)
        : undefined,
    (value) => Array.isArray(value) && value.length === elements.length,
    (values: readonly unknown[]) => tuple(...elements.map((each, at) => each.write(values[at]))),
  );
}

/** The types that `typed` takes, for arguments and results. Each names the JavaScript type and the term. */
export const types = {
  /** A `number` without a fraction, up to 2^53. */
  integer: type<number>(
    "an integer",
    (term) => (typeof term === "number" ? term : undefined),
    Number.isSafeInteger,
    (value) => value,
  ),
  /** An integer of any size. */
  bigint: type<bigint>(
    "a bigint",
    (term) => (typeof term === "number" || typeof term === "bigint" ? BigInt(term) : undefined),
    (value) => typeof value === "bigint",
    (value) => value,
  ),
  /** A float, also for numbers without a fraction. */
  float: type<number>(
    "a number",
    (term) => (term instanceof Float ? term.value : undefined),
    isNumber,
    (value) => float(value),
  ),
  /** An integer or a float; written as an integer if it has no fraction, and then refused beyond 2^53. */
  number: type<number>(
    "a number",
    (term) => (term instanceof Float ? term.value : typeof term === "number" ? term : undefined),
    isNumber,
    (value) => (Number.isInteger(value) ? toTerm(value) : value),
  ),
  /** The atom `true` or `false`. */
  boolean: type<boolean>(
    "a boolean",
    (term) => (typeof term === "boolean" ? term : undefined),
    (value) => typeof value === "boolean",
    (value) => value,
  ),
  /** Text: read from a UTF-8 binary or a charlist, written as a UTF-8 binary. */
  string: type<string>("a string", textOf, isString, (value) => value),
  /** Text: read as `string` is, written as a charlist. */
  charlist: type<string>("a string", textOf, isString, (value) => charlist(value)),
  /** The name of an atom, `"true"` and `"false"` included. */
  atom: type<string>(
    "a string",
    (term) => atomOf(term)?.name,
    isString,
    (value) => asTerm(value),
  ),
  // Declared by hand: what TypeScript would infer has an argument that versions before 5.7 refuse.
  /** A binary. */
  bytes: type<Uint8Array>(
    "a Uint8Array",
    (term) => (term instanceof Uint8Array ? term : undefined),
    (value) => value instanceof Uint8Array,
    (value) => value,
  ) as TermType<Uint8Array>,
  /** A pid. */
  pid: type<Pid>(
    "a Pid",
    (term) => (isPid(term) ? term : undefined),
    isPid,
    (value) => value,
  ),
  /** Any term, unchanged. */
  term: type<Term>(
    "a term",
    (term) => term,
    () => true,
    (value) => value,
  ),
  /** Any term as a plain value: read with `toPlain`, written with `fromPlain`. */
  plain: type<Plain>(
    "a value",
    (term) => toPlain(term),
    () => true,
    (value) => fromPlain(value),
  ),
  /** For results only: `undefined`, written as the atom `ok`. */
  ok: type<void>(
    "undefined",
    () => undefined,
    (value) => value === undefined,
    () => OK,
  ),
  /** A list of one type, as an array. */
  listOf,
  /** A tuple with a type for each element, as an array. */
  tupleOf,
};

/**
 * An exposed function with these types; its arity is the number of argument types.
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

/** The text of a UTF-8 binary or a charlist; undefined for other terms. */
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
