/**
 * What all connections of a program share: tables, writers and buffers that would cost too much for
 * each of them. A test makes its own, so that it depends on no test before it.
 */
import { TermDecoder, TermWriter } from "../../etf/index.ts";
import { AtomEntries } from "./atom-entries.ts";
import { CopyPool } from "./copy-pool.ts";
import { FrameWriter } from "./frame-writer.ts";

/**
 * Binaries of at least this many bytes are chunks of their own: copied once when they are sent, or
 * written from where they are if the sender promises not to change them meanwhile.
 */
export const BY_REFERENCE_BYTES: number = 32 * 1024;

/** A first fragment of up to this many bytes is put together in a buffer that is used again. */
export const GATHERED_BYTES: number = 128 * 1024;

const MAX_IDLE_WRITERS = 16;
const MAX_IDLE_GATHERS = 4;

/** One set of them. A program uses `sharedState`. */
export class SharedState {
  /** Which entry of the atom cache each atom has. */
  readonly atoms: AtomEntries = new AtomEntries();
  /** Copies of large binaries on their way out. */
  readonly copies: CopyPool = new CopyPool();
  /** Reads control messages and payloads, with the default limits. */
  readonly decoder: TermDecoder = new TermDecoder({ binaries: "view" });
  /** Encodes terms ahead of time. */
  readonly ahead: TermWriter = aheadWriter();
  readonly #writers: FrameWriter[] = [];
  readonly #gathers: Uint8Array[] = [];

  /** A writer without bytes in it. A connection that has nothing to send holds none. */
  takeWriter(): FrameWriter {
    return this.#writers.pop() ?? new FrameWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
  }

  /** Keeps a writer whose bytes were all taken for the next connection that sends. */
  giveWriterBack(writer: FrameWriter): void {
    if (this.#writers.length < MAX_IDLE_WRITERS) this.#writers.push(writer);
  }

  /**
   * A buffer for a first fragment: four times `GATHERED_BYTES`, so that the decoder copies every
   * binary out of it.
   */
  takeGather(): Uint8Array {
    return this.#gathers.pop() ?? Buffer.allocUnsafeSlow(4 * GATHERED_BYTES);
  }

  /** Keeps a buffer that nobody reads any more. */
  giveGatherBack(buffer: Uint8Array): void {
    if (this.#gathers.length < MAX_IDLE_GATHERS) this.#gathers.push(buffer);
  }
}

function aheadWriter(): TermWriter {
  const writer = new TermWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
  // Every release reads the older form of ports; OTP 23 reads only that.
  writer.v4Ports = false;
  writer.copyChunk = (bytes) => Buffer.from(bytes);
  return writer;
}

/** The set that the connections of this program share. */
export const sharedState: SharedState = new SharedState();
