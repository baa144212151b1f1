/**
 * Inflating in plain JavaScript, for browsers, whose own way (DecompressionStream) has to be waited
 * for, while decoding a term has not.
 *
 * Spec: RFC 1950 (the frame: two bytes of head, Adler-32 behind) and RFC 1951 (the blocks). The
 * output has its declared size from the beginning, and is never written beyond it.
 */
import { EtfDecodeError } from "./errors.ts";

/** Lengths and distances: what each code adds to, and with how many more bits. */
function ladder(codes: number, first: number, step: number): { base: number[]; extra: number[] } {
  const base: number[] = [];
  const extra: number[] = [];
  let value = first;
  for (let code = 0; code < codes; code++) {
    const bits = Math.max(0, Math.floor(code / step) - 1);
    base.push(value);
    extra.push(bits);
    value += 2 ** bits;
  }
  return { base, extra };
}

const lengths = ladder(28, 3, 4);
lengths.base.push(258);
lengths.extra.push(0);
const distances = ladder(30, 1, 2);

/** In which order the lengths of the codes for code lengths are written. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;

/** A canonical Huffman code: how many codes there are of each length, and their symbols in order. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

/** Null for lengths that are not a code: too many, or (except for a single one) too few. */
function makeCode(bits: ArrayLike<number>, mayBeSingle: boolean): Code | null {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (let i = 0; i < bits.length; i++) counts[bits[i]!]!++;
  const used = bits.length - counts[0]!;
  counts[0] = 0;
  let left = 1;
  const starts = new Uint16Array(MAX_BITS + 2);
  for (let length = 1; length <= MAX_BITS; length++) {
    left = 2 * left - counts[length]!;
    if (left < 0) return null;
    starts[length + 1] = starts[length]! + counts[length]!;
  }
  if (left > 0 && !(mayBeSingle && (used === 0 || (used === 1 && counts[1] === 1)))) return null;
  const symbols = new Uint16Array(used);
  for (let i = 0; i < bits.length; i++) {
    if (bits[i] !== 0) symbols[starts[bits[i]!]!++] = i;
  }
  return { counts, symbols };
}

function fixedCodes(): { literals: Code; offsets: Code } {
  const bits = new Uint8Array(288).fill(8);
  bits.fill(9, 144, 256);
  bits.fill(7, 256, 280);
  return {
    literals: makeCode(bits, false)!,
    offsets: makeCode(new Uint8Array(32).fill(5), false)!,
  };
}

let fixed: { literals: Code; offsets: Code } | undefined;

class Inflater {
  at = 0;
  private readonly input: Uint8Array;
  private readonly output: Uint8Array;
  private readonly offset: number;
  private written = 0;
  /** Bits that were read from the input and are not used yet, the next one lowest. */
  private held = 0;
  private heldBits = 0;

  constructor(input: Uint8Array, size: number, offset: number) {
    this.input = input;
    this.output = new Uint8Array(size);
    this.offset = offset;
  }

  run(): Uint8Array {
    const head = 256 * this.byte() + this.byte();
    if (head % 31 !== 0 || (head & 0x0f00) !== 0x0800 || head >= 0x8000 || (head & 0x20) !== 0) {
      throw this.bad("the compressed bytes do not inflate");
    }
    while (!this.block());
    this.heldBits = 0;
    let sum = 0;
    for (let i = 0; i < 4; i++) sum = ((sum << 8) | this.byte()) >>> 0;
    const size = this.output.length;
    if (this.written !== size) {
      throw this.bad(`inflates to ${this.written} bytes, declared are ${size}`);
    }
    if (sum !== adler32(this.output)) throw this.bad("the compressed bytes have another checksum");
    return this.output;
  }

  private bad(message: string): EtfDecodeError {
    return new EtfDecodeError("ETF_BAD_COMPRESSED", message, this.offset);
  }

  private byte(): number {
    const byte = this.input[this.at];
    if (byte === undefined) {
      throw new EtfDecodeError("ETF_TRUNCATED", "the compressed bytes end early", this.offset);
    }
    this.at++;
    return byte;
  }

  private bits(count: number): number {
    while (this.heldBits < count) {
      this.held |= this.byte() << this.heldBits;
      this.heldBits += 8;
    }
    const value = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.heldBits -= count;
    return value;
  }

