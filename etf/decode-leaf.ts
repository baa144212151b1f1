/**
 * Bytes to terms that hold no other terms, and what comes before the values of funs and records;
 * with the limits that a decoder keeps.
 *
 * Spec: erl_ext_dist. The sizes that open containers claim never add up to more than the bytes
 * there are, so a claim cannot allocate more than a small multiple of the input.
 */
import { bigintFromBytes, HARD_LIMIT_BYTES } from "#bigint";
import { type Atom, atomOf, atomsMade, atomTerm } from "./atom.ts";
import { atomFromLatin1, atomFromUtf8, atomFromWire } from "./atom-cache.ts";
import { copyBytes, copyWords, viewBytes } from "./bytes.ts";
import { EtfDecodeError, type EtfDecodeErrorCode } from "./errors.ts";
import {
  ATOM_WORDS,
  BIG_INTEGER_WORDS,
  BINARY_WORDS,
  CONTAINER_WORDS,
  FLOAT_WORDS,
  FUN_WORDS,
  heapLimitBytes,
  IDENTIFIER_WORDS,
  REFERENCE_WORDS,
  WORD_BYTES,
} from "./heap.ts";
import { inflate } from "./inflate.ts";
import { Known } from "./known.ts";
import { ByteReader } from "./reader.ts";
import { TAG, tagName } from "./tags.ts";
import {
  BitString,
  ExternalFun,
  Float,
  type LocalFunFields,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
} from "./terms.ts";

export interface DecodeOptions {
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /** Bytes of one term as it is received; 2^32 - 1 by default. */
  maxTermBytes?: number;
  /** Bytes of one integer; 4,194,304 by default, which is the limit of OTP up to 25; later ones have an eighth of it. */
  maxIntegerBytes?: number;
  /** Bytes a compressed term may inflate to; 64 MiB by default. */
  maxInflatedBytes?: number;
  /**
   * Bytes of heap that one term may take, estimated while it is read; by default a quarter of what
   * the heap may grow to (`v8.getHeapStatistics().heap_size_limit`).
   */
  maxHeapBytes?: number;
  /**
   * `copy`, the default: every binary has bytes of its own. `view`: one that takes a quarter or more
   * of the bytes given is a view on them, which is faster, and changes when they change.
   */
  binaries?: "copy" | "view";
}

/**
 * Levels read by recursion. 1,023 took up to half of the stack on Node.js 20; a quarter for 512 is inferred
 * from that, not measured.
 */
const CALL_DEPTH = 512;
/** Binaries up to this size are copied. */
const COPY_BYTES = 64;

/** Of an integer of 8 bytes, with its tag, length and sign. */
export const MAX_NUMBER_BYTES = 11;

/** Arrays up to this size are made where they are needed: the engine makes no larger ones in place. */
export const PREALLOCATE = 8192;
/** And up to this size in one piece. */
export const MAX_PREALLOCATE = 1 << 20;

/** To be filled. With holes as the others, since code that sees more kinds of arrays gets slow. */
export function largeArray<T>(size: number): T[] {
  const array: T[] = new Array(size <= MAX_PREALLOCATE ? size : 1);
  if (size > MAX_PREALLOCATE) array.length = 0;
  return array;
}

/** Terms for which a view may be worth making. */
const CONTAINERS: ReadonlySet<number> = new Set([
  TAG.LIST_EXT,
  TAG.SMALL_TUPLE_EXT,
  TAG.LARGE_TUPLE_EXT,
  TAG.MAP_EXT,
]);

/**
 * Empty lists of one term that get an array each. A term with more is not a structure that anyone
 * changes in place, and to make tens of millions of arrays takes seconds: the others share one,
 * which cannot be changed.
 */
const MAX_FRESH_NILS = 65_536;
const SHARED_NIL = Object.freeze([]) as unknown as Term[];
const OLD_FLOAT = /^[+-]?\d+[.,]\d+([eE][+-]?\d+)?$/;

