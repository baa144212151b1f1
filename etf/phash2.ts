/**
 * `erlang:phash2`: the same number for the same term in every release and on every machine.
 *
 * Documented: erlang, "phash2/1,2"; the algorithm is that of the runtime (Bob Jenkins' mix of
 * 1996 over 32-bit words, the words of a term one after the other). What it leaves out is left
 * out here: of a pid only the id counts, of a reference the first word, of a fun neither arity
 * (of a local one) nor creator, of nothing the node; `0.0` and `-0.0` hash alike.
 */
import { Atom } from "./atom.ts";
import { isCycle } from "./cycle.ts";
import { EtfEncodeError } from "./errors.ts";
import { normalize } from "./exact.ts";
import { Known } from "./known.ts";
import { MapBase } from "./map-base.ts";
import {
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  isList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type TermInput,
  Tuple,
} from "./terms.ts";

/** Each kind of term is mixed with another multiple of this. */
const GOLDEN = 0x9e3779b9;
const SALT = (multiple: number): number => Math.imul(GOLDEN, multiple);

const INTEGER = SALT(1);
const NIL_IN_TERM = SALT(2);
const ATOM_IN_TERM = SALT(3);
const FOUR_BYTES = SALT(4);
const PID = SALT(5);
const PORT = SALT(6);
const REFERENCE = SALT(7);
const TUPLE = SALT(9);
const NEGATIVE = SALT(10);
const POSITIVE = SALT(11);
const FLOAT = SALT(12);
const BINARY = SALT(13);
const EXPORT = SALT(14);
const LAST_BITS = SALT(15);
const MAP = SALT(16);
const PAIRS = SALT(19);

/** The hash of `[]` by itself, and what stands for it inside other terms. */
const NIL_HASH = 3468870702 | 0;
const NIL_WORD = 2;

const DEFAULT_RANGE = 2 ** 27;
const MAX_RANGE = 2 ** 32;

/** A container being hashed, on a stack of our own. */
interface Frame {
  readonly value: object;
  readonly kind: "all" | "list" | "map";
  readonly items: readonly unknown[];
  next: number;
  /** Of a map: what was hashed before it, and the pairs of the map around it. */
  readonly hash: number;
  readonly pairs: number;
}

/**
 * The number from 0 to `range` - 1 that OTP gives the term.
 *
 * @param range 1 to 2^32; 2^27 by default
 * @throws EtfEncodeError ETF_NOT_A_TERM, also for native records and opaque terms; ETF_CYCLE;
 * ETF_OUT_OF_RANGE
 */
export function phash2(term: TermInput, range: number = DEFAULT_RANGE): number {
  if (!(Number.isInteger(range) && range >= 1 && range <= MAX_RANGE)) {
    throw new EtfEncodeError("ETF_OUT_OF_RANGE", `a range is 1 to 2^32, not ${range}`);
  }
  return (new Hasher(term).run() >>> 0) % range;
}

class Hasher {
  private hash = 0;
  private pairs = 0;
  private readonly root: unknown;
  private readonly known: Known;
  private readonly frames: Frame[] = [];

  constructor(root: unknown) {
    this.root = root;
    this.known = new Known(root);
  }

