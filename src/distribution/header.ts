/**
 * The distribution header: what stands in front of the control message when the atom cache or
 * fragments were negotiated. The terms behind it have no version byte of their own.
 *
 *     normal              131 68 refs
 *     first fragment      131 69 sequenceId:64 fragmentId:64 refs
 *     further fragments   131 70 sequenceId:64 fragmentId:64
 *
 *     refs    count:8; unless that is 0: count/2 + 1 bytes of half-byte flags, then count entries
 *     flags   of entry i: half byte i, the low half of a byte first: newEntry:1 segmentIndex:3;
 *             behind the last of them one more half byte: unused:3 longAtoms:1
 *     entry   internalSegmentIndex:8, if newEntry also length:8 (16 with longAtoms) and UTF-8 text
 *
 * Spec: erl_ext_dist, "Distribution Header"; what is tolerated is as in erts' external.c of OTP 23
 * to 29. The two indexes of an entry are one number here, its `cacheIndex`, 0 to 2047.
 */
import { type Atom, EtfDecodeError, type TermDecoder, VERSION_MAGIC } from "../../etf/index.ts";
import { DistProtocolError } from "./errors.ts";

/** First byte of a frame without a distribution header. */
export const PASS_THROUGH = 112;
/** Second byte of a frame with one, behind the version byte. */
export const DIST_HEADER = 68;
export const DIST_FRAG_HEADER = 69;
export const DIST_FRAG_CONT = 70;

/** References a header can announce. */
export const MAX_ATOM_CACHE_REFS = 255;
/** 8 segments of 256 entries. */
export const ATOM_CACHE_ENTRIES = 2048;
/** 131, the tag, sequence id and fragment id. */
export const FRAGMENT_HEAD_BYTES = 18;

const NEW_ENTRY = 8;
const LONG_ATOMS = 1;
const MAX_SHORT_ATOM_BYTES = 255;

/** As terms are: the atoms `true` and `false` are booleans. */
export type CachedAtom = Atom | boolean;

/** The entries that earlier headers of the same direction have filled. */
export interface AtomCacheEntries {
  get(cacheIndex: number): CachedAtom | undefined;
  set(cacheIndex: number, atom: CachedAtom): void;
}

/**
 * Reads the references that begin at `at` into `refs`, by their internal segment index, and
 * enters the new ones into the cache; `refs` ends behind the last of them.
 * @returns where the references end and the terms begin
 * @throws DistProtocolError DIST_HEADER_MALFORMED, DIST_CACHE_MISS
 */
export function readAtomCacheRefs(
  bytes: Uint8Array,
  at: number,
  end: number,
  cache: AtomCacheEntries,
  decoder: TermDecoder,
  refs: (CachedAtom | undefined)[],
): number {
  if (at >= end) throw cutShort();
  const count = bytes[at]!;
  let next = at + 1;
  if (count > 0) {
    const flagsAt = next;
    next += (count >> 1) + 1;
    if (next > end) throw cutShort();
    const longAtoms = halfByte(bytes, flagsAt, count) & LONG_ATOMS;
    for (let index = 0; index < count; index++) {
      const flags = halfByte(bytes, flagsAt, index);
      if (next >= end) throw cutShort();
      const cacheIndex = ((flags & 7) << 8) | bytes[next++]!;
      let atom: CachedAtom | undefined;
      if ((flags & NEW_ENTRY) === 0) {
        atom = cache.get(cacheIndex);
        if (atom === undefined) throw cacheMiss(cacheIndex);
      } else {
        const textAt = next + 1 + longAtoms;
        if (textAt > end) throw cutShort();
        const length = longAtoms === 0 ? bytes[next]! : (bytes[next]! << 8) | bytes[next + 1]!;
        next = textAt + length;
        if (next > end) throw cutShort();
        atom = newEntry(decoder, bytes, textAt, length);
        cache.set(cacheIndex, atom);
      }
      refs[index] = atom;
    }
  }
  for (let index = count; refs[index] !== undefined; index++) refs[index] = undefined;
  return next;
}

function halfByte(bytes: Uint8Array, at: number, index: number): number {
  const byte = bytes[at + (index >> 1)]!;
  return (index & 1) === 0 ? byte & 15 : byte >> 4;
}

function newEntry(decoder: TermDecoder, bytes: Uint8Array, at: number, length: number): CachedAtom {
  try {
    return decoder.atomFromUtf8(bytes, at, length);
  } catch (error) {
    if (!(error instanceof EtfDecodeError)) throw error;
    throw new DistProtocolError(
      "DIST_HEADER_MALFORMED",
      `The peer sent a distribution header with a new entry that is not an atom: ${error.message}`,
      { cause: error },
    );
  }
}

