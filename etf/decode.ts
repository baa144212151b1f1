/**
 * Bytes to terms, exactly: encoding what is decoded here gives OTP a term that is `=:=` to the
 * one it sent.
 *
 * Spec: erl_ext_dist. Terms within the call depth are read by recursion; below that an explicit
 * stack takes over, so nesting is limited by an option and not by the engine's stack. The sizes
 * that open containers claim never add up to more than the bytes there are, so a claim cannot
 * allocate more than a small multiple of the input.
 *
 * Left out: FUN_EXT (117), which OTP has not written since R9.
 */
import { bigintFromBytes, HARD_LIMIT_BYTES } from "#bigint";
import { type Atom, internAtom } from "./atom.ts";
import { AtomCache } from "./atom-cache.ts";
import { allocBytes, viewBytes } from "./bytes.ts";
import { EtfDecodeError, type EtfDecodeErrorCode, EtfEncodeError } from "./errors.ts";
import { inflate } from "./inflate.ts";
import { ByteReader } from "./reader.ts";
import { TAG, tagName, VERSION_MAGIC } from "./tags.ts";
import { TermMap } from "./term-map.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  LocalFun,
  type LocalFunFields,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
  Tuple,
} from "./terms.ts";

export interface DecodeOptions {
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /** Bytes of one term as it is received; 2^32 - 1 by default. */
  maxTermBytes?: number;
  /** Bytes of one integer; 524,288 by default, which is more than OTP's own limit since 26. */
  maxIntegerBytes?: number;
  /** Bytes a compressed term may inflate to; 64 MiB by default. */
  maxInflatedBytes?: number;
}

/** Levels read by recursion. */
const CALL_DEPTH = 256;
/** Binaries up to this size are copied. */
const COPY_BYTES = 64;
/** Arrays up to this size are made in one piece. */
const PREALLOCATE = 1 << 20;

const TRUE = internAtom("true");
const FALSE = internAtom("false");

/** A container being read without recursion. */
interface Frame {
  tag: number;
  values: unknown[];
  /** Values still to be read. */
  left: number;
  claimed: number;
  /** What was read before the values. */
  head: LocalFunFields | RecordHead | null;
}

interface RecordHead {
  module: Atom;
  recordName: Atom;
  exported: boolean;
  fields: Atom[];
}

/** Reads terms; reusable, with its limits and a cache of the atoms it met. */
export class TermDecoder extends ByteReader {
  readonly maxDepth: number;
  readonly maxTermBytes: number;
  readonly maxIntegerBytes: number;
  readonly maxInflatedBytes: number;
  private readonly atoms = new AtomCache();
  private atomRefs: readonly (Atom | boolean)[] | null = null;
  /** Elements that the containers being read have claimed together. */
  private claimed = 0;
  private claimLimit = 0;
  private readonly callDepth: number;

  constructor(options: DecodeOptions = {}) {
    super();
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.callDepth = Math.min(CALL_DEPTH, this.maxDepth);
    this.maxTermBytes = options.maxTermBytes ?? 0xffffffff;
    this.maxIntegerBytes = Math.min(options.maxIntegerBytes ?? 524_288, HARD_LIMIT_BYTES);
    this.maxInflatedBytes = options.maxInflatedBytes ?? 64 * 1024 * 1024;
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
  ): Term {
    this.bytes = bytes;
    this.offset = offset;
    this.end = Math.min(end, bytes.length, offset + this.maxTermBytes);
    this.atomRefs = atomRefs;
    this.claimed = 0;
    this.claimLimit = this.end - offset;
    try {
      const tag = bytes[offset];
      if (offset < this.end) {
        if (tag === TAG.COMPRESSED) return this.compressed();
        if (tag === TAG.LOCAL_EXT) return this.opaque();
      }
      return this.read(0);
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
      this.atomRefs = null;
    }
  }

  /** The atom of UTF-8 bytes, through this decoder's cache. @throws EtfDecodeError ETF_BAD_ATOM */
  atomFromUtf8(bytes: Uint8Array, offset: number, length: number): Atom | boolean {
    const atom = this.atoms.fromUtf8(bytes, offset, length);
    return atom === TRUE ? true : atom === FALSE ? false : atom;
  }