/** Creations of the forms before OTP 23, and the first word of a reference in them, have few bits. */
const MAX_OLD_CREATION = 3;
const MAX_OLD_REFERENCE_WORD = 0x3ffff;

/** Beyond it the emulator holds an integer in another form, which no field of a fun may have. */
const SMALL_INTEGERS = 1n << 59n;

const MAX_FREE_VARIABLES = 255;

const NOTHING = new Uint8Array(0);

/** The one way to a 64-bit integer that makes no other on the way; low word first. */
const words = new Uint32Array(2);
const word64 = new BigUint64Array(words.buffer);
const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export interface RecordHead {
  module: Atom;
  recordName: Atom;
  exported: boolean;
  fields: Atom[];
}

/** Reads one term at a time; what becomes of containers is told by who extends it. */
export abstract class LeafDecoder<Result> extends ByteReader {
  readonly maxDepth: number;
  readonly maxTermBytes: number;
  readonly maxIntegerBytes: number;
  readonly maxInflatedBytes: number;
  readonly maxHeapBytes: number;
  /** Words of heap that what was read takes. */
  private heapWords = 0;
  private readonly maxHeapWords: number;
  private readonly copiesBinaries: boolean;
  /** Atoms that had been made when their cost was last charged. */
  private atomsCharged = 0;
  protected atomRefs: readonly (Atom | boolean)[] | null = null;
  /** Elements that the containers being read have claimed together. */
  protected claimed = 0;
  protected claimLimit = 0;
  protected readonly callDepth: number;
  /** Empty lists of this term that are arrays of their own. */
  private freshNils = 0;
  /** Of the terms being read: none of them changes before all are. */
  protected readonly known = new Known();
  /** @internal The depth at which a term lies that is part of another one. */
  baseDepth = 0;

  constructor(options: DecodeOptions = {}) {
    super();
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.callDepth = Math.min(CALL_DEPTH, this.maxDepth);
    this.maxTermBytes = options.maxTermBytes ?? 0xffffffff;
    this.maxIntegerBytes = Math.min(options.maxIntegerBytes ?? 4_194_304, HARD_LIMIT_BYTES);
    this.maxInflatedBytes = options.maxInflatedBytes ?? 64 * 1024 * 1024;
    this.maxHeapBytes = options.maxHeapBytes ?? heapLimitBytes() / 4;
    this.maxHeapWords = Math.floor(this.maxHeapBytes / WORD_BYTES);
    this.copiesBinaries = options.binaries !== "view";
  }

  /**
   * The term that begins at `offset`, without a version byte; `this.offset` is then its end.
   *
   * @throws EtfDecodeError; the decoder can be used again after it
   */
  decodeAt(
    bytes: Uint8Array,
    offset: number,
    end: number,
    atomRefs: readonly (Atom | boolean)[] | null = null,
  ): Result {
    this.bytes = bytes;
    this.view = null;
    this.offset = offset;
    this.end = Math.min(end, bytes.length, offset + this.maxTermBytes);
    this.atomRefs = atomRefs;
    this.claimed = 0;
    this.claimLimit = this.end - offset;
    this.heapWords = 0;
    this.freshNils = 0;
    this.atomsCharged = atomsMade;
    try {
      const tag = bytes[offset];
      if (offset < this.end) {
        if (tag === TAG.COMPRESSED) return this.compressed();
        if (tag === TAG.LOCAL_EXT) return this.opaque(this.opaqueBytes());
        if (CONTAINERS.has(tag!)) this.makeView();
      }
      return this.read(this.baseDepth);
    } catch (error) {
      if (
        error instanceof EtfDecodeError &&
        error.code === "ETF_TRUNCATED" &&
        this.end < Math.min(end, bytes.length)
      ) {
        throw this.limit("maxTermBytes", this.maxTermBytes, offset);
      }
      throw error;
    } finally {
      this.bytes = NOTHING;
      this.view = null;
      this.atomRefs = null;
      this.known.forget();
    }
  }

