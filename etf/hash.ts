/**
 * A keyed hash of words, from which the hashes of terms are made.
 *
 * Its multipliers are secrets of this process: whoever does not know them cannot tell which words
 * fall together, nor make a difference in one word that another word cancels.
 */

const secrets = crypto.getRandomValues(new Int32Array(4));
const SEED = secrets[0]!;
const FIRST = secrets[1]! | 1;
const SECOND = secrets[2]! | 1;
const ADDED = secrets[3]!;

/** The hash of what was hashed so far, and one more word. */
export function mix(hash: number, word: number): number {
  let h = hash ^ word;
  h ^= h >>> 16;
  h = (Math.imul(h, FIRST) + ADDED) | 0;
  h ^= h >>> 15;
  h = Math.imul(h, SECOND);
  return h ^ (h >>> 16);
}

/** What the hash of a kind of term begins with. */
export function startOf(kind: number): number {
  return mix(SEED, kind);
}

export function mixBytes(hash: number, bytes: Uint8Array): number {
  const { length } = bytes;
  let h = mix(hash, length);
  let i = 3;
  for (; i < length; i += 4) {
    const low = bytes[i - 3]! | (bytes[i - 2]! << 8);
    h = mix(h, low | (bytes[i - 1]! << 16) | (bytes[i]! << 24));
  }
  i -= 3;
  if (i === length) return h;
  let rest = 0;
  for (; i < length; i++) rest = (rest << 8) | bytes[i]!;
  return mix(h, rest);
}

export function mixText(hash: number, text: string): number {
  const { length } = text;
  let h = mix(hash, length);
  let i = 1;
  for (; i < length; i += 2) {
    h = mix(h, text.charCodeAt(i - 1) | (text.charCodeAt(i) << 16));
  }
  return i === length ? mix(h, text.charCodeAt(i - 1)) : h;
}

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);

/** The 64 bits of a number. */
export function mixDouble(hash: number, value: number): number {
  doubles[0] = value;
  return mix(mix(hash, words[0]!), words[1]!);
}

const ATOM = startOf(2);

/** @internal Of an atom, by its name. */
export function hashName(name: string): number {
  return mixText(ATOM, name);
}