  private error(code: EtfDecodeErrorCode, message: string, offset = this.offset): EtfDecodeError {
    return new EtfDecodeError(code, message, offset);
  }

  private limit(option: string, value: number, offset = this.offset): EtfDecodeError {
    return this.error("ETF_LIMIT", `more than ${option} (${value}) allows`, offset);
  }

  private claim(size: number): void {
    this.claimed += size;
    if (this.claimed > this.claimLimit || size > this.end - this.offset) {
      throw this.error("ETF_TRUNCATED", `${size} elements claimed, fewer bytes there`);
    }
  }

  private read(depth: number): Term {
    if (depth >= this.callDepth) return this.readDeep(depth);
    const tag = this.uint8();
    switch (tag) {
      case TAG.LIST_EXT:
        return this.list(depth);
      case TAG.SMALL_TUPLE_EXT:
        return this.tuple(this.uint8(), depth);
      case TAG.LARGE_TUPLE_EXT:
        return this.tuple(this.uint32(), depth);
      case TAG.MAP_EXT:
        return this.map(depth);
      case TAG.NEW_FUN_EXT: {
        const { head, size } = this.funHead();
        const values = this.values(size, depth);
        return new LocalFun({ ...head, freeVariables: values });
      }
      case TAG.RECORD_EXT: {
        const { head, size } = this.recordHead();
        return makeRecord(head, this.values(size, depth));
      }
      default:
        return this.leaf(tag);
    }
  }

  private values(size: number, depth: number): Term[] {
    const values: Term[] = [];
    for (let i = 0; i < size; i++) values.push(this.read(depth + 1));
    return values;
  }

  private list(depth: number): Term {
    let size = this.uint32();
    let claimed = size;
    this.claim(size);
    const elements: Term[] = [];
    for (;;) {
      for (let i = 0; i < size; i++) elements.push(this.read(depth + 1));
      if (this.offset >= this.end) throw this.truncated(1);
      const tag = this.bytes[this.offset];
      if (tag === TAG.NIL_EXT) {
        this.offset++;
        this.claimed -= claimed;
        return elements;
      }
      // `[1 | [2, 3]]` may be written so.
      if (tag !== TAG.LIST_EXT) break;
      this.offset++;
      size = this.uint32();
      claimed += size;
      this.claim(size);
    }
    const tail = this.read(depth + 1);
    this.claimed -= claimed;
    return withTail(elements, tail);
  }

  private tuple(size: number, depth: number): Term {
    this.claim(size);
    const elements = newTuple(size);
    if (size <= PREALLOCATE) {
      for (let i = 0; i < size; i++) elements[i] = this.read(depth + 1);
    } else {
      for (let i = 0; i < size; i++) elements.push(this.read(depth + 1));
    }
    this.claimed -= size;
    return elements;
  }

  private map(depth: number): Term {
    const start = this.offset - 1;
    const size = 2 * this.uint32();
    this.claim(size);
    const pairs: Term[] = [];
    for (let i = 0; i < size; i++) pairs.push(this.read(depth + 1));
    this.claimed -= size;
    return this.makeMap(pairs, start);
  }

  private makeMap(pairs: Term[], start: number): TermMap {
    let map: TermMap | null;
    try {
      map = TermMap.fromPairs(pairs);
    } catch (error) {
      if (!(error instanceof EtfEncodeError)) throw error;
      throw this.error("ETF_LIMIT", error.message, start);
    }
    if (map === null) throw this.error("ETF_DUPLICATE_KEY", "a map has the same key twice", start);
    return map;
  }

  private funHead(): { head: LocalFunFields; size: number } {
    const start = this.offset;
    const total = this.uint32();
    if (total < 4 || total > this.end - start) throw this.truncated(total);
    const arity = this.uint8();
    this.need(16);
    const uniq = this.bytes.slice(this.offset, this.offset + 16);
    this.offset += 16;
    const index = this.uint32();
    const size = this.uint32();
    const module = this.atomField("a fun's module");
    const oldIndex = this.integerField("a fun's old index");
    const oldUniq = this.integerField("a fun's old uniq");
    const pid = this.pidField();
    this.claim(size);
    this.claimed -= size; // funs are few: their free variables are read by push
    return {
      head: { arity, uniq, index, module, oldIndex, oldUniq, pid, freeVariables: [] },
      size,
    };
  }