  /** The atom of UTF-8 bytes, through this decoder's cache. @throws EtfDecodeError ETF_BAD_ATOM */
  atomFromUtf8(bytes: Uint8Array, offset: number, length: number): Atom | boolean {
    const atom = atomFromUtf8(bytes, offset, length);
    return atomTerm(atom);
  }

  protected error(code: EtfDecodeErrorCode, message: string, offset = this.offset): EtfDecodeError {
    return new EtfDecodeError(code, message, offset);
  }

  protected limit(option: string, value: number, offset = this.offset): EtfDecodeError {
    return this.error("ETF_LIMIT", `more than ${option} (${value}) allows`, offset);
  }

  /** A container with that many elements begins. */
  protected claim(size: number): void {
    this.claimed += size;
    if (this.claimed > this.claimLimit || size > this.end - this.offset) {
      throw this.error("ETF_TRUNCATED", `${size} elements claimed, fewer bytes there`);
    }
    this.charge(CONTAINER_WORDS + size);
  }

  /** Counts words of heap, before they are taken. */
  protected charge(words: number): void {
    const sum = this.heapWords + words;
    this.heapWords = sum;
    if (sum > this.maxHeapWords) throw this.limit("maxHeapBytes", this.maxHeapBytes);
  }

  /** Bytes of heap that the term read last takes, or what was read of it: an estimate. */
  get heapBytes(): number {
    return this.heapWords * WORD_BYTES;
  }

  /** Counts the atoms that were made since the last time. */
  private chargeAtoms(): void {
    const made = atomsMade - this.atomsCharged;
    this.atomsCharged = atomsMade;
    this.charge(made * ATOM_WORDS);
  }

  /** An empty list. */
  protected nil(): Term[] {
    return this.freshNils++ < MAX_FRESH_NILS ? [] : SHARED_NIL;
  }
  /** A whole term. */
  protected abstract read(depth: number): Result;

  /** The result for a term that only its maker understands. */
  protected abstract opaque(term: OpaqueTerm): Result;

  protected funHead(): { head: LocalFunFields; size: number } {
    // The size in bytes, which the runtime skips too: OTP 23 writes too large a one when it encodes a
    // fun with a bitstring before it knows its peer's flags.
    this.uint32();
    const arity = this.uint8();
    this.need(16);
    const uniq = copyBytes(this.bytes, this.offset, 16);
    this.offset += 16;
    const index = this.uint32();
    const size = this.uint32();
    const module = this.atomField("a fun's module");
    const oldIndex = this.integerField("a fun's old index");
    const oldUniq = this.integerField("a fun's old uniq");
    const pid = this.pidField();
    if (size > MAX_FREE_VARIABLES) {
      throw this.error("ETF_BAD_FIELD", `a fun has at most 255 free variables, not ${size}`);
    }
    this.claim(size);
    this.claimed -= size; // funs are few: their free variables are read by push
    this.charge(FUN_WORDS);
    return {
      head: { arity, uniq, index, module, oldIndex, oldUniq, pid, freeVariables: [] },
      size,
    };
  }

  /** Of the form before R9, which has neither arity nor MD5: `uniq` is empty, and it goes back so. */
  protected oldFunHead(): { head: LocalFunFields; size: number } {
    const size = this.uint32();
    const pid = this.pidField();
    const module = this.atomField("a fun's module");
    const index = this.integerField("a fun's index");
    const oldUniq = this.integerField("a fun's uniq");
    this.claim(size);
    this.claimed -= size;
    this.charge(FUN_WORDS);
    const old = { index, oldIndex: index, oldUniq, arity: 0, uniq: NOTHING, freeVariables: [] };
    return { head: { ...old, module, pid }, size };
  }

