/**
 * Frames to messages: the header if there is one, fragments, the control message, and the payload,
 * which stays encoded.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". Which form a frame may have was
 * settled in the handshake: with DIST_HDR_ATOM_CACHE or FRAGMENTS every frame has a distribution
 * header, else none has. Frames are to be handed over in wire order, each once: the atom cache is
 * applied here.
 */
import { type TermDecoder, VERSION_MAGIC } from "../../etf/index.ts";
import { ReceivingAtomCache } from "./atom-cache.ts";
import { type ControlMessage, checkControl, hasPayload } from "./control.ts";
import { DistProtocolError } from "./errors.ts";
import { DFLAG } from "./flags.ts";
import {
  DEFAULT_FRAGMENT_LIMITS,
  FragmentAssembler,
  type FragmentLimits,
  type OpenSequence,
} from "./fragment-assembler.ts";
import type { FrameStream } from "./frame.ts";
import {
  type AtomCacheEntries,
  type CachedAtom,
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  DIST_HEADER,
  FRAGMENT_HEAD_BYTES,
  PASS_THROUGH,
  readAtomCacheRefs,
  readFragmentId,
  readSequenceId,
} from "./header.ts";
import { type AtomRefs, FramePayload, type Payload, readTerm } from "./payload.ts";
import { GATHERED_BYTES, type SharedState, sharedState } from "./shared-state.ts";

/**
 * Called with a checked control message in wire order, and its payload, which is empty if the
 * operation has none. The payload can be read or kept until the sink returns.
 */
export type MessageSink = (control: ControlMessage, payload: Payload) => void;

export interface MessageReaderOptions extends Partial<FragmentLimits> {
  negotiatedFlags: bigint;
  /** Reads control messages and payloads. Default: one for all readers, with the default limits. */
  decoder?: TermDecoder;
  /** Told of a payload that proves malformed after it was kept. Default: nobody is. */
  malformed?: (error: unknown) => void;
  /** Default an empty one. */
  atomCache?: AtomCacheEntries;
  /** What readers share. Default: `sharedState`. */
  shared?: SharedState;
}

export class MessageReader implements FrameStream {
  readonly #sink: MessageSink;
  readonly #shared: SharedState;
  readonly #headers: boolean;
  readonly #fragments: FragmentAssembler | undefined;
  readonly #cache: AtomCacheEntries;
  readonly #decoder: TermDecoder;
  readonly #payload: FramePayload;
  /** The references of the header last read. */
  readonly #refs: (CachedAtom | undefined)[] = [];
  /** The message of which a fragment is being taken in pieces. */
  #inPieces: OpenSequence | undefined;
  /** A first fragment that is being put together. */
  #gathered: Uint8Array | undefined;
  #gatheredBytes = 0;

  constructor(options: MessageReaderOptions, sink: MessageSink) {
    this.#sink = sink;
    this.#shared = options.shared ?? sharedState;
    const has = (flag: bigint): boolean => (options.negotiatedFlags & flag) !== 0n;
    this.#headers = has(DFLAG.DIST_HDR_ATOM_CACHE | DFLAG.FRAGMENTS);
    this.#fragments = has(DFLAG.FRAGMENTS)
      ? new FragmentAssembler({ ...DEFAULT_FRAGMENT_LIMITS, ...limitsIn(options) })
      : undefined;
    this.#cache = options.atomCache ?? new ReceivingAtomCache();
    this.#decoder = options.decoder ?? this.#shared.decoder;
    const { malformed = () => {} } = options;
    this.#payload = new FramePayload({ decoder: this.#decoder, malformed });
  }

  /** Messages of which fragments are still to come, and the bytes held of them. */
  get openSequences(): number {
    return this.#fragments?.openSequences ?? 0;
  }

  get heldBytes(): number {
    return this.#fragments?.heldBytes ?? 0;
  }

  /**
   * Takes the frame `bytes[start..end)`, which is not a tick, and hands on the message it completes.
   * @throws DistProtocolError, EtfDecodeError
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#headers) {
      if (end - start < 2 || bytes[start] !== PASS_THROUGH || bytes[start + 1] !== VERSION_MAGIC) {
        throw wrongType(bytes, start, end, "a pass-through frame (112, 131)");
      }
      this.#message(bytes, start + 2, end, null);
      return;
    }
    const tag = end - start < 2 || bytes[start] !== VERSION_MAGIC ? 0 : bytes[start + 1];
    if (tag === DIST_HEADER) {
      this.#message(bytes, this.#header(bytes, start + 2, end), end, this.#refs);
    } else if (tag === DIST_FRAG_HEADER && this.#fragments !== undefined) {
      this.#firstFragment(this.#fragments, bytes, start, end);
    } else if (tag === DIST_FRAG_CONT && this.#fragments !== undefined) {
      this.#furtherFragment(this.#fragments, bytes, start, end);
    } else {
      const tags = this.#fragments === undefined ? "68" : "68 to 70";
      throw wrongType(bytes, start, end, `a frame with a distribution header (131, ${tags})`);
    }
  }

  /** Takes fragments in pieces, since their payload is copied anyway; other frames are wanted whole. */
  beginFrame(bytes: Uint8Array, start: number, end: number, left: number): boolean {
    const assembler = this.#fragments;
    if (assembler === undefined || end - start < FRAGMENT_HEAD_BYTES) return false;
    if (bytes[start] !== VERSION_MAGIC) return false;
    if (bytes[start + 1] === DIST_FRAG_HEADER) {
      // The last fragment too is a message to be read where it lies.
      if (end - start + left > GATHERED_BYTES || readFragmentId(bytes, start) < 2) return false;
      this.#gathered = this.#shared.takeGather();
      this.#gather(bytes, start, end);
      return true;
    }
    if (bytes[start + 1] !== DIST_FRAG_CONT) return false;
    const at = start + FRAGMENT_HEAD_BYTES;
    this.#inPieces = assembler.further(
      readSequenceId(bytes, start + 2),
      readFragmentId(bytes, start),
      end - at + left,
    );
    assembler.put(this.#inPieces, bytes, at, end);
    return true;
  }

