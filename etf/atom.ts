/**
 * Atoms, interned: two atoms of one name are the same object while anyone holds it.
 *
 * Erlang's atom table only grows. Ours must not, since peers choose the names: the table holds
 * the latest few thousand atoms strongly and the older ones weakly, and drops what nobody else
 * holds after each collection of the garbage, which alone can tell.
 */
import { EtfEncodeError } from "./errors.ts";
import { hashName } from "./hash.ts";

/** Erlang's limit, in characters. */
export const MAX_ATOM_CHARACTERS = 255;

const encoder = new TextEncoder();

/** Such text has no UTF-8 form. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

const SMALL_ATOM_UTF8_EXT = 119;

function wireWords(utf8: Uint8Array): Int32Array {
  const { length } = utf8;
  const words = new Int32Array((length + 5) >> 2);
  words[0] = (SMALL_ATOM_UTF8_EXT << 24) | (length << 16);
  for (let i = 0; i < length; i++) words[(i + 2) >> 2]! |= utf8[i]! << (24 - 8 * ((i + 2) & 3));
  return words;
}

/** The name's UTF-8 bytes, made once: the atom's own, which neither change nor leave the codec. */
export let utf8Of: (atom: Atom) => Uint8Array;

/**
 * The atom as it is written, SMALL_ATOM_UTF8_EXT, in big-endian words with zeros at the end: a word
 * is written as fast as a byte. Made once, for names of up to 255 bytes; as `utf8Of`.
 */
export let wireOf: (atom: Atom) => Int32Array;

export class Atom<N extends string = string> {
  readonly name: N;
  #utf8: Uint8Array | undefined;
  #wire: Int32Array | undefined;
  #hash: number | undefined;

  static {
    utf8Of = (atom) => {
      atom.#utf8 ??= encoder.encode(atom.name);
      return atom.#utf8;
    };
    wireOf = (atom) => {
      atom.#wire ??= wireWords(utf8Of(atom));
      return atom.#wire;
    };
  }

  /** Use `atom(name)`: an atom made with `new` is not interned and equals nothing. */
  constructor(name: N) {
    this.name = name;
  }

  /** The name's UTF-8 bytes, anew at each call. */
  get utf8(): Uint8Array {
    return encoder.encode(this.name);
  }

  /** @internal As `hashTerm`, made once. */
  get hash(): number {
    this.#hash ??= hashName(this.name);
    return this.#hash;
  }

  toString(): N {
    return this.name;
  }

  /** As its name. Lossy: a JSON text cannot tell an atom from a binary. */
  toJSON(): N {
    return this.name;
  }
}

/** Atoms held strongly before the older ones become weak. */
const STRONG_ATOMS = 8192;

let strong = new Map<string, Atom>();
const weak = new Map<string, WeakRef<Atom>>();
let sweepAt = 4 * STRONG_ATOMS;

/** @internal How many atoms were made so far: a term with new names costs more heap than it shows. */
export let atomsMade = 0;

/**
 * The engine collects when the heap has grown by a factor, and what is to be swept afterwards counts
 * as in use: a stream of new names would let it grow, collection by collection. So every few thousand
 * names come with bytes that are never touched, but counted by the engine until they are collected.
 */
const BURDEN_BYTES = 4 * 1024 * 1024;
const burdens: Array<WeakRef<ArrayBuffer>> = [];

function weaken(): void {
  for (const [name, atom] of strong) {
    if (weak.get(name)?.deref() !== atom) weak.set(name, new WeakRef(atom));
  }
  strong = new Map();
  burdens.push(new WeakRef(new ArrayBuffer(BURDEN_BYTES)));
  if (!collections.watched) collections.watch();
  if (weak.size >= sweepAt) sweep();
}

/** Drops the names of the atoms that are gone. */
function sweep(): void {
  burdens.length = 0;
  for (const [name, ref] of weak) if (ref.deref() === undefined) weak.delete(name);
  // Where nobody tells of collections.
  sweepAt = Math.max(4 * STRONG_ATOMS, 2 * weak.size);
}

/** Sweeps whenever garbage was collected, which is told by the end of an object that nobody holds. */
const collections = {
  watched: false,
  registry: new FinalizationRegistry<undefined>(() => {
    sweep();
    collections.watched = false;
  }),
  watch(): void {
    this.watched = true;
    this.registry.register({}, undefined);
  },
};

/** As `namedAtom`, for a name already known to be good. */
export function internAtom(name: string): Atom {
  const known = strong.get(name);
  if (known !== undefined) return known;
  let atom = weak.get(name)?.deref();
  if (atom === undefined) {
    atom = new Atom(name);
    atomsMade++;
  }
  if (strong.size >= STRONG_ATOMS) weaken();
  strong.set(name, atom);
  return atom;
}

/** How many atoms the table holds, for tests and statistics. */
export function atomTableSize(): number {
  return strong.size + weak.size;
}

/**
 * The atom of a name.
 *
 * @throws EtfEncodeError ETF_ATOM_BOOLEAN for `true` and `false` (write the booleans),
 * ETF_ATOM_TOO_LONG above 255 characters, ETF_BAD_TEXT for a lone surrogate
 */
export function atom<const N extends string>(name: N): Atom<N> {
  if (name === "true" || name === "false") {
    throw new EtfEncodeError(
      "ETF_ATOM_BOOLEAN",
      `the atom ${name} is the boolean in JavaScript: write ${name} instead of atom("${name}")`,
    );
  }
  return namedAtom(name) as Atom<N>;
}

/**
 * The atom of any name, as what it names: a module, a process, a node. `true` and `false` are atoms
 * too, and may be such names; as terms they are booleans, see `atomTerm`.
 *
 * @throws EtfEncodeError as `atom` but for ETF_ATOM_BOOLEAN
 */
export function namedAtom(name: string): Atom {
  const known = strong.get(name);
  if (known !== undefined) return known;
  checkAtomName(name);
  return internAtom(name);
}

// Found once: they are asked for often, and must not be looked up. Held here, they are never dropped.
const TRUE = internAtom("true");
const FALSE = internAtom("false");

/** The term that the atom of a name is: the boolean for `true` and `false`, else the atom itself. */
export function atomTerm(atom: Atom): Atom | boolean {
  return atom === TRUE ? true : atom === FALSE ? false : atom;
}

/**
 * The atom that a term is, as Erlang has it: `true` and `false` are atoms too, here with their names.
 * Undefined for every other term.
 */
export function atomOf(term: unknown): Atom | undefined {
  if (term instanceof Atom) return term;
  return term === true ? TRUE : term === false ? FALSE : undefined;
}

/** @throws EtfEncodeError ETF_ATOM_TOO_LONG, ETF_BAD_TEXT, ETF_NOT_A_TERM */
export function checkAtomName(name: string): void {
  if (typeof name !== "string") {
    throw new EtfEncodeError("ETF_NOT_A_TERM", `an atom's name is a string, not ${typeof name}`);
  }
  if (hasLoneSurrogate(name)) {
    throw new EtfEncodeError("ETF_BAD_TEXT", "an atom's name has a lone surrogate");
  }
  if (name.length > MAX_ATOM_CHARACTERS && [...name].length > MAX_ATOM_CHARACTERS) {
    throw new EtfEncodeError(
      "ETF_ATOM_TOO_LONG",
      `an atom has at most ${MAX_ATOM_CHARACTERS} characters, "${name.slice(0, 20)}..." has ${[...name].length}`,
    );
  }
}