  protected recordHead(): { head: RecordHead; size: number } {
    const size = this.uint32();
    this.claim(2 * size);
    this.claimed -= 2 * size;
    this.charge(FUN_WORDS);
    const flags = this.uint8();
    if (flags > 1) throw this.error("ETF_BAD_FIELD", `a record's flags are ${flags}`);
    const module = this.atomField("a record's module");
    const recordName = this.atomField("a record's name");
    const fields: Atom[] = [];
    for (let i = 0; i < size; i++) fields.push(this.atomField("a record's field"));
    if (new Set(fields).size !== size) {
      throw this.error("ETF_BAD_FIELD", `record ${recordName.name} has a field twice`);
    }
    return { head: { module, recordName, exported: flags === 1, fields }, size };
  }

  /** Everything that holds no other terms. */
  protected leaf(tag: number): Term {
    switch (tag) {
      case TAG.SMALL_INTEGER_EXT:
        return this.uint8();
      case TAG.INTEGER_EXT:
        return this.int32();
      case TAG.SMALL_BIG_EXT:
        return this.big(this.uint8());
      case TAG.LARGE_BIG_EXT:
        return this.big(this.uint32());
      case TAG.NEW_FLOAT_EXT:
        return this.checkedFloat(this.float64());
      case TAG.FLOAT_EXT:
        return this.oldFloat();
      case TAG.NIL_EXT:
        return this.nil();
      case TAG.STRING_EXT:
        return this.string();
      case TAG.BINARY_EXT:
        return this.binary(this.uint32());
      case TAG.BIT_BINARY_EXT:
        return this.bitString();
      case TAG.NEW_PID_EXT:
      case TAG.PID_EXT:
        return this.pid(tag);
      case TAG.NEW_PORT_EXT:
      case TAG.V4_PORT_EXT:
      case TAG.PORT_EXT:
        return this.port(tag);
      case TAG.NEWER_REFERENCE_EXT:
      case TAG.NEW_REFERENCE_EXT:
      case TAG.REFERENCE_EXT:
        return this.reference(tag);
      case TAG.EXPORT_EXT:
        return this.externalFun();
      default: {
        const atom = this.atomOf(tag);
        if (atom === null) {
          const what = tag === TAG.LOCAL_EXT || tag === TAG.COMPRESSED ? "inside a term" : "";
          throw this.error("ETF_UNKNOWN_TAG", `${tagName(tag)} ${what}`.trim(), this.offset - 1);
        }
        return atomTerm(atom);
      }
    }
  }

  /** SMALL_ATOM_UTF8_EXT, the form of nearly all atoms. */
  protected smallAtom(): Atom | boolean {
    const length = this.uint8();
    const { offset } = this;
    if (length > this.end - offset) throw this.truncated(length);
    this.offset = offset + length;
    const atom = this.wireAtom(offset, length);
    if (atomsMade !== this.atomsCharged) this.chargeAtoms();
    return atomTerm(atom);
  }

  /** The atom of a text that is there, behind its tag and its length. */
  private wireAtom(offset: number, length: number): Atom {
    const { bytes, view } = this;
    return view === null
      ? atomFromUtf8(bytes, offset, length)
      : atomFromWire(view, bytes, offset, length);
  }

  /** The atom whose tag was just read, or null if the tag is not an atom's. */
  protected atomOf(tag: number): Atom | null {
    switch (tag) {
      case TAG.SMALL_ATOM_UTF8_EXT:
        return this.atomText(this.uint8(), false);
      case TAG.ATOM_UTF8_EXT:
        return this.atomText(this.uint16(), false);
      case TAG.SMALL_ATOM_EXT:
        return this.atomText(this.uint8(), true);
      case TAG.ATOM_EXT:
        return this.atomText(this.uint16(), true);
      case TAG.ATOM_CACHE_REF: {
        const index = this.uint8();
        const atom = this.atomRefs?.[index];
        if (atom === undefined) {
          throw this.error("ETF_BAD_ATOM_REF", `atom cache reference ${index} is not defined`);
        }
        return atomOf(atom)!;
      }
      default:
        return null;
    }
  }

