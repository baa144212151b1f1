/**
 * Frames of a connected pair: a 32-bit big-endian length, then that many bytes; length 0 is a tick.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". Frames that lie whole in a chunk
 * are handed on in place, without a copy; one that spans chunks is put together once, when its
 * last byte is there, so that a length alone never makes us allocate; unless its owner takes it
 * in pieces.
 */
import { DistProtocolError } from "./errors.ts";

/** Called with the bytes of a frame, `bytes[start..end)`; start equals end for a tick. */
export type FrameSink = (bytes: Uint8Array, start: number, end: number) => void;

/** Takes frames that span chunks in pieces, as they come, instead of whole. */
export interface FrameStream {
  /**
   * Offered the beginning of a frame, `bytes[start..end)`, of which `left` bytes are to come.
   * When it answers true it has taken these, and gets the rest by `continueFrame`.
   */
  beginFrame(bytes: Uint8Array, start: number, end: number, left: number): boolean;
  /** The next bytes of that frame; with the last of them `left` is 0. */
  continueFrame(bytes: Uint8Array, start: number, end: number, left: number): void;
}

const LENGTH_BYTES = 4;
/** Of a frame smaller than this no beginning is offered: to copy it costs less. */
const STREAMED_BYTES = 4096;
/** As much of a frame is there when its beginning is offered. */
const BEGINNING_BYTES = 64;

export class FrameSplitter {
  readonly #maxFrameBytes: number;
  readonly #sink: FrameSink;
  /** Chunks of a frame that is not whole yet, its length field included. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Bytes of the frame being held, length field included; 0 while the length is not known. */
  #wanted = 0;
  readonly #stream: FrameStream | undefined;
  /** Bytes still to come of a frame taken in pieces. */
  #streamed = 0;
  /** The beginning of the frame being held was offered and is wanted whole. */
  #offered = false;
  #frames = 0;

  constructor(maxFrameBytes: number, sink: FrameSink, stream?: FrameStream) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#sink = sink;
    this.#stream = stream;
  }

  /** Frames handed on so far, those in pieces from their first piece on; ticks are frames too. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Takes the next bytes of the stream and hands on every frame they complete, in order.
   * @throws DistProtocolError DIST_FRAME_LIMIT
   */
  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#streamed > 0) {
      const taken = Math.min(this.#streamed, chunk.length);
      this.#streamed -= taken;
      this.#stream!.continueFrame(chunk, 0, taken, this.#streamed);
      if (taken === chunk.length) return;
      bytes = chunk.subarray(taken);
    }
    if (this.#heldBytes > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#wanted === 0 && this.#heldBytes >= LENGTH_BYTES) {
        this.#join();
        this.#wanted = this.#frameBytes(this.#held[0]!, 0);
      }
      if (this.#wanted === 0 || (this.#heldBytes < this.#wanted && !this.#toBeOffered())) return;
      bytes = this.#join();
      this.#held = [];
      this.#heldBytes = 0;
      this.#wanted = 0;
    }
    this.#split(bytes);
  }

  #split(bytes: Uint8Array): void {
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const frameBytes = this.#frameBytes(bytes, at);
      if (bytes.length - at < frameBytes) {
        if (this.#offer(bytes, at, frameBytes)) return;
        this.#wanted = frameBytes;
        break;
      }
      this.#offered = false;
      const start = at + LENGTH_BYTES;
      at += frameBytes;
      this.#frames++;
      this.#sink(bytes, start, at);
    }
    if (at < bytes.length) {
      this.#held = [at === 0 ? bytes : bytes.subarray(at)];
      this.#heldBytes = bytes.length - at;
    }
  }

  /** Whether enough of the frame being held is there to offer its beginning. */
  #toBeOffered(): boolean {
    return (
      this.#stream !== undefined &&
      !this.#offered &&
      this.#wanted >= STREAMED_BYTES &&
      this.#heldBytes >= BEGINNING_BYTES
    );
  }

  #offer(bytes: Uint8Array, at: number, frameBytes: number): boolean {
    const stream = this.#stream;
    if (stream === undefined || this.#offered) return false;
    if (frameBytes < STREAMED_BYTES || bytes.length - at < BEGINNING_BYTES) return false;
    const left = frameBytes - (bytes.length - at);
    this.#offered = !stream.beginFrame(bytes, at + LENGTH_BYTES, bytes.length, left);
    if (this.#offered) return false;
    this.#streamed = left;
    this.#frames++;
    return true;
  }

  /** Length of the frame at `at`, its length field included. */
  #frameBytes(bytes: Uint8Array, at: number): number {
    const length =
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    if (length > this.#maxFrameBytes) {
      throw new DistProtocolError(
        "DIST_FRAME_LIMIT",
        `The peer announced a frame of ${length} bytes; the limit is ${this.#maxFrameBytes} (option maxFrameBytes).`,
      );
    }
    return LENGTH_BYTES + length;
  }

  /** The held chunks as one. */
  #join(): Uint8Array {
    if (this.#held.length === 1) return this.#held[0]!;
    const joined = Buffer.allocUnsafeSlow(this.#heldBytes);
    let at = 0;
    for (const part of this.#held) {
      joined.set(part, at);
      at += part.length;
    }
    this.#held = [joined];
    return joined;
  }
}