  run(): number {
    const { frames } = this;
    this.term(this.root);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { length } = frames;
      this.step(frame);
      if (frames.length > length && isCycle(frames)) this.known.refuseCycles();
    }
    return this.hash;
  }

  private step(frame: Frame): void {
    const { kind, items, next } = frame;
    // A list has its end to be hashed as well.
    if (kind === "list" && next <= items.length) {
      this.list(frame);
      return;
    }
    if (kind === "map" && next % 2 === 0 && next > 0) this.endOfPair();
    if (next < items.length) {
      frame.next++;
      this.term(items[next]);
      return;
    }
    this.frames.pop();
    if (kind === "map") {
      this.hash = frame.hash;
      this.words(this.pairs, 0, PAIRS);
      this.pairs = frame.pairs;
    }
  }

  /** Pairs count by themselves, since the order of a map's entries means nothing. */
  private endOfPair(): void {
    this.pairs ^= this.hash;
    this.hash = 0;
  }

  private open(value: object, kind: Frame["kind"], items: readonly unknown[]): void {
    const { hash, pairs } = this;
    this.frames.push({ value, kind, items, next: 0, hash, pairs });
  }

  private words(first: number, second: number, salt: number): void {
    this.hash = mix((salt + first) | 0, (salt + second) | 0, this.hash);
  }

  private term(value: unknown): void {
    const term = normalize(value);
    if (typeof term === "boolean") this.atom(term ? "true" : "false");
    else if (typeof term === "bigint") this.integer(term);
    else if (typeof term === "object" && term !== null) this.object(term);
    else if (typeof term !== "number" || !Number.isFinite(term)) {
      throw new EtfEncodeError("ETF_NOT_A_TERM", `${String(term)} is not a term`);
    } else if (term >= -(2 ** 27) && term < 2 ** 27) this.small(term);
    else this.integer(BigInt(term));
  }

  private object(term: object): void {
    if (term instanceof Atom) this.atom(term.name);
    else if (isList(term)) this.open(term, "list", term);
    else if (term instanceof Uint8Array) this.bits(term, 8);
    else if (term instanceof Tuple) this.tuple(term as unknown as readonly unknown[]);
    else if (term instanceof Float) {
      view.setFloat64(0, term.value === 0 ? 0 : term.value);
      this.words(view.getInt32(0), view.getInt32(4), FLOAT);
    } else if (term instanceof BitString) this.bits(term.bytes, term.lastBits);
    else if (term instanceof ImproperList) this.open(term, "list", term.elements);
    else if (term instanceof Pid) this.words(term.id, 0, PID);
    else if (term instanceof Reference) this.words(term.ids[0] ?? 0, 0, REFERENCE);
    else if (term instanceof Port) {
      const id = BigInt(term.id);
      this.words(Number(id & 0xffffffffn), Number(id >> 32n), PORT);
    } else if (term instanceof ExternalFun) {
      this.words(term.arity, atomHash(term.module.name), INTEGER);
      this.words(atomHash(term.function.name), 0, EXPORT);
    } else if (term instanceof LocalFun) {
      this.words(term.freeVariables.length, atomHash(term.module.name), INTEGER);
      this.words(term.index, term.oldUniq, INTEGER);
      this.open(term, "all", term.freeVariables);
    } else if (term instanceof NativeRecord || term instanceof OpaqueTerm) {
      const kind = term instanceof NativeRecord ? "a native record" : "an opaque term";
      throw new EtfEncodeError("ETF_NOT_A_TERM", `${kind} has no phash2 outside of its runtime`);
    } else this.map(term);
  }

  private tuple(elements: readonly unknown[]): void {
    this.words(elements.length, 0, TUPLE);
    this.open(elements, "all", elements);
  }

  private small(value: number): void {
    if (value < 0) this.words(-value, 0, INTEGER);
    this.words(value, 0, INTEGER);
  }

  private integer(value: bigint): void {
    const salt = value < 0n ? NEGATIVE : POSITIVE;
    const hex = (value < 0n ? -value : value).toString(16);
    for (let end = hex.length; end > 0; end -= 16) {
      const high = hex.slice(Math.max(0, end - 16), Math.max(0, end - 8));
      const low = hex.slice(Math.max(0, end - 8), end);
      this.words(Number.parseInt(low, 16), high === "" ? 0 : Number.parseInt(high, 16), salt);
    }
  }

  private atom(name: string): void {
    if (this.hash === 0) this.hash = atomHash(name);
    else this.words(atomHash(name), 0, ATOM_IN_TERM);
  }

  /** Up to the next element that is not a byte, or the end. Bytes in a row are taken four at a time. */
  private list(frame: Frame): void {
    const { items, value } = frame;
    let word = 0;
    let bytes = 0;
    for (; frame.next < items.length; frame.next++) {
      const byte = byteOf(items[frame.next]);
      if (byte < 0) break;
      word = (word << 8) | byte;
      if (++bytes === 4) {
        this.words(word, 0, FOUR_BYTES);
        word = 0;
        bytes = 0;
      }
    }
    if (bytes > 0) this.words(word, 0, FOUR_BYTES);
    const at = frame.next++;
    if (at < items.length) this.term(items[at]);
    else if (value instanceof ImproperList) this.term(value.tail);
    else if (this.hash === 0) this.hash = NIL_HASH;
    else this.words(NIL_WORD, 0, NIL_IN_TERM);
  }

  private bits(bytes: Uint8Array, lastBits: number): void {
    const salt = (BINARY + this.hash) | 0;
    if (bytes.length === 0) {
      this.hash = salt;
      return;
    }
    const whole = lastBits === 8 ? bytes.length : bytes.length - 1;
    this.hash = hashBytes(bytes, whole, salt);
    if (lastBits < 8) this.words(lastBits, bytes[whole]! >> (8 - lastBits), LAST_BITS);
  }

  private map(term: object): void {
    const map = this.known.map(term) ?? MapBase.require(term);
    this.words(map.size, 0, MAP);
    if (map.size === 0) return;
    this.open(term, "map", map.toPairs());
    this.hash = 0;
    this.pairs = 0;
  }
}

const view = new DataView(new ArrayBuffer(8));

/** An element of a list as a byte, or -1. */
function byteOf(value: unknown): number {
  if (typeof value === "number") {
    return (value & 255) === value && !Object.is(value, -0) ? value : -1;
  }
  return typeof value === "bigint" && value >= 0n && value <= 255n ? Number(value) : -1;
}

/** Bob Jenkins' mix, of which the third word is the hash. */
function mix(first: number, second: number, hash: number): number {
  let a = first;
  let b = second;
  let c = hash;
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >>> 15);
  mixedA = a;
  mixedB = b;
  return c;
}

/** What `mix` made of the other two words. */
let mixedA = 0;
let mixedB = 0;

/** Twelve bytes at a time; the first byte of the last word is the length's. */
function hashBytes(bytes: Uint8Array, size: number, initial: number): number {
  const word = (at: number): number => {
    let value = 0;
    for (let i = 3; i >= 0; i--) value = (value << 8) | (at + i < size ? bytes[at + i]! : 0);
    return value;
  };
  mixedA = GOLDEN | 0;
  mixedB = GOLDEN | 0;
  let c = initial;
  let at = 0;
  for (; at + 12 <= size; at += 12) {
    c = mix((mixedA + word(at)) | 0, (mixedB + word(at + 4)) | 0, (c + word(at + 8)) | 0);
  }
  const last = (c + size + (word(at + 8) << 8)) | 0;
  return mix((mixedA + word(at)) | 0, (mixedB + word(at + 4)) | 0, last);
}

/** P. J. Weinberger's hash of a name: its Latin-1 characters one by one, others as UTF-8 bytes. */
function atomHash(name: string): number {
  let hash = 0;
  const add = (byte: number): void => {
    hash = ((hash << 4) >>> 0) + byte;
    const high = hash & 0xf0000000;
    if (high !== 0) hash = (hash ^ (high >>> 24) ^ high) >>> 0;
  };
  for (const character of name) {
    const point = character.codePointAt(0)!;
    if (point <= 0xff) add(point);
    else for (const byte of utf8.encode(character)) add(byte);
  }
  return hash;
}

const utf8 = new TextEncoder();
