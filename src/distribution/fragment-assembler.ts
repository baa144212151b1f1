/**
 * Messages that arrive in fragments, several of them interleaved, put together.
 *
 * Spec: erl_ext_dist, "Distribution Header for fragmented messages". The first fragment holds the
 * header, the whole control message and the beginning of the payload; the fragment id counts down,
 * so 1 is the last. A gap is a protocol error because the carrier delivers in order. A fragment
 * may have any size, none at all included.
 *
 * Nothing is allocated on the word of a fragment id alone: what is held is what has arrived.
 */
import { heapLimitBytes } from "../../etf/index.ts";
import type { ControlMessage } from "./control.ts";
import { DistProtocolError } from "./errors.ts";
import type { CachedAtom, SequenceId } from "./header.ts";

export interface FragmentLimits {
  /** Messages of one peer that may be under way in fragments at once. Default 16,384. */
  maxOpenSequences: number;
  /**
   * Bytes of all their buffers together. Default 1 GiB, or half of what the heap may grow to if
   * that is less.
   */
  maxFragmentedBytes: number;
}

export const DEFAULT_FRAGMENT_LIMITS: FragmentLimits = {
  maxOpenSequences: 16_384,
  maxFragmentedBytes: Math.min(1024 * 1024 * 1024, heapLimitBytes() / 2),
};

/** The room made for a payload is at most this many times what has arrived of it. */
const MAX_GROWTH = 64;
/** By so much the last fragment may be larger than the others, for which there is room still. */
const LAST_BYTES = 8192;

/** A message of which fragments are still to come. */
export interface OpenSequence {
  readonly sequenceId: SequenceId;
  readonly control: ControlMessage;
  /** The references of its header, which the cache may meanwhile have replaced. */
  readonly refs: readonly (CachedAtom | undefined)[];
  /** The fragment that must come next. */
  next: number;
  /** The payload as far as it has arrived, and room for more. */
  buffer: Uint8Array;
  bytes: number;
}

export class FragmentAssembler {
  readonly #limits: FragmentLimits;
  readonly #open = new Map<SequenceId, OpenSequence>();
  #heldBytes = 0;

  constructor(limits: FragmentLimits = DEFAULT_FRAGMENT_LIMITS) {
    this.#limits = limits;
  }

  get openSequences(): number {
    return this.#open.size;
  }

  /** Bytes of the buffers held, room for fragments that are still to come included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * The first of at least two fragments, of `fragmentBytes` in all; `bytes[at..end)` is the
   * beginning of the payload.
   * @throws DistProtocolError DIST_FRAGMENT_ORDER, DIST_FRAGMENT_LIMIT
   */
  begin(
    sequenceId: SequenceId,
    fragmentId: number,
    control: ControlMessage,
    refs: readonly (CachedAtom | undefined)[],
    bytes: Uint8Array,
    at: number,
    end: number,
    fragmentBytes: number,
  ): void {
    if (this.#open.has(sequenceId)) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_ORDER",
        `The peer began the fragment sequence ${sequenceId} again before it was complete.`,
      );
    }
    if (this.#open.size >= this.#limits.maxOpenSequences) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_LIMIT",
        `The peer began fragment sequence ${sequenceId} while ${this.#open.size} were open; the limit is ${this.#limits.maxOpenSequences} (option maxOpenSequences).`,
      );
    }
    const size = end - at;
    // The others will be about as large, so that the payload is mostly copied once.
    const room = Math.min(fragmentId * fragmentBytes + LAST_BYTES, MAX_GROWTH * size);
    const buffer = this.#allocate(size, room, 0);
    buffer.set(bytes.subarray(at, end));
    const next = fragmentId - 1;
    this.#open.set(sequenceId, { sequenceId, control, refs, next, buffer, bytes: size });
  }

  /**
   * A further fragment, with so many bytes of payload, which are to be `put`.
   * @throws DistProtocolError DIST_FRAGMENT_UNKNOWN, DIST_FRAGMENT_ORDER, DIST_FRAGMENT_LIMIT
   */
  further(sequenceId: SequenceId, fragmentId: number, size: number): OpenSequence {
    const sequence = this.#open.get(sequenceId);
    if (sequence === undefined) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_UNKNOWN",
        `The peer sent fragment ${fragmentId} of sequence ${sequenceId}, which it has not begun.`,
      );
    }
    if (fragmentId !== sequence.next) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_ORDER",
        `The peer sent fragment ${fragmentId} of sequence ${sequenceId} where ${sequence.next} was due.`,
      );
    }
    sequence.next--;
    this.#makeRoom(sequence, size, fragmentId);
    return sequence;
  }

  /** Bytes of the fragment begun last, in one piece or in several. */
  put(sequence: OpenSequence, bytes: Uint8Array, at: number, end: number): void {
    if (at === end) return;
    const whole = at === 0 && end === bytes.length;
    sequence.buffer.set(whole ? bytes : bytes.subarray(at, end), sequence.bytes);
    sequence.bytes += end - at;
  }

  /** True when the fragment that was put was the last; the sequence is then no longer open. */
  ended(sequence: OpenSequence): boolean {
    if (sequence.next > 0) return false;
    this.#open.delete(sequence.sequenceId);
    this.#heldBytes -= sequence.buffer.length;
    return true;
  }

  /**
   * A buffer of `room` bytes in the place of one of `replaced` bytes; of `needed` when a quarter of
   * the limit is in use, so that room for what has not arrived is in nobody's way.
   */
  #allocate(needed: number, room: number, replaced: number): Buffer {
    const { maxFragmentedBytes } = this.#limits;
    const held = this.#heldBytes - replaced;
    if (needed > maxFragmentedBytes - held) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_LIMIT",
        `The peer sent more than ${maxFragmentedBytes} bytes in fragments of unfinished messages (option maxFragmentedBytes).`,
      );
    }
    const size = Math.max(needed, Math.floor(Math.min(room, maxFragmentedBytes / 4 - held)));
    this.#heldBytes = held + size;
    return Buffer.allocUnsafeSlow(size);
  }

  /** Room for a fragment's payload, and for those behind it if they are as large. */
  #makeRoom(sequence: OpenSequence, size: number, fragmentId: number): void {
    const { buffer, bytes } = sequence;
    const needed = bytes + size;
    if (needed <= buffer.length) return;
    const rest = fragmentId === 1 ? size : fragmentId * size + LAST_BYTES;
    const expected = Math.max(bytes + rest, fragmentId === 1 ? 0 : 2 * buffer.length);
    const room = Math.min(expected, MAX_GROWTH * needed);
    sequence.buffer = this.#allocate(needed, room, buffer.length);
    sequence.buffer.set(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
  }
}
