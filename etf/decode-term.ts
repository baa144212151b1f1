/**
 * Bytes to terms, exactly: encoding what is decoded here gives OTP a term that is `=:=` to the
 * one it sent.
 *
 * Spec: erl_ext_dist. Terms within the call depth are read by recursion; below that an explicit
 * stack takes over, so nesting is limited by an option and not by the engine's stack.
 */

import {
  LeafDecoder,
  largeArray,
  MAX_NUMBER_BYTES,
  MAX_PREALLOCATE,
  PREALLOCATE,
  type RecordHead,
  safeInteger,
} from "./decode-leaf.ts";
import { FLOAT_WORDS, LEVEL_WORDS, MAP_KEY_WORDS, MAP_WORDS } from "./heap.ts";
import { cachedKey, MAX_CACHED_KEY_BYTES } from "./key-cache.ts";
import { TAG } from "./tags.ts";
import { type TermMap, TermMapClass } from "./term-map.ts";
import {
  Float,
  ImproperList,
  LocalFun,
  type LocalFunFields,
  NativeRecord,
  type OpaqueTerm,
  type Term,
  Tuple,
} from "./terms.ts";

/** Floats of a list that are charged at once, after they were made. */
const CHARGED_FLOATS = 4096;

/** A container being read without recursion. */
interface Frame {
  tag: number;
  /** Made with its size where that is not large: it is the term then, or what the term is made of. */
  values: unknown[];
  /** Values read. */
  at: number;
  /** Values still to be read. */
  left: number;
  claimed: number;
  /** What is read next is the tail of a list, or was. */
  inTail: boolean;
  tail: unknown;
  /** What was read before the values. */
  head: LocalFunFields | RecordHead | null;
}

/** Reads terms; reusable, with its limits. */
export class TermDecoder extends LeafDecoder<Term> {
  protected override read(depth: number): Term {
    const { bytes, offset } = this;
    if (offset >= this.end) throw this.truncated(1);
    const tag = bytes[offset]!;
    this.offset = offset + 1;
    switch (tag) {
      // The usual ones, the most frequent first.
      case TAG.SMALL_INTEGER_EXT:
        return this.uint8();
      case TAG.SMALL_ATOM_UTF8_EXT:
        return this.smallAtom();
      case TAG.BINARY_EXT:
        return this.binary(this.uint32());
      case TAG.INTEGER_EXT:
        return this.int32();
      case TAG.NEW_FLOAT_EXT:
        return this.checkedFloat(this.float64());
      case TAG.SMALL_BIG_EXT:
        return this.big(this.uint8());
      case TAG.NIL_EXT:
        return this.nil();
      case TAG.NEW_PID_EXT:
        return this.pid(tag);
      case TAG.NEWER_REFERENCE_EXT:
        return this.reference(tag);
      case TAG.LIST_EXT:
        if (depth < this.callDepth) return this.list(depth);
        this.offset = offset;
        return this.readDeep(depth);
      case TAG.SMALL_TUPLE_EXT:
        if (depth < this.callDepth) return this.tuple(this.uint8(), depth);
        this.offset = offset;
        return this.readDeep(depth);
      case TAG.MAP_EXT:
        if (depth < this.callDepth) return this.map(depth);
        this.offset = offset;
        return this.readDeep(depth);
      case TAG.LARGE_TUPLE_EXT:
      case TAG.NEW_FUN_EXT:
      case TAG.FUN_EXT:
      case TAG.RECORD_EXT:
        if (depth < this.callDepth) return this.container(tag, depth);
        this.offset = offset;
        return this.readDeep(depth);
      default:
        return this.leaf(tag);
    }
  }

