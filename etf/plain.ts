/**
 * Terms to and from the values JSON-minded code wants. Lossy: an atom and a binary both become a
 * string, a tuple and a list an array, `1.0` and `1` a number.
 *
 * | term | plain |
 * | --- | --- |
 * | integer | `number`; `bigint` beyond 2^53, or as `integers` says |
 * | float | `number` |
 * | `true`, `false` | `boolean` |
 * | `nil`, `null`, `undefined` | `null` |
 * | other atoms | `string`, or `Atom` as `atoms` says |
 * | binary | `string` if it is UTF-8, else its bytes; or always bytes as `binaries` says |
 * | list, tuple, improper list | `Array`, the tail last |
 * | map | plain object; a key that is not an atom, binary or integer is its Erlang text |
 * | native record | plain object of its fields |
 * | bitstring, pid, port, reference, fun | its Erlang text |
 */
import { Atom, atomTerm, namedAtom } from "./atom.ts";
import { EtfEncodeError } from "./errors.ts";
import { normalize } from "./exact.ts";
import { MapBase } from "./map-base.ts";
import { entryStep, type Frame, notATerm } from "./refusal.ts";
import { TermMap } from "./term-map.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  isTuple,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
  type TermInput,
  Tuple,
} from "./terms.ts";
import { format } from "./text/print.ts";
import { utf8Text } from "./utf8.ts";
import { Walk } from "./walk.ts";

export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Atom
  | Uint8Array
  | Plain[]
  | { [key: string]: Plain };

export interface ToPlainOptions {
  /** Atoms as their names (default), or as they are. */
  atoms?: "string" | "atom";
  /** Binaries as text where they are UTF-8 (default), or always as bytes. */
  binaries?: "string" | "bytes";
  /** Integers beyond 2^53 as `bigint` (default), or as decimal text, which JSON can hold. */
  integers?: "bigint" | "string";
}

export interface FromPlainOptions {
  /** The atom for `null` and `undefined`; `null` by default, Elixir's is `nil`. */
  null?: string;
  /** Keys of objects as binaries (default), or as atoms. */
  keys?: "binary" | "atom";
  /**
   * A `number` that is an integer beyond 2^53, of which nobody knows which integer was meant: refused
   * (default), or made a float, which it is for whoever calculates with it.
   */
  unsafeIntegers?: "refuse" | "float";
  /** Levels of nesting; 100,000 by default. */
  maxDepth?: number;
}

/** A property of the object itself, whatever Object.prototype has under that name. */
export function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** The key of a plain object that a key of a map becomes. */
export function plainKey(key: unknown): string {
  if (key instanceof Atom) return key.name;
  if (key instanceof Uint8Array) {
    const text = utf8Text(key);
    if (text !== null) return text;
  }
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") {
    return String(key);
  }
  return format(key as TermInput, { mode: "~0tp" });
}

/** A container being converted: values taken in order, and where each result goes. */
interface PlainFrame extends Frame {
  readonly put: (place: number, value: unknown) => void;
}

/** What a value is converted to; of a container without what it holds, which the frame puts there. */
interface Opened {
  readonly result: unknown;
  readonly frame: PlainFrame | null;
}

/**
 * Converts without recursion.
 *
 * @throws EtfEncodeError what `open` throws, with the path; ETF_CYCLE, ETF_LIMIT
 */
function convert(root: unknown, walk: Walk<PlainFrame>, open: (value: unknown) => Opened): unknown {
  const opened = (value: unknown): unknown => {
    let found: Opened;
    try {
      found = open(value);
    } catch (error) {
      throw walk.located(error);
    }
    if (found.frame !== null) walk.enter(found.frame);
    return found.result;
  };
  const { frames } = walk;
  const converted = opened(root);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.items.length) {
      walk.leave();
      continue;
    }
    const place = frame.next++;
    frame.put(place, opened(frame.items[place]));
  }
  return converted;
}

/** A term as plain values; see the table above. @throws EtfEncodeError when the value is not a term */
export function toPlain(term: TermInput, options: ToPlainOptions = {}): Plain {
  return convert(term, new Walk(), (value) => {
    const normal = normalize(value);
    if (Array.isArray(normal)) return plainArray(value, normal);
    if (normal instanceof ImproperList) {
      return plainArray(value, [...normal.elements, normal.tail]);
    }
    if (normal instanceof NativeRecord) {
      return plainObject(
        value,
        normal.fields.map((field) => field.name),
        normal.values,
      );
    }
    const leaf = plainLeaf(normal, options);
    if (leaf !== undefined) return { result: leaf, frame: null };
    const keys: unknown[] = [];
    const values: unknown[] = [];
    const pairs = MapBase.require(normal).toPairs();
    for (let i = 0; i < pairs.length; i += 2) {
      keys.push(pairs[i]);
      values.push(pairs[i + 1]);
    }
    const step = (place: number) => entryStep(value, keys[place], place);
    return plainObject(value, keys.map(plainKey), values, step);
  }) as Plain;
}

function plainArray(
  value: unknown,
  items: readonly unknown[],
  result: unknown[] = [],
  source?: unknown,
): Opened {
  const put = (_: number, item: unknown) => result.push(item);
  return { result, frame: { value, source, items, next: 0, put } };
}

