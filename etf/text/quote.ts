/**
 * Atoms, strings and floats as Erlang writes them, and what it takes for printable.
 *
 * As in io_lib. What changed from release to release: floats above 2^53 are scientific since 25
 * even where that is longer, and of two shortest texts equally near a float the even one is taken,
 * which was the larger one before; `maybe` and `else` are quoted since 27; and
 * since 28 a binary that begins as UTF-8 with an unprintable character is shown as numbers, even
 * if it turns out not to be UTF-8 further on.
 */

import { utf8Bytes } from "../bytes.ts";
import { utf8At } from "../utf8.ts";

/** Which characters `~p` shows as text: `erl` has latin1 by default, unicode with `+pc unicode`. */
export type PrintableRange = "latin1" | "unicode";

/** Words that are not atoms unless quoted, in every release. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  (
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div end fun if let " +
    "not of or orelse receive rem try when xor"
  ).split(" "),
);

const PLAIN_ATOM = /^[a-z\xdf-\xf6\xf8-\xff][a-zA-Z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*$/;

/** The newest release, whose details are the default. */
export const NEWEST_RELEASE = 29;

/** An atom, quoted if it must be. */
export function quoteAtom(name: string, release: number = NEWEST_RELEASE): string {
  const reserved =
    RESERVED_WORDS.has(name) || (release >= 27 && (name === "maybe" || name === "else"));
  return PLAIN_ATOM.test(name) && !reserved ? name : quoteText(name, "'");
}

const RUNTIME_ESCAPES: Readonly<Record<string, string>> = {
  "'": "\\'",
  "\\": "\\\\",
  "\n": "\\n",
  "\f": "\\f",
  "\t": "\\t",
  "\r": "\\r",
  "\b": "\\b",
  "\v": "\\v",
};

/** What the runtime prints of the name of a fun's module: its bytes, each as a character. */
export function bytesAsText(name: string): string {
  let text = "";
  for (const byte of utf8Bytes(name)) text += String.fromCharCode(byte);
  return text;
}

/**
 * The name of an external fun's module or function, as `erlang:fun_to_list` writes it, which `~p` and
 * `~w` take over: no word is reserved, `@` is quoted, and what is beyond ASCII comes as the bytes of
 * its UTF-8, each as a character of its own.
 *
 * Since OTP 24 letters of Latin-1 need no quotes; before, all that is beyond ASCII does, and DEL and
 * the bytes 128 to 159 are escaped one by one.
 */
export function quoteFunName(name: string, release: number = NEWEST_RELEASE): string {
  const latin1 = release >= 24;
  const plain = latin1 ? PLAIN_FUN_NAME : ASCII_FUN_NAME;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
  const special = latin1 ? /[\x00-\x1f\x80-\x9f'\\]/g : /[\x00-\x1f\x7f-\x9f'\\]/g;
  const escapeControls = (text: string) =>
    text.replace(special, (character) => {
      const octal = character.charCodeAt(0).toString(8).padStart(3, "0");
      return RUNTIME_ESCAPES[character] ?? `\\${octal}`;
    });
  const escaped = latin1 ? bytesAsText(escapeControls(name)) : escapeControls(bytesAsText(name));
  return plain.test(name) ? escaped : `'${escaped}'`;
}

const PLAIN_FUN_NAME = /^[a-z\xdf-\xf6\xf8-\xff][a-zA-Z0-9_\xc0-\xd6\xd8-\xf6\xf8-\xff]*$/;
const ASCII_FUN_NAME = /^[a-z][a-zA-Z0-9_]*$/;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\b": "\\b",
  "\f": "\\f",
  "\x1b": "\\e",
  "\x7f": "\\d",
};