  private container(tag: number, depth: number): Term {
    switch (tag) {
      case TAG.LARGE_TUPLE_EXT:
        return this.tuple(this.uint32(), depth);
      case TAG.NEW_FUN_EXT: {
        const { head, size } = this.funHead();
        return new LocalFun({ ...head, freeVariables: this.values(size, depth) });
      }
      case TAG.FUN_EXT: {
        const { head, size } = this.oldFunHead();
        return new LocalFun({ ...head, freeVariables: this.values(size, depth) });
      }
      default: {
        const { head, size } = this.recordHead();
        return makeRecord(head, this.values(size, depth));
      }
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
    const elements: Term[] = size <= PREALLOCATE ? new Array(size) : largeArray(size);
    let at = 0;
    for (;;) {
      this.elements(elements, at, size, depth + 1);
      at += size;
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

  /** Terms into a list: numbers, of which lists are long, without a call for each. */
  private elements(into: Term[], at: number, size: number, depth: number): void {
    const { bytes, view } = this;
    const last = at + size;
    // Up to there a number is whole.
    const safe = view === null ? -1 : this.end - MAX_NUMBER_BYTES;
    let { offset } = this;
    for (; at < last; at++) {
      if (view !== null && offset <= safe) {
        const tag = bytes[offset]!;
        if (tag === TAG.SMALL_INTEGER_EXT) {
          into[at] = bytes[offset + 1]!;
          offset += 2;
          continue;
        }
        if (tag === TAG.INTEGER_EXT) {
          into[at] = view.getInt32(offset + 1);
          offset += 5;
          continue;
        }
        if (tag === TAG.LIST_EXT && depth < this.callDepth) {
          this.offset = offset + 1;
          into[at] = this.list(depth);
          offset = this.offset;
          continue;
        }
        if (tag === TAG.SMALL_TUPLE_EXT && depth < this.callDepth) {
          this.offset = offset + 2;
          into[at] = this.tuple(bytes[offset + 1]!, depth);
          offset = this.offset;
          continue;
        }
        if (tag === TAG.NEW_FLOAT_EXT) {
          this.offset = offset;
          const next = this.floats(into, at, last, view);
          if (next > at) {
            at = next - 1;
            offset = this.offset;
            continue;
          }
        } else if (tag === TAG.SMALL_BIG_EXT) {
          const length = bytes[offset + 1]!;
          const value = safeInteger(bytes, view, offset, length);
          if (value !== null) {
            into[at] = value;
            offset += 3 + length;
            continue;
          }
        }
      }
      this.offset = offset;
      into[at] = this.read(depth);
      offset = this.offset;
    }
    this.offset = offset;
  }

  /** Floats in a row into a list; returns where in it the next element goes. */
  private floats(into: Term[], start: number, last: number, view: DataView): number {
    const { bytes } = this;
    const safe = this.end - MAX_NUMBER_BYTES;
    const stop = Math.min(last, start + CHARGED_FLOATS);
    let { offset } = this;
    let at = start;
    while (at < stop && offset <= safe && bytes[offset] === TAG.NEW_FLOAT_EXT) {
      const value = view.getFloat64(offset + 1);
      if (value - value !== 0) break;
      into[at++] = new Float(value);
      offset += 9;
    }
    this.offset = offset;
    this.charge(FLOAT_WORDS * (at - start));
    return at;
  }

  private tuple(size: number, depth: number): Term {
    this.claim(size);
    const elements = newTuple(size);
    for (let i = 0; i < size; i++) elements[i] = this.read(depth + 1);
    this.claimed -= size;
    return elements;
  }

  private map(depth: number): Term {
    const start = this.offset - 1;
    const size = 2 * this.uint32();
    this.claim(size);
    this.charge(MAP_WORDS + MAP_KEY_WORDS * (size >> 1));
    const pairs: Term[] = size <= PREALLOCATE ? new Array(size) : largeArray(size);
    for (let i = 0; i < size; i += 2) {
      pairs[i] = this.key(depth + 1);
      pairs[i + 1] = this.read(depth + 1);
    }
    this.claimed -= size;
    return this.makeMap(pairs, start, true);
  }

  private key(depth: number): Term {
    const { bytes, offset } = this;
    // The length fits into one byte, and the bytes are there.
    if (offset + 5 <= this.end && bytes[offset] === TAG.BINARY_EXT) {
      const length = bytes[offset + 4]!;
      const first = (bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) === 0;
      if (first && length <= MAX_CACHED_KEY_BYTES && length <= this.end - offset - 5) {
        this.offset = offset + 5 + length;
        return cachedKey(bytes, offset + 5, length);
      }
    }
    return this.read(depth);
  }

  private makeMap(pairs: Term[], start: number, sharesKeys: boolean): TermMap {
    const map = TermMapClass.fromPairs(pairs, this.known, sharesKeys);
    if (map === null) throw this.error("ETF_DUPLICATE_KEY", "a map has the same key twice", start);
    return map;
  }

  protected override opaque(term: OpaqueTerm): Term {
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
          if (frame.inTail) frame.tail = done;
          else frame.values[frame.at++] = done;
          frame.left--;
        }
        if (frame.left > 0) break;
        // What follows is more of a list, or its tail.
        if (frame.tag === TAG.LIST_EXT && !frame.inTail && !this.extendList(frame)) break;
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
    frame.inTail = true;
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
      case TAG.FUN_EXT:
        ({ head, size } = this.oldFunHead());
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
    this.charge(LEVEL_WORDS);
    if (tag === TAG.MAP_EXT) this.charge(MAP_WORDS + MAP_KEY_WORDS * (size >> 1));
    const values = valuesOf(tag, size);
    frames.push({ tag, values, at: 0, left: size, claimed, inTail: false, tail: null, head });
    return PENDING;
  }

  private close(frame: Frame): Term {
    const values = frame.values as Term[];
    switch (frame.tag) {
      case TAG.LIST_EXT:
        return frame.inTail ? withTail(values, frame.tail as Term) : values;
      case TAG.MAP_EXT:
        return this.makeMap(values, this.offset, false);
      case TAG.NEW_FUN_EXT:
      case TAG.FUN_EXT:
        return new LocalFun({ ...(frame.head as LocalFunFields), freeVariables: values });
      case TAG.RECORD_EXT:
        return makeRecord(frame.head as RecordHead, values);
      default:
        return values as unknown as Term;
    }
  }
}

/** For the values of a container; a tuple's are the tuple. */
function valuesOf(tag: number, size: number): unknown[] {
  switch (tag) {
    case TAG.SMALL_TUPLE_EXT:
    case TAG.LARGE_TUPLE_EXT:
      return newTuple(size);
    case TAG.LIST_EXT:
    case TAG.MAP_EXT:
      return size <= PREALLOCATE ? new Array(size) : largeArray(size);
    default:
      return [];
  }
}

const PENDING = Symbol("pending");

/** There is nothing to change in it, so one serves all. */
const EMPTY_TUPLE = Object.freeze(new Tuple()) as Tuple & Term[];

/** A tuple to be filled. */
function newTuple(size: number): Tuple & Term[] {
  if (size === 0) return EMPTY_TUPLE;
  return new Tuple(size <= MAX_PREALLOCATE ? size : 0) as Tuple & Term[];
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