/** What a header is to announce, by internal segment index. */
export interface OutgoingRefs {
  readonly count: number;
  readonly cacheIndexes: ArrayLike<number>;
  /** UTF-8 of an entry the peer does not have; undefined for one it has. */
  readonly texts: readonly (Uint8Array | undefined)[];
}

/** The bytes that `writeAtomCacheRefs` will write. */
export function atomCacheRefsBytes({ count, texts }: OutgoingRefs): number {
  if (count === 0) return 1;
  let size = 1 + (count >> 1) + 1 + count;
  let newEntries = 0;
  let longAtoms = 0;
  for (let index = 0; index < count; index++) {
    const text = texts[index];
    if (text === undefined) continue;
    newEntries++;
    size += text.length;
    if (text.length > MAX_SHORT_ATOM_BYTES) longAtoms = 1;
  }
  return size + newEntries * (1 + longAtoms);
}

/** Writes the references at `at`; there must be room. Returns where they end. */
export function writeAtomCacheRefs(
  { count, cacheIndexes, texts }: OutgoingRefs,
  bytes: Uint8Array,
  at: number,
): number {
  bytes[at] = count;
  if (count === 0) return at + 1;
  let longAtoms = 0;
  for (let index = 0; index < count; index++) {
    if ((texts[index]?.length ?? 0) > MAX_SHORT_ATOM_BYTES) longAtoms = LONG_ATOMS;
  }
  const flagsAt = at + 1;
  let next = flagsAt + (count >> 1) + 1;
  let low = 0;
  for (let index = 0; index < count; index++) {
    const cacheIndex = cacheIndexes[index]!;
    const text = texts[index];
    const flags = (cacheIndex >> 8) | (text === undefined ? 0 : NEW_ENTRY);
    if ((index & 1) === 0) low = flags;
    else bytes[flagsAt + (index >> 1)] = low | (flags << 4);
    bytes[next++] = cacheIndex;
    if (text === undefined) continue;
    if (longAtoms !== 0) bytes[next++] = text.length >> 8;
    bytes[next++] = text.length;
    bytes.set(text, next);
    next += text.length;
  }
  bytes[flagsAt + (count >> 1)] = (count & 1) === 0 ? longAtoms : low | (longAtoms << 4);
  return next;
}

/** As `writeAtomCacheRefs` where the peer has every entry, which is nearly always. */
export function writeKnownAtomCacheRefs(
  count: number,
  cacheIndexes: Uint16Array,
  bytes: Uint8Array,
  at: number,
): number {
  bytes[at] = count;
  if (count === 0) return at + 1;
  const flagsAt = at + 1;
  let next = flagsAt + (count >> 1) + 1;
  let low = 0;
  for (let index = 0; index < count; index++) {
    const cacheIndex = cacheIndexes[index]!;
    if ((index & 1) === 0) low = cacheIndex >> 8;
    else bytes[flagsAt + (index >> 1)] = low | ((cacheIndex >> 8) << 4);
    bytes[next++] = cacheIndex;
  }
  bytes[flagsAt + (count >> 1)] = (count & 1) === 0 ? 0 : low;
  return next;
}

/** Names a sequence of fragments; a bigint only where a number would not be exact. */
export type SequenceId = number | bigint;

/** The 64-bit number at `at`. */
export function readSequenceId(bytes: Uint8Array, at: number): SequenceId {
  const high = uint32(bytes, at);
  const low = uint32(bytes, at + 4);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
}

/** The fragment id of a fragment's head at `at`; more fragments than can be counted are many. */
export function readFragmentId(bytes: Uint8Array, at: number): number {
  return Number(readSequenceId(bytes, at + 10));
}

/** Writes 131, the tag and the two ids; both are this node's numbers, below 2^53. */
export function writeFragmentHead(
  bytes: Uint8Array,
  at: number,
  tag: typeof DIST_FRAG_HEADER | typeof DIST_FRAG_CONT,
  sequenceId: number,
  fragmentId: number,
): void {
  bytes[at] = VERSION_MAGIC;
  bytes[at + 1] = tag;
  putUint64(bytes, at + 2, sequenceId);
  putUint64(bytes, at + 10, fragmentId);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function putUint64(bytes: Uint8Array, at: number, value: number): void {
  putUint32(bytes, at, Math.floor(value / 0x1_0000_0000));
  putUint32(bytes, at + 4, value);
}

function cutShort(): DistProtocolError {
  return new DistProtocolError(
    "DIST_HEADER_MALFORMED",
    "The peer sent a frame that ends within its distribution header.",
  );
}

function cacheMiss(cacheIndex: number): DistProtocolError {
  return new DistProtocolError(
    "DIST_CACHE_MISS",
    `The peer refers to entry ${cacheIndex} of the atom cache, which it has never filled.`,
  );
}
