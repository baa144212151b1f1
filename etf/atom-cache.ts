/**
 * From an atom's bytes to the atom without making a string: a table of fixed size, one for all
 * decoders, in which later atoms take the place of earlier ones.
 */
import { type Atom, internAtom, MAX_ATOM_CHARACTERS } from "./atom.ts";
import { EtfDecodeError } from "./errors.ts";
import { utf8Text } from "./utf8.ts";

/** In pairs: an atom is looked for in both places of its pair. */
const SLOTS = 8192;

// At first the empty atom everywhere.
const slots: Atom[] = new Array(SLOTS).fill(internAtom(""));
/** The bytes of each. */
const names: Uint8Array[] = new Array(SLOTS).fill(slots[0]!.utf8);

/**
 * The place is made of the length and six bytes, where names differ most. That atoms can be made to
 * fall together does no more than make them slow to look up.
 *
 * @throws EtfDecodeError ETF_BAD_ATOM
 */
export function atomFromUtf8(bytes: Uint8Array, offset: number, length: number): Atom {
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
  const slot = (Math.imul(hash | 0, 0x9e3779b1) >>> 18) & (SLOTS - 2);
  const name = names[slot]!;
  if (name.length === length) {
    // From the end: names with one beginning are many.
    let i = length - 1;
    while (i >= 0 && name[i] === bytes[offset + i]) i--;
    if (i < 0) return slots[slot]!;
  }
  return fromSecond(slot, bytes, offset, length);
}

/** Looks in the other place of the pair; what is found in neither is put into the first. */
function fromSecond(slot: number, bytes: Uint8Array, offset: number, length: number): Atom {
  const second = slots[slot + 1]!;
  if (second.utf8.length === length) {
    let i = length - 1;
    while (i >= 0 && names[slot + 1]![i] === bytes[offset + i]) i--;
    if (i < 0) return second;
  }
  const atom = internAtom(utf8Name(bytes, offset, length));
  slots[slot + 1] = slots[slot]!;
  names[slot + 1] = names[slot]!;
  slots[slot] = atom;
  names[slot] = atom.utf8;
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
