/**
 * Segments of a binary as the bit syntax defines them: `<<1, "text"/utf8, 5:3, 1.0:32/float>>`.
 */
import { allocBytes, utf8Bytes } from "../bytes.ts";
import { BitString, Float } from "../terms.ts";

/** What may stand in a segment; a string is that many segments of its characters. */
export type SegmentValue = number | bigint | Float | string | Uint8Array | BitString;

export interface Segment {
  value: SegmentValue;
  size: number | bigint | null;
  types: string[];
  units: number[];
}

/** A segment that Erlang refuses; the parser knows the place. */
export class SegmentError extends Error {}

const KINDS: ReadonlySet<string> = new Set([
  "integer",
  "float",
  "binary",
  "bytes",
  "bitstring",
  "bits",
  "utf8",
  "utf16",
  "utf32",
]);
const ENDIANNESS: ReadonlySet<string> = new Set(["big", "little", "native"]);
const SIGNEDNESS: ReadonlySet<string> = new Set(["signed", "unsigned"]);
const SPECIFIERS = [KINDS, ENDIANNESS, SIGNEDNESS];

/** Other names of types, with the unit that they stand for. */
const ALIASES: Readonly<Record<string, { kind: string; unit: number | null }>> = {
  bytes: { kind: "binary", unit: 8 },
  bits: { kind: "binary", unit: 1 },
  bitstring: { kind: "binary", unit: 1 },
};

/** How a value is written. */
interface Form {
  readonly kind: string;
  readonly little: boolean;
  readonly size: number | bigint | null;
  readonly unit: number | null;
}

/** What is said of one thing, which may be said again but not otherwise. */
function agreed<T>(said: readonly T[], usual: T): T {
  const [first = usual, ...others] = new Set(said);
  if (others.length > 0)
    throw new SegmentError(`${first} and ${others.join(" and ")} exclude one another`);
  return first;
}

/** The bits of a segment; null for all of a binary. */
function bitsOf({ kind, size, unit }: Form): number | null {
  if (kind.startsWith("utf")) {
    if (size !== null || unit !== null) throw new SegmentError(`${kind} takes no size`);
    return null;
  }
  if (size === null) {
    if (kind === "binary") return null;
    if (unit !== null) throw new SegmentError("a unit needs a size");
    return kind === "float" ? 64 : 8;
  }
  const bits = Number(size) * (unit ?? (kind === "binary" ? 8 : 1));
  if (bits < 0) throw new SegmentError(`a size is not negative, as ${size} is`);
  return bits;
}

/** Segments up to this size do not count: all of them are a small multiple of their text. */
const FREE_BYTES = 16;

/** Bytes that binaries may still take: a few characters of text can ask for any number of them. */
export interface Room {
  bytes: number;
}

export class BinaryBuilder {
  private readonly room: Room;
  private bytes = new Uint8Array(64);
  private length = 0;
  /** Bits of the last byte that are filled; 8 if it is whole. */
  private filled = 8;

  constructor(room: Room) {
    this.room = room;
  }

  /** @throws SegmentError */
  add(segment: Segment): void {
    const { value } = segment;
    const { types } = segment;
    const unknown = types.find((type) => !SPECIFIERS.some((group) => group.has(type)));
    if (unknown !== undefined) throw new SegmentError(`${unknown} is not a type of a segment`);
    const named = (group: ReadonlySet<string>) => types.filter((type) => group.has(type));
    const kinds = named(KINDS).map((type) => ALIASES[type] ?? { kind: type, unit: null });
    const units = [...segment.units, ...kinds.map(({ unit }) => unit)];
    agreed(named(SIGNEDNESS), "unsigned");
    const form: Form = {
      kind: agreed(
        kinds.map(({ kind }) => kind),
        "integer",
      ),
      little: agreed(named(ENDIANNESS), "big") !== "big",
      size: segment.size,
      unit: agreed(
        units.filter((unit) => unit !== null),
        null,
      ),
    };
    if (form.unit !== null && (form.unit < 1 || form.unit > 256)) {
      throw new SegmentError(`a unit is 1 to 256, not ${form.unit}`);
    }
    if (typeof value === "string") {
      // What no character would fit is refused without characters as well.
      if (value === "") new BinaryBuilder(this.room).addValue(0, form);
      for (const character of value) this.addValue(character.codePointAt(0)!, form);
    } else if (value instanceof Uint8Array) this.addBinary(value, 8, form);
    else if (value instanceof BitString) this.addBinary(value.bytes, value.lastBits, form);
    else this.addValue(value, form);
  }

  finish(): Uint8Array | BitString {
    const made = allocBytes(this.length);
    made.set(this.bytes.subarray(0, this.length));
    return this.filled === 8 ? made : new BitString(made, this.filled);
  }

  private addValue(value: number | bigint | Float, form: Form): void {
    const { kind, little } = form;
    if (kind.startsWith("utf")) {
      bitsOf(form);
      this.addCharacter(value, kind, little);
    } else if (kind === "float") this.addFloat(value, bitsOf(form)!, little);
    else if (kind === "binary") {
      throw new SegmentError(`a number or a string does not fit the type ${kind}`);
    } else if (value instanceof Float) throw new SegmentError("a float needs the type float");
    else this.addBits(BigInt(value), bitsOf(form)!, little);
  }

