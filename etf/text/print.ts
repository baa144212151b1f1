/**
 * Terms as text, as `io:format` prints them with `~tp`, `~0tp` and `~tw`.
 *
 * Maps keep the order in which they came, which for a map from a peer is that peer's own. A pid
 * of another node shows a number in Erlang that only the printing node knows; here it shows the
 * node's name, unless `nodeNumber` is given. Not printed as OTP does: nesting of more than 400
 * levels is put on one line, where OTP would fill the memory with indentation.
 *
 * Names of funs beyond ASCII are printed as OTP does, bytes for characters, which `parse` cannot undo.
 */
import { Atom } from "../atom.ts";
import { sortedKeys } from "../compare.ts";
import { normalize } from "../exact.ts";
import { MapBase } from "../map-base.ts";
import { notATerm } from "../refusal.ts";
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
import { elixirText } from "./elixir.ts";
import { type FlatParts, flatText } from "./flat.ts";
import { layOut, type Node } from "./pretty.ts";
import {
  bytesAsText,
  charsLength,
  floatText,
  latin1,
  NEWEST_RELEASE,
  type PrintableRange,
  printableBinary,
  printableList,
  quoteAtom,
  quoteFunName,
  quoteText,
} from "./quote.ts";

export interface FormatOptions {
  /** `~tp` breaks lines, `~0tp` does not; `~tw` shows no list or binary as text. `~tp` by default. */
  mode?: "~tp" | "~0tp" | "~tw";
  /** Where `~tp` breaks lines; 80 by default. */
  lineLength?: number;
  /** The column at which printing begins, from 1; 1 by default. */
  column?: number;
  /** latin1 by default, as in `erl`; unicode is what `erl +pc unicode` prints. */
  printableRange?: PrintableRange;
  /** Keys of maps: as they came (default), or in term order as `~ktp` prints them. */
  mapOrder?: "asGiven" | "ordered";
  /** The first number of a pid, port or reference of that node, instead of the node's name. */
  nodeNumber?: (node: Atom) => number;
  /** As Erlang writes terms (default), or as Elixir's `inspect`, which is always one line. */
  syntax?: "erlang" | "elixir";
  /** In Elixir's syntax: `~c"abc"` (default, as 1.15 and later), or `'abc'`. */
  charlists?: "sigil" | "quotes";
  /** The OTP release whose details are followed (see quote.ts); 29 by default. */
  release?: number;
  /** How an integer beyond 2^53 is written. Default: in decimal, which takes long for very large ones. */
  integerText?: (value: bigint) => string;
  /**
   * Whether a term of so many parts may be laid out in lines, which takes some microseconds each; else
   * it is put on one line. Long text counts as several. Default: it may.
   */
  mayLayOut?: (parts: number) => boolean;
}

/** Entries of a map up to which OTP keeps it as an array; above, as a tree of hashes. */
const MAX_FLAT_MAP = 32;

const NUMBERS_AT_ONCE = 64 * 1024;

/** Levels that are laid out in lines. */
const MAX_PRETTY_DEPTH = 400;

/**
 * A term as Erlang prints it, or as Elixir does.
 *
 * @throws EtfEncodeError ETF_NOT_A_TERM
 */
export function format(term: TermInput, options: FormatOptions = {}): string {
  const printer = new Printer(options);
  if (options.syntax === "elixir") return printer.elixir(term);
  const { text, depth, parts } = printer.flat(term);
  const lineLength = options.lineLength ?? 80;
  const column = Math.max(1, options.column ?? 1);
  if (options.mode === "~tw" || options.mode === "~0tp" || lineLength === 0) return text;
  if (depth > MAX_PRETTY_DEPTH) return text;
  // Short text has the length of its UTF-16 at most.
  if (text.length < lineLength - column) return text;
  if (options.mayLayOut?.(parts + textParts(text)) === false) return text;
  if (charsLength(text) < lineLength - column) return text;
  return layOut(printer.node(term), column, lineLength);
}

/** What the text of parts counts: a binary is broken anywhere, and what is not Latin-1 takes long to measure. */
function textParts(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is Latin-1
  return /[^\x00-\xff]/.test(text) ? text.length : text.length >> 5;
}

interface Parts extends FlatParts {
  kind: "list" | "tuple" | "map" | "record";
}

const comma = (place: number): string => (place === 0 ? "" : ",");
const arrow = (place: number): string => (place % 2 === 1 ? " => " : comma(place));

class Printer {
  private readonly options: FormatOptions;
  private readonly asText: boolean;
  private readonly range: PrintableRange;
  private readonly release: number;

  constructor(options: FormatOptions) {
    this.options = options;
    this.asText = options.mode !== "~tw";
    this.range = options.printableRange ?? "latin1";
    this.release = options.release ?? NEWEST_RELEASE;
  }

  /** Everything on one line; and how many levels of containers, and parts, there are. */
  flat(root: unknown): { text: string; depth: number; parts: number } {
    return flatText(root, (value) => this.open(value));
  }

  /** On one line, as Elixir prints it. */
  elixir(root: TermInput): string {
    const { charlists } = this.options;
    return elixirText(root, {
      ...(charlists === undefined ? {} : { charlists }),
      nodeText: (node) => this.nodeText(node),
      pairs: (map) => this.pairs(map),
    });
  }