  continueFrame(bytes: Uint8Array, start: number, end: number, left: number): void {
    const assembler = this.#fragments!;
    const sequence = this.#inPieces;
    if (sequence !== undefined) {
      assembler.put(sequence, bytes, start, end);
      if (left > 0) return;
      this.#inPieces = undefined;
      this.#fragmentEnded(assembler, sequence);
      return;
    }
    this.#gather(bytes, start, end);
    if (left > 0) return;
    const whole = this.#gathered!;
    const length = this.#gatheredBytes;
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.#firstFragment(assembler, whole, 0, length);
    this.#shared.giveGatherBack(whole);
  }

  #gather(bytes: Uint8Array, start: number, end: number): void {
    this.#gathered!.set(bytes.subarray(start, end), this.#gatheredBytes);
    this.#gatheredBytes += end - start;
  }

  #header(bytes: Uint8Array, at: number, end: number): number {
    return readAtomCacheRefs(bytes, at, end, this.#cache, this.#decoder, this.#refs);
  }

  #message(bytes: Uint8Array, at: number, end: number, refs: AtomRefs): void {
    const control = this.#control(bytes, at, end, refs);
    let payloadAt = this.#decoder.offset;
    if (hasPayload(control) && refs === null && payloadAt < end) {
      // Without a header each term has a version byte; without that there is not a term.
      payloadAt = bytes[payloadAt] === VERSION_MAGIC ? payloadAt + 1 : end;
    }
    this.#handOn(control, bytes, payloadAt, end, refs, false);
  }

  #handOn(
    control: ControlMessage,
    bytes: Uint8Array,
    at: number,
    end: number,
    refs: AtomRefs,
    owned: boolean,
  ): void {
    try {
      this.#sink(control, this.#payload.set(bytes, at, end, refs, owned));
    } finally {
      this.#payload.clear();
    }
  }

  #firstFragment(
    assembler: FragmentAssembler,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (end - start < FRAGMENT_HEAD_BYTES) throw fragmentCutShort();
    const sequenceId = readSequenceId(bytes, start + 2);
    const fragmentId = readFragmentId(bytes, start);
    const controlAt = this.#header(bytes, start + FRAGMENT_HEAD_BYTES, end);
    if (fragmentId === 0) {
      throw new DistProtocolError(
        "DIST_FRAGMENT_ORDER",
        `The peer began fragment sequence ${sequenceId} with fragment 0; the last one is 1.`,
      );
    }
    if (fragmentId === 1) {
      this.#message(bytes, controlAt, end, this.#refs);
      return;
    }
    const control = this.#control(bytes, controlAt, end, this.#refs);
    const refs = this.#refs.slice();
    const at = this.#decoder.offset;
    assembler.begin(sequenceId, fragmentId, control, refs, bytes, at, end, end - start);
  }

  #furtherFragment(
    assembler: FragmentAssembler,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (end - start < FRAGMENT_HEAD_BYTES) throw fragmentCutShort();
    const at = start + FRAGMENT_HEAD_BYTES;
    const sequence = assembler.further(
      readSequenceId(bytes, start + 2),
      readFragmentId(bytes, start),
      end - at,
    );
    assembler.put(sequence, bytes, at, end);
    this.#fragmentEnded(assembler, sequence);
  }

  #fragmentEnded(assembler: FragmentAssembler, sequence: OpenSequence): void {
    if (!assembler.ended(sequence)) return;
    const { control, refs, buffer, bytes } = sequence;
    this.#handOn(control, buffer, 0, bytes, refs, true);
  }

  /** Reads and checks the control message at `at`; the decoder's offset is then behind it. */
  #control(bytes: Uint8Array, at: number, end: number, refs: AtomRefs): ControlMessage {
    return checkControl(readTerm(this.#decoder, bytes, at, end, refs));
  }
}

/** The limits that were given: an undefined one must not hide the default. */
function limitsIn(options: Partial<FragmentLimits>): Partial<FragmentLimits> {
  const { maxOpenSequences, maxFragmentedBytes } = options;
  return {
    ...(maxOpenSequences === undefined ? {} : { maxOpenSequences }),
    ...(maxFragmentedBytes === undefined ? {} : { maxFragmentedBytes }),
  };
}

function wrongType(
  bytes: Uint8Array,
  start: number,
  end: number,
  negotiated: string,
): DistProtocolError {
  const first = Array.from(bytes.subarray(start, Math.min(end, start + 2))).join(", ");
  return new DistProtocolError(
    "DIST_FRAME_TYPE",
    `The peer sent a frame that begins with ${first}; ${negotiated} was negotiated.`,
  );
}

function fragmentCutShort(): DistProtocolError {
  return new DistProtocolError(
    "DIST_HEADER_MALFORMED",
    "The peer sent a fragment that ends within its sequence and fragment id.",
  );
}
