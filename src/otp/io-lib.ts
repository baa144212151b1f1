/**
 * The printing functions of OTP's io_lib that reach an I/O device: format/2, fwrite/2, write/1,
 * print/1 and nl/0.
 *
 * Spec: stdlib, io:fwrite/2. A control sequence is `~F.P.PadModC`: field width, precision, padding
 * character, modifiers `t`, `l`, `k`, `K`, control character. Numbers may be `*`, taken from the
 * arguments. Left out: the depth of `~W` and `~P`, and that `~w` and `~p` without `t` show
 * characters beyond Latin-1 as numbers; terms are printed as etf/text does with `t`.
 */
import { Float, format, isAtom, isInteger, isList, type Term } from "../../etf/index.ts";

const CONTROL = /~(-?(?:\d+|\*))?(?:\.(\d+|\*)?)?(?:\.(.))?([tlkK]*)([a-zA-Z#~+])/gsu;
/** Characters that a width or precision may ask for: nobody needs more, and memory has an end. */
const MAX_FIELD = 1_000_000;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of `io_lib:Name(Args...)`; undefined when the function is none of those printed here,
 * or the arguments do not fit the format.
 */
export function ioLibCall(module: Term, name: Term, args: Term): string | undefined {
  if (!isAtom(module) || module.name !== "io_lib" || !isAtom(name) || !isList(args)) {
    return undefined;
  }
  const [first, second] = args;
  switch (`${name.name}/${args.length}`) {
    case "format/2":
    case "fwrite/2":
      return isList(second) ? ioLibFormat(first as Term, second) : undefined;
    case "write/1":
      return format(first as Term, { mode: "~tw" });
    case "print/1":
      return format(first as Term, { mode: "~tp" });
    case "nl/0":
      return "\n";
    default:
      return undefined;
  }
}

/** `io_lib:format/2`; undefined when the arguments do not fit. */
export function ioLibFormat(template: Term, args: readonly Term[]): string | undefined {
  const text = isAtom(template) ? template.name : chardataToText(template, false);
  if (text === undefined) return undefined;
  const pending = [...args];
  const next = (): Term => {
    const arg = pending.shift();
    if (arg === undefined) throw new FormatMismatch();
    return arg;
  };
  try {
    let output = "";
    let at = 0;
    for (const found of text.matchAll(CONTROL)) {
      const between = text.slice(at, found.index);
      if (between.includes("~")) return undefined;
      output += between;
      output += control(readSpec(found, next), next, column(output));
      at = found.index + found[0].length;
    }
    const rest = text.slice(at);
    if (rest.includes("~") || pending.length > 0) return undefined;
    return output + rest;
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
  const parts: string[] = [];
  const pending: Term[] = [chars];
  while (pending.length > 0) {
    const item = pending.pop() as Term;
    if (typeof item === "number") {
      if (item < 0 || item > 0x10ffff || (item >= 0xd800 && item <= 0xdfff)) return undefined;
      if (latin1 && item > 255) return undefined;
      parts.push(String.fromCodePoint(item));
    } else if (item instanceof Uint8Array) {
      const text = latin1 ? undefined : utf8Text(item);
      if (text === undefined && !latin1 && !orBytes) return undefined;
      parts.push(text ?? latin1Text(item));
    } else if (isList(item)) {
      for (let index = item.length - 1; index >= 0; index--) pending.push(item[index] as Term);
    } else {
      return undefined;
    }
  }
  return parts.join("");
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

function readSpec(found: RegExpMatchArray, next: () => Term): Spec {
  const [, width, precision, pad, modifiers = "", letter = ""] = found;
  const signed = readNumber(width, next);
  const digits = readNumber(precision, next);
  if (digits !== undefined && digits < 0) throw new FormatMismatch();
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
  if (typeof given !== "number" || Math.abs(given) > MAX_FIELD) throw new FormatMismatch();
  return text === "-*" ? -given : given;
}

function control(spec: Spec, next: () => Term, at: number): string {
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
      return plain(spec, next());
    case "p":
      return pretty(spec, next(), at);
    case "W":
    case "P": {
      const term = next();
      // The depth that follows cuts long terms short in Erlang; here they are printed whole.
      integer(next());
      return spec.control === "W" ? plain(spec, term) : pretty(spec, term, at);
    }
    case "f":
      return field(spec, fixed(float(next()), spec.precision ?? 6));
    case "e":
      return field(spec, exponential(float(next()), spec.precision ?? 6));
    case "g":
      return field(spec, general(float(next()), spec.precision ?? 6));
    case "B":
    case "b":
      return field(spec, inBase(spec, integer(next()), ""));
    case "X":
    case "x": {
      const value = integer(next());
      const prefix = next();
      const shown = isAtom(prefix) ? prefix.name : isList(prefix) && chardataToText(prefix, true);
      if (typeof shown !== "string") throw new FormatMismatch();
      return field(spec, inBase(spec, value, shown));
    }
    case "#":
    case "+":
      return field(spec, inBase(spec, integer(next()), `${spec.precision ?? 10}#`));
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
  const length = [...text].length;
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
  const points = [...shown];
  const size = precision ?? width!;
  if (width !== undefined && width < size) throw new FormatMismatch();
  const cut = points.slice(0, size).join("");
  const missing = Math.max(0, size - points.length);
  if (width === undefined || width > size) {
    const filled = cut + spec.pad.repeat(missing);
    return padded(spec, filled, (width ?? size) - size);
  }
  return padded(spec, cut, missing);
}

function stringOf(term: Term, unicode: boolean): string | undefined {
  if (typeof term === "boolean") return String(term);
  if (!isAtom(term)) return chardataToText(term, !unicode, true);
  return unicode || /^[\0-\xff]*$/.test(term.name) ? term.name : undefined;
}

function plain(spec: Spec, term: Term): string {
  return field(spec, format(term, { mode: "~tw" }), spec.precision);
}

function pretty(spec: Spec, term: Term, at: number): string {
  if (spec.left) throw new FormatMismatch();
  if (spec.noText) return format(term, { mode: "~tw" });
  return format(term, {
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

function inBase(spec: Spec, value: bigint, prefix: string): string {
  const base = spec.precision ?? 10;
  if (base < 2 || base > 36) throw new FormatMismatch();
  const digits = (value < 0n ? -value : value).toString(base);
  const upper = "BX#".includes(spec.control);
  return `${value < 0n ? "-" : ""}${prefix}${upper ? digits.toUpperCase() : digits}`;
}

/** Significant digits of a float, as float_to_list/1 has them. */
const DIGITS = 21;

/** The first digits of a float as an integer, and the power of ten of its first digit. */
function decimal(value: number): { digits: bigint; power: number } {
  const [mantissa = "", power = ""] = Math.abs(value)
    .toExponential(DIGITS - 1)
    .split("e");
  return { digits: BigInt(mantissa.replace(".", "")), power: Number(power) };
}

/** An integer times a power of ten, rounded half up. */
function scaled(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (value + divisor / 2n) / divisor;
}

function sign(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

function fixed(value: number, places: number): string {
  if (places < 1) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, power - DIGITS + 1 + places)
    .toString()
    .padStart(places + 1, "0");
  return `${sign(value)}${text.slice(0, -places)}.${text.slice(-places)}`;
}

function exponential(value: number, precision: number): string {
  if (precision < 2) throw new FormatMismatch();
  const { digits, power } = decimal(value);
  const text = scaled(digits, precision - DIGITS)
    .toString()
    .padEnd(precision, "0");
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

function column(output: string): number {
  return output.length - 1 - output.lastIndexOf("\n");
}

function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
