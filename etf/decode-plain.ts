/**
 * Bytes to plain values in one pass: what `toPlain` makes of the term, without making the term.
 *
 * Whatever is rare is decoded as a term first and converted: what lies deeper than the call depth,
 * funs, records and identifiers; and all of it, when two keys of a map become one.
 */
import { type Atom, internAtom } from "./atom.ts";
import {
  type DecodeOptions,
  LeafDecoder,
  largeArray,
  MAX_NUMBER_BYTES,
  PREALLOCATE,
  safeInteger,
} from "./decode-leaf.ts";
import { TermDecoder } from "./decode-term.ts";
import { CONTAINER_WORDS, MAP_KEY_WORDS, TEXT_WORDS } from "./heap.ts";
import { cachedKeyText, MAX_CACHED_KEY_BYTES } from "./key-cache.ts";
import {
  defineOwn,
  type Plain,
  plainKey,
  plainLeaf,
  type ToPlainOptions,
  toPlain,
} from "./plain.ts";
import { TAG } from "./tags.ts";
import type { OpaqueTerm, Term } from "./terms.ts";
import { utf8Text } from "./utf8.ts";

const NIL = internAtom("nil");
const NULL = internAtom("null");
const UNDEFINED = internAtom("undefined");

const { prototype } = Object;
/** What Object.prototype has when nobody has added anything. */
const OWN_KEYS = 12;
/** Keys of a message that cost no more to look up than all properties of Object.prototype. */
const LOOKED_UP_KEYS = 32;

/** Whether `__proto__` is the only accessor that an object inherits, and nothing is read-only. */
function onlyProtoIsInherited(): boolean {
  const keys = Reflect.ownKeys(prototype);
  return (
    keys.length === OWN_KEYS &&
    keys.every((key) => {
      const property = Object.getOwnPropertyDescriptor(prototype, key);
      return property?.writable === true || key === "__proto__";
    })
  );
}

export class PlainDecoder extends LeafDecoder<Plain> {
  private readonly limits: DecodeOptions;
  private readonly options: ToPlainOptions;
  private readonly atomsAsText: boolean;
  private readonly binariesAsText: boolean;
  /** In this call; see `mayBeInherited`. */
  private keysLookedUp = 0;
  private inheritsOnlyProto: boolean | null = null;

  constructor(limits: DecodeOptions, options: ToPlainOptions) {
    super(limits);
    this.limits = limits;
    this.options = options;
    this.atomsAsText = options.atoms !== "atom";
    this.binariesAsText = options.binaries !== "bytes";
  }

  override decodeAt(bytes: Uint8Array, offset: number, end: number): Plain {
    this.keysLookedUp = 0;
    this.inheritsOnlyProto = null;
    try {
      return super.decodeAt(bytes, offset, end);
    } catch (error) {
      if (error !== AGAIN) throw error;
      const exact = new TermDecoder(this.limits);
      const term = exact.decodeAt(bytes, offset, end);
      this.offset = exact.offset;
      return toPlain(term, this.options);
    }
  }

  protected override read(depth: number): Plain {
    const { bytes, offset } = this;
    if (offset >= this.end) throw this.truncated(1);
    const tag = bytes[offset]!;
    this.offset = offset + 1;
    switch (tag) {
      case TAG.SMALL_INTEGER_EXT:
        return this.uint8();
      case TAG.BINARY_EXT:
        return this.plainBinary(this.uint32());
      case TAG.SMALL_ATOM_UTF8_EXT:
        return this.plainAtom(this.smallAtom());
      case TAG.INTEGER_EXT:
        return this.int32();
      case TAG.NEW_FLOAT_EXT:
        return this.finite(this.float64());
      case TAG.NIL_EXT:
        this.charge(CONTAINER_WORDS);
        return [];
      case TAG.SMALL_TUPLE_EXT:
      case TAG.LIST_EXT:
      case TAG.MAP_EXT:
      case TAG.LARGE_TUPLE_EXT:
        return depth < this.callDepth ? this.container(tag, depth) : this.viaTerm(offset, depth);
      case TAG.NEW_FUN_EXT:
      case TAG.FUN_EXT:
      case TAG.RECORD_EXT:
        return this.viaTerm(offset, depth);
      case TAG.STRING_EXT:
        return this.leaf(tag) as Plain;
      default:
        return plainLeaf(this.leaf(tag), this.options) as Plain;
    }
  }

  protected override opaque(term: OpaqueTerm): Plain {
    return plainLeaf(term, this.options) as Plain;
  }

  private container(tag: number, depth: number): Plain {
    if (tag === TAG.MAP_EXT) return this.map(depth);
    if (tag === TAG.LIST_EXT) return this.list(depth);
    return this.tuple(tag === TAG.SMALL_TUPLE_EXT ? this.uint8() : this.uint32(), depth);
  }

