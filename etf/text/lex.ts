/**
 * Tokens of Erlang text: what erl_scan of OTP 29 reads, triple-quoted strings, sigils and floats of
 * any base included.
 */
import { TermSyntaxError, type TermSyntaxErrorCode } from "../errors.ts";

export type Token =
  | { kind: "integer"; value: number | bigint; at: number }
  | { kind: "float"; value: number; at: number }
  | { kind: "character"; value: number; at: number }
  | { kind: "atom"; value: string; quoted: boolean; at: number }
  | { kind: "variable"; value: string; at: number }
  | { kind: "string"; value: string; at: number }
  /** Text with `~` before it: a binary, or a string. */
  | { kind: "sigil"; value: string; binary: boolean; at: number }
  | { kind: "punctuation"; value: string; at: number }
  | { kind: "end"; value: ""; at: number };

const LONGEST_EXCERPT = 76;

/** Longest first; every other character is one by itself. */
const PUNCTUATION =
  "=:= =/= ... <:- <:= << >> => := -> <- <= ++ -- == /= =< >= || && .. :: ?=".split(" ");

const ATOM = /[a-z\xdf-\xf6\xf8-\xff][a-zA-Z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*/y;
const VARIABLE = /[A-Z_\xc0-\xd6\xd8-\xde][a-zA-Z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they count as blanks in Erlang
const BLANK = /(?:[\x00-\x20\x80-\xa0]|%[^\n]*)+/y;
const DECIMAL = /\d+(?:_\d+)*/y;
const FRACTION = /\.(\d+(?:_\d+)*)(?:[eE]([+-]?\d+(?:_\d+)*))?/y;
/** Of OTP up to 25; later releases have an eighth of it. */
const MAX_INTEGER_BITS = 2 ** 25 + 64;

/** Behind the base: the digits, and of a float the fraction (before which there may be none) and exponent. */
const BASED =
  /#((?:[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)?)(?:\.([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)(?:#[eE]([+-]?\d+(?:_\d+)*))?)?/y;

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  b: 8,
  d: 127,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  s: 32,
  t: 9,
  v: 11,
};

export class Lexer {
  readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Where the text goes on behind what was read. */
  get offset(): number {
    return this.at;
  }

  /** An error at a place in the text. */
  error(code: TermSyntaxErrorCode, message: string, at: number): TermSyntaxError {
    const before = this.text.slice(0, at);
    const lineStart = before.lastIndexOf("\n") + 1;
    const line = before.split("\n").length;
    const column = [...before.slice(lineStart)].length + 1;
    const lineEnd = this.text.indexOf("\n", lineStart);
    const whole = this.text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
    // Of a long line the surroundings are shown.
    const cut = Math.max(0, Math.min(at - lineStart - 40, whole.length - LONGEST_EXCERPT));
    const shown = whole.slice(cut, cut + LONGEST_EXCERPT);
    const indent = shown.slice(0, at - lineStart - cut).replace(/[^\t]/gu, " ");
    const excerpt = `  ${shown}\n  ${indent}^`;
    return new TermSyntaxError(code, message, line, column, excerpt);
  }

  next(): Token {
    this.match(BLANK);
    const at = this.at;
    const character = this.text[at];
    if (character === undefined) return { kind: "end", value: "", at };
    if (character >= "0" && character <= "9") return this.number(at);
    const atom = this.match(ATOM);
    if (atom !== null) return { kind: "atom", value: atom[0], quoted: false, at };
    const variable = this.match(VARIABLE);
    if (variable !== null) return { kind: "variable", value: variable[0], at };
    if (character === "'") {
      this.at++;
      return { kind: "atom", value: this.quoted("'", true, at), quoted: true, at };
    }
    if (character === '"') return { kind: "string", value: this.string(at), at };
    if (character === "$") return this.character(at);
    if (character === "~") return this.sigil(at);
    const value =
      PUNCTUATION.find((word) => this.text.startsWith(word, at)) ??
      String.fromCodePoint(this.text.codePointAt(at)!);
    this.at += value.length;
    return { kind: "punctuation", value, at };
  }

  /** What a pattern finds right here, which is then behind us. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private number(at: number): Token {
    const whole = this.match(DECIMAL)![0].replaceAll("_", "");
    const based = this.match(BASED);
    if (based !== null) return this.based(whole, based, at);
    const fraction = this.match(FRACTION);
    if (fraction !== null) {
      return this.float(Number(`${whole}${fraction[0].replaceAll("_", "")}`), at);
    }
    this.checkDigits(whole, 10, at);
    const value = Number(whole);
    return { kind: "integer", value: Number.isSafeInteger(value) ? value : BigInt(whole), at };
  }

  private checkDigits(digits: string, radix: number, at: number): void {
    if (digits.length * Math.log2(radix) > MAX_INTEGER_BITS) {
      throw this.error("TERM_BAD_VALUE", "this integer is larger than any of Erlang's", at);
    }
  }

  private float(value: number, at: number): Token {
    if (!Number.isFinite(value)) {
      throw this.error("TERM_BAD_VALUE", "this float is larger than any float", at);
    }
    return { kind: "float", value, at };
  }

  private based(base: string, written: RegExpExecArray, at: number): Token {
    const radix = Number(base);
    if (radix < 2 || radix > 36) {
      throw this.error("TERM_BAD_VALUE", `the base of a number is 2 to 36, not ${base}`, at);
    }
    const whole = written[1]!.replaceAll("_", "");
    const fraction = written[2]?.replaceAll("_", "");
    if (fraction === undefined) {
      return { kind: "integer", value: this.basedInteger(radix, whole, at), at };
    }
    const exponent = Number(written[3]?.replaceAll("_", "") ?? 0);
    if (radix !== 10) {
      this.checkBased(radix, whole + fraction, at);
      return this.float(basedFloat(radix, whole, fraction, exponent), at);
    }
    if (whole === "") throw this.error("TERM_BAD_VALUE", "a digit is expected before the dot", at);
    this.checkBased(radix, whole + fraction, at);
    return this.float(Number(`${whole}.${fraction}e${exponent}`), at);
  }

  private checkBased(radix: number, digits: string, at: number): void {
    for (const digit of digits) {
      if (Number.isNaN(Number.parseInt(digit, radix))) {
        throw this.error("TERM_BAD_VALUE", `${digit} is not a digit in base ${radix}`, at);
      }
    }
    this.checkDigits(digits, radix, at);
  }

  private basedInteger(radix: number, digits: string, at: number): number | bigint {
    if (digits === "") throw this.error("TERM_BAD_VALUE", "digits are expected after #", at);
    this.checkBased(radix, digits, at);
    const small = Number.parseInt(digits, radix);
    if (Number.isSafeInteger(small)) return small;
    return bigintOf(digits, radix);
  }

  private character(at: number): Token {
    this.at++;
    const value = this.one(at, null);
    if (value === null) throw this.incomplete("a character after $", at);
    return { kind: "character", value, at };
  }

  private incomplete(what: string, at: number): TermSyntaxError {
    return this.error("TERM_INCOMPLETE", `the text ends where ${what} is expected`, at);
  }

  /** The code of the next character, escapes resolved; null at the end, or at an open `close`. */
  private one(start: number, close: string | null): number | null {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return null;
    const character = String.fromCodePoint(code);
    if (character === close) return null;
    const at = this.at;
    this.at += character.length;
    return character === "\\" ? this.escape(at, start) : code;
  }

  private escape(at: number, start: number): number {
    const octal = this.match(/[0-7]{1,3}/y);
    if (octal !== null) return Number.parseInt(octal[0], 8);
    const hex = this.match(/x([0-9a-fA-F]{2})/y) ?? this.match(/x\{([0-9a-fA-F]+)\}/y);
    if (hex !== null) {
      const code = Number.parseInt(hex[1]!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        throw this.error("TERM_BAD_VALUE", `\\${hex[0]} is not a character`, at);
      }
      return code;
    }
    const code = this.text.codePointAt(this.at);
    if (code === undefined) throw this.incomplete("an escaped character", start);
    if (this.text[this.at] === "x") {
      throw this.error("TERM_BAD_VALUE", "\\x is followed by two digits or by {digits}", at);
    }
    this.at += code > 0xffff ? 2 : 1;
    const character = String.fromCodePoint(code);
    if (character === "^") {
      const control = this.text.charCodeAt(this.at);
      if (Number.isNaN(control)) throw this.incomplete("a control character", start);
      this.at++;
      if (control === 0x3f) return 127;
      if (control < 0x40 || control > 0x7f) {
        throw this.error("TERM_BAD_VALUE", "\\^ is followed by @, a letter or one of [\\]^_?", at);
      }
      return control & 31;
    }
    return SIMPLE_ESCAPES[character] ?? code;
  }

  /** Text up to the closing character, which is left behind. */
  private quoted(close: string, escapes: boolean, start: number): string {
    let text = "";
    for (;;) {
      if (!escapes) {
        const end = this.text.indexOf(close, this.at);
        if (end < 0) break;
        text = this.text.slice(this.at, end);
        this.at = end + close.length;
        return text;
      }
      const code = this.one(start, close);
      if (code === null) break;
      text += String.fromCodePoint(code);
    }
    if (this.text[this.at] !== close) {
      throw this.error("TERM_INCOMPLETE", `no closing ${close} to the one that opens here`, start);
    }
    this.at++;
    return text;
  }

  /** The whole text with its escapes resolved. */
  private unescaped(): string {
    let text = "";
    for (let code = this.one(0, null); code !== null; code = this.one(0, null)) {
      text += String.fromCodePoint(code);
    }
    return text;
  }

  private string(start: number): string {
    const triple = this.tripleQuotes(start);
    if (triple !== null) return this.tripleQuoted(triple, false, start);
    this.at++;
    return this.quoted('"', true, start);
  }

  /** Three quotes or more, which stand at the end of their line. */
  private tripleQuotes(start: number): string | null {
    const found = this.match(/"{3,}/y);
    if (found === null) return null;
    this.match(/[^\S\n]*/y);
    if (this.text[this.at] === "\n") return found[0];
    if (this.at === this.text.length) throw this.incomplete("a line behind the quotes", start);
    throw this.error("TERM_UNEXPECTED", `behind ${found[0]} the text begins on a new line`, start);
  }

  /** Whole lines between lines of quotes; the closing line's indentation is taken off each. */
  private tripleQuoted(quotes: string, escapes: boolean, start: number): string {
    const opened = this.text.indexOf("\n", this.at) + 1;
    const closing = new RegExp(`^([^\\S\\n]*)${quotes}(?!")`, "gm");
    closing.lastIndex = opened;
    const end = closing.exec(this.text);
    if (end === null) {
      throw this.error("TERM_INCOMPLETE", `no closing ${quotes} to the one that opens here`, start);
    }
    const indent = end[1]!;
    const lines = this.text.slice(opened, Math.max(opened, end.index - 1)).split("\n");
    for (const [i, line] of lines.entries()) {
      if (line.startsWith(indent)) lines[i] = line.slice(indent.length);
      else if (line.trim() === "") lines[i] = "";
      else
        throw this.error(
          "TERM_BAD_VALUE",
          "a line is indented less than the closing quotes",
          start,
        );
    }
    this.at = end.index + end[0].length;
    const text = lines.join("\n").replace(/\r$/, "");
    return escapes ? new Lexer(text).unescaped() : text;
  }

  private sigil(start: number): Token {
    const found = this.match(/~([sSbB]?)(?=["'([{</|`#])/y);
    if (found === null) {
      throw this.error("TERM_UNEXPECTED", '~ begins a sigil: ~"...", ~b, ~B, ~s or ~S', start);
    }
    const name = found[1]!;
    const binary = name === "" || name.toLowerCase() === "b";
    const triple = this.tripleQuotes(start);
    if (triple !== null) {
      const escapes = name === "s" || name === "b";
      return {
        kind: "sigil",
        value: this.tripleQuoted(triple, escapes, start),
        binary,
        at: start,
      };
    }
    const open = this.text[this.at++]!;
    const close =
      ({ "(": ")", "[": "]", "{": "}", "<": ">" } as Record<string, string>)[open] ?? open;
    const escapes = name === "" || name === name.toLowerCase();
    return { kind: "sigil", value: this.quoted(close, escapes, start), binary, at: start };
  }
}

/** Digits of any base; halved and joined, since one by one the time is quadratic. */
function bigintOf(digits: string, radix: number): bigint {
  if (digits.length <= 10) return BigInt(Number.parseInt(digits, radix));
  const low = digits.length >> 1;
  const high = bigintOf(digits.slice(0, -low), radix);
  return high * BigInt(radix) ** BigInt(low) + bigintOf(digits.slice(-low), radix);
}

/**
 * A float in a base other than ten, to the bit as erl_scan computes it: all digits as an integer, which
 * is made a float, times a power of the base. Not finite if either is beyond the floats.
 */
function basedFloat(radix: number, whole: string, fraction: string, exponent: number): number {
  const digits = whole.replace(/^0+(?=.)/, "");
  const places = fraction.replace(/(?<=.)0+$/, "");
  return Number(bigintOf(digits + places, radix)) * powerOf(radix, exponent - places.length);
}

/** No float has so large an exponent in any base. */
const MAX_EXPONENT = 1100;

/** A power to the nearest float, which not every engine gives. */
function powerOf(base: number, exponent: number): number {
  if (exponent >= 0) {
    return exponent > MAX_EXPONENT
      ? Number.POSITIVE_INFINITY
      : Number(BigInt(base) ** BigInt(exponent));
  }
  if (exponent < -MAX_EXPONENT) return 0;
  const divisor = BigInt(base) ** BigInt(-exponent);
  const bits = divisor.toString(2).length + 64;
  // 64 bits or more of the quotient, the last of which says whether anything follows.
  const quotient = (1n << BigInt(bits)) / divisor;
  const nearest = Number(quotient | 1n);
  return bits > 1000 ? nearest / 2 ** (bits - 1000) / 2 ** 1000 : nearest / 2 ** bits;
}