  /** The term as a tree for the layout in lines. */
  node(value: unknown): Node {
    const parts = this.open(value);
    if (typeof parts === "string") {
      // Numbers of a binary may be broken anywhere, text may not.
      const numbers = /^<<\d/.test(parts);
      return {
        kind: numbers ? "binary" : "text",
        text: parts,
        length: charsLength(parts),
        children: [],
      };
    }
    let length = parts.open.length + parts.close.length;
    const children = parts.items.map((item, place) => {
      const child = this.node(item);
      const before = parts.before(place);
      length += child.length + charsLength(before);
      return child;
    });
    const names =
      parts.kind === "record" ? parts.items.map((_, i) => parts.before(i).replace(/^,/, "")) : [];
    const first = parts.items[0];
    return {
      kind: parts.kind,
      text: parts.open,
      length,
      children,
      names,
      improper: value instanceof ImproperList,
      tagged:
        parts.kind === "tuple" &&
        parts.items.length > 1 &&
        (first instanceof Atom || typeof first === "boolean"),
    };
  }

  /** A leaf's text, or the parts of a container. */
  private open(value: unknown): string | Parts {
    const term = normalize(value);
    if (typeof term === "number") {
      if (!Number.isFinite(term)) throw notATerm(term);
      return String(term);
    }
    if (typeof term === "bigint") return this.options.integerText?.(term) ?? String(term);
    if (typeof term === "boolean") return String(term);
    if (term instanceof Atom) return this.atom(term);
    if (term instanceof Float) return floatText(term.value, this.release);
    if (term instanceof Uint8Array) return this.binary(term);
    if (Array.isArray(term)) {
      if (term instanceof Tuple) return bracket("tuple", "{", "}", term);
      return this.list(term);
    }
    if (term instanceof ImproperList) {
      const items = [...term.elements, term.tail];
      const before = (place: number) => (place === items.length - 1 ? "|" : comma(place));
      return { kind: "list", open: "[", close: "]", items, before };
    }
    if (term instanceof BitString) return bits(term);
    if (term instanceof Pid) return `<${this.nodeText(term.node)}.${term.id}.${term.serial}>`;
    if (term instanceof Port) return `#Port<${this.nodeText(term.node)}.${term.id}>`;
    if (term instanceof Reference) {
      return `#Ref<${[this.nodeText(term.node), ...[...term.ids].reverse()].join(".")}>`;
    }
    if (term instanceof ExternalFun) {
      const { module, function: fun, arity } = term;
      return `fun ${this.funName(module)}:${this.funName(fun)}/${arity}`;
    }
    if (term instanceof LocalFun) {
      return `#Fun<${bytesAsText(term.module.name)}.${term.oldIndex}.${term.oldUniq}>`;
    }
    if (term instanceof NativeRecord) return this.record(term);
    if (term instanceof OpaqueTerm) return `#Opaque<${term.bytes.length}>`;
    return this.map(MapBase.require(term));
  }

  private list(list: readonly unknown[]): string | Parts {
    if (list.length === 0) return "[]";
    const text = this.asText ? printableList(list, this.range) : null;
    return text === null ? bracket("list", "[", "]", list) : quoteText(text, '"');
  }

  private binary(bytes: Uint8Array): string {
    const text = this.asText ? printableBinary(bytes, this.range, this.release) : null;
    return text ?? `<<${numbers(bytes)}>>`;
  }

  private map(map: MapBase): string | Parts {
    const items = this.pairs(map);
    if (items.length === 0) return "#{}";
    return { kind: "map", open: "#{", close: "}", items, before: arrow };
  }

  private pairs(map: MapBase): unknown[] {
    const items: unknown[] = [];
    if (this.options.mapOrder === "ordered") {
      for (const key of sortedKeys(map)) items.push(key, map.get(key));
    } else {
      const pairs = map.toPairs();
      if (map.size <= MAX_FLAT_MAP) return [...pairs];
      // What OTP writes of a large map is in the reverse of the order in which it prints it.
      for (let i = pairs.length - 2; i >= 0; i -= 2) items.push(pairs[i], pairs[i + 1]);
    }
    return items;
  }

  private record(term: NativeRecord): string | Parts {
    const open = `#${this.atom(term.module)}:${this.atom(term.recordName)}{`;
    if (term.values.length === 0) return `${open}}`;
    const before = (place: number) => `${comma(place)}${this.atom(term.fields[place]!)} = `;
    return { kind: "record", open, close: "}", items: term.values, before };
  }

  private atom(atom: Atom): string {
    return quoteAtom(atom.name, this.release);
  }

  private funName(atom: Atom): string {
    return quoteFunName(atom.name, this.release);
  }

  private nodeText(node: Atom): string {
    const number = this.options.nodeNumber?.(node);
    if (number !== undefined) return String(number);
    return node.name === "nonode@nohost" ? "0" : this.atom(node);
  }
}

function bracket(
  kind: Parts["kind"],
  open: string,
  close: string,
  items: readonly unknown[],
): string | Parts {
  return items.length === 0 ? open + close : { kind, open, close, items, before: comma };
}

/** Numbers of three digits at most, with commas between them; `join` takes many times as long. */
function numbers(bytes: Uint8Array): string {
  const digits = new Uint8Array(4 * Math.min(bytes.length, NUMBERS_AT_ONCE));
  let text = "";
  for (let from = 0; from < bytes.length; from += NUMBERS_AT_ONCE) {
    const to = Math.min(bytes.length, from + NUMBERS_AT_ONCE);
    let at = 0;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      if (i > 0) digits[at++] = 0x2c;
      if (byte >= 100) digits[at++] = 0x30 + Math.floor(byte / 100);
      if (byte >= 10) digits[at++] = 0x30 + (Math.floor(byte / 10) % 10);
      digits[at++] = 0x30 + (byte % 10);
    }
    text += latin1(digits.subarray(0, at));
  }
  return text;
}

function bits(term: BitString): string {
  const { bytes, lastBits } = term;
  const whole = [...bytes.subarray(0, -1)];
  return `<<${[...whole, `${bytes[bytes.length - 1]! >> (8 - lastBits)}:${lastBits}`].join(",")}>>`;
}
