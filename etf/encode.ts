/**
 * Terms to bytes, as `term_to_binary` of OTP 26 and later writes them.
 *
 * Spec: erl_ext_dist. Values within the call depth are written by recursion, deeper ones with an
 * explicit stack. A value that is not a term is found before anything is handed over; the search for
 * its path is a second walk, so that the first one need not remember where it is.
 */
import { bigintToBytes, MAX_PUT_BYTES, putBigint } from "#bigint";
import { Atom, hasLoneSurrogate, utf8Of, wireOf } from "./atom.ts";
import { inKeyOrder } from "./compare.ts";
import { isCycle, refuseCycle } from "./cycle.ts";
import { deflateTerm } from "./deflate.ts";
import { badText, EtfEncodeError } from "./errors.ts";
import { Known } from "./known.ts";
import { isPlainObject } from "./map-base.ts";
import { type Frame, notATerm, pathOf } from "./refusal.ts";
import { TAG, VERSION_MAGIC } from "./tags.ts";
import { TermMapClass } from "./term-map.ts";
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
  /** Binaries of at least this size become chunks of their own; none by default. */
  byReferenceBytes?: number;
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /** Maps in the order of their keys, so that equal terms have equal bytes; false by default. */
  deterministic?: boolean;
}

/**
 * Levels written by recursion. 1,023 took up to half of the stack on Node.js 20; a quarter for 512 is inferred
 * from that, not measured.
 */
const CALL_DEPTH = 512;
/** Bytes, and then levels, from which on each container is compared with those that it lies in. */
const WATCHED_BYTES = 1 << 20;
const WATCHED_DEPTH = 4;
/** Levels up to which that is done at each of them; then at the powers of two. */
const CLOSELY_WATCHED_DEPTH = 64;
const MAX_STRING_EXT = 0xffff;
/** Of a float, or of an integer as `number`, with its tag. */
const MAX_NUMBER_BYTES = 11;
const MAX_UINT32 = 0xffffffff;
/** Beyond this only V4_PORT_EXT can say which port it is. */
const MAX_NEW_PORT = 0x0fffffff;

const encoder = new TextEncoder();
/** Up to this size a loop writes text faster than a call. */
const LOOP_CHARACTERS = 48;
const TRUE_BYTES = encoder.encode("w\u0004true");
const FALSE_BYTES = encoder.encode("w\u0005false");

/** Writes terms straight into one growing buffer. */
export class TermWriter extends ByteWriter {
  /** When set, atoms it knows are written as ATOM_CACHE_REF. */
  atomRefs: AtomRefTable | null = null;
  /**
   * Ports as V4_PORT_EXT, as OTP 26 and later write all of them; when false those up to 28 bits as
   * NEW_PORT_EXT, which a peer without the flag V4_NC (OTP 23) can read.
   */
  v4Ports = true;
  /** Copies a binary that becomes a chunk, so that it may change before it is sent; null: it must not. */
  copyChunk: ((bytes: Uint8Array) => Uint8Array) | null = null;
  readonly maxDepth: number;
  private readonly deterministic: boolean;
  private readonly byReferenceBytes: number;
  private readonly callDepth: number;
  /** The call depth, until a term gets large. */
  private watchedDepth: number;
  /** The containers being written, by their depth, of those that are watched. */
  private watched: unknown[] = [];
  /** Where the funs being written begin. */
  private funs: number[] = [];
  /** Of the term being written, when its maps are ordered. */
  private known: Known | null = null;

  constructor(options: TermWriterOptions = {}) {
    super(options.initialBytes);
    this.byReferenceBytes = options.byReferenceBytes ?? Number.POSITIVE_INFINITY;
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.deterministic = options.deterministic ?? false;
    this.callDepth = Math.min(CALL_DEPTH, this.maxDepth);
    this.watchedDepth = this.callDepth;
  }