  private addBinary(bytes: Uint8Array, lastBits: number, form: Form): void {
    if (form.kind !== "binary")
      throw new SegmentError("a binary in a binary needs the type binary or bits");
    const whole = bytes.length === 0 ? 0 : 8 * (bytes.length - 1) + lastBits;
    const bits = bitsOf(form) ?? whole;
    if (bits > whole)
      throw new SegmentError(`${bits} bits are more than the ${whole} of the binary`);
    if (form.size === null && whole % (form.unit ?? 8) !== 0) {
      throw new SegmentError(`a binary of ${whole} bits does not fit the unit`);
    }
    this.reserve(Math.ceil(bits / 8) + 1);
    for (let i = 0; i < bits >> 3; i++) this.addByte(bytes[i]!, 8);
    const rest = bits % 8;
    if (rest > 0) this.addByte(bytes[bits >> 3]! >> (8 - rest), rest);
  }

  private addCharacter(value: number | bigint | Float, kind: string, little: boolean): void {
    const code = typeof value === "number" ? value : Number.NaN;
    if (!(code >= 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
      throw new SegmentError(`${value} is not a character for ${kind}`);
    }
    if (kind === "utf32") this.addBits(BigInt(code), 32, little);
    else if (kind === "utf8") {
      for (const byte of utf8Bytes(String.fromCodePoint(code))) {
        this.addBits(BigInt(byte), 8, false);
      }
    } else {
      const text = String.fromCodePoint(code);
      for (let i = 0; i < text.length; i++) this.addBits(BigInt(text.charCodeAt(i)), 16, little);
    }
  }

  private addFloat(value: number | bigint | Float, bits: number, little: boolean): void {
    const number = Number(value instanceof Float ? value.value : value);
    if (!Number.isFinite(number)) throw new SegmentError("this integer is larger than any float");
    const view = new DataView(new ArrayBuffer(8));
    // What is too large for the bits becomes infinite, as in Erlang.
    if (bits === 64) view.setFloat64(0, number);
    else if (bits === 32) view.setFloat32(0, number);
    else if (bits === 16) view.setUint16(0, halfBits(number));
    else throw new SegmentError(`a float has 64, 32 or 16 bits, not ${bits}`);
    const bytes = new Uint8Array(view.buffer, 0, bits / 8);
    if (little) bytes.reverse();
    for (const byte of bytes) this.addBits(BigInt(byte), 8, false);
  }

  /** The low `bits` bits of a number. */
  private addBits(value: bigint, bits: number, little: boolean): void {
    this.reserve(Math.ceil(bits / 8) + 1);
    const whole = Math.floor(bits / 8);
    const rest = bits % 8;
    // Whole bytes from the least significant one, then the bits that are left; or the other way round.
    const low = lowBytes(little ? value : value >> BigInt(rest), little ? whole + 1 : whole);
    const beyond = value < 0n ? 0xff : 0;
    if (little) {
      for (let i = 0; i < whole; i++) this.addByte(low[i] ?? beyond, 8);
      if (rest > 0) this.addByte((low[whole] ?? beyond) & ((1 << rest) - 1), rest);
      return;
    }
    for (let i = whole - 1; i >= 0; i--) this.addByte(low[i] ?? beyond, 8);
    if (rest > 0) this.addByte(Number(BigInt.asUintN(rest, value)), rest);
  }

  /** @throws SegmentError when there is no more room */
  private reserve(size: number): void {
    if (size > this.room.bytes) {
      throw new SegmentError(`a segment of ${size - 1} bytes is more than maxBinaryBytes allows`);
    }
    if (size > FREE_BYTES) this.room.bytes -= size;
    if (this.length + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + size, 2 * this.bytes.length));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  /** The low `bits` bits of a byte. */
  private addByte(byte: number, bits: number): void {
    if (this.filled === 8) {
      this.bytes[this.length++] = byte << (8 - bits);
      this.filled = bits;
      return;
    }
    const room = 8 - this.filled;
    const last = this.length - 1;
    if (bits <= room) {
      this.bytes[last]! |= byte << (room - bits);
      this.filled += bits;
      return;
    }
    this.bytes[last]! |= byte >> (bits - room);
    this.bytes[this.length++] = byte << (8 - (bits - room));
    this.filled = bits - room;
  }
}

/** The low bytes of a number in two's complement, the least significant first; those that say something. */
function lowBytes(value: bigint, most: number): number[] {
  const size = Math.min(most, (value.toString(16).length >> 1) + 1);
  const hex = BigInt.asUintN(8 * size, value)
    .toString(16)
    .padStart(2 * size, "0");
  const bytes: number[] = [];
  for (let end = hex.length; end > 0; end -= 2) {
    bytes.push(Number.parseInt(hex.slice(end - 2, end), 16));
  }
  return bytes;
}

/** The bits of the nearest float of 16 bits: 5 of exponent, 10 of fraction; the even one of two. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const units = magnitude / 2 ** (exponent - 10);
  const whole = Math.floor(units);
  const up = units - whole > 0.5 || (units - whole === 0.5 && whole % 2 === 1);
  // A carry out of the fraction goes into the exponent, where it belongs.
  const bits = ((exponent + 14) << 10) + whole + (up ? 1 : 0);
  return sign | (magnitude >= 2 ** 16 ? INFINITE_HALF : Math.min(bits, INFINITE_HALF));
}

const INFINITE_HALF = 0x7c00;