  protected atomText(length: number, latin1: boolean): Atom {
    this.need(length);
    const { offset } = this;
    this.offset = offset + length;
    const atom = latin1
      ? atomFromLatin1(this.bytes, offset, length)
      : atomFromUtf8(this.bytes, offset, length);
    if (atomsMade !== this.atomsCharged) this.chargeAtoms();
    return atom;
  }

  protected atomField(what: string): Atom {
    const start = this.offset;
    if (start + 1 < this.end && this.bytes[start] === TAG.SMALL_ATOM_UTF8_EXT) {
      const length = this.bytes[start + 1]!;
      if (length <= this.end - start - 2) {
        this.offset = start + 2 + length;
        return this.wireAtom(start + 2, length);
      }
    }
    const tag = this.uint8();
    const atom = this.atomOf(tag);
    if (atom === null) {
      throw this.error("ETF_BAD_FIELD", `${what} is ${tagName(tag)}, not an atom`, start);
    }
    return atom;
  }

  /** A small integer in any of its forms; of one beyond the safe integers the 32 bits the runtime keeps. */
  protected integerField(what: string): number {
    const start = this.offset;
    const tag = this.uint8();
    if (tag === TAG.SMALL_INTEGER_EXT) return this.uint8();
    if (tag === TAG.INTEGER_EXT) return this.int32();
    let value: number | bigint | null = null;
    if (tag === TAG.SMALL_BIG_EXT) value = this.big(this.uint8());
    else if (tag === TAG.LARGE_BIG_EXT) value = this.big(this.uint32());
    if (typeof value === "number") return value;
    if (value === null || value >= SMALL_INTEGERS || value < -SMALL_INTEGERS) {
      throw this.error("ETF_BAD_FIELD", `${what} is ${tagName(tag)}, not a small integer`, start);
    }
    return Number(value > 0n ? BigInt.asUintN(32, value) : BigInt.asIntN(32, value));
  }

  protected pidField(): Pid {
    const start = this.offset;
    const tag = this.uint8();
    if (tag !== TAG.NEW_PID_EXT && tag !== TAG.PID_EXT) {
      throw this.error("ETF_BAD_FIELD", `a fun's creator is ${tagName(tag)}, not a pid`, start);
    }
    return this.pid(tag);
  }

  protected big(length: number): number | bigint {
    const sign = this.uint8();
    if (length > this.maxIntegerBytes) throw this.limit("maxIntegerBytes", this.maxIntegerBytes);
    this.need(length);
    const { bytes } = this;
    const start = this.offset;
    this.offset += length;
    let size = length;
    while (size > 0 && bytes[start + size - 1] === 0) size--;
    if (size > 8) {
      this.charge(BIG_INTEGER_WORDS + (size >> 3));
      const magnitude = bigintFromBytes(bytes, start, size);
      return sign === 0 ? magnitude : -magnitude;
    }
    const low = littleEndian(bytes, start, Math.min(size, 4));
    const high = size > 4 ? littleEndian(bytes, start + 4, size - 4) : 0;
    if (high < 0x200000) {
      const value = high * 0x100000000 + low;
      return sign === 0 || value === 0 ? value : -value;
    }
    this.charge(BIG_INTEGER_WORDS);
    words[LITTLE_ENDIAN_HOST ? 0 : 1] = low;
    words[LITTLE_ENDIAN_HOST ? 1 : 0] = high;
    return sign === 0 ? word64[0]! : -word64[0]!;
  }

  protected checkedFloat(value: number): Float {
    if (!Number.isFinite(value)) {
      throw this.error("ETF_BAD_FLOAT", `${value} is not an Erlang float`, this.offset - 8);
    }
    this.charge(FLOAT_WORDS);
    return new Float(value);
  }

