/**
 * Binaries that are keys of maps, kept from one map to the next: rows of a table have the same
 * keys again and again, and to make a byte array costs ten times what it takes to recognize one.
 *
 * A table of fixed size, one for all decoders. So the maps share their keys; what was found is
 * compared with the bytes received, so a program that writes into a key spoils no later decoding.
 */
import { viewBytes } from "./bytes.ts";

const SLOTS = 1024;

/** Longer keys are made anew. */
export const MAX_CACHED_KEY_BYTES = 32;

const slots: (Uint8Array | undefined)[] = new Array(SLOTS).fill(undefined);

/** Bytes equal to those there, of at most `MAX_CACHED_KEY_BYTES`. */
export function cachedKey(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  let hash = length;
  if (length > 0) {
    const last = offset + length - 1;
    hash = (Math.imul(hash, 31) + bytes[offset]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[last]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[offset + (length >> 1)]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[offset + (length >> 2)]!) | 0;
  }
  const slot = (Math.imul(hash, 0x9e3779b1) >>> 19) & (SLOTS - 1);
  const known = slots[slot];
  if (known !== undefined && known.length === length) {
    let i = length - 1;
    while (i >= 0 && known[i] === bytes[offset + i]) i--;
    if (i < 0) return known;
  }
  // In a buffer of its own, not in a pool that it would keep.
  const key = viewBytes(new ArrayBuffer(length), 0, length);
  for (let i = 0; i < length; i++) key[i] = bytes[offset + i]!;
  slots[slot] = key;
  return key;
}
