/**
 * The printing functions of OTP's io_lib that an I/O device may be asked for: format/2, fwrite/2, write/1,
 * print/1 and nl/0.
 *
 * Spec: stdlib, io:fwrite/2. A control sequence is `~F.P.PadModC`: field width, precision, padding
 * character, modifiers `t`, `l`, `k`, `K`, control character. A number may be `*`, which takes it from
 * the arguments. Left out: the depth of `~W` and `~P`, and that `~w` and `~p` without `t` show
 * characters beyond Latin-1 as numbers; here terms are printed as with `t`. format-limits.ts has the
 * limits.
 */
import { atomOf, Float, isAtom, isInteger, isList, type Term } from "../../../etf/index.ts";
import { chardataToText } from "./chardata.ts";
import { exponential, fixed, general } from "./float-text.ts";
import { FormatMismatch, Work } from "./format-limits.ts";

const CONTROL = /~(-?(?:\d+|\*))?(?:\.(\d+|\*)?)?(?:\.(.))?([tlkK]*)([a-zA-Z#~+])/gsu;

/**
 * The text that `io_lib:Name(Args...)` returns; undefined for other functions, and when the arguments do
 * not fit the format.
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

/** The text that `io_lib:format/2` returns; undefined when the arguments do not fit the format. */
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

interface Spec {
  readonly width: number | undefined;
  /** Whether the text is at the left of its field. */
  readonly left: boolean;
  readonly precision: number | undefined;
  readonly pad: string;
  readonly unicode: boolean;
  /** Whether no list or binary is shown as text. */
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
      // Erlang cuts terms at the depth that follows; here they are printed in full.
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

/** A text in its field. One that does not fit becomes stars, up to the precision. */
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

/** A character, repeated as often as the precision says, or the width without one. */
function characters(spec: Spec, character: string): string {
  const count = spec.precision ?? spec.width ?? 1;
  const width = spec.width ?? count;
  if (width < count) throw new FormatMismatch();
  return padded(spec, character.repeat(count), width - count);
}

/** A text, cut or padded to the precision, in its field. */
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

const SURROGATE = /[\ud800-\udfff]/;

function characterCount(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function firstCharacters(text: string, count: number): string {
  if (count >= text.length) return text;
  // Looks at no more characters than needed.
  if (!SURROGATE.test(text.slice(0, count))) return text.slice(0, count);
  let at = 0;
  for (let left = count; left > 0 && at < text.length; left--) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, at);
}