  /**
   * 31 bytes of text as `sprintf("%.20e")` writes it, filled up with zeros. The runtime reads digits,
   * a point or a comma, digits, and perhaps an exponent; what follows the first zero does not count.
   */
  protected oldFloat(): Float {
    this.need(31);
    const start = this.offset;
    let text = "";
    for (let i = 0; i < 31 && this.bytes[start + i] !== 0; i++) {
      text += String.fromCharCode(this.bytes[start + i]!);
    }
    this.offset += 31;
    const value = OLD_FLOAT.test(text) ? Number(text.replace(",", ".")) : Number.NaN;
    if (!Number.isFinite(value)) {
      throw this.error("ETF_BAD_FLOAT", "the text of a float is not a finite number", start);
    }
    return new Float(value);
  }

  protected string(): Term[] {
    const length = this.uint16();
    this.need(length);
    this.charge(CONTAINER_WORDS + length);
    const { bytes, offset } = this;
    const elements: Term[] = new Array(length);
    for (let i = 0; i < length; i++) elements[i] = bytes[offset + i]!;
    this.offset = offset + length;
    return elements;
  }

  protected binary(length: number): Uint8Array {
    this.need(length);
    this.charge(BINARY_WORDS);
    const { bytes, offset } = this;
    this.offset = offset + length;
    if (length <= COPY_BYTES) {
      const { view } = this;
      return view !== null && offset + length + 3 <= bytes.length
        ? copyWords(view, offset, length)
        : copyBytes(bytes, offset, length);
    }
    if (this.copiesBinaries || length < bytes.buffer.byteLength / 4) {
      return copyBytes(bytes, offset, length);
    }
    return viewBytes(bytes.buffer, bytes.byteOffset + offset, length);
  }

  protected bitString(): Uint8Array | BitString {
    const start = this.offset;
    const length = this.uint32();
    const bits = this.uint8();
    if (bits > 8 || (bits === 0) !== (length === 0)) {
      throw this.error("ETF_BAD_FIELD", `${bits} bits in the last of ${length} bytes`, start);
    }
    const bytes = this.binary(length);
    return bits === 8 || bits === 0 ? bytes : new BitString(bytes, bits);
  }

  private oldCreation(what: string): number {
    const creation = this.uint8();
    if (creation > MAX_OLD_CREATION) {
      throw this.error("ETF_BAD_FIELD", `${what} creation is ${creation}`, this.offset - 1);
    }
    return creation;
  }

  protected pid(tag: number): Pid {
    this.charge(IDENTIFIER_WORDS);
    const node = this.atomField("a pid's node");
    const { view, offset } = this;
    if (view !== null && tag === TAG.NEW_PID_EXT && 12 <= this.end - offset) {
      this.offset = offset + 12;
      return new Pid(
        node,
        view.getUint32(offset),
        view.getUint32(offset + 4),
        view.getUint32(offset + 8),
      );
    }
    const id = this.uint32();
    const serial = this.uint32();
    const creation = tag === TAG.PID_EXT ? this.oldCreation("a pid's") : this.uint32();
    return new Pid(node, id, serial, creation);
  }

  protected port(tag: number): Port {
    this.charge(IDENTIFIER_WORDS);
    const node = this.atomField("a port's node");
    const high = tag === TAG.V4_PORT_EXT ? this.uint32() : 0;
    const low = this.uint32();
    const id = high === 0 ? low : (BigInt(high) << 32n) | BigInt(low);
    const creation = tag === TAG.PORT_EXT ? this.oldCreation("a port's") : this.uint32();
    return new Port(node, id, creation);
  }