  private recordHead(): { head: RecordHead; size: number } {
    const size = this.uint32();
    this.claim(2 * size);
    this.claimed -= 2 * size;
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
  private leaf(tag: number): Term {
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
        return [];
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
        return atom === TRUE ? true : atom === FALSE ? false : atom;
      }
    }
  }

  /** The atom whose tag was just read, or null if the tag is no atom's. */
  private atomOf(tag: number): Atom | null {
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
        return atom === true ? TRUE : atom === false ? FALSE : atom;
      }
      default:
        return null;
    }
  }

  private atomText(length: number, latin1: boolean): Atom {
    this.need(length);
    const { offset } = this;
    this.offset = offset + length;
    return latin1
      ? this.atoms.fromLatin1(this.bytes, offset, length)
      : this.atoms.fromUtf8(this.bytes, offset, length);
  }

  private atomField(what: string): Atom {
    const start = this.offset;
    const tag = this.uint8();
    const atom = this.atomOf(tag);
    if (atom === null) {
      throw this.error("ETF_BAD_FIELD", `${what} is ${tagName(tag)}, not an atom`, start);
    }
    return atom;
  }

  private integerField(what: string): number {
    const start = this.offset;
    const tag = this.uint8();
    if (tag === TAG.SMALL_INTEGER_EXT) return this.uint8();
    if (tag === TAG.INTEGER_EXT) return this.int32();
    const value = tag === TAG.SMALL_BIG_EXT ? this.big(this.uint8()) : null;
    if (typeof value !== "number") {
      throw this.error("ETF_BAD_FIELD", `${what} is ${tagName(tag)}, not a small integer`, start);
    }
    return value;
  }

  private pidField(): Pid {
    const start = this.offset;
    const tag = this.uint8();
    if (tag !== TAG.NEW_PID_EXT && tag !== TAG.PID_EXT) {
      throw this.error("ETF_BAD_FIELD", `a fun's creator is ${tagName(tag)}, not a pid`, start);
    }
    return this.pid(tag);
  }

  private big(length: number): number | bigint {
    const sign = this.uint8();
    if (length > this.maxIntegerBytes) throw this.limit("maxIntegerBytes", this.maxIntegerBytes);
    this.need(length);
    const { bytes } = this;
    const start = this.offset;
    this.offset += length;
    let size = length;
    while (size > 0 && bytes[start + size - 1] === 0) size--;
    if (size <= 6) {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!;
      return sign === 0 || value === 0 ? value : -value;
    }
    const magnitude =
      size <= 8
        ? (BigInt(littleEndian(bytes, start + 4, size - 4)) << 32n) |
          BigInt(littleEndian(bytes, start, 4))
        : bigintFromBytes(bytes.subarray(start, start + size));
    if (magnitude <= MAX_SAFE) return sign === 0 ? Number(magnitude) : -Number(magnitude);
    return sign === 0 ? magnitude : -magnitude;
  }

  private checkedFloat(value: number): Float {
    if (!Number.isFinite(value)) {
      throw this.error("ETF_BAD_FLOAT", `${value} is no Erlang float`, this.offset - 8);
    }
    return new Float(value);
  }

  /** 31 bytes of text as `sprintf("%.20e")` writes it, filled up with zeros. */
  private oldFloat(): Float {
    this.need(31);
    const start = this.offset;
    let text = "";
    for (let i = 0; i < 31 && this.bytes[start + i] !== 0; i++) {
      text += String.fromCharCode(this.bytes[start + i]!);
    }
    this.offset += 31;
    const value = /^\s*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) {
      throw this.error("ETF_BAD_FLOAT", "the text of a float is no finite number", start);
    }
    return new Float(value);
  }

  private string(): Term[] {
    const length = this.uint16();
    this.need(length);
    const { bytes, offset } = this;
    const elements: Term[] = [];
    for (let i = 0; i < length; i++) elements.push(bytes[offset + i]!);
    this.offset = offset + length;
    return elements;
  }

  private binary(length: number): Uint8Array {
    this.need(length);
    const { bytes, offset } = this;
    this.offset = offset + length;
    if (length <= COPY_BYTES || length < bytes.buffer.byteLength / 4) {
      const copy = allocBytes(length);
      if (length <= 16) for (let i = 0; i < length; i++) copy[i] = bytes[offset + i]!;
      else copy.set(bytes.subarray(offset, offset + length));
      return copy;
    }
    return viewBytes(bytes.buffer, bytes.byteOffset + offset, length);
  }

  private bitString(): Uint8Array | BitString {
    const start = this.offset;
    const length = this.uint32();
    const bits = this.uint8();
    if (bits > 8 || (bits === 0) !== (length === 0)) {
      throw this.error("ETF_BAD_FIELD", `${bits} bits in the last of ${length} bytes`, start);
    }
    const bytes = this.binary(length);
    return bits === 8 || bits === 0 ? bytes : new BitString(bytes, bits);
  }

  private pid(tag: number): Pid {
    const node = this.atomField("a pid's node");
    const id = this.uint32();
    const serial = this.uint32();
    return new Pid(node, id, serial, tag === TAG.PID_EXT ? this.uint8() : this.uint32());
  }

  private port(tag: number): Port {
    const node = this.atomField("a port's node");
    const high = tag === TAG.V4_PORT_EXT ? this.uint32() : 0;
    const low = this.uint32();
    const id = high === 0 ? low : (BigInt(high) << 32n) | BigInt(low);
    return new Port(node, id, tag === TAG.PORT_EXT ? this.uint8() : this.uint32());
  }

  private reference(tag: number): Reference {
    const start = this.offset;
    const words = tag === TAG.REFERENCE_EXT ? 1 : this.uint16();
    if (words < 1 || words > 5) {
      throw this.error("ETF_BAD_FIELD", `a reference has 1 to 5 words, not ${words}`, start);
    }
    const node = this.atomField("a reference's node");
    const ids: number[] = [];
    if (tag === TAG.REFERENCE_EXT) ids.push(this.uint32());
    const creation = tag === TAG.NEWER_REFERENCE_EXT ? this.uint32() : this.uint8();
    if (tag !== TAG.REFERENCE_EXT) for (let i = 0; i < words; i++) ids.push(this.uint32());
    return new Reference(node, creation, ids);
  }

  private externalFun(): ExternalFun {
    const module = this.atomField("a fun's module");
    const fun = this.atomField("a fun's function");
    const start = this.offset;
    const arity = this.integerField("a fun's arity");
    if (arity < 0 || arity > 255) {
      throw this.error("ETF_BAD_FIELD", `a fun's arity is ${arity}`, start);
    }
    return new ExternalFun(module, fun, arity);
  }

  /** 80, then the inflated size, then a zlib stream: only a whole term can be compressed. */
  private compressed(): Term {
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
    this.claimLimit = size;
    const term = this.read(0);
    if (this.offset !== size) {
      throw this.error("ETF_BAD_COMPRESSED", "bytes follow the compressed term", outerStart);
    }
    this.offset = outerEnd;
    return term;
  }

  private opaque(): OpaqueTerm {
    const term = new OpaqueTerm(this.bytes.slice(this.offset, this.end));
    this.offset = this.end;
    return term;
  }

  /** One term, however deep, with the containers being read on a stack of our own. */
  private readDeep(depth: number): Term {
    const frames: Frame[] = [];
    for (;;) {
      let done: unknown = this.open(frames);
      if (depth + frames.length > this.maxDepth) throw this.limit("maxDepth", this.maxDepth);
      for (;;) {
        const frame = frames[frames.length - 1];
        if (frame === undefined) return done as Term;
        if (done !== PENDING) {
          frame.values.push(done);
          frame.left--;
        }
        if (frame.left > 0) break;
        if (frame.tag === TAG.LIST_EXT) {
          const last = frame.values.length === frame.claimed + 1;
          if (!last && !this.extendList(frame)) break; // what follows is the tail
        }
        frames.pop();
        this.claimed -= frame.claimed;
        done = this.close(frame);
      }
    }
  }

  /**
   * A list frame with all its elements: true when it is closed by a nil; when what follows is
   * more of the list or a tail, that is to be read next.
   */
  private extendList(frame: Frame): boolean {
    if (this.offset >= this.end) throw this.truncated(1);
    const tag = this.bytes[this.offset];
    if (tag === TAG.NIL_EXT) {
      this.offset++;
      frame.values.push(NIL);
      return true;
    }
    if (tag === TAG.LIST_EXT) {
      this.offset++;
      const size = this.uint32();
      this.claim(size);
      frame.claimed += size;
      frame.left = size;
      return size === 0 ? this.extendList(frame) : false;
    }
    frame.left = 1;
    return false;
  }

  /** A whole leaf; or a container's head, with a frame for its values. */
  private open(frames: Frame[]): unknown {
    const tag = this.uint8();
    let size: number;
    let claimed: number;
    let head: Frame["head"] = null;
    switch (tag) {
      case TAG.LIST_EXT:
        size = claimed = this.uint32();
        break;
      case TAG.SMALL_TUPLE_EXT:
        size = claimed = this.uint8();
        break;
      case TAG.LARGE_TUPLE_EXT:
        size = claimed = this.uint32();
        break;
      case TAG.MAP_EXT:
        size = claimed = 2 * this.uint32();
        break;
      case TAG.NEW_FUN_EXT:
        ({ head, size } = this.funHead());
        claimed = 0;
        break;
      case TAG.RECORD_EXT:
        ({ head, size } = this.recordHead());
        claimed = 0;
        break;
      default:
        return this.leaf(tag);
    }
    this.claim(claimed);
    frames.push({ tag, values: [], left: size, claimed, head });
    return PENDING;
  }

  private close(frame: Frame): Term {
    const values = frame.values as Term[];
    switch (frame.tag) {
      case TAG.LIST_EXT: {
        const tail = values.pop() as Term;
        return tail === (NIL as unknown) ? values : withTail(values, tail);
      }
      case TAG.MAP_EXT:
        return this.makeMap(values, this.offset);
      case TAG.NEW_FUN_EXT:
        return new LocalFun({ ...(frame.head as LocalFunFields), freeVariables: values });
      case TAG.RECORD_EXT:
        return makeRecord(frame.head as RecordHead, values);
      default: {
        const elements = newTuple(values.length);
        for (let i = 0; i < values.length; i++) elements[i] = values[i]!;
        return elements;
      }
    }
  }
}

