/**
 * The printing functions of OTP's io_lib that reach an I/O device: format/2, fwrite/2, write/1,
 * print/1 and nl/0.
 *
 * Spec: stdlib, io:fwrite/2. A control sequence is `~F.P.PadModC`: field width, precision, padding
 * character, modifiers `t`, `l`, `k`, `K`, control character. Numbers may be `*`, taken from the
 * arguments. Precision of `~p` and `~w` columns is that of etf/text.
 */
import { Float, format, isAtom, isInteger, isList, type Term } from "../../etf/index.ts";

const CONTROL = /~(-?\d+|\*)?(?:\.(-?\d+|\*)?)?(?:\.(.))?([tlkK]*)([a-zA-Z#~+])/gsu;
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

/** The text of chardata: code points, binaries, and lists of them; undefined if it is none. */
export function chardataToText(chars: Term, latin1: boolean): string | undefined {
  const parts: string[] = [];
  const pending: Term[] = [chars];
  while (pending.length > 0) {
    const item = pending.pop() as Term;
    if (typeof item === "number") {
      if (item < 0 || item > 0x10ffff || (item >= 0xd800 && item <= 0xdfff)) return undefined;
      if (latin1 && item > 255) return undefined;
      parts.push(String.fromCodePoint(item));
    } else if (item instanceof Uint8Array) {
      const text = latin1 ? latin1Text(item) : utf8Text(item);
      if (text === undefined) return undefined;
      parts.push(text);
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
  /** Negative aligns to the left. */
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly pad: string;
  readonly unicode: boolean;
  readonly control: string;
}

function readSpec(found: RegExpMatchArray, next: () => Term): Spec {
  const [, width, precision, pad, modifiers = "", letter = ""] = found;
  return {
    width: readNumber(width, next),
    precision: readNumber(precision, next),
    pad: pad ?? " ",
    unicode: modifiers.includes("t"),
    control: letter,
  };
}

function readNumber(text: string | undefined, next: () => Term): number | undefined {
  if (text === undefined) return undefined;
  if (text !== "*") return Number(text);
  const given = next();
  if (typeof given !== "number") throw new FormatMismatch();
  return given;
}

function control(spec: Spec, next: () => Term, at: number): string {
  switch (spec.control) {
    case "~":
      return "~".repeat(Math.abs(spec.width ?? 1));
    case "n":
      return "\n".repeat(Math.abs(spec.width ?? 1));
    case "c":
      return characters(spec, integer(next()));
    case "s":
      return string(spec, next());
    case "w":
      return field(spec, format(next(), { mode: "~tw" }));
    case "p":
      return pretty(spec, next(), at);
    case "W":
    case "P": {
      const term = next();
      // The depth that follows cuts long terms short in Erlang; here they are printed whole.
      integer(next());
      return spec.control === "W"
        ? field(spec, format(term, { mode: "~tw" }))
        : pretty(spec, term, at);
    }
    case "f":
      return field(spec, float(next()).toFixed(spec.precision ?? 6));
    case "e":
      return field(spec, exponent(float(next()), (spec.precision ?? 6) - 1));
    case "g":
      return field(spec, general(float(next()), spec.precision ?? 6));
    case "B":
    case "b":
      return field(spec, inBase(spec, integer(next()), ""));
    case "X":
    case "x": {
      const value = integer(next());
      const prefix = next();
      const shown = isAtom(prefix) ? prefix.name : chardataToText(prefix, false);
      if (shown === undefined) throw new FormatMismatch();
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

/** Pads to the field's width; what does not fit becomes stars, as in Erlang. */
function field(spec: Spec, text: string): string {
  if (spec.width === undefined) return text;
  const width = Math.abs(spec.width);
  const length = [...text].length;
  if (length > width) return "*".repeat(width);
  const padding = spec.pad.repeat(width - length);
  return spec.width < 0 ? text + padding : padding + text;
}

function characters(spec: Spec, code: bigint): string {
  const point = Number(spec.unicode ? code : BigInt.asUintN(8, code));
  if (point > 0x10ffff || point < 0) throw new FormatMismatch();
  const width = Math.abs(spec.width ?? spec.precision ?? 1);
  const text = String.fromCodePoint(point).repeat(Math.abs(spec.precision ?? width));
  return spec.width === undefined ? text : field(spec, text);
}

function string(spec: Spec, term: Term): string {
  const text = isAtom(term) ? term.name : chardataToText(term, !spec.unicode);
  const shown = typeof term === "boolean" ? String(term) : text;
  if (shown === undefined) throw new FormatMismatch();
  const limit = spec.precision ?? (spec.width === undefined ? undefined : Math.abs(spec.width));
  const cut = limit === undefined ? shown : [...shown].slice(0, limit).join("");
  const width = spec.width ?? spec.precision;
  if (width === undefined) return cut;
  return field({ ...spec, width }, cut);
}

function pretty(spec: Spec, term: Term, at: number): string {
  return format(term, {
    mode: "~tp",
    lineLength: spec.width === undefined ? 80 : Math.abs(spec.width),
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

/** JavaScript writes `1.5e+0`, Erlang `1.50000e+0`; both without leading zeros in the exponent. */
function exponent(value: number, digits: number): string {
  if (digits < 1) throw new FormatMismatch();
  const text = value.toExponential(digits);
  const [mantissa = "", power = "+0"] = text.split("e");
  const sign = power[0];
  return `${mantissa}e${sign}${power.slice(1).padStart(2, "0")}`;
}

function general(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 0.1 && size < 10000) {
    const places = size < 1 ? digits : digits - Math.floor(Math.log10(size)) - 1;
    return value.toFixed(Math.max(places, 1));
  }
  return value === 0 ? value.toFixed(digits - 1) : exponent(value, digits - 1);
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
