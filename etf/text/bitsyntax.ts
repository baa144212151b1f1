/**
 * Segments of a binary as the bit syntax defines them: `<<1, "text"/utf8, 5:3, 1.0:32/float>>`.
 */
import { allocBytes } from "../bytes.ts";
import { BitString, Float } from "../terms.ts";

export interface Segment {
  value: number | bigint | Float | string;
  size: number | null;
  types: string[];
  unit: number | null;
}

/** A segment that Erlang refuses; the parser knows the place. */
export class SegmentError extends Error {}

const KINDS = new Set([
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
const QUALIFIERS = new Set(["signed", "unsigned", "big", "little", "native"]);

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
    const kinds = segment.types.filter((type) => KINDS.has(type));
    const unknown = segment.types.find((type) => !KINDS.has(type) && !QUALIFIERS.has(type));
    if (unknown !== undefined) throw new SegmentError(`${unknown} is no type of a segment`);
    if (kinds.length > 1)
      throw new SegmentError(`${kinds.join(" and ")} are two types for one segment`);
    const kind = kinds[0] ?? "integer";
    const little = segment.types.includes("little") || segment.types.includes("native");
    const values =
      typeof segment.value === "string"
        ? Array.from(segment.value, (character) => character.codePointAt(0)!)
        : [segment.value];
    for (const value of values) this.addValue(value, kind, little, segment);
  }

  finish(): Uint8Array | BitString {
    const made = allocBytes(this.length);
    made.set(this.bytes.subarray(0, this.length));
    return this.filled === 8 ? made : new BitString(made, this.filled);
  }

  private addValue(
    value: number | bigint | Float,
    kind: string,
    little: boolean,
    { size, unit }: Segment,
  ): void {
    if (kind.startsWith("utf")) {
      if (size !== null || unit !== null) throw new SegmentError(`${kind} takes no size`);
      this.addCharacter(value, kind, little);
      return;
    }
    if (kind === "float") {
      this.addFloat(value, (size ?? 64) * (unit ?? 1), little);
      return;
    }
    if (kind !== "integer") {
      throw new SegmentError(
        `a number or string is no ${kind}: only integer, float and utf types fit`,
      );
    }
    if (value instanceof Float) throw new SegmentError("a float needs the type float");
    const bits = (size ?? 8) * (unit ?? 1);
    if (size === null && unit !== null) throw new SegmentError("a unit needs a size");
    this.addBits(BigInt(value), bits, little);
  }

  private addCharacter(value: number | bigint | Float, kind: string, little: boolean): void {
    const code = typeof value === "number" ? value : Number.NaN;
    if (!(code >= 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
      throw new SegmentError(`${value} is no character for ${kind}`);
    }
    if (kind === "utf32") this.addBits(BigInt(code), 32, little);
    else if (kind === "utf8") {
      for (const byte of new TextEncoder().encode(String.fromCodePoint(code))) {
        this.addBits(BigInt(byte), 8, false);
      }
    } else {
      const text = String.fromCodePoint(code);
      for (let i = 0; i < text.length; i++) this.addBits(BigInt(text.charCodeAt(i)), 16, little);
    }
  }

  private addFloat(value: number | bigint | Float, bits: number, little: boolean): void {
    const number = Number(value instanceof Float ? value.value : value);
    const view = new DataView(new ArrayBuffer(8));
    if (bits === 64) view.setFloat64(0, number);
    else if (bits === 32) view.setFloat32(0, number);
    else throw new SegmentError(`a float has 64 or 32 bits, not ${bits}`);
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
