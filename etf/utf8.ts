/**
 * The text of UTF-8 bytes, where that is what they are.
 *
 * Short ASCII, which most text on the wire is, is made without asking the platform's decoder: to
 * ask it takes longer than the text.
 */

/** Of Node's Buffers; works on any byte array. */
type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;

const latin1Slice = (globalThis as { Buffer?: { prototype: { latin1Slice?: Latin1Slice } } }).Buffer
  ?.prototype.latin1Slice;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text up to this size is looked at byte by byte. */
const LOOP_BYTES = 64;

/** The text, or null if the bytes are not UTF-8. */
export function utf8Text(bytes: Uint8Array, offset: number, length: number): string | null {
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