function plainObject(
  value: unknown,
  keys: readonly string[],
  items: readonly unknown[],
  step?: (place: number) => string,
): Opened {
  const result: Record<string, unknown> = {};
  const put = (place: number, item: unknown) => {
    const key = keys[place]!;
    if (key in Object.prototype) defineOwn(result, key, item);
    else result[key] = item;
  };
  return { result, frame: { value, items, next: 0, put, step } };
}

let lastNode: Atom | undefined;
let lastNodeText = "";

/** As `format` writes it; identifiers of one node come together. */
function nodeText(node: Atom): string {
  if (node !== lastNode) {
    lastNode = node;
    lastNodeText = node.name === "nonode@nohost" ? "0" : format(node);
  }
  return lastNodeText;
}

/** What is not a container; undefined for a map. */
export function plainLeaf(term: unknown, options: ToPlainOptions): Plain | undefined {
  switch (typeof term) {
    case "number":
      if (!Number.isFinite(term)) throw notATerm(term);
      return term;
    case "boolean":
      return term;
    case "bigint":
      return options.integers === "string" ? term.toString() : term;
  }
  if (term instanceof Atom) {
    if (term.name === "nil" || term.name === "null" || term.name === "undefined") return null;
    return options.atoms === "atom" ? term : term.name;
  }
  if (term instanceof Uint8Array) {
    return options.binaries === "bytes" ? term : (utf8Text(term) ?? term);
  }
  if (term instanceof Float) return term.value;
  if (term instanceof Pid) return `<${nodeText(term.node)}.${term.id}.${term.serial}>`;
  if (term instanceof Reference) {
    const { ids } = term;
    const node = nodeText(term.node);
    if (ids.length === 3) return `#Ref<${node}.${ids[2]}.${ids[1]}.${ids[0]}>`;
    return `#Ref<${[node, ...[...ids].reverse()].join(".")}>`;
  }
  if (typeof term === "object" && term !== null && MapBase.from(term) !== null) return undefined;
  return format(term as TermInput, { mode: "~0tp" });
}

/**
 * A plain value as a term: strings become binaries, objects maps, `null` and `undefined` an atom.
 * Terms stay what they are. As with JSON, properties that are `undefined` or functions are left out and `toJSON` is asked.
 *
 * @throws EtfEncodeError with the path inside the value: ETF_NOT_A_TERM for NaN, infinities, symbols,
 * functions and what throws when it is read (its error is the `cause`); ETF_OUT_OF_RANGE for an integer
 * beyond 2^53; ETF_BAD_TEXT; ETF_CYCLE; ETF_LIMIT beyond `maxDepth`
 */
export function fromPlain(value: unknown, options: FromPlainOptions = {}): Term {
  const nothing = atomTerm(namedAtom(options.null ?? "null"));
  const walk = new Walk<PlainFrame>(options.maxDepth ?? MAX_PLAIN_DEPTH);
  return convert(value, walk, (given) => {
    try {
      return openPlain(given, nothing, options);
    } catch (error) {
      if (error instanceof EtfEncodeError) throw error;
      const message = `the value cannot be read: ${messageOf(error)}`;
      throw new EtfEncodeError("ETF_NOT_A_TERM", message, "", { cause: error });
    }
  }) as Term;
}

/** Levels that `fromPlain` takes by default: a value may make them as it is read, without an end. */
const MAX_PLAIN_DEPTH = 100_000;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error;
}

function openPlain(given: unknown, nothing: Atom | boolean, options: FromPlainOptions): Opened {
  const item = withoutToJson(given);
  if (item === null || item === undefined) return { result: nothing, frame: null };
  const source = item === given ? undefined : given;
  if (isTuple(item)) return plainArray(item, item, new Tuple() as unknown as unknown[]);
  if (Array.isArray(item)) return plainArray(item, item, [], source);
  if (typeof item !== "object" || isTermObject(item)) {
    return { result: checkedLeaf(item, options), frame: null };
  }
  const result = new TermMap();
  const entries = item instanceof Map ? [...item] : Object.entries(item);
  const kept = entries.filter(([, entry]) => entry !== undefined && typeof entry !== "function");
  const keys = kept.map(([key]) =>
    options.keys === "atom" ? atomTerm(namedAtom(String(key))) : normalize(key),
  );
  const put = (place: number, entry: unknown) => result.set(keys[place] as Term, entry as Term);
  const step = (place: number) => entryStep(item, kept[place]![0], place);
  const items = kept.map(([, entry]) => entry);
  return { result, frame: { value: item, source, items, next: 0, put, step } };
}

function withoutToJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isTermObject(value)) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}

function checkedLeaf(value: unknown, options: FromPlainOptions): unknown {
  switch (typeof value) {
    case "number":
      if (options.unsafeIntegers === "float" && Number.isInteger(value)) {
        return Number.isSafeInteger(value) ? normalize(value) : new Float(value);
      }
      if (!Number.isFinite(value)) throw notATerm(value);
      break;
    case "symbol":
    case "function":
      throw notATerm(value);
  }
  return normalize(value);
}

/** Whether an object is a term as it stands: a binary, a map, or of another class of terms. */
function isTermObject(value: object): boolean {
  return (
    value instanceof Uint8Array ||
    value instanceof MapBase ||
    value instanceof Atom ||
    value instanceof Float ||
    value instanceof BitString ||
    value instanceof ImproperList ||
    value instanceof Pid ||
    value instanceof Port ||
    value instanceof Reference ||
    value instanceof ExternalFun ||
    value instanceof LocalFun ||
    value instanceof NativeRecord ||
    value instanceof OpaqueTerm
  );
}
