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
 * | map | plain object; a key that is no atom, binary or integer is its Erlang text |
 * | native record | plain object of its fields |
 * | bitstring, pid, port, reference, fun | its Erlang text |
 */
import { Atom, atom, hasLoneSurrogate, internAtom } from "./atom.ts";
import { utf8Bytes } from "./bytes.ts";
import { EtfEncodeError } from "./errors.ts";
import { normalize } from "./exact.ts";
import { MapBase } from "./map-base.ts";
import { TermMap } from "./term-map.ts";
import {
  Float,
  ImproperList,
  isTermObject,
  isTuple,
  NativeRecord,
  Pid,
  Reference,
  type Term,
  type TermInput,
  Tuple,
} from "./terms.ts";
import { format } from "./text/print.ts";
import { utf8Text } from "./utf8.ts";

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
}

/** A property of the object itself, whatever its name. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else object[key] = value;
}

/** The key of a plain object that a key of a map becomes. */
export function plainKey(key: unknown): string {
  if (key instanceof Atom) return key.name;
  if (key instanceof Uint8Array) {
    const text = utf8Text(key, 0, key.length);
    if (text !== null) return text;
  }
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") {
    return String(key);
  }
  return format(key as TermInput, { mode: "~0tp" });
}

/** A container being converted: values taken in order, and where each result goes. */
interface Frame {
  items: readonly unknown[];
  next: number;
  put: (place: number, value: unknown) => void;
}

/** Converts without recursion: `open` gives a leaf's result, or a container with its frame. */
function convert(
  root: unknown,
  open: (value: unknown) => { result: unknown; frame: Frame | null },
): unknown {
  const first = open(root);
  const stack: Frame[] = first.frame === null ? [] : [first.frame];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (frame.next === frame.items.length) {
      stack.pop();
      continue;
    }
    const place = frame.next++;
    const { result, frame: inner } = open(frame.items[place]);
    frame.put(place, result);
    if (inner !== null) stack.push(inner);
  }
  return first.result;
}

/** A term as plain values; see the table above. */
export function toPlain(term: TermInput, options: ToPlainOptions = {}): Plain {
  return convert(term, (value) => {
    const normal = normalize(value);
    if (Array.isArray(normal)) return plainArray(normal);
    if (normal instanceof ImproperList) return plainArray([...normal.elements, normal.tail]);
    if (normal instanceof NativeRecord) {
      return plainObject(
        normal.fields.map((field) => field.name),
        normal.values,
      );
    }
    const leaf = plainLeaf(normal, options);
    if (leaf !== undefined) return { result: leaf, frame: null };
    const keys: string[] = [];
    const values: unknown[] = [];
    for (const [key, entry] of MapBase.require(normal).entries()) {
      keys.push(plainKey(key));
      values.push(entry);
    }
    return plainObject(keys, values);
  }) as Plain;
}

function plainArray(
  items: readonly unknown[],
  result: unknown[] = [],
): { result: unknown[]; frame: Frame } {
  return { result, frame: { items, next: 0, put: (_, value) => result.push(value) } };
}

function plainObject(
  keys: readonly string[],
  items: readonly unknown[],
): { result: object; frame: Frame } {
  const result: Record<string, unknown> = {};
  const put = (place: number, value: unknown) => setOwn(result, keys[place]!, value);
  return { result, frame: { items, next: 0, put } };
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

/** What is no container; undefined for a map. */
export function plainLeaf(term: unknown, options: ToPlainOptions): Plain | undefined {
  switch (typeof term) {
    case "number":
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
    return options.binaries === "bytes" ? term : (utf8Text(term, 0, term.length) ?? term);
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
 * @throws EtfEncodeError ETF_NOT_A_TERM for NaN, infinities, symbols and functions; ETF_BAD_TEXT
 */
export function fromPlain(value: unknown, options: FromPlainOptions = {}): Term {
  const nothing = atom(options.null ?? "null");
  return convert(value, (given) => {
    const item = withoutToJson(given);
    if (item === null || item === undefined) return { result: nothing, frame: null };
    if (isTuple(item)) return plainArray(item, new Tuple() as unknown as unknown[]);
    if (Array.isArray(item)) return plainArray(item);
    if (typeof item !== "object" || isTermObject(item)) {
      return { result: checkedLeaf(item), frame: null };
    }
    const result = new TermMap();
    const entries = item instanceof Map ? [...item] : Object.entries(item);
    const kept = entries.filter(([, entry]) => entry !== undefined && typeof entry !== "function");
    const keys = kept.map(([key]) => (options.keys === "atom" ? internAtom(String(key)) : key));
    const put = (place: number, entry: unknown) => result.set(keys[place], entry as Term);
    return { result, frame: { items: kept.map(([, entry]) => entry), next: 0, put } };
  }) as Term;
}

function withoutToJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isTermObject(value)) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}

function checkedLeaf(value: unknown): unknown {
  if (typeof value === "string" && hasLoneSurrogate(value)) {
    throw new EtfEncodeError("ETF_BAD_TEXT", "a string with a lone surrogate has no UTF-8 form");
  }
  if (typeof value === "string") return utf8Bytes(value);
  const bad = typeof value === "number" && !Number.isFinite(value);
  if (bad || typeof value === "symbol" || typeof value === "function") {
    throw new EtfEncodeError("ETF_NOT_A_TERM", `${String(value)} is no term`);
  }
  return normalize(value);
}