  /**
   * Writes a term, without a version byte.
   *
   * @throws EtfEncodeError with the path inside the value; the writer is then as before the call
   */
  writeTerm(term: TermInput): void {
    const before = this.length;
    if (this.deterministic) this.known = new Known(term);
    try {
      this.write(term, 0);
    } catch (error) {
      this.truncate(before);
      this.funs = [];
      this.endWatch();
      if (error instanceof EtfEncodeError && error.path === "") this.findPath(term, error);
      throw error;
    }
    if (this.watchedDepth < this.callDepth) this.endWatch();
  }

  protected override grow(size: number): void {
    super.grow(size);
    if (this.length >= WATCHED_BYTES) {
      this.watchedDepth = Math.min(WATCHED_DEPTH, this.callDepth);
    }
  }

  private endWatch(): void {
    this.watchedDepth = this.callDepth;
    this.watched = [];
  }

  /** Throws the same error with the path to its place, unless that is the term itself. */
  private findPath(term: TermInput, error: EtfEncodeError): void {
    if (error.code === "ETF_CYCLE" || error.code === "ETF_LIMIT") refuseCycle(term);
    const before = this.length;
    try {
      this.writeDeep(term, 0);
    } finally {
      this.truncate(before);
      this.funs = [];
    }
  }

  /** Head of a tuple; that many terms are to follow. */
  writeTupleHeader(arity: number): void {
    if (arity > 255) {
      this.head(TAG.LARGE_TUPLE_EXT, arity);
      return;
    }
    this.reserve(2);
    this.buffer[this.at] = TAG.SMALL_TUPLE_EXT;
    this.buffer[this.at + 1] = arity;
    this.at += 2;
  }

  /** A safe integer, as a term. */
  writeInteger(value: number): void {
    this.number(value);
  }

  writeAtom(atom: Atom): void {
    this.atom(atom);
  }

  writePid(pid: Pid): void {
    this.pid(pid);
  }

  /** A reference, as a term. */
  writeRef(ref: Reference): void {
    this.reference(ref);
  }

  private write(value: unknown, depth: number): void {
    switch (typeof value) {
      case "number":
        this.number(value);
        return;
      case "object":
        if (value instanceof Atom) this.atom(value);
        else if (Array.isArray(value)) this.array(value, depth);
        else if (value instanceof Uint8Array) this.binary(value);
        else if (value instanceof Float) this.float(value.value);
        else this.otherObject(value, depth);
        return;
      case "string":
        this.text(value);
        return;
      case "boolean":
        this.boolean(value);
        return;
    }
    this.other(value, depth);
  }

  private otherObject(value: object | null, depth: number): void {
    if (value instanceof TermMapClass) this.pairs(value.toPairs(), value, depth);
    else if (value instanceof Pid) this.pid(value);
    else if (value instanceof Reference) this.reference(value);
    else this.other(value, depth);
  }

  private array(value: readonly unknown[], depth: number): void {
    if (depth >= this.watchedDepth && this.isBeyond(value, depth)) return;
    if (value instanceof Tuple) {
      // Not the variable that is narrowed: `readonly unknown[]` is what its elements are.
      const elements = value as readonly unknown[];
      const size = elements.length;
      this.writeTupleHeader(size);
      for (let i = 0; i < size; i++) this.write(elements[i], depth + 1);
      return;
    }
    const elements = this.list(value);
    if (elements === null) return;
    this.elements(elements, depth + 1);
    this.writeUint8(TAG.NIL_EXT);
  }