  protected reference(tag: number): Reference {
    this.charge(REFERENCE_WORDS);
    const start = this.offset;
    const words = tag === TAG.REFERENCE_EXT ? 1 : this.uint16();
    if (words > 5) {
      throw this.error("ETF_BAD_FIELD", `a reference has up to 5 words, not ${words}`, start);
    }
    const node = this.atomField("a reference's node");
    const { view, offset } = this;
    if (tag === TAG.NEWER_REFERENCE_EXT && words === 3) {
      if (view !== null && 16 <= this.end - offset) {
        this.offset = offset + 16;
        return new Reference(node, view.getUint32(offset), [
          view.getUint32(offset + 4),
          view.getUint32(offset + 8),
          view.getUint32(offset + 12),
        ]);
      }
      const creation = this.uint32();
      return new Reference(node, creation, [this.uint32(), this.uint32(), this.uint32()]);
    }
    const ids: number[] = [];
    if (tag === TAG.REFERENCE_EXT) ids.push(this.uint32());
    const old = tag !== TAG.NEWER_REFERENCE_EXT;
    const creation = old ? this.oldCreation("a reference's") : this.uint32();
    if (tag !== TAG.REFERENCE_EXT) for (let i = 0; i < words; i++) ids.push(this.uint32());
    if (old && words > 0 && ids[0]! > MAX_OLD_REFERENCE_WORD) {
      throw this.error("ETF_BAD_FIELD", `an old reference's first word is ${ids[0]}`, start);
    }
    return words === 0
      ? Reference.withoutWords(node, creation)
      : new Reference(node, creation, ids);
  }

  protected externalFun(): ExternalFun {
    this.charge(IDENTIFIER_WORDS);
    const module = this.atomField("a fun's module");
    const fun = this.atomField("a fun's function");
    const start = this.offset;
    const arity = this.integerField("a fun's arity");
    if (arity < 0) throw this.error("ETF_BAD_FIELD", `a fun's arity is ${arity}`, start);
    return ExternalFun.received(module, fun, arity);
  }

  /** 80, then the inflated size, then a zlib stream: only a whole term can be compressed. */
  protected compressed(): Result {
    const outerStart = this.offset;
    this.offset++;
    const size = this.uint32();
    if (size > this.maxInflatedBytes) throw this.limit("maxInflatedBytes", this.maxInflatedBytes);
    const input = this.bytes.subarray(this.offset, this.end);
    const inflated = inflate(input, size, this.offset);
    const outerEnd = this.offset + inflated.used;
    this.bytes = inflated.bytes;
    this.offset = 0;
    this.end = size;
    this.makeView();
    this.claimLimit = size;
    const term = this.read(0);
    if (this.offset !== size) {
      throw this.error("ETF_BAD_COMPRESSED", "bytes follow the compressed term", outerStart);
    }
    this.offset = outerEnd;
    return term;
  }

  protected opaqueBytes(): OpaqueTerm {
    const term = new OpaqueTerm(copyBytes(this.bytes, this.offset, this.end - this.offset));
    this.offset = this.end;
    return term;
  }
}

/** Up to four bytes, the least significant first. */
function littleEndian(bytes: Uint8Array, start: number, size: number): number {
  if (size === 4) {
    return (
      ((bytes[start + 3]! << 24) |
        (bytes[start + 2]! << 16) |
        (bytes[start + 1]! << 8) |
        bytes[start]!) >>>
      0
    );
  }
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = (value << 8) | bytes[start + i]!;
  return value;
}

/**
 * The integer of a SMALL_BIG_EXT of 4 to 7 bytes, for which 11 bytes must be there; null if it is
 * of another size, or beyond the safe integers.
 */
export function safeInteger(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
): number | null {
  if (length < 4 || length > 7) return null;
  const unused = 8 * (8 - length);
  const high = length === 4 ? 0 : (view.getInt32(offset + 7, true) << unused) >>> unused;
  if (high >= 0x200000) return null;
  const value = high * 0x100000000 + view.getUint32(offset + 3, true);
  return bytes[offset + 2] === 0 || value === 0 ? value : -value;
}
