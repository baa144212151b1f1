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
/** Bits of one segment, so that a few characters of text do not ask for all memory. */
const MAX_BITS = 2 ** 31;

export class BinaryBuilder {
  private bytes: number[] = [];
  /** Bits of the last byte that are filled; 8 if it is whole. */
  private filled = 8;

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
    const made = allocBytes(this.bytes.length);
    made.set(this.bytes);
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
    if (bits > MAX_BITS) throw new SegmentError(`a segment of ${bits} bits is too large`);
    this.addBits(BigInt.asUintN(bits, BigInt(value)), bits, little);
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

  private addBits(value: bigint, bits: number, little: boolean): void {
    const whole = bits >> 3;
    const rest = bits & 7;
    const hex = (value >> BigInt(little ? 0 : rest)).toString(16);
    if (little) {
      // Whole bytes from the least significant one, then the bits that are left.
      const text = value.toString(16).padStart(2 * (whole + 1), "0");
      for (let i = 0; i < whole; i++) this.addByte(byteFromEnd(text, i), 8);
      if (rest > 0) this.addByte(byteFromEnd(text, whole), rest);
      return;
    }
    const text = hex.padStart(2 * whole, "0");
    for (let i = whole - 1; i >= 0; i--) this.addByte(byteFromEnd(text, i), 8);
    if (rest > 0) this.addByte(Number(value & BigInt((1 << rest) - 1)), rest);
  }

  /** The low `bits` bits of a byte. */
  private addByte(byte: number, bits: number): void {
    if (this.filled === 8) {
      this.bytes.push((byte << (8 - bits)) & 0xff);
      this.filled = bits;
      return;
    }
    const room = 8 - this.filled;
    const last = this.bytes.length - 1;
    if (bits <= room) {
      this.bytes[last]! |= byte << (room - bits);
      this.filled += bits;
      return;
    }
    this.bytes[last]! |= byte >> (bits - room);
    this.bytes.push((byte << (8 - (bits - room))) & 0xff);
    this.filled = bits - room;
  }
}

function byteFromEnd(hex: string, place: number): number {
  const end = hex.length - 2 * place;
  return Number.parseInt(hex.slice(end - 2, end), 16);
}
