/**
 * From an atom's bytes to the atom without making a string: a table of fixed size, one for all
 * decoders, in which later atoms take the place of earlier ones.
 */
import { type Atom, internAtom, MAX_ATOM_CHARACTERS, wireOf } from "./atom.ts";
import { EtfDecodeError } from "./errors.ts";
import { TAG } from "./tags.ts";
import { utf8Text } from "./utf8.ts";

/** In pairs: an atom is looked for in both places of its pair. */
const SLOTS = 8192;

// At first the empty atom everywhere.
const slots: Atom[] = new Array(SLOTS).fill(internAtom(""));
/**
 * Each as it is written, in big-endian words, side by side: to look at one is to look at one line of
 * the processor's cache. Longer ones are looked at in the atom itself.
 */
const SLOT_WORDS = 8;
const MAX_SLOT_BYTES = 4 * SLOT_WORDS - 2;
const words = new Int32Array(SLOTS * SLOT_WORDS);

const FIRST_WORD = TAG.SMALL_ATOM_UTF8_EXT << 24;
/** Longer ones are not kept: only ATOM_UTF8_EXT and Latin-1 can hold them, which are rare. */
const MAX_CACHED_BYTES = 255;

/**
 * The place is made of the length and six bytes, where names differ most. That atoms can be made to
 * fall together does no more than make them slow to look up.
 *
 * @throws EtfDecodeError ETF_BAD_ATOM
 */
export function atomFromUtf8(bytes: Uint8Array, offset: number, length: number): Atom {
  if (length > MAX_CACHED_BYTES) return internAtom(utf8Name(bytes, offset, length));
  const slot = slotOf(bytes, offset, length);
  if (isThere(slot, bytes, offset, length)) return slots[slot]!;
  if (isThere(slot + 1, bytes, offset, length)) return slots[slot + 1]!;
  return keep(slot, bytes, offset, length);
}

/**
 * The same for the text of a SMALL_ATOM_UTF8_EXT, whose tag and length are just before it, with a
 * view of the same bytes.
 */
export function atomFromWire(
  view: DataView,
  bytes: Uint8Array,
  offset: number,
  length: number,
): Atom {
  if (length <= MAX_SLOT_BYTES && offset + MAX_SLOT_BYTES <= bytes.length) {
    const slot = slotOf(bytes, offset, length);
    const used = length + 1;
    const last = used >> 2;
    const lastWord = view.getInt32(offset - 2 + 4 * last) & (-1 << (8 * (3 - (used & 3))));
    for (let place = slot; place < slot + 2; place++) {
      const from = place * SLOT_WORDS;
      // From the end: names with one beginning are many.
      if (words[from + last] !== lastWord) continue;
      let i = last - 1;
      while (i >= 0 && view.getInt32(offset - 2 + 4 * i) === words[from + i]) i--;
      if (i < 0) return slots[place]!;
    }
  }
  return atomFromUtf8(bytes, offset, length);
}

function slotOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = length;
  if (length >= 3) {
    // Products that do not wait for one another.
    const end = offset + length;
    hash +=
      Math.imul(bytes[end - 1]!, 0x85ebca6b) +
      Math.imul(bytes[end - 2]!, 0xc2b2ae35) +
      Math.imul(bytes[end - 3]!, 0x27d4eb2f) +
      Math.imul(bytes[offset]!, 0x165667b1) +
      Math.imul(bytes[offset + 1]!, 0x9e3779b1) +
      Math.imul(bytes[offset + (length >> 1)]!, 0xcc9e2d51);
  } else for (let i = 0; i < length; i++) hash = Math.imul(hash, 31) + bytes[offset + i]!;
  return (Math.imul(hash | 0, 0x9e3779b1) >>> 18) & (SLOTS - 2);
}

/** Whether the atom of a slot has the text there. */
function isThere(slot: number, bytes: Uint8Array, offset: number, length: number): boolean {
  const long = length > MAX_SLOT_BYTES;
  const wire = long ? wireOf(slots[slot]!) : words;
  let i = long ? 0 : slot * SLOT_WORDS;
  const end = offset + length;
  let word = FIRST_WORD | (length << 16);
  if (length > 0) word |= bytes[offset]! << 8;
  if (length > 1) word |= bytes[offset + 1]!;
  if (wire[i++] !== word) return false;
  let at = offset + 2;
  for (; at + 4 <= end; at += 4) {
    word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (wire[i++] !== word) return false;
  }
  if (at >= end) return true;
  word = bytes[at]! << 24;
  if (at + 1 < end) word |= bytes[at + 1]! << 16;
  if (at + 2 < end) word |= bytes[at + 2]! << 8;
  return wire[i] === word;
}

/** What was found in neither place of the pair is put into the first. */
function keep(slot: number, bytes: Uint8Array, offset: number, length: number): Atom {
  const atom = internAtom(utf8Name(bytes, offset, length));
  slots[slot + 1] = slots[slot]!;
  slots[slot] = atom;
  const from = slot * SLOT_WORDS;
  words.copyWithin(from + SLOT_WORDS, from, from + SLOT_WORDS);
  words.fill(0, from, from + SLOT_WORDS);
  if (length > MAX_SLOT_BYTES) return atom;
  words[from] = FIRST_WORD | (length << 16);
  for (let i = 0; i < length; i++) {
    words[from + ((i + 2) >> 2)]! |= bytes[offset + i]! << (24 - 8 * ((i + 2) & 3));
  }
  return atom;
}

/** @throws EtfDecodeError ETF_BAD_ATOM */
export function atomFromLatin1(bytes: Uint8Array, offset: number, length: number): Atom {
  let name = "";
  let ascii = true;
  for (let i = 0; i < length; i++) if (bytes[offset + i]! >= 0x80) ascii = false;
  if (ascii) return atomFromUtf8(bytes, offset, length);
  for (let i = 0; i < length; i++) name += String.fromCharCode(bytes[offset + i]!);
  if (length > MAX_ATOM_CHARACTERS) throw tooLong(length, offset);
  return internAtom(name);
}

function utf8Name(bytes: Uint8Array, offset: number, length: number): string {
  const name = utf8Text(bytes, offset, length);
  if (name === null) {
    throw new EtfDecodeError("ETF_BAD_ATOM", "an atom's text is not UTF-8", offset);
  }
  if (name.length > MAX_ATOM_CHARACTERS) {
    const characters = [...name].length;
    if (characters > MAX_ATOM_CHARACTERS) throw tooLong(characters, offset);
  }
  return name;
}

function tooLong(characters: number, offset: number): EtfDecodeError {
  return new EtfDecodeError(
    "ETF_BAD_ATOM",
    `an atom has at most ${MAX_ATOM_CHARACTERS} characters, not ${characters}`,
    offset,
  );
}
