/**
 * Terms to bytes, as `term_to_binary` of OTP 26 and later writes them.
 *
 * Spec: erl_ext_dist. Values within the call depth are written by recursion, deeper ones with an
 * explicit stack. A value that is no term is found before anything is handed over; the search for
 * its path is a second walk, so that the first one need not remember where it is.
 */
import { bigintToBytes } from "#bigint";
import { Atom, hasLoneSurrogate } from "./atom.ts";
import { deflateTerm } from "./deflate.ts";
import { inKeyOrder } from "./deterministic.ts";
import { EtfEncodeError } from "./errors.ts";
import { isPlainObject } from "./map-base.ts";
import { type Frame, notATerm, pathOf, refuseCycle } from "./refusal.ts";
import { TAG, VERSION_MAGIC } from "./tags.ts";
import { TermMap } from "./term-map.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type TermInput,
  Tuple,
} from "./terms.ts";
import { ByteWriter } from "./writer.ts";

/** Atoms that the distribution header of a message announces. */
export interface AtomRefTable {
  /** The internal segment index, 0 to 254, by which the message refers to the atom, or -1. */
  ref(atom: Atom): number;
}

export interface TermWriterOptions {
  /** Size of a buffer; 16384 by default. */
  initialBytes?: number;
  /** Binaries of at least this size are not copied; none by default. */
  byReferenceBytes?: number;
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /** Maps in the order of their keys, so that equal terms have equal bytes; false by default. */
  deterministic?: boolean;
}

const CALL_DEPTH = 256;
const MAX_STRING_EXT = 0xffff;
const MAX_UINT32 = 0xffffffff;
/** Beyond this only V4_PORT_EXT can say which port it is. */
const MAX_NEW_PORT = 0x0fffffff;

const encoder = new TextEncoder();
const float64 = new Float64Array(1);
const floatBytes = new Uint8Array(float64.buffer);
const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Writes terms straight into one growing buffer. */
export class TermWriter extends ByteWriter {
  /** When set, atoms it knows are written as ATOM_CACHE_REF. */
  atomRefs: AtomRefTable | null = null;
  /**
   * Ports as V4_PORT_EXT, as OTP 26 and later write all of them; when false those up to 28 bits as
   * NEW_PORT_EXT, which a peer without the flag V4_NC (OTP 23) can read.
   */
  v4Ports = true;
  readonly maxDepth: number;
  private readonly deterministic: boolean;
  private readonly byReferenceBytes: number;
  private readonly callDepth: number;

  constructor(options: TermWriterOptions = {}) {
    super(options.initialBytes);
    this.byReferenceBytes = options.byReferenceBytes ?? Number.POSITIVE_INFINITY;
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.deterministic = options.deterministic ?? false;
    this.callDepth = Math.min(CALL_DEPTH, this.maxDepth);
  }

  /**
   * Writes a term, without a version byte.
   *
   * @throws EtfEncodeError with the path inside the value; the writer is then as before the call
   */
  writeTerm(term: TermInput): void {
    const before = this.length;
    try {
      this.write(term, 0);
    } catch (error) {
      this.truncate(before);
      if (error instanceof EtfEncodeError && error.path === "") {
        try {
          this.writeDeep(term, 0);
        } finally {
          this.truncate(before);
        }
      }
      throw error;
    }
  }

  private write(value: unknown, depth: number): void {
    if (depth >= this.callDepth) {
      this.writeDeep(value, depth);
      return;
    }
    const items = this.open(value);
    if (items === null) return;
    for (let i = 0; i < items.length; i++) this.write(items[i], depth + 1);
    this.close(value);
  }

