/**
 * Terms as Elixir's `inspect` prints them on one line: `{:ok, "x"}`, `%{a: 1}`, `[a: 1]`, `#PID<…>`.
 *
 * What a program's modules know is not known here: a map with an alias under `__struct__` is
 * printed as `%Mod{…}` whether or not there is such a struct, with its fields in the map's order
 * and without a form of its own (dates, ranges, sets); a local fun lacks the name of the function
 * it was made in. Atoms with letters other than Latin, Han and Kana are quoted, which reads the same.
 */
import { Atom, atomOf } from "../atom.ts";
import { normalize } from "../exact.ts";
import { MapBase } from "../map-base.ts";
import { entryStep, notATerm } from "../refusal.ts";
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
} from "../terms.ts";
import { utf8Text } from "../utf8.ts";
import { type FlatParts, flatText } from "./flat.ts";
import { floatText } from "./quote.ts";

export interface ElixirTextOptions {
  /** Lists of text as `~c"abc"` (default, as Elixir 1.15 and later), or as `'abc'`. */
  charlists?: "sigil" | "quotes";
  /** What stands for a node at the beginning of a pid, port or reference. */
  nodeText: (node: Atom) => string;
  /** A map's keys and values, in the order to be printed. */
  pairs: (map: MapBase) => readonly unknown[];
}

/** @throws EtfEncodeError ETF_NOT_A_TERM */
export function elixirText(term: TermInput, options: ElixirTextOptions): string {
  return flatText(term, (value) => open(value, options)).text;
}

const comma = (place: number): string => (place === 0 ? "" : ", ");
const arrow = (place: number): string => (place % 2 === 1 ? " => " : comma(place));

function open(value: unknown, options: ElixirTextOptions): string | FlatParts {
  const term = normalize(value);
  if (typeof term === "number" && !Number.isFinite(term)) {
    throw notATerm(term);
  }
  if (typeof term === "number" || typeof term === "bigint" || typeof term === "boolean") {
    return String(term);
  }
  if (term instanceof Atom) return atomText(term.name);
  if (term instanceof Float) return elixirFloat(term.value);
  if (term instanceof Uint8Array) return binaryText(term);
  if (Array.isArray(term)) {
    if (term instanceof Tuple) return { open: "{", close: "}", items: term, before: comma };
    return listText(term, options);
  }
  if (term instanceof ImproperList) {
    const items = [...term.elements, term.tail];
    const before = (place: number) => (place === items.length - 1 ? " | " : comma(place));
    return { open: "[", close: "]", items, before };
  }
  if (term instanceof BitString) return bitsText(term);
  if (term instanceof Pid) return `#PID<${options.nodeText(term.node)}.${term.id}.${term.serial}>`;
  if (term instanceof Port) return `#Port<${options.nodeText(term.node)}.${term.id}>`;
  if (term instanceof Reference) {
    return `#Reference<${[options.nodeText(term.node), ...[...term.ids].reverse()].join(".")}>`;
  }
  if (term instanceof ExternalFun) {
    const { module, function: fun, arity } = term;
    return `&${atomText(module.name)}.${functionName(fun.name)}/${arity}`;
  }
  if (term instanceof LocalFun) {
    return `#Function<${term.index}.${term.oldUniq}/${term.arity} in ${atomText(term.module.name)}>`;
  }
  if (term instanceof NativeRecord) return recordText(term);
  if (term instanceof OpaqueTerm) return `#Opaque<${term.bytes.length}>`;
  return mapText(value, MapBase.require(term), options);
}

/** Whole numbers below 10^16 in full. */
function elixirFloat(value: number): string {
  const whole = Number.isInteger(value) && Math.abs(value) >= 1 && Math.abs(value) < 1e16;
  return whole ? `${value}.0` : floatText(value);
}

function listText(list: readonly unknown[], options: ElixirTextOptions): string | FlatParts {
  if (list.length === 0) return "[]";
  if (list.every(isPrintableAscii)) {
    const text = String.fromCharCode(...(list.length < 65_536 ? (list as number[]) : []));
    if (text.length === list.length) {
      return options.charlists === "quotes" ? quote(text, "'") : `~c${quote(text, '"')}`;
    }
  }
  const keys = list.map(keywordKey);
  if (keys.every((key) => key !== null)) {
    const values = list.map((pair) => (pair as readonly unknown[])[1]);
    const before = (place: number) => `${comma(place)}${keyText(keys[place]!)} `;
    const step = (place: number) => `[${place}][1]`;
    return { open: "[", close: "]", items: values, before, step };
  }
  return { open: "[", close: "]", items: list, before: comma };
}

function mapText(value: unknown, map: MapBase, options: ElixirTextOptions): string | FlatParts {
  let pairs = options.pairs(map);
  const struct = structName(pairs);
  if (struct !== null) {
    pairs = pairs.filter((_, i) => nameOf(pairs[i & ~1]) !== "__struct__");
  }
  const head = `%${struct ?? ""}{`;
  if (pairs.length === 0) return `${head}}`;
  const keys = pairs.filter((_, i) => i % 2 === 0);
  const names: (string | null)[] = [];
  const values: unknown[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    names.push(shortKey(pairs[i]));
    values.push(pairs[i + 1]);
  }
  if (names.some((name) => name === null)) {
    return { open: head, close: "}", items: pairs, before: arrow };
  }
  const before = (place: number) => `${comma(place)}${keyText(names[place]!)} `;
  const step = (place: number) => entryStep(value, keys[place], place);
  return { open: head, close: "}", items: values, before, step };
}

