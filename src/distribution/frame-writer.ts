/**
 * Frames with a distribution header, written in place: the terms first, since only they tell which
 * atoms the header must announce, and then the header into the room left in front of them.
 *
 * The room is that of the frame before: traffic repeats itself, so it mostly fits and nothing is
 * moved. A frame that is large or in several pieces is handed out instead (`takeFrame`).
 */
import { TermWriter, VERSION_MAGIC } from "../../etf/index.ts";
import { DIST_HEADER, putUint32 } from "./header.ts";

/** Length of a frame, 131, and the header's tag. */
const HEAD_BYTES = 6;

/** Writes a header's references; `bytes` is called before `write`, which returns where they end. */
export interface RefsWriter {
  bytes(): number;
  write(bytes: Uint8Array, at: number): number;
}

export class FrameWriter extends TermWriter {
  /** Room left in front of the terms. */
  #room: number = HEAD_BYTES + 1;
  /** Where the open frame begins, in all that was written. */
  #start = 0;
  /** Whether the open frame holds bytes that were not copied. */
  #scattered = false;

  /** Begins a frame; its terms are to follow. */
  beginFrame(): void {
    this.#start = this.length;
    this.#scattered = false;
    this.reserve(this.#room);
    this.at += this.#room;
  }

  /** Bytes of the open frame's terms so far. */
  get bodyBytes(): number {
    return this.length - this.#start - this.#room;
  }

  /** True when the open frame can be finished in place. */
  get inOnePiece(): boolean {
    return !this.#scattered;
  }

  /** Bytes to follow as they are; from that size on they are not copied. */
  writeChunk(bytes: Uint8Array, byReferenceBytes: number): void {
    if (bytes.length >= byReferenceBytes) this.writeReference(bytes);
    else this.writeBytes(bytes);
  }

  protected override writeReference(bytes: Uint8Array): void {
    this.#scattered = true;
    super.writeReference(bytes);
  }

  /** Forgets the open frame. */
  abandonFrame(): void {
    this.truncate(this.#start);
  }

  /** Completes the open frame, which is in one piece. */
  finishFrame(refs: RefsWriter): void {
    const body = this.bodyBytes;
    const head = HEAD_BYTES + refs.bytes();
    const shift = head - this.#room;
    if (shift !== 0) {
      if (shift > 0) this.reserve(shift);
      const from = this.at - body;
      this.buffer.copyWithin(from + shift, from, this.at);
      this.at += shift;
      this.#room = head;
    }
    const { buffer } = this;
    const frame = this.at - body - head;
    putUint32(buffer, frame, head - 4 + body);
    buffer[frame + 4] = VERSION_MAGIC;
    buffer[frame + 5] = DIST_HEADER;
    refs.write(buffer, frame + HEAD_BYTES);
  }

  /** Takes everything out: the frames before the open one, and the open one's terms. */
  takeFrame(): { before: Uint8Array[]; body: Uint8Array[] } {
    const bodyAt = this.#start + this.#room;
    const before: Uint8Array[] = [];
    const body: Uint8Array[] = [];
    let at = 0;
    for (const chunk of this.take()) {
      const end = at + chunk.length;
      if (at < this.#start) before.push(chunk.subarray(0, this.#start - at));
      if (end > bodyAt) body.push(chunk.subarray(Math.max(0, bodyAt - at)));
      at = end;
    }
    return { before, body };
  }
}