const NOTHING = new Uint8Array(0);
const PENDING = Symbol("pending");
const NIL = Symbol("nil");
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A tuple to be filled. */
function newTuple(size: number): Tuple & Term[] {
  return (size <= PREALLOCATE ? new Tuple(size) : new Tuple()) as Tuple & Term[];
}

function withTail(elements: Term[], tail: Term): Term {
  if (elements.length === 0) return tail;
  if (tail instanceof ImproperList) {
    for (const element of tail.elements) elements.push(element);
    return new ImproperList(elements, tail.tail);
  }
  if (Array.isArray(tail) && !(tail instanceof Tuple)) {
    for (const element of tail) elements.push(element);
    return elements;
  }
  return new ImproperList(elements, tail);
}

function makeRecord(head: RecordHead, values: Term[]): NativeRecord {
  return new NativeRecord(head.module, head.recordName, head.exported, head.fields, values);
}

/** Up to four bytes, the least significant first. */
function littleEndian(bytes: Uint8Array, start: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!;
  return value;
}

let shared: TermDecoder | undefined;

/**
 * The term that the bytes are, all of them: 131, then one term.
 *
 * @throws EtfDecodeError
 */
export function decode(bytes: Uint8Array, options?: DecodeOptions): Term {
  if (options === undefined) shared ??= new TermDecoder();
  const decoder = options === undefined ? shared! : new TermDecoder(options);
  if (bytes.length === 0) throw new EtfDecodeError("ETF_TRUNCATED", "no bytes at all", 0);
  if (bytes[0] !== VERSION_MAGIC) {
    throw new EtfDecodeError("ETF_BAD_VERSION", `the first byte is ${bytes[0]}, not 131`, 0);
  }
  const term = decoder.decodeAt(bytes, 1, bytes.length);
  if (decoder.offset !== bytes.length) {
    throw new EtfDecodeError(
      "ETF_TRAILING_BYTES",
      `${bytes.length - decoder.offset} bytes follow the term`,
      decoder.offset,
    );
  }
  return term;
}
