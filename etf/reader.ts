/**
 * Bounds-checked reading of big-endian bytes. Every length is compared with what is there before
 * anything is made of it.
 */
import { EtfDecodeError } from "./errors.ts";

const EMPTY = new Uint8Array(0);
const overlay = new Uint8Array(8);
const overlayView = new DataView(overlay.buffer);

/** Fewer bytes are read without a view: to make it costs more. */
const VIEW_BYTES = 2048;

export class ByteReader {
  protected bytes: Uint8Array = EMPTY;
  /** Where the next byte is read. */
  offset = 0;
  /** Where the bytes end that may be read. */
  protected end = 0;
  /** Of `bytes`, where it is worth making. */
  protected view: DataView | null = null;

  protected makeView(): void {
    const { bytes } = this;
    if (this.end - this.offset >= VIEW_BYTES) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
  }

  protected truncated(wanted: number): EtfDecodeError {
    return new EtfDecodeError(
      "ETF_TRUNCATED",
      `${wanted} bytes wanted, ${this.end - this.offset} there`,
      this.offset,
    );
  }

  protected need(size: number): void {
    if (size > this.end - this.offset) throw this.truncated(size);
  }

  protected uint8(): number {
    if (this.offset >= this.end) throw this.truncated(1);
    return this.bytes[this.offset++]!;
  }

  protected uint16(): number {
    const { bytes, offset } = this;
    if (2 > this.end - offset) throw this.truncated(2);
    this.offset = offset + 2;
    return (bytes[offset]! << 8) | bytes[offset + 1]!;
  }

  protected int32(): number {
    const { bytes, offset } = this;
    if (4 > this.end - offset) throw this.truncated(4);
    this.offset = offset + 4;
    return (
      (bytes[offset]! << 24) |
      (bytes[offset + 1]! << 16) |
      (bytes[offset + 2]! << 8) |
      bytes[offset + 3]!
    );
  }

  protected uint32(): number {
    return this.int32() >>> 0;
  }

  protected float64(): number {
    this.need(8);
    const { bytes, offset } = this;
    this.offset = offset + 8;
    if (this.view !== null) return this.view.getFloat64(offset);
    for (let i = 0; i < 8; i++) overlay[i] = bytes[offset + i]!;
    return overlayView.getFloat64(0);
  }
}
