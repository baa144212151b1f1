/**
 * One growing buffer for big-endian bytes, with large byte arrays kept by reference.
 *
 * What was written becomes a list of chunks: stretches of the buffer, and between them the byte
 * arrays that were too large to copy.
 */

import { allocBytes, viewBytes } from "./bytes.ts";
import { EtfEncodeError } from "./errors.ts";

const DEFAULT_BYTES = 16 * 1024;

/** What `takeOne` hands over as a view: a small part of the buffer that it keeps from being freed. */
const SHARED_BYTES = 2048;

/** Larger buffers are not kept for later. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

/** Up to this size a loop copies faster than a call. */
const LOOP_BYTES = 32;

export class ByteWriter {
  protected buffer: Uint8Array;
  /** Of the same buffer. */
  protected view: DataView;
  /** Where in the buffer the next byte goes. */
  protected at = 0;
  /** Where in the buffer the present stretch began. */
  private start = 0;
  private chunks: Uint8Array[] = [];
  private chunkBytes = 0;
  private readonly initialBytes: number;
  /** A large buffer that `takeOne` copied from, for the next large term. */
  private spare: Uint8Array | null = null;
  /** Others have views on the buffer: it is never written from its beginning again. */
  private handedOver = false;

  constructor(initialBytes: number = DEFAULT_BYTES) {
    this.initialBytes = initialBytes;
    this.buffer = new Uint8Array(initialBytes);
    this.view = new DataView(this.buffer.buffer);
  }

  /** Bytes so far, those kept by reference included. */
  get length(): number {
    return this.chunkBytes + this.at - this.start;
  }

  /** Makes room for that many bytes more. */
  protected reserve(size: number): void {
    if (size > this.buffer.length - this.at) this.grow(size);
  }

  protected grow(size: number): void {
    const held = this.at - this.start;
    const { spare } = this;
    let grown: Uint8Array;
    if (spare !== null && held + size > this.initialBytes && held + size <= spare.length) {
      grown = spare;
      this.spare = null;
    } else grown = new Uint8Array(Math.max(this.initialBytes, 2 * held + size));
    grown.set(this.buffer.subarray(this.start, this.at));
    this.use(grown, held);
  }

  private use(buffer: Uint8Array, at: number): void {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer);
    this.start = 0;
    this.at = at;
    this.handedOver = false;
  }

  writeUint8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  writeUint16(value: number): void {
    this.reserve(2);
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  writeUint32(value: number): void {
    this.reserve(4);
    this.putUint32(this.at, value);
    this.at += 4;
  }

  writeBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > this.buffer.length - this.at) this.grow(length);
    const { buffer, at } = this;
    if (length <= LOOP_BYTES) for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!;
    else buffer.set(bytes, at);
    this.at = at + length;
  }

  /** The bytes become a chunk of their own: they must not change before they are sent. */
  protected writeReference(bytes: Uint8Array): void {
    this.endStretch();
    this.chunks.push(bytes);
    this.chunkBytes += bytes.length;
  }

  protected putUint32(at: number, value: number): void {
    this.view.setUint32(at, value);
  }

  /**
   * Overwrites four bytes written before, by their place in the whole.
   *
   * @throws EtfEncodeError ETF_OUT_OF_RANGE when they were not written here in one piece
   */
  patchUint32(place: number, value: number): void {
    if (place >= this.chunkBytes && place + 4 <= this.length) {
      this.putUint32(this.start + place - this.chunkBytes, value);
      return;
    }
    let before = 0;
    for (const chunk of this.chunks) {
      if (
        place >= before &&
        place + 4 <= before + chunk.length &&
        chunk.buffer === this.buffer.buffer
      ) {
        this.putUint32(chunk.byteOffset + place - before, value);
        return;
      }
      if (place >= before && place + 4 <= before + chunk.length) {
        new DataView(chunk.buffer, chunk.byteOffset, chunk.length).setUint32(place - before, value);
        return;
      }
      before += chunk.length;
    }
    throw new EtfEncodeError("ETF_OUT_OF_RANGE", `no four bytes were written at ${place}`);
  }

  private endStretch(): void {
    if (this.at > this.start) {
      this.chunks.push(viewBytes(this.buffer.buffer, this.start, this.at - this.start));
      this.chunkBytes += this.at - this.start;
      this.start = this.at;
    }
  }

  /** Forgets everything after the first `length` bytes. */
  truncate(length: number): void {
    while (length < this.chunkBytes) {
      const last = this.chunks.pop()!;
      this.chunkBytes -= last.length;
      this.start = this.at;
      if (length > this.chunkBytes) {
        const kept = length - this.chunkBytes;
        this.chunks.push(last.subarray(0, kept));
        this.chunkBytes += kept;
      }
    }
    this.at = this.start + length - this.chunkBytes;
  }

  /** Hands over what was written, and starts anew. Nothing handed over is written to again. */
  take(): Uint8Array[] {
    this.endStretch();
    this.handedOver ||= this.start > 0;
    const { chunks } = this;
    this.chunks = [];
    this.chunkBytes = 0;
    return chunks;
  }

  /**
   * Hands over what was written, in one piece, and starts anew: small pieces as views that share
   * the buffer, larger ones copied.
   */
  takeOne(): Uint8Array {
    const { start, at } = this;
    const length = at - start;
    if (this.chunks.length === 0 && length <= SHARED_BYTES && this.buffer.length <= DEFAULT_BYTES) {
      this.start = at;
      this.handedOver = true;
      return viewBytes(this.buffer.buffer, start, length);
    }
    const bytes = this.copy();
    this.truncate(0);
    if (this.buffer.length > this.initialBytes) {
      // Too large to be kept alive by small results; kept for the next large one.
      if (!this.handedOver && this.buffer.length <= MAX_SPARE_BYTES) this.spare = this.buffer;
      this.use(new Uint8Array(this.initialBytes), 0);
    }
    return bytes;
  }

  /** What was written, in one piece, copied. */
  copy(): Uint8Array {
    const bytes = allocBytes(this.length);
    let to = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, to);
      to += chunk.length;
    }
    bytes.set(this.buffer.subarray(this.start, this.at), to);
    return bytes;
  }
}