  /** Terms of a list: numbers, of which lists are long, without a call for each. */
  private elements(elements: readonly unknown[], depth: number): void {
    const size = elements.length;
    let { buffer, view, at } = this;
    let room = buffer.length - MAX_NUMBER_BYTES;
    for (let i = 0; i < size; i++) {
      const element = elements[i];
      if (at > room) {
        this.at = at;
        this.grow(MAX_NUMBER_BYTES);
        ({ buffer, view, at } = this);
        room = buffer.length - MAX_NUMBER_BYTES;
      }
      if (typeof element === "number") {
        at = putNumber(buffer, view, at, element);
        continue;
      }
      if (element instanceof Float) {
        buffer[at] = TAG.NEW_FLOAT_EXT;
        view.setFloat64(at + 1, element.value);
        at += 9;
        continue;
      }
      this.at = at;
      if (Array.isArray(element)) this.array(element, depth);
      else if (element instanceof Atom) this.atom(element);
      else if (typeof element !== "object" || element instanceof Uint8Array)
        this.write(element, depth);
      else this.otherObject(element, depth);
      ({ buffer, view, at } = this);
      room = buffer.length - MAX_NUMBER_BYTES;
    }
    this.at = at;
  }

  private pairs(pairs: readonly unknown[], map: object, depth: number): void {
    if (depth >= this.watchedDepth && this.isBeyond(map, depth)) return;
    const ordered = this.map(pairs);
    const size = ordered.length;
    for (let i = 0; i < size; i++) this.write(ordered[i], depth + 1);
  }

  /** Writes rare kinds of terms, and refuses values that are not terms. */
  private other(value: unknown, depth: number): void {
    if (depth >= this.watchedDepth && this.isBeyond(value, depth)) return;
    if (value instanceof ImproperList) {
      const { elements, tail } = value;
      this.head(TAG.LIST_EXT, elements.length);
      for (let i = 0; i < elements.length; i++) this.write(elements[i], depth + 1);
      this.write(tail, depth + 1);
    } else if (typeof value === "object" && value !== null && isPlainObject(value)) {
      this.plainObject(value as Record<string, unknown>, depth);
    } else {
      const items = this.open(value);
      if (items === null) return;
      for (let i = 0; i < items.length; i++) this.write(items[i], depth + 1);
      this.close(value);
    }
  }

  /** True for what lies deeper than recursion goes, which then was written. */
  private isBeyond(value: unknown, depth: number): boolean {
    if (depth >= this.callDepth) {
      this.writeDeep(value, depth);
      return true;
    }
    this.watch(value, depth);
    return false;
  }

  /**
   * A cycle ends at the call depth at the latest; but if it is a large one, that is too late. The
   * container entered last at some depth is the one that those below it lie in.
   */
  private watch(value: unknown, depth: number): void {
    const { watched } = this;
    if (depth <= CLOSELY_WATCHED_DEPTH || (depth & (depth - 1)) === 0) {
      for (let i = WATCHED_DEPTH; i < depth; i++) {
        if (watched[i] === value && typeof value === "object") {
          throw cyclic();
        }
      }
    }
    watched[depth] = value;
  }

  private plainObject(value: Record<string, unknown>, depth: number): void {
    if (this.deterministic) {
      this.pairs(Object.entries(value).flat(), value, depth);
      return;
    }
    const keys = Object.keys(value);
    this.head(TAG.MAP_EXT, keys.length);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      this.text(key);
      this.write(value[key], depth + 1);
    }
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
        if (isCycle(frames)) throw cyclic();
        if (depth + frames.length > this.maxDepth) {
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
    else if (value instanceof LocalFun && value.uniq.length > 0) {
      const start = this.funs.pop()!;
      this.patchUint32(start, this.length - start);
    }
  }

