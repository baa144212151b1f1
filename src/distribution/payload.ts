/**
 * The second term of a frame, which stays encoded until its receiver takes it.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". The runtime decodes a payload for a
 * process that exists, in that process's own time: what is for nobody costs nothing, and what waits
 * costs what the wire carried. Atom cache references are resolved in wire order, so what is kept
 * holds on to the atoms that its header named. What lies behind the term is ignored, as the runtime
 * ignores it.
 */
import { TAG, type Term, type TermDecoder } from "../../etf/index.ts";
import { DistProtocolError } from "./errors.ts";
import type { CachedAtom } from "./header.ts";

export type AtomRefs = readonly (CachedAtom | undefined)[] | null;

/** Makes the message of which a payload is part, such as `{'EXIT', Pid, Reason}`. */
export type MakesMessage = (term: Term) => Term;

/** A payload that can be read now. */
export interface Payload {
  /** Bytes it took on the wire. */
  readonly bytes: number;
  /**
   * Bytes of memory that the term takes which was read, with those that it came in, on which its
   * binaries may be views: an estimate. 0 before `read`.
   */
  readonly heapBytes: number;
  /**
   * The term.
   * @throws DistProtocolError DIST_TERM_MALFORMED, DIST_CONTROL_MALFORMED when the term is missing
   */
  read(): Term;
  /**
   * The same payload for later: what the reader holds is overwritten by the next frame.
   * A fault that shows only then ends the connection that brought it.
   * @param makes what `read` is to give instead of the term
   */
  keep(makes?: MakesMessage): KeptPayload;
}

/** What the payloads of a connection have in common. */
export interface PayloadReader {
  /** What is read of one term is used before the next is begun, so one serves many connections. */
  readonly decoder: TermDecoder;
  /** Ends the connection, for a fault that shows when a payload is read that was kept. */
  readonly malformed: (error: unknown) => void;
}

/** A payload that waits, detached from the frame in which it came. */
export class KeptPayload {
  readonly #reader: PayloadReader;
  readonly #bytes: Uint8Array;
  readonly #refs: AtomRefs;
  readonly #makes: MakesMessage | undefined;

  constructor(
    reader: PayloadReader,
    bytes: Uint8Array,
    refs: AtomRefs,
    makes: MakesMessage | undefined,
  ) {
    this.#reader = reader;
    this.#bytes = bytes;
    this.#refs = refs;
    this.#makes = makes;
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** The term and what it costs in memory, or undefined when it is malformed: its connection has ended. */
  read(): { term: Term; heapBytes: number } | undefined {
    const { decoder, malformed } = this.#reader;
    try {
      const term = readPayload(decoder, this.#bytes, 0, this.#bytes.length, this.#refs);
      const heapBytes = this.#bytes.length + decoder.heapBytes;
      return { term: this.#makes?.(term) ?? term, heapBytes };
    } catch (error) {
      malformed(error);
      return undefined;
    }
  }
}

/** The payload of the frame being handled: one object for all frames of a reader. */
export class FramePayload implements Payload {
  readonly #reader: PayloadReader;
  #source: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  #refs: AtomRefs = null;
  /** The source holds nothing but this payload, and nobody writes into it again. */
  #owned = false;
  heapBytes = 0;

  constructor(reader: PayloadReader) {
    this.#reader = reader;
  }

  /** The payload is now `source[at..end)`; `owned` when that buffer is used for nothing else. */
  set(source: Uint8Array, at: number, end: number, refs: AtomRefs, owned: boolean): this {
    this.#source = source;
    this.#at = at;
    this.#end = end;
    this.#refs = refs;
    this.#owned = owned;
    this.heapBytes = 0;
    return this;
  }

  /** Lets go of the frame. */
  clear(): void {
    this.#source = NOTHING;
    this.#end = this.#at = 0;
    this.#refs = null;
  }

  get bytes(): number {
    return this.#end - this.#at;
  }

  read(): Term {
    const { decoder } = this.#reader;
    const term = readPayload(decoder, this.#source, this.#at, this.#end, this.#refs);
    this.heapBytes = this.bytes + decoder.heapBytes;
    return term;
  }

  keep(makes?: MakesMessage): KeptPayload {
    const own = this.#source.subarray(this.#at, this.#end);
    // A buffer that is mostly room for fragments that never came is not worth holding.
    const bytes = this.#owned && 2 * own.length >= this.#source.length ? own : Buffer.from(own);
    const refs = this.#refs === null || this.#refs.length === 0 ? null : this.#refs.slice();
    return new KeptPayload(this.#reader, bytes, refs, makes);
  }
}

const NOTHING = new Uint8Array(0);

function readPayload(
  decoder: TermDecoder,
  bytes: Uint8Array,
  at: number,
  end: number,
  refs: AtomRefs,
): Term {
  if (at >= end) {
    throw new DistProtocolError(
      "DIST_CONTROL_MALFORMED",
      "The peer sent a frame that ends before the payload that belongs to its control message.",
    );
  }
  return readTerm(decoder, bytes, at, end, refs);
}

/**
 * The term at `at`, with `decoder.offset` then behind it.
 * @throws DistProtocolError DIST_TERM_MALFORMED, EtfDecodeError
 */
export function readTerm(
  decoder: TermDecoder,
  bytes: Uint8Array,
  at: number,
  end: number,
  refs: AtomRefs,
): Term {
  const tag = bytes[at];
  if (tag === TAG.COMPRESSED || tag === TAG.LOCAL_EXT) {
    throw new DistProtocolError(
      "DIST_TERM_MALFORMED",
      `The peer sent a term with the tag ${tag}, which no term in a frame may have.`,
    );
  }
  return decoder.decodeAt(bytes, at, end, refs as readonly CachedAtom[]);
}