/** Text between quotes, with Erlang's escapes; control characters in octal. */
export function quoteText(text: string, quote: '"' | "'"): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
  const escaped = text.replace(/[\x00-\x1f\\"'\x7f-\x9f]/g, (character) => {
    if (character === '"' || character === "'") {
      return character === quote ? `\\${character}` : character;
    }
    return ESCAPES[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return quote + escaped + quote;
}

/** The shortest digits that read back the same; scientific where that is shorter, or above 2^53. */
export function floatText(value: number, release: number = NEWEST_RELEASE): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa = "", exponent = ""] = Math.abs(value).toExponential().split("e");
  const shortest = mantissa.replace(".", "");
  const digits = release < 25 ? roundedUp(value, shortest) : shortest;
  const power = Number(exponent);
  const scientific = `${digits[0]}.${digits.slice(1) || "0"}e${power}`;
  if (Math.abs(value) >= 2 ** 53 && release >= 25) return sign + scientific;
  const fixed = fixedText(digits, power);
  return sign + (fixed.length <= scientific.length ? fixed : scientific);
}

/** The digits, or the next larger ones if the float lies in the middle between the two. */
function roundedUp(value: number, digits: string): string {
  // All 100 digits that can be had: no float comes so near to a middle without being it.
  const exact = Math.abs(value).toExponential(99).replace(".", "");
  if (!exact.startsWith(`${digits}5`) || !/^0+e/.test(exact.slice(digits.length + 1)))
    return digits;
  // Even, or else JavaScript had taken the larger ones: nothing is carried.
  return digits.slice(0, -1) + (Number(digits.at(-1)) + 1);
}

/** `digits` with the decimal point after the first one moved by `power` places. */
function fixedText(digits: string, power: number): string {
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  return `${whole}.${digits.slice(power + 1) || "0"}`;
}

/** Whether `~p` shows a character as itself or as a short escape. */
function isPrintable(code: number, range: PrintableRange): boolean {
  if (code >= 0x20 && code <= 0x7e) return true;
  if (code >= 0xa0 && code <= 0xff) return true;
  if ((code >= 0x08 && code <= 0x0d) || code === 0x1b) return true;
  if (range === "latin1" || code < 0xa0) return false;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff);
}

/** Characters that become text at once. */
const PIECE = 4096;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text a list of code points is, or null if `~p` shows it as a list. */
export function printableList(list: readonly unknown[], range: PrintableRange): string | null {
  if (list.length === 0) return null;
  for (const code of list) {
    if (typeof code !== "number" || !isPrintable(code, range)) return null;
  }
  // In pieces: one character at a time leaves a tree of as many strings.
  let text = "";
  for (let at = 0; at < list.length; at += PIECE) {
    text += String.fromCodePoint(...(list.slice(at, at + PIECE) as number[]));
  }
  return text;
}

/**
 * A binary as `~p` shows it when it is text: in UTF-8 if it is that, else in Latin-1; null if it
 * is shown as numbers.
 */
export function printableBinary(
  bytes: Uint8Array,
  range: PrintableRange,
  release: number = NEWEST_RELEASE,
): string | null {
  if (bytes.length === 0) return null;
  let printable = true;
  let at = 0;
  while (at < bytes.length) {
    const code = utf8At(bytes, at);
    if (code < 0) return printableLatin1(bytes);
    printable &&= isPrintable(code, range);
    if (!printable && release >= 28) return null;
    at += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  if (!printable) return null;
  const text = utf8.decode(bytes);
  return `<<${quoteText(text, '"')}${text.length === bytes.length ? "" : "/utf8"}>>`;
}

function printableLatin1(bytes: Uint8Array): string | null {
  if (!bytes.every((byte) => isPrintable(byte, "latin1"))) return null;
  return `<<${quoteText(latin1(bytes), '"')}>>`;
}

/** The text of which each byte is a character. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return text;
}

let segmenter: Intl.Segmenter | undefined;

/**
 * The length as Erlang counts it: characters, or what a reader sees as characters as soon as one
 * of them is beyond Latin-1.
 */
export function charsLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is Latin-1
  if (/^[\x00-\xff]*$/.test(text)) return text.length;
  segmenter ??= new Intl.Segmenter();
  let length = 0;
  for (const _ of segmenter.segment(text)) length++;
  return length;
}