  /** A value with the containers being written on a stack of our own. */
  private writeDeep(root: unknown, depth: number): void {
    const frames: Frame[] = [];
    let value = root;
    for (;;) {
      let items: readonly unknown[] | null;
      try {
        items = this.open(value);
      } catch (error) {
        if (depth > 0 || !(error instanceof EtfEncodeError)) throw error;
        throw new EtfEncodeError(error.code, error.message, pathOf(frames));
      }
      if (items !== null) {
        frames.push({ value, items, next: 0 });
        const levels = depth + frames.length;
        // Looked for at every power of two, so the cost is that of one more walk.
        if (frames.length >= 1024 && (frames.length & (frames.length - 1)) === 0)
          refuseCycle(frames);
        if (levels > this.maxDepth) {
          refuseCycle(frames);
          throw new EtfEncodeError("ETF_LIMIT", `nested deeper than ${this.maxDepth} levels`);
        }
      }
      let frame = frames[frames.length - 1];
      while (frame !== undefined && frame.next === frame.items.length) {
        this.close(frame.value);
        frames.pop();
        frame = frames[frames.length - 1];
      }
      if (frame === undefined) return;
      value = frame.items[frame.next++];
    }
  }

  /** Writes a value; of a container only the head, and returns what it holds. */
  private open(value: unknown): readonly unknown[] | null {
    switch (typeof value) {
      case "number":
        this.number(value);
        return null;
      case "string":
        this.text(value);
        return null;
      case "boolean":
        this.boolean(value);
        return null;
      case "bigint":
        this.bigint(value);
        return null;
      case "object":
        if (value !== null) return this.object(value);
    }
    throw notATerm(value);
  }

  private close(value: unknown): void {
    if (Array.isArray(value) && !(value instanceof Tuple)) this.writeUint8(TAG.NIL_EXT);
  }

