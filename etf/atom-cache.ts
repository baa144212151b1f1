/**
 * From an atom's bytes to the atom without making a string: a table of fixed size in which a
 * later atom takes the place of an earlier one.
 */
import { type Atom, internAtom, MAX_ATOM_CHARACTERS } from "./atom.ts";
import { EtfDecodeError } from "./errors.ts";

const SLOTS = 2048;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class AtomCache {
  private readonly slots: (Atom | undefined)[] = new Array(SLOTS).fill(undefined);

  /** @throws EtfDecodeError ETF_BAD_ATOM */
  fromUtf8(bytes: Uint8Array, offset: number, length: number): Atom {
    const slot = slotOf(bytes, offset, length);
    const known = this.slots[slot];
    if (known !== undefined && sameBytes(known.utf8, bytes, offset, length)) return known;
    const atom = internAtom(utf8Name(bytes, offset, length));
    this.slots[slot] = atom;
    return atom;
  }

  /** @throws EtfDecodeError ETF_BAD_ATOM */
  fromLatin1(bytes: Uint8Array, offset: number, length: number): Atom {
    let name = "";
    let ascii = true;
    for (let i = 0; i < length; i++) if (bytes[offset + i]! >= 0x80) ascii = false;
    if (ascii) return this.fromUtf8(bytes, offset, length);
    for (let i = 0; i < length; i++) name += String.fromCharCode(bytes[offset + i]!);
    if (length > MAX_ATOM_CHARACTERS) throw tooLong(length, offset);
    return internAtom(name);
  }
}

function slotOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[offset + i]!) | 0;
  return (hash ^ (hash >>> 11) ^ (hash >>> 22)) & (SLOTS - 1);
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[offset + i]) return false;
  return true;
}

function utf8Name(bytes: Uint8Array, offset: number, length: number): string {
  let name: string;
  try {
    name = strictUtf8.decode(bytes.subarray(offset, offset + length));
  } catch (cause) {
    throw new EtfDecodeError("ETF_BAD_ATOM", "an atom's text is not UTF-8", offset, { cause });
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
