/**
 * Atoms, strings and floats as Erlang writes them, and what it takes for printable.
 *
 * As in io_lib of OTP 25 to 29; the words of the `maybe` expression are quoted, as they are since
 * it is enabled by default (27), which older releases read as well.
 */

/** Which characters `~p` shows as text: `erl` has latin1 by default, unicode with `+pc unicode`. */
export type PrintableRange = "latin1" | "unicode";

const RESERVED: ReadonlySet<string> = new Set(
  (
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let " +
    "maybe not of or orelse receive rem try when xor"
  ).split(" "),
);

const PLAIN_ATOM = /^[a-z\xdf-\xf6\xf8-\xff][a-zA-Z0-9_@\xc0-\xd6\xd8-\xf6\xf8-\xff]*$/;

/** An atom, quoted if it must be. */
export function quoteAtom(name: string): string {
  return PLAIN_ATOM.test(name) && !RESERVED.has(name) ? name : quoteText(name, "'");
}

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
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa = "", exponent = ""] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const power = Number(exponent);
  const scientific = `${digits[0]}.${digits.slice(1) || "0"}e${power}`;
  if (Math.abs(value) >= 2 ** 53) return sign + scientific;
  const fixed = fixedText(digits, power);
  return sign + (fixed.length <= scientific.length ? fixed : scientific);
}

/** `digits` with the decimal point after the first one moved by `power` places. */
function fixedText(digits: string, power: number): string {
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  return `${whole}.${digits.slice(power + 1) || "0"}`;
}

/** Whether `~p` shows a character as itself or as a short escape. */
export function isPrintable(code: number, range: PrintableRange): boolean {
  if (code >= 0x20 && code <= 0x7e) return true;
  if (code >= 0xa0 && code <= 0xff) return true;
  if ((code >= 0x08 && code <= 0x0d) || code === 0x1b) return true;
  if (range === "latin1" || code < 0xa0) return false;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff);
}

/** The text a list of code points is, or null if `~p` shows it as a list. */
export function printableList(list: readonly unknown[], range: PrintableRange): string | null {
  if (list.length === 0) return null;
  let text = "";
  for (const code of list) {
    if (typeof code !== "number" || !isPrintable(code, range)) return null;
    text += String.fromCodePoint(code);
  }
  return text;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A binary as `~p` shows it when it is text: in UTF-8 if it is that, else in Latin-1; null if it
 * is shown as numbers.
 */
export function printableBinary(bytes: Uint8Array, range: PrintableRange): string | null {
  if (bytes.length === 0) return null;
  let text: string;
  let suffix = "";
  try {
    text = utf8.decode(bytes);
    if (text.length !== bytes.length) suffix = "/utf8";
  } catch {
    text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
  }
  for (const character of text) {
    if (!isPrintable(character.codePointAt(0)!, range)) return null;
  }
  return `<<${quoteText(text, '"')}${suffix}>>`;
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