  /** One block; true if it was the last. */
  private block(): boolean {
    const last = this.bits(1) === 1;
    const kind = this.bits(2);
    if (kind === 0) this.stored();
    else if (kind === 3) throw this.bad("the compressed bytes do not inflate");
    else {
      if (kind === 1) fixed ??= fixedCodes();
      const { literals, offsets } = kind === 1 ? fixed! : this.readCodes();
      this.compressed(literals, offsets);
    }
    return last;
  }

  private stored(): void {
    this.held = 0;
    this.heldBits = 0;
    const size = this.byte() | (this.byte() << 8);
    const inverse = this.byte() | (this.byte() << 8);
    if ((size ^ 0xffff) !== inverse) throw this.bad("the compressed bytes do not inflate");
    this.room(size);
    if (size > this.input.length - this.at) {
      throw new EtfDecodeError("ETF_TRUNCATED", "the compressed bytes end early", this.offset);
    }
    this.output.set(this.input.subarray(this.at, this.at + size), this.written);
    this.at += size;
    this.written += size;
  }

  private room(size: number): void {
    if (size > this.output.length - this.written) {
      throw this.bad(`inflates to more than its declared ${this.output.length} bytes`);
    }
  }

  private symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      code |= this.bits(1);
      const count = counts[length]!;
      if (code - count < first) return symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw this.bad("the compressed bytes do not inflate");
  }

  private readCodes(): { literals: Code; offsets: Code } {
    const literalCount = this.bits(5) + 257;
    const offsetCount = this.bits(5) + 1;
    const lengthCount = this.bits(4) + 4;
    const sizes = new Uint8Array(19);
    for (let i = 0; i < lengthCount; i++) sizes[LENGTH_ORDER[i]!] = this.bits(3);
    const lengthCode = makeCode(sizes, false);
    if (literalCount > 286 || offsetCount > 30 || lengthCode === null) {
      throw this.bad("the compressed bytes do not inflate");
    }
    const bits = new Uint8Array(literalCount + offsetCount);
    for (let i = 0; i < bits.length; ) {
      const symbol = this.symbol(lengthCode);
      if (symbol < 16) {
        bits[i++] = symbol;
        continue;
      }
      const repeated = symbol === 16 ? bits[i - 1] : 0;
      const times =
        symbol === 16 ? this.bits(2) + 3 : symbol === 17 ? this.bits(3) + 3 : this.bits(7) + 11;
      if (repeated === undefined || i + times > bits.length) {
        throw this.bad("the compressed bytes do not inflate");
      }
      bits.fill(repeated, i, i + times);
      i += times;
    }
    const literals = makeCode(bits.subarray(0, literalCount), true);
    const offsets = makeCode(bits.subarray(literalCount), true);
    if (literals === null || offsets === null || bits[256] === 0) {
      throw this.bad("the compressed bytes do not inflate");
    }
    return { literals, offsets };
  }

  private compressed(literals: Code, offsets: Code): void {
    const { output } = this;
    for (;;) {
      const symbol = this.symbol(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        this.room(1);
        output[this.written++] = symbol;
        continue;
      }
      const length = this.stepped(lengths, symbol - 257);
      const distance = this.stepped(distances, this.symbol(offsets));
      if (distance > this.written) throw this.bad("the compressed bytes refer to none before them");
      this.room(length);
      for (let i = 0; i < length; i++, this.written++) {
        output[this.written] = output[this.written - distance]!;
      }
    }
  }

  private stepped({ base, extra }: { base: number[]; extra: number[] }, code: number): number {
    const start = base[code];
    if (start === undefined) throw this.bad("the compressed bytes do not inflate");
    return start + this.bits(extra[code]!);
  }
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    // So many bytes that the sums stay below 2^32.
    for (const end = Math.min(bytes.length, i + 3800); i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

/**
 * @param offset where the bytes lie, for the error
 * @throws EtfDecodeError ETF_BAD_COMPRESSED, ETF_TRUNCATED
 */
export function inflateWeb(
  input: Uint8Array,
  size: number,
  offset: number,
): { bytes: Uint8Array; used: number } {
  const inflater = new Inflater(input, size, offset);
  return { bytes: inflater.run(), used: inflater.at };
}