  private tuple(size: number, depth: number): Plain {
    this.claim(size);
    const elements: Plain[] = size <= PREALLOCATE ? new Array(size) : largeArray(size);
    for (let i = 0; i < size; i++) elements[i] = this.read(depth + 1);
    this.claimed -= size;
    return elements;
  }

  private list(depth: number): Plain {
    const size = this.uint32();
    this.claim(size);
    const elements: Plain[] = size <= PREALLOCATE ? new Array(size) : largeArray(size);
    this.elements(elements, size, depth + 1);
    this.claimed -= size;
    if (this.offset >= this.end) throw this.truncated(1);
    const tag = this.bytes[this.offset];
    if (tag === TAG.NIL_EXT) {
      this.offset++;
      return elements;
    }
    if (size === 0 || tag === TAG.LIST_EXT || tag === TAG.STRING_EXT) throw AGAIN;
    elements.push(this.read(depth + 1));
    return elements;
  }

  /** Values into a list: numbers, of which lists are long, without a call for each. */
  private elements(into: Plain[], size: number, depth: number): void {
    const { bytes, view } = this;
    const safe = view === null ? -1 : this.end - MAX_NUMBER_BYTES;
    let { offset } = this;
    for (let at = 0; at < size; at++) {
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
        if (tag === TAG.NEW_FLOAT_EXT) {
          const value = view.getFloat64(offset + 1);
          if (value - value === 0) {
            into[at] = value;
            offset += 9;
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

  private map(depth: number): Plain {
    const size = this.uint32();
    this.claim(2 * size);
    this.charge(MAP_KEY_WORDS * size);
    const object: Record<string, Plain> = {};
    for (let i = 0; i < size; i++) {
      const key = this.key(depth + 1);
      const value = this.read(depth + 1);
      if (this.mayBeInherited(key)) defineOwn(object, key, value);
      else object[key] = value;
    }
    this.claimed -= 2 * size;
    // One key twice is an error, two keys of one text are not: the exact form tells them apart.
    if (Object.keys(object).length !== size) throw AGAIN;
    return object;
  }

  /**
   * Whether an assignment to the key may find an accessor of Object.prototype. The first keys are
   * looked up there one by one; more of them are worth a look at all of its properties.
   */
  private mayBeInherited(key: string): boolean {
    if (this.keysLookedUp < LOOKED_UP_KEYS) {
      this.keysLookedUp++;
      return key in prototype;
    }
    this.inheritsOnlyProto ??= onlyProtoIsInherited();
    return this.inheritsOnlyProto ? key === "__proto__" : key in prototype;
  }

  private key(depth: number): string {
    const { bytes, offset } = this;
    const tag = offset < this.end ? bytes[offset] : 0;
    if (tag === TAG.SMALL_ATOM_UTF8_EXT) {
      this.offset = offset + 1;
      const atom = this.smallAtom();
      return typeof atom === "boolean" ? String(atom) : atom.name;
    }
    if (tag === TAG.BINARY_EXT && offset + 5 <= this.end) {
      const length = bytes[offset + 4]!;
      const first = (bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) === 0;
      if (first && length <= MAX_CACHED_KEY_BYTES && length <= this.end - offset - 5) {
        const text = cachedKeyText(bytes, offset + 5, length);
        if (text !== null) {
          this.offset = offset + 5 + length;
          return text;
        }
      }
    }
    return plainKey(this.term(offset, depth));
  }

  private plainAtom(atom: Atom | boolean): Plain {
    if (typeof atom === "boolean") return atom;
    if (atom === NIL || atom === NULL || atom === UNDEFINED) return null;
    return this.atomsAsText ? atom.name : atom;
  }

  private plainBinary(length: number): Plain {
    if (!this.binariesAsText) return this.binary(length);
    this.need(length);
    const { offset } = this;
    const text = utf8Text(this.bytes, offset, length);
    if (text === null) return this.binary(length);
    this.charge(TEXT_WORDS + (length >> 3));
    this.offset = offset + length;
    return text;
  }

  private finite(value: number): number {
    if (!Number.isFinite(value)) this.checkedFloat(value);
    return value;
  }

  /** The term at an offset, exactly. */
  private term(offset: number, depth: number): Term {
    const tag = this.bytes[offset];
    if (tag === TAG.COMPRESSED || tag === TAG.LOCAL_EXT) {
      // Whole terms only, and to decode one apart would make it whole.
      this.offset = offset + 1;
      return this.leaf(tag);
    }
    const exact = new TermDecoder(this.limits);
    exact.baseDepth = depth;
    const term = exact.decodeAt(this.bytes, offset, this.end);
    this.offset = exact.offset;
    return term;
  }

  private viaTerm(offset: number, depth: number): Plain {
    return toPlain(this.term(offset, depth), this.options);
  }
}

/**
 * Thrown where only the term tells what the plain form is: it is decoded again, as a term, all of
 * it, since many small repetitions inside one another would be too many.
 */
const AGAIN = new Error("a term must be made first");