/** Of a map with an alias under `:__struct__` and atoms as keys. */
function structName(pairs: readonly unknown[]): string | null {
  let struct: string | null = null;
  for (let i = 0; i < pairs.length; i += 2) {
    const key = nameOf(pairs[i]);
    if (key === null) return null;
    const name = key === "__struct__" ? nameOf(pairs[i + 1]) : null;
    if (name !== null && ALIAS.test(name)) struct = atomText(name);
  }
  return struct;
}

function recordText(term: NativeRecord): FlatParts {
  const before = (place: number) => `${comma(place)}${keyText(term.fields[place]!.name)} `;
  const name = `${atomText(term.module.name)}.${functionName(term.recordName.name)}`;
  return { open: `#Record<${name}{`, close: "}>", items: term.values, before };
}

/** An atom's name, booleans too. */
function nameOf(value: unknown): string | null {
  return atomOf(value)?.name ?? null;
}

/** The name of an atom that is written `name:` before a value; aliases are not. */
function shortKey(value: unknown): string | null {
  const name = nameOf(value);
  return name === null || name.startsWith("Elixir.") ? null : name;
}

function keywordKey(value: unknown): string | null {
  return value instanceof Tuple && value.length === 2
    ? shortKey((value as unknown as readonly unknown[])[0])
    : null;
}

const ALIAS = /^Elixir(\.[A-Z][A-Za-z0-9_]*)*$/;
const IDENTIFIER = /^[\p{XIDS}_][\p{XIDC}@]*[?!]?$/u;
const FUNCTION = /^[\p{Ll}\p{Lo}_][\p{XIDC}]*[?!]?$/u;
const SCRIPTS = /^[\p{scx=Latin}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\d_@?!]*$/u;

const OPERATORS: ReadonlySet<string> = new Set(
  (
    "! != !== & && &&& * ** + ++ +++ - -- --- -> . .. ... / < <- <<< <<~ <= <> <~ <~> = == === =~ > >= >>> @ " +
    "\\\\ ^ | |> || ||| ~> ~>>"
  ).split(" "),
);
/** Atoms without quotes that no function is named by without. */
const BRACKETS: ReadonlySet<string> = new Set(["%", "%{}", "{}", "<<>>", "..//"]);

function isIdentifier(name: string, pattern: RegExp): boolean {
  return pattern.test(name) && SCRIPTS.test(name) && name.normalize("NFKC") === name;
}

function isPlain(name: string): boolean {
  return isIdentifier(name, IDENTIFIER) || OPERATORS.has(name) || BRACKETS.has(name);
}

function atomText(name: string): string {
  if (name === "nil") return name;
  if (ALIAS.test(name)) return name === "Elixir" ? name : name.slice("Elixir.".length);
  return isPlain(name) ? `:${name}` : `:${quote(name, '"')}`;
}

function keyText(name: string): string {
  const plain = isPlain(name) && name !== "Elixir";
  return `${plain ? name : quote(name, '"')}:`;
}

function functionName(name: string): string {
  const plain = isIdentifier(name, FUNCTION) || OPERATORS.has(name) || name === "::";
  return plain ? name : quote(name, '"');
}

/** What `List.ascii_printable?` takes. */
function isPrintableAscii(value: unknown): boolean {
  return (
    typeof value === "number" &&
    ((value >= 32 && value < 127) || (value >= 7 && value <= 13) || value === 27)
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\x7f": "\\d",
  "\x1b": "\\e",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  "\ufeff": "\\uFEFF",
};

function quote(text: string, mark: '"' | "'"): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
  const special = /[\x00-\x1f\x7f-\x9f"'\\\ufeff\ufffe\uffff]|#\{/g;
  const escaped = text.replace(special, (found) => {
    if (found === "#{") return "\\#{";
    if (found === '"' || found === "'") return found === mark ? `\\${found}` : found;
    const code = found.charCodeAt(0);
    const hex = code.toString(16).toUpperCase().padStart(2, "0");
    return ESCAPES[found] ?? (code < 0x100 ? `\\x${hex}` : `\\x{${hex}}`);
  });
  return mark + escaped + mark;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what String.printable? refuses
const UNPRINTABLE = /[\x00-\x06\x0e-\x1a\x1c-\x1f\x80-\x9f\ufffe\uffff]/;

function binaryText(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  if (text !== null && !UNPRINTABLE.test(text)) return quote(text, '"');
  return `<<${bytes.join(", ")}>>`;
}

function bitsText({ bytes, lastBits }: BitString): string {
  const last = `${bytes[bytes.length - 1]! >> (8 - lastBits)}::size(${lastBits})`;
  return `<<${[...bytes.subarray(0, -1), last].join(", ")}>>`;
}