  private object(value: object): readonly unknown[] | null {
    if (value instanceof Atom) this.atom(value);
    else if (Array.isArray(value)) {
      if (value instanceof Tuple) return this.tuple(value as unknown as readonly unknown[]);
      return this.list(value);
    } else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof TermMap) return this.map(value.toPairs());
    else if (value instanceof Float) this.float(value.value);
    else if (value instanceof Pid) this.pid(value);
    else if (value instanceof Reference) this.reference(value);
    else if (value instanceof Port) this.port(value);
    else if (value instanceof ImproperList) {
      this.head(TAG.LIST_EXT, value.elements.length);
      return [...value.elements, value.tail];
    } else if (value instanceof BitString) {
      this.head(TAG.BIT_BINARY_EXT, value.bytes.length);
      this.writeUint8(value.lastBits);
      this.writeBytes(value.bytes);
    } else if (value instanceof ExternalFun) {
      this.writeUint8(TAG.EXPORT_EXT);
      this.atom(value.module);
      this.atom(value.function);
      this.number(value.arity);
    } else if (value instanceof Map) {
      const pairs: unknown[] = [];
      for (const [key, entry] of value) pairs.push(key, entry);
      return this.map(pairs);
    } else if (value instanceof LocalFun) return this.localFun(value);
    else if (value instanceof NativeRecord) return this.record(value);
    else if (value instanceof OpaqueTerm) this.writeBytes(value.bytes);
    else if (isPlainObject(value)) return this.map(Object.entries(value).flat());
    else throw notATerm(value);
    return null;
  }

  private head(tag: number, size: number): void {
    if (size > MAX_UINT32) {
      throw new EtfEncodeError("ETF_OUT_OF_RANGE", `${size} elements or bytes, 4294967295 at most`);
    }
    this.reserve(5);
    this.buffer[this.at] = tag;
    this.putUint32(this.at + 1, size);
    this.at += 5;
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      if (!Number.isFinite(value)) throw notATerm(value);
      this.float(value);
    } else if (value >= 0 && value <= 255) {
      this.reserve(2);
      this.buffer[this.at++] = TAG.SMALL_INTEGER_EXT;
      this.buffer[this.at++] = value;
    } else if ((value | 0) === value) {
      this.head(TAG.INTEGER_EXT, value >>> 0);
    } else {
      this.reserve(11);
      const { buffer } = this;
      const start = this.at;
      let rest = Math.abs(value);
      let size = 0;
      while (rest > 0) {
        buffer[start + 3 + size++] = rest % 256;
        rest = Math.floor(rest / 256);
      }
      buffer[start] = TAG.SMALL_BIG_EXT;
      buffer[start + 1] = size;
      buffer[start + 2] = value < 0 ? 1 : 0;
      this.at = start + 3 + size;
    }
  }

  private bigint(value: bigint): void {
    const small = Number(value);
    if (Number.isSafeInteger(small)) {
      this.number(small);
      return;
    }
    const bytes = bigintToBytes(value < 0n ? -value : value);
    if (bytes.length <= 255) {
      this.writeUint8(TAG.SMALL_BIG_EXT);
      this.writeUint8(bytes.length);
    } else this.head(TAG.LARGE_BIG_EXT, bytes.length);
    this.writeUint8(value < 0n ? 1 : 0);
    this.writeBytes(bytes);
  }

  private float(value: number): void {
    this.reserve(9);
    const { buffer, at } = this;
    float64[0] = value;
    buffer[at] = TAG.NEW_FLOAT_EXT;
    if (LITTLE_ENDIAN_HOST) for (let i = 0; i < 8; i++) buffer[at + 1 + i] = floatBytes[7 - i]!;
    else for (let i = 0; i < 8; i++) buffer[at + 1 + i] = floatBytes[i]!;
    this.at = at + 9;
  }

  private boolean(value: boolean): void {
    this.reserve(7);
    const name = value ? "true" : "false";
    this.buffer[this.at++] = TAG.SMALL_ATOM_UTF8_EXT;
    this.buffer[this.at++] = name.length;
    for (let i = 0; i < name.length; i++) this.buffer[this.at++] = name.charCodeAt(i);
  }

  private atom(atom: Atom): void {
    const index = this.atomRefs === null ? -1 : this.atomRefs.ref(atom);
    if (index >= 0) {
      this.writeUint8(TAG.ATOM_CACHE_REF);
      this.writeUint8(index);
      return;
    }
    const { utf8 } = atom;
    if (utf8.length <= 255) {
      this.writeUint8(TAG.SMALL_ATOM_UTF8_EXT);
      this.writeUint8(utf8.length);
    } else {
      this.writeUint8(TAG.ATOM_UTF8_EXT);
      this.writeUint16(utf8.length);
    }
    this.writeBytes(utf8);
  }

  private text(value: string): void {
    if (hasLoneSurrogate(value)) {
      throw new EtfEncodeError("ETF_BAD_TEXT", "a string with a lone surrogate has no UTF-8 form");
    }
    this.reserve(5 + 3 * value.length);
    const start = this.at;
    const { written } = encoder.encodeInto(value, this.buffer.subarray(start + 5));
    this.head(TAG.BINARY_EXT, written);
    this.at = start + 5 + written;
  }

  private binary(bytes: Uint8Array): void {
    this.head(TAG.BINARY_EXT, bytes.length);
    if (bytes.length >= this.byReferenceBytes) this.writeReference(bytes);
    else this.writeBytes(bytes);
  }

  private tuple(elements: readonly unknown[]): readonly unknown[] {
    if (elements.length <= 255) {
      this.writeUint8(TAG.SMALL_TUPLE_EXT);
      this.writeUint8(elements.length);
    } else this.head(TAG.LARGE_TUPLE_EXT, elements.length);
    return elements;
  }

  /** A list of up to 65535 bytes is STRING_EXT, as OTP writes it. */
  private list(elements: readonly unknown[]): readonly unknown[] | null {
    const size = elements.length;
    if (size === 0) return elements; // closed by NIL_EXT
    if (size > MAX_STRING_EXT || !this.string(elements)) {
      this.head(TAG.LIST_EXT, size);
      return elements;
    }
    return null;
  }

  private string(elements: readonly unknown[]): boolean {
    const size = elements.length;
    this.reserve(3 + size);
    const { buffer, at } = this;
    for (let i = 0; i < size; i++) {
      let element = elements[i];
      if (typeof element === "bigint" && element >= 0n && element <= 255n)
        element = Number(element);
      if (typeof element !== "number" || (element & 255) !== element || Object.is(element, -0)) {
        return false;
      }
      buffer[at + 3 + i] = element;
    }
    buffer[at] = TAG.STRING_EXT;
    buffer[at + 1] = size >>> 8;
    buffer[at + 2] = size;
    this.at = at + 3 + size;
    return true;
  }

  private map(pairs: readonly unknown[]): readonly unknown[] {
    this.head(TAG.MAP_EXT, pairs.length >> 1);
    return this.deterministic ? inKeyOrder(pairs) : pairs;
  }

  private pid(pid: Pid): void {
    this.writeUint8(TAG.NEW_PID_EXT);
    this.atom(pid.node);
    this.writeUint32(pid.id);
    this.writeUint32(pid.serial);
    this.writeUint32(pid.creation);
  }

  private port(port: Port): void {
    const { id } = port;
    if (!this.v4Ports && id <= MAX_NEW_PORT) {
      this.writeUint8(TAG.NEW_PORT_EXT);
      this.atom(port.node);
    } else {
      this.writeUint8(TAG.V4_PORT_EXT);
      this.atom(port.node);
      this.writeUint32(Number(BigInt(id) >> 32n));
    }
    this.writeUint32(Number(BigInt(id) & 0xffffffffn));
    this.writeUint32(port.creation);
  }

  private reference(ref: Reference): void {
    this.writeUint8(TAG.NEWER_REFERENCE_EXT);
    this.writeUint16(ref.ids.length);
    this.atom(ref.node);
    this.writeUint32(ref.creation);
    for (const id of ref.ids) this.writeUint32(id);
  }

  /** FUN_EXT, the form before R9, for a fun that came in it: it has no MD5. */
  private oldFun(fun: LocalFun): readonly unknown[] {
    this.head(TAG.FUN_EXT, fun.freeVariables.length);
    this.pid(fun.pid);
    this.atom(fun.module);
    this.number(fun.oldIndex);
    this.number(fun.oldUniq);
    return fun.freeVariables;
  }

  private localFun(fun: LocalFun): readonly unknown[] {
    if (fun.uniq.length === 0) return this.oldFun(fun);
    // The size counts itself, and all that follows; it is known when the fun is written. Funs
    // that hold funs are few, so each is simply written apart.
    const part = new TermWriter({
      maxDepth: this.maxDepth,
      deterministic: this.deterministic,
    });
    part.atomRefs = this.atomRefs;
    part.writeUint8(fun.arity);
    part.writeBytes(fun.uniq);
    part.writeUint32(fun.index);
    part.writeUint32(fun.freeVariables.length);
    part.atom(fun.module);
    part.number(fun.oldIndex);
    part.number(fun.oldUniq);
    part.pid(fun.pid);
    for (const value of fun.freeVariables) part.writeTerm(value);
    this.head(TAG.NEW_FUN_EXT, part.length + 4);
    for (const chunk of part.take()) this.writeBytes(chunk);
    return [];
  }

  private record(record: NativeRecord): readonly unknown[] {
    this.head(TAG.RECORD_EXT, record.values.length);
    this.writeUint8(record.exported ? 1 : 0);
    this.atom(record.module);
    this.atom(record.recordName);
    for (const field of record.fields) this.atom(field);
    return record.values;
  }
}

export interface EncodeOptions {
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /**
   * Maps in the order of their keys, so that equal terms have equal bytes; false by default. As
   * the option of `term_to_binary` from OTP 24.1 on.
   */
  deterministic?: boolean;
  /**
   * Compressed by zlib where that makes it smaller, at a level of 1 to 9 (`true` is 6); false by
   * default. Where there is no zlib (browsers) the plain form is written, which any reader takes.
   */
  compressed?: boolean | number;
}

/** The writer for the next call; nobody else's while one is under way. */
let idle: TermWriter | undefined;

/**
 * The bytes of a term, 131 first.
 *
 * @throws EtfEncodeError with the path inside the value
 */
export function encode(term: TermInput, options?: EncodeOptions): Uint8Array {
  const writer = options === undefined ? (idle ?? new TermWriter()) : new TermWriter(options);
  idle = undefined;
  try {
    writer.writeUint8(VERSION_MAGIC);
    writer.writeTerm(term);
    const bytes = writer.copy();
    return options?.compressed ? deflateTerm(bytes, options.compressed) : bytes;
  } finally {
    writer.truncate(0);
    if (options === undefined) idle = writer;
  }
}