  private object(value: object): readonly unknown[] | null {
    if (value instanceof Atom) this.atom(value);
    else if (Array.isArray(value)) {
      if (value instanceof Tuple) return this.tuple(value as unknown as readonly unknown[]);
      return this.list(value);
    } else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof TermMapClass) return this.map(value.toPairs());
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
    this.view.setUint32(this.at + 1, size);
    this.at += 5;
  }

  private number(value: number): void {
    this.reserve(MAX_NUMBER_BYTES);
    this.at = putNumber(this.buffer, this.view, this.at, value);
  }

  private bigint(value: bigint): void {
    const negative = value < 0n;
    const magnitude = negative ? -value : value;
    this.reserve(3 + MAX_PUT_BYTES);
    const { buffer, at } = this;
    const size = putBigint(magnitude, this.view, at + 3);
    if (size > 0) {
      if (size < 7 || (size === 7 && buffer[at + 9]! < 0x20)) {
        this.number(Number(value)); // a safe integer
        return;
      }
      buffer[at] = TAG.SMALL_BIG_EXT;
      buffer[at + 1] = size;
      buffer[at + 2] = negative ? 1 : 0;
      this.at = at + 3 + size;
      return;
    }
    const bytes = bigintToBytes(magnitude);
    if (bytes.length <= 255) {
      this.writeUint8(TAG.SMALL_BIG_EXT);
      this.writeUint8(bytes.length);
    } else this.head(TAG.LARGE_BIG_EXT, bytes.length);
    this.writeUint8(negative ? 1 : 0);
    this.writeBytes(bytes);
  }

  private float(value: number): void {
    this.reserve(9);
    this.buffer[this.at] = TAG.NEW_FLOAT_EXT;
    this.view.setFloat64(this.at + 1, value);
    this.at += 9;
  }

  private boolean(value: boolean): void {
    const bytes = value ? TRUE_BYTES : FALSE_BYTES;
    this.writeBytes(bytes);
  }

  private atom(atom: Atom): void {
    if (this.atomRefs !== null) {
      const index = this.atomRefs.ref(atom);
      if (index >= 0) {
        this.writeUint8(TAG.ATOM_CACHE_REF);
        this.writeUint8(index);
        return;
      }
    }
    const utf8 = utf8Of(atom);
    const size = utf8.length;
    if (size > 255) {
      this.writeUint8(TAG.ATOM_UTF8_EXT);
      this.writeUint16(size);
      this.writeBytes(utf8);
      return;
    }
    this.reserve(5 + size);
    const { view, at } = this;
    const wire = wireOf(atom);
    for (let i = 0; i < wire.length; i++) view.setInt32(at + 4 * i, wire[i]!);
    this.at = at + 2 + size;
  }

  private text(value: string): void {
    const size = value.length;
    this.reserve(5 + 3 * size);
    const { buffer, at } = this;
    if (size <= LOOP_CHARACTERS) {
      let i = 0;
      for (; i < size; i++) {
        const code = value.charCodeAt(i);
        if (code >= 0x80) break;
        buffer[at + 5 + i] = code;
      }
      if (i === size) {
        buffer[at] = TAG.BINARY_EXT;
        this.view.setUint32(at + 1, size);
        this.at = at + 5 + size;
        return;
      }
    }
    const { written } = encoder.encodeInto(value, buffer.subarray(at + 5));
    // Half of a surrogate pair is written as something else; it is not in ASCII.
    if (written !== size && hasLoneSurrogate(value)) {
      throw badText();
    }
    this.head(TAG.BINARY_EXT, written);
    this.at = at + 5 + written;
  }

  private binary(bytes: Uint8Array): void {
    const size = bytes.length;
    if (size <= LOOP_CHARACTERS && size < this.byReferenceBytes) {
      this.reserve(5 + size);
      const { buffer, at } = this;
      buffer[at] = TAG.BINARY_EXT;
      this.view.setUint32(at + 1, size);
      for (let i = 0; i < size; i++) buffer[at + 5 + i] = bytes[i]!;
      this.at = at + 5 + size;
      return;
    }
    this.head(TAG.BINARY_EXT, size);
    if (size < this.byReferenceBytes) this.writeBytes(bytes);
    else this.writeReference(this.copyChunk === null ? bytes : this.copyChunk(bytes));
  }

  private tuple(elements: readonly unknown[]): readonly unknown[] {
    this.writeTupleHeader(elements.length);
    return elements;
  }

  /** A list of up to 65535 bytes is STRING_EXT, as OTP writes it. */
  private list(elements: readonly unknown[]): readonly unknown[] | null {
    const size = elements.length;
    if (size === 0) return elements; // closed by NIL_EXT
    if (typeof elements[0] === "object" || size > MAX_STRING_EXT || !this.string(elements)) {
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
    return this.known === null ? pairs : inKeyOrder(pairs, this.known);
  }

  private pid(pid: Pid): void {
    this.writeUint8(TAG.NEW_PID_EXT);
    this.atom(pid.node);
    this.reserve(12);
    const { view, at } = this;
    view.setUint32(at, pid.id);
    view.setUint32(at + 4, pid.serial);
    view.setUint32(at + 8, pid.creation);
    this.at = at + 12;
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
    const { ids } = ref;
    this.writeUint8(TAG.NEWER_REFERENCE_EXT);
    this.writeUint16(ids.length);
    this.atom(ref.node);
    this.reserve(4 + 4 * ids.length);
    const { view, at } = this;
    view.setUint32(at, ref.creation);
    for (let i = 0; i < ids.length; i++) view.setUint32(at + 4 + 4 * i, ids[i]!);
    this.at = at + 4 + 4 * ids.length;
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
    this.writeUint8(TAG.NEW_FUN_EXT);
    // The size counts itself and all that follows; it is known when the fun is closed.
    this.funs.push(this.length);
    this.writeUint32(0);
    this.writeUint8(fun.arity);
    this.writeBytes(fun.uniq);
    this.writeUint32(fun.index);
    this.writeUint32(fun.freeVariables.length);
    this.atom(fun.module);
    this.number(fun.oldIndex);
    this.number(fun.oldUniq);
    this.pid(fun.pid);
    return fun.freeVariables;
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

/** Its path is found afterwards. */
function cyclic(): EtfEncodeError {
  return new EtfEncodeError("ETF_CYCLE", "the value contains itself");
}

/** Writes an integer, or else a float, where there is room; returns where it ends. */
function putNumber(buffer: Uint8Array, view: DataView, at: number, value: number): number {
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if ((value & 0xff) === value) {
      buffer[at] = TAG.SMALL_INTEGER_EXT;
      buffer[at + 1] = value;
      return at + 2;
    }
    buffer[at] = TAG.INTEGER_EXT;
    view.setInt32(at + 1, value);
    return at + 5;
  }
  if (Number.isSafeInteger(value) && value !== 0) {
    const magnitude = Math.abs(value);
    const high = Math.floor(magnitude / 0x100000000);
    view.setUint32(at + 3, magnitude >>> 0, true);
    view.setUint32(at + 7, high, true);
    const size = high === 0 ? 4 : high < 0x100 ? 5 : high < 0x10000 ? 6 : 7;
    buffer[at] = TAG.SMALL_BIG_EXT;
    buffer[at + 1] = size;
    buffer[at + 2] = value < 0 ? 1 : 0;
    return at + 3 + size;
  }
  // Only what has a fraction, or is -0, is a float.
  if (!(Math.abs(value) < 2 ** 53)) throw notATerm(value);
  buffer[at] = TAG.NEW_FLOAT_EXT;
  view.setFloat64(at + 1, value);
  return at + 9;
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
   * default. Browsers have no zlib: there the plain form is written, which any reader takes.
   */
  compressed?: boolean | number;
}

/** Larger binaries are copied once, into the result. */
const ENCODE: TermWriterOptions = { byReferenceBytes: 8192 };

/** The writer for the next call; nobody else's while one is under way. */
let idle: TermWriter | undefined;

/**
 * The bytes of a term, 131 first.
 *
 * @throws EtfEncodeError with the path inside the value
 */
export function encode(term: TermInput, options?: EncodeOptions): Uint8Array {
  const writer = options === undefined ? (idle ?? new TermWriter(ENCODE)) : new TermWriter(options);
  idle = undefined;
  try {
    writer.writeUint8(VERSION_MAGIC);
    writer.writeTerm(term);
    const bytes = writer.takeOne();
    return options?.compressed ? deflateTerm(bytes, options.compressed) : bytes;
  } finally {
    writer.truncate(0);
    if (options === undefined) idle = writer;
  }
}
