/**
 * Binaries that are keys of maps, kept from one map to the next: rows of a table have the same
 * keys again and again, and to make a byte array costs ten times what it takes to recognize one.
 *
 * A table of fixed size, one for all decoders. So the maps share their keys; what was found is
 * compared with the bytes received, so a program that writes into a key spoils no later decoding.
 */
import { viewBytes } from "./bytes.ts";
import { utf8Text } from "./utf8.ts";

/** In pairs: a key is looked for in both places of its pair. */
const SLOTS = 2048;

/** Longer keys are made anew. */
export const MAX_CACHED_KEY_BYTES = 32;

const slots: Uint8Array[] = new Array(SLOTS).fill(viewBytes(new ArrayBuffer(0), 0, 0));

const texts: string[] = new Array(SLOTS).fill("");

function slotOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = length;
  if (length > 0) {
    const last = offset + length - 1;
    hash = (Math.imul(hash, 31) + bytes[offset]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[last]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[offset + (length >> 1)]!) | 0;
    hash = (Math.imul(hash, 31) + bytes[offset + (length >> 2)]!) | 0;
  }
  return (Math.imul(hash, 0x9e3779b1) >>> 19) & (SLOTS - 2);
}

/** Bytes equal to those there, of at most `MAX_CACHED_KEY_BYTES`. */
export function cachedKey(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const slot = slotOf(bytes, offset, length);
  const first = slots[slot]!;
  if (first.length === length) {
    let i = length - 1;
    while (i >= 0 && first[i] === bytes[offset + i]) i--;
    if (i < 0) return first;
  }
  return fromSecond(slot, bytes, offset, length);
}

/** Looks in the other place of the pair; what is found in neither is put into the first. */
function fromSecond(slot: number, bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const second = slots[slot + 1]!;
  if (second.length === length) {
    let i = length - 1;
    while (i >= 0 && second[i] === bytes[offset + i]) i--;
    if (i < 0) return second;
  }
  // In a buffer of its own, not in a pool that it would keep.
  const key = viewBytes(new ArrayBuffer(length), 0, length);
  for (let i = 0; i < length; i++) key[i] = bytes[offset + i]!;
  slots[slot + 1] = slots[slot]!;
  slots[slot] = key;
  return key;
}

/** The text of the bytes there, or null if they are not UTF-8; for ASCII without making it anew. */
export function cachedKeyText(bytes: Uint8Array, offset: number, length: number): string | null {
  const slot = slotOf(bytes, offset, length);
  for (let place = slot; place < slot + 2; place++) {
    const known = texts[place]!;
    if (known.length === length) {
      let i = length - 1;
      while (i >= 0 && known.charCodeAt(i) === bytes[offset + i]) i--;
      if (i < 0) return known;
    }
  }
  const text = utf8Text(bytes, offset, length);
  // As many characters as bytes: they are ASCII, and can be compared as above.
  if (text !== null && text.length === length) {
    texts[slot + 1] = texts[slot]!;
    texts[slot] = text;
  }
  return text;
}
