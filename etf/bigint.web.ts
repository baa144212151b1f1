/**
 * Big integers to and from little-endian bytes, in plain JavaScript: the form for browsers, and
 * the fall-back on Node. Through hexadecimal text, which V8 converts in linear time.
 */
const HEX: string[] = [];
for (let i = 0; i < 256; i++) HEX.push(i.toString(16).padStart(2, "0"));

/** Bytes an integer of any size may have here: the engine's own limit is 2^30 bits. */
export const HARD_LIMIT_BYTES: number = 2 ** 27 - 1;

/** The number that the bytes are, the least significant first. */
export function bigintFromBytes(bytes: Uint8Array): bigint {
  let hex = "0x0";
  for (let i = bytes.length - 1; i >= 0; i--) hex += HEX[bytes[i]!];
  return BigInt(hex);
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
