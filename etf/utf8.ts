/**
 * The text of UTF-8 bytes: all of it, a byte order mark included, or none if the bytes are not UTF-8.
 * The one decoder of text in this project.
 *
 * Short ASCII, which most text on the wire is, is made without asking the platform's decoder: to
 * ask it takes longer than the text.
 */
import { copyBytes } from "./bytes.ts";

/** Of Node's Buffers; works on any byte array. */
type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;

const latin1Slice = (globalThis as { Buffer?: { prototype: { latin1Slice?: Latin1Slice } } }).Buffer
  ?.prototype.latin1Slice;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text up to this size is looked at byte by byte. */
const LOOP_BYTES = 64;

/** The text of the bytes, or of a part of them; null if they are not UTF-8. */
export function utf8Text(
  bytes: Uint8Array,
  offset = 0,
  length: number = bytes.length - offset,
): string | null {
  if (length <= LOOP_BYTES) {
    let bits = 0;
    const end = offset + length;
    for (let i = offset; i < end; i++) bits |= bytes[i]!;
    if (bits < 0x80) {
      if (length <= 24 && offset + 24 <= bytes.length) return shortText(bytes, offset, length);
      if (latin1Slice !== undefined) return latin1Slice.call(bytes, offset, end);
    }
  } else if (neverUtf8(bytes, offset)) return null;
  try {
    return strict.decode(length === bytes.length ? bytes : bytes.subarray(offset, offset + length));
  } catch {
    return null;
  }
}

const { fromCharCode } = String;

/** Bytes looked at before the platform's decoder is asked for more text than `LOOP_BYTES`. */
const GLANCE_BYTES = LOOP_BYTES;

/** True if there are bytes among the first that UTF-8 never has: the decoder's no is expensive. */
function neverUtf8(bytes: Uint8Array, offset: number): boolean {
  const end = offset + GLANCE_BYTES;
  for (let i = offset; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0xf5 || byte === 0xc0 || byte === 0xc1) return true;
  }
  return false;
}

/** Up to 24 characters, of 24 bytes that are there: more than needed, and then cut. */
function shortText(bytes: Uint8Array, i: number, length: number): string {
  if (length <= 8) {
    return fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
    ).slice(0, length);
  }
  if (length <= 16) {
    return fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
      bytes[i + 8]!,
      bytes[i + 9]!,
      bytes[i + 10]!,
      bytes[i + 11]!,
      bytes[i + 12]!,
      bytes[i + 13]!,
      bytes[i + 14]!,
      bytes[i + 15]!,
    ).slice(0, length);
  }
  return fromCharCode(
    bytes[i]!,
    bytes[i + 1]!,
    bytes[i + 2]!,
    bytes[i + 3]!,
    bytes[i + 4]!,
    bytes[i + 5]!,
    bytes[i + 6]!,
    bytes[i + 7]!,
    bytes[i + 8]!,
    bytes[i + 9]!,
    bytes[i + 10]!,
    bytes[i + 11]!,
    bytes[i + 12]!,
    bytes[i + 13]!,
    bytes[i + 14]!,
    bytes[i + 15]!,
    bytes[i + 16]!,
    bytes[i + 17]!,
    bytes[i + 18]!,
    bytes[i + 19]!,
    bytes[i + 20]!,
    bytes[i + 21]!,
    bytes[i + 22]!,
    bytes[i + 23]!,
  ).slice(0, length);
}

/** The code point that begins at that byte, or -1 if none does. */
export function utf8At(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  const more = sequenceLength(first) - 1;
  if (more === 0 || first > 0xf4) return -1;
  let code = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const next = bytes[at + i];
    if (next === undefined || (next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  const least = more === 3 ? 0x10000 : more === 2 ? 0x800 : 0x80;
  return code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? -1 : code;
}

/** The bytes of a character that begins with this one; 1 for a byte that begins none. */
function sequenceLength(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
}

/** UTF-8 that comes in pieces, which may end inside a character. */
export class Utf8Stream {
  private rest: Uint8Array = new Uint8Array(0);

  /**
   * The text of the next piece, up to a character that is not complete yet.
   *
   * `malformed` says that the text ends before bytes that are not UTF-8; `last` that no piece follows.
   */
  decode(piece: Uint8Array, last: boolean): { text: string; malformed: boolean } {
    const bytes = new Uint8Array(this.rest.length + piece.length);
    bytes.set(this.rest);
    bytes.set(piece, this.rest.length);
    const end = last ? bytes.length : completeEnd(bytes);
    this.rest = copyBytes(bytes, end, bytes.length - end);
    const text = utf8Text(bytes, 0, end);
    if (text !== null) return { text, malformed: false };
    let valid = 0;
    while (utf8At(bytes, valid) >= 0) valid += sequenceLength(bytes[valid]!);
    return { text: utf8Text(bytes, 0, valid)!, malformed: true };
  }
}

/** Where the last character ends that may be complete. */
function completeEnd(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if ((byte & 0xc0) !== 0x80) return sequenceLength(byte) > back ? length - back : length;
  }
  return length;
}
