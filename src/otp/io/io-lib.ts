/**
 * The printing functions of OTP's io_lib that reach an I/O device: format/2, fwrite/2, write/1,
 * print/1 and nl/0.
 *
 * Spec: stdlib, io:fwrite/2. A control sequence is `~F.P.PadModC`: field width, precision, padding
 * character, modifiers `t`, `l`, `k`, `K`, control character. Numbers may be `*`, taken from the
 * arguments. Left out: the depth of `~W` and `~P`, and that `~w` and `~p` without `t` show
 * characters beyond Latin-1 as numbers; terms are printed as etf/text does with `t`.
 *
 * Where OTP takes as long as it takes: one format has 10,000 control sequences at most, whose widths and
 * precisions ask for a million characters at most, else it does not fit; integers beyond 64 KiB are written in base 16, as `16#1F`; and
 * terms of more than 20,000 parts are put on one line.
 */
import {
  atomOf,
  Float,
  type FormatOptions,
  format,
  isAtom,
  isInteger,
  isList,
  type Term,
  utf8Text,
} from "../../../etf/index.ts";

/*
 * Requests come from other nodes, and no request may hold up the program: what a format asks for
 * beyond what it brings along has a bound, `Work`.
 */
const CONTROL = /~(-?(?:\d+|\*))?(?:\.(\d+|\*)?)?(?:\.(.))?([tlkK]*)([a-zA-Z#~+])/gsu;
/** Characters that all widths and precisions of a format may ask for: nobody needs more. */
const MAX_FIELD = 1_000_000;
/** Up to so much a width or precision asks for nothing worth counting. */
const SMALL_FIELD = 256;
/** Integers of up to so many bytes are always written in decimal. */
const SMALL_INTEGER_BYTES = 1024;
/** Of larger ones those whose squares of bytes add up to this: their text takes that long. */
const DECIMAL_WORK = (64 * 1024) ** 2;
/** Control sequences of one format. */
const MAX_CONTROLS = 10_000;
/** Parts of terms that are laid out in lines. */
const MAX_LAID_OUT = 20_000;

/**
 * The text of `io_lib:Name(Args...)`; undefined when the function is none of those printed here,
 * or the arguments do not fit the format.
 */
export function ioLibCall(module: Term, name: Term, args: Term): string | undefined {
  if (!isAtom(module, "io_lib") || !isAtom(name) || !isList(args)) {
    return undefined;
  }
  const [first, second] = args;
  switch (`${name.name}/${args.length}`) {
    case "format/2":
    case "fwrite/2":
      return isList(second) ? ioLibFormat(first as Term, second) : undefined;
    case "write/1":
      return new Work().text(first as Term, { mode: "~tw" });
    case "print/1":
      return new Work().text(first as Term, { mode: "~tp" });
    case "nl/0":
      return "\n";
    default:
      return undefined;
  }
}

/** `io_lib:format/2`; undefined when the arguments do not fit. */
export function ioLibFormat(template: Term, args: readonly Term[]): string | undefined {
  const text = atomOf(template)?.name ?? chardataToText(template, false);
  if (text === undefined) return undefined;
  const work = new Work();
  let taken = 0;
  const next = (): Term => {
    const arg = args[taken++];
    if (arg === undefined) throw new FormatMismatch();
    return arg;
  };
  const output: string[] = [];
  let column = 0;
  const add = (piece: string): void => {
    const newline = piece.lastIndexOf("\n");
    column = newline < 0 ? column + piece.length : piece.length - 1 - newline;
    output.push(piece);
  };
  try {
    let at = 0;
    for (const found of text.matchAll(CONTROL)) {
      const between = text.slice(at, found.index);
      if (between.includes("~")) return undefined;
      add(between);
      add(control(readSpec(found, next, work), next, column, work));
      at = found.index + found[0].length;
    }
    const rest = text.slice(at);
    if (rest.includes("~") || taken < args.length) return undefined;
    output.push(rest);
    return output.join("");
  } catch (error) {
    if (error instanceof FormatMismatch) return undefined;
    throw error;
  }
}

/**
 * The text of chardata, a binary or a list of code points, binaries and such lists; undefined if
 * it is none. `orBytes` takes a binary that is no UTF-8 for one of Latin-1.
 */
export function chardataToText(chars: Term, latin1: boolean, orBytes = false): string | undefined {
  if (typeof chars === "number") return undefined;
  const text = new TextBuilder();
  const lists: { readonly items: readonly Term[]; next: number }[] = [];
  let list = { items: [chars] as readonly Term[], next: 0 };
  for (;;) {
    while (list.next === list.items.length) {
      const outer = lists.pop();
      if (outer === undefined) return text.done();
      list = outer;
    }
    const item = list.items[list.next++];
    if (typeof item === "number") {
      if (item < 0 || item > 0x10ffff || (item >= 0xd800 && item <= 0xdfff)) return undefined;
      if (latin1 && item > 255) return undefined;
      text.point(item);
    } else if (item instanceof Uint8Array) {
      const decoded = latin1 ? null : utf8Text(item);
      if (decoded === null && !latin1 && !orBytes) return undefined;
      text.text(decoded ?? latin1Text(item));
    } else if (isList(item)) {
      if (item.length === 0) continue;
      lists.push(list);
      list = { items: item, next: 0 };
    } else {
      return undefined;
    }
  }
}

/** Builds a text of single characters and pieces. */
class TextBuilder {
  readonly #parts: string[] = [];
  readonly #units: number[] = [];

  point(code: number): void {
    const units = this.#units;
    if (code < 0x10000) units.push(code);
    else units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    if (units.length >= 4096) this.#flush();
  }

  text(piece: string): void {
    this.#flush();
    this.#parts.push(piece);
  }

  done(): string {
    this.#flush();
    return this.#parts.join("");
  }

  #flush(): void {
    if (this.#units.length === 0) return;
    this.#parts.push(String.fromCharCode(...this.#units));
    this.#units.length = 0;
  }
}

/** What one format, or one term, may cost beyond its own size. */
class Work {
  #controls = MAX_CONTROLS;
  #field = MAX_FIELD;
  #decimal = DECIMAL_WORK;
  #laidOut = MAX_LAID_OUT;
  readonly #decimals = new Map<bigint, string>();

  /**
   * One more control sequence, with the larger of its width and precision.
   * @throws FormatMismatch when they are too many, or ask for too much in all
   */
  control(size: number): void {
    this.#controls--;
    if (size > SMALL_FIELD) this.#field -= size;
    if (this.#controls < 0 || this.#field < 0) throw new FormatMismatch();
  }

  /** A term's text; long terms are not laid out in lines any more when many have been. */
  text(term: Term, options: FormatOptions): string {
    return format(term, {
      ...options,
      integerText: (value) => this.integer(value),
      mayLayOut: (parts) => {
        if (parts > this.#laidOut) return false;
        this.#laidOut -= parts;
        return true;
      },
    });
  }

  /** An integer in decimal, or as `16#1F`. */
  integer(value: bigint): string {
    return this.digits(value, 10) ?? based16(value);
  }

  /** The digits of an integer, its sign before them; undefined when they take too long. */
  digits(value: bigint, base: number): string | undefined {
    // Nothing below 2^1024 takes long.
    if ((base & (base - 1)) === 0 || Number.isFinite(Number(value))) return value.toString(base);
    // What is laid out is written twice.
    const known = base === 10 ? this.#decimals.get(value) : undefined;
    if (known !== undefined) return known;
    const bytes = value.toString(16).length / 2;
    if (bytes > SMALL_INTEGER_BYTES) {
      if (this.#decimal < bytes ** 2) return undefined;
      this.#decimal -= bytes ** 2;
    }
    const text = value.toString(base);
    if (base === 10) this.#decimals.set(value, text);
    return text;
  }
}

function based16(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString(16).toUpperCase();
  return `${value < 0n ? "-" : ""}16#${digits}`;
}

class FormatMismatch extends Error {}

interface Spec {
  readonly width: number | undefined;
  /** The text stands at the left of its field. */
  readonly left: boolean;
  readonly precision: number | undefined;
  readonly pad: string;
  readonly unicode: boolean;
  /** No list or binary is shown as text. */
  readonly noText: boolean;
  readonly control: string;
}

function readSpec(found: RegExpMatchArray, next: () => Term, work: Work): Spec {
  const [, width, precision, pad, modifiers = "", letter = ""] = found;
  const signed = readNumber(width, next);
  const digits = readNumber(precision, next);
  if (digits !== undefined && digits < 0) throw new FormatMismatch();
  work.control(Math.max(Math.abs(signed ?? 0), digits ?? 0));
  return {
    width: signed === undefined ? undefined : Math.abs(signed),
    left: signed !== undefined && signed < 0,
    precision: digits,
    pad: pad === "*" ? characterOf(integer(next()), true) : (pad ?? " "),
    unicode: modifiers.includes("t"),
    noText: modifiers.includes("l"),
    control: letter,
  };
}

function readNumber(text: string | undefined, next: () => Term): number | undefined {
  if (text === undefined) return undefined;
  const given = text.endsWith("*") ? next() : Number(text);
  if (typeof given !== "number") throw new FormatMismatch();
  return text === "-*" ? -given : given;
}

function control(spec: Spec, next: () => Term, at: number, work: Work): string {
  switch (spec.control) {
    case "~":
      return characters(spec, "~");
    case "n":
      if (spec.left) throw new FormatMismatch();
      return "\n".repeat(spec.width ?? 1);
    case "c":
      return characters(spec, characterOf(integer(next()), spec.unicode));
    case "s":
      return string(spec, next());
    case "w":
      return plain(spec, next(), work);
    case "p":
      return pretty(spec, next(), at, work);
    case "W":
    case "P": {
      const term = next();
      // The depth that follows cuts long terms short in Erlang; here they are printed whole.
      integer(next());
      return spec.control === "W" ? plain(spec, term, work) : pretty(spec, term, at, work);
    }
    case "f":
      return field(spec, fixed(float(next()), spec.precision ?? 6));
    case "e":
      return field(spec, exponential(float(next()), spec.precision ?? 6));
    case "g":
      return field(spec, general(float(next()), spec.precision ?? 6));
    case "B":
    case "b":
      return field(spec, inBase(spec, integer(next()), "", work));
    case "X":
    case "x": {
      const value = integer(next());
      const prefix = next();
      const shown = atomOf(prefix)?.name ?? (isList(prefix) && chardataToText(prefix, true));
      if (typeof shown !== "string") throw new FormatMismatch();
      return field(spec, inBase(spec, value, shown, work));
    }
    case "#":
    case "+":
      return field(spec, inBase(spec, integer(next()), `${spec.precision ?? 10}#`, work));
    case "i":
      next();
      return "";
    default:
      throw new FormatMismatch();
  }
}

/** Text in its field. What does not fit becomes stars, as many as the precision allows. */
function field(spec: Spec, text: string, precision?: number): string {
  const width = spec.width ?? precision;
  if (width === undefined) return text;
  const length = characterCount(text);
  const limit = Math.min(length, width, precision ?? width);
  return length > limit
    ? padded(spec, "*".repeat(limit), width - limit)
    : padded(spec, text, width - length);
}

function padded(spec: Spec, text: string, count: number): string {
  const padding = spec.pad.repeat(count);
  return spec.left ? text + padding : padding + text;
}

function characterOf(code: bigint, unicode: boolean): string {
  const point = Number(unicode ? code : BigInt.asUintN(8, code));
  if (point > 0x10ffff || point < 0) throw new FormatMismatch();
  return String.fromCodePoint(point);
}

/** A character as often as the precision says, or the width if there is no precision. */
function characters(spec: Spec, character: string): string {
  const count = spec.precision ?? spec.width ?? 1;
  const width = spec.width ?? count;
  if (width < count) throw new FormatMismatch();
  return padded(spec, character.repeat(count), width - count);
}

/** Text cut or filled up to the precision, at the left; and that in a field. */
function string(spec: Spec, term: Term): string {
  const shown = stringOf(term, spec.unicode);
  const { width, precision } = spec;
  if (shown === undefined) throw new FormatMismatch();
  if (width === undefined && precision === undefined) return shown;
  const size = precision ?? width!;
  if (width !== undefined && width < size) throw new FormatMismatch();
  const cut = firstCharacters(shown, size);
  const missing = Math.max(0, size - characterCount(cut));
  if (width === undefined || width > size) {
    const filled = cut + spec.pad.repeat(missing);
    return padded(spec, filled, (width ?? size) - size);
  }
  return padded(spec, cut, missing);
}

function stringOf(term: Term, unicode: boolean): string | undefined {
  const name = atomOf(term)?.name;
  if (name === undefined) return chardataToText(term, !unicode, true);
  return unicode || /^[\0-\xff]*$/.test(name) ? name : undefined;
}

function plain(spec: Spec, term: Term, work: Work): string {
  return field(spec, work.text(term, { mode: "~tw" }), spec.precision);
}

function pretty(spec: Spec, term: Term, at: number, work: Work): string {
  if (spec.left) throw new FormatMismatch();
  if (spec.noText) return work.text(term, { mode: "~tw" });
  return work.text(term, {
    mode: "~tp",
    lineLength: spec.width ?? 80,
    column: spec.precision ?? at + 1,
  });
}

function integer(term: Term): bigint {
  if (!isInteger(term)) throw new FormatMismatch();
  return BigInt(term);
}

function float(term: Term): number {
  if (term instanceof Float) return term.value;
  throw new FormatMismatch();
}

function inBase(spec: Spec, value: bigint, prefix: string, work: Work): string {
  const base = spec.precision ?? 10;
  if (base < 2 || base > 36) throw new FormatMismatch();
  const digits = work.digits(value < 0n ? -value : value, base);
  if (digits === undefined) throw new FormatMismatch();
  const upper = "BX#".includes(spec.control);
  return `${value < 0n ? "-" : ""}${prefix}${upper ? digits.toUpperCase() : digits}`;
}

/** Significant digits of a float, as float_to_list/1 has them. */
const DIGITS = 21;

/** The first digits of a float, and the power of ten of the first of them. */
function decimal(value: number): { digits: string; power: number } {
  const [mantissa = "", power = ""] = Math.abs(value)
    .toExponential(DIGITS - 1)
    .split("e");
  return { digits: mantissa.replace(".", ""), power: Number(power) };
}

/** The integer that some digits times a power of ten are, rounded half up. */
function scaled(digits: string, power: number): string {
  if (power >= 0) return digits.replace(/^0+(?=.)/, "") + "0".repeat(power);
  // Half of one more is below the first digit: it rounds to 0.
  if (-power > digits.length) return "0";
  const divisor = 10n ** BigInt(-power);
  return String((BigInt(digits) + divisor / 2n) / divisor);
}

function sign(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

function fixed(value: number, places: number): string {
  if (places < 1) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, power - DIGITS + 1 + places).padStart(places + 1, "0");
  return `${sign(value)}${text.slice(0, -places)}.${text.slice(-places)}`;
}

function exponential(value: number, precision: number): string {
  if (precision < 2) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, precision - DIGITS).padEnd(precision, "0");
  // Rounded up to one digit more, as 9.99 to 10.0.
  const raised = power + text.length - precision;
  const mantissa = `${text[0]}.${text.slice(1, precision)}`;
  return `${sign(value)}${mantissa}e${raised < 0 ? "-" : "+"}${Math.abs(raised)}`;
}

/** Without an exponent from 0.1 to 9999, where the digits asked for suffice. */
function general(value: number, precision: number): string {
  if (precision < 1) throw new FormatMismatch();
  const size = Math.abs(value);
  const power = [0.1, 1, 10, 100, 1000, 10_000].findIndex((limit) => size < limit) - 2;
  const places = precision - 1 - power;
  if (size >= 0.1 && size < 10_000 && places > 0) return fixed(value, places);
  return exponential(value, Math.max(precision, 2));
}

const SURROGATE = /[\ud800-\udfff]/;

function characterCount(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function firstCharacters(text: string, count: number): string {
  if (count >= text.length) return text;
  // No more characters are looked at than are asked for.
  if (!SURROGATE.test(text.slice(0, count))) return text.slice(0, count);
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left--) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, at);
}

function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
