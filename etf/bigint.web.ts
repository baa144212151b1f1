/**
 * Big integers to and from little-endian bytes, in plain JavaScript: the form for browsers, and
 * what Node does where bigint-buffer's addon is slower or was not built. Up to some size in words of
 * 64 bits, above through hexadecimal text: each word more costs a copy of all before it.
 */
const HEX: string[] = [];
for (let i = 0; i < 256; i++) HEX.push(i.toString(16).padStart(2, "0"));

/** Bytes an integer of any size may have here: the engine's own limit is 2^30 bits. */
export const HARD_LIMIT_BYTES: number = 2 ** 27 - 1;

/** Integers of up to so many bytes are made of words, by measurement. */
const WORD_BYTES = 64;

/** Integers of up to so many bytes are written in words. */
export const MAX_PUT_BYTES = 32;
const BEYOND_WORD = 64n;
const BEYOND_PUT = 256n - BEYOND_WORD;

// Views of its own kind that the engine has no call for; a DataView's 64 bits it has.
const scratch = new Uint8Array(WORD_BYTES);
const words = new BigUint64Array(scratch.buffer);
const halves = new Int32Array(scratch.buffer);
const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The number that the bytes are, the least significant first. */
export function bigintFromBytes(
  bytes: Uint8Array,
  start: number = 0,
  size: number = bytes.length - start,
): bigint {
  if (size <= WORD_BYTES && LITTLE_ENDIAN_HOST) {
    return size > 0 ? bigintFromWords(bytes, start, size) : 0n;
  }
  return fromText(bytes, start, size);
}

/** The same for 1 to 64 bytes. */
export function bigintFromWords(bytes: Uint8Array, start: number, size: number): bigint {
  if (!LITTLE_ENDIAN_HOST) return fromText(bytes, start, size);
  let last = (size - 1) >> 3;
  for (let i = 0; i < size; i++) scratch[i] = bytes[start + i]!;
  for (let i = size; i < 8 * last + 8; i++) scratch[i] = 0;
  let value = words[last]!;
  while (last > 0) value = (value << BEYOND_WORD) | words[--last]!;
  return value;
}

function fromText(bytes: Uint8Array, start: number, size: number): bigint {
  let hex = "0x0";
  for (let i = start + size - 1; i >= start; i--) hex += HEX[bytes[i]!];
  return BigInt(hex);
}

/**
 * Writes a number that is not negative, the least significant byte first, and tells its size in
 * bytes, 1 to 32; 0 if it is larger. What follows, up to 32 bytes, is written over.
 */
export function putBigint(value: bigint, view: DataView, at: number): number {
  let rest = value >> BEYOND_WORD;
  if (rest !== 0n && rest >> BEYOND_PUT !== 0n) return 0;
  words[0] = value; // its low 64 bits
  let count = 1;
  for (; rest !== 0n; rest >>= BEYOND_WORD) words[count++] = rest;
  for (let i = 0; i < count; i++) {
    const low = LITTLE_ENDIAN_HOST ? 2 * i : 2 * i + 1;
    view.setInt32(at + 8 * i, halves[low]!, true);
    view.setInt32(at + 8 * i + 4, halves[low ^ 1]!, true);
  }
  let size = 8 * count;
  while (size > 1 && view.getUint8(at + size - 1) === 0) size--;
  return size;
}

/** The bytes of a number that is not negative, the least significant first, none too many. */
export function bigintToBytes(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const bytes = new Uint8Array((hex.length + 1) >>> 1);
  let end = hex.length;
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16);
    end -= 2;
  }
  return bytes;
}
