/** Terms encoded before there is a connection to write them to, or for several receivers. */
import { type TermInput, TermWriter, VERSION_MAGIC } from "../../etf/index.ts";

/**
 * Binaries of at least this size are chunks of their own: copied once, as they are when they are
 * sent, or written from where they are, if their sender says that they do not change meanwhile.
 */
export const BY_REFERENCE_BYTES: number = 32 * 1024;

/** Terms of up to this size are taken in one piece out of a writer that all share. */
const ONE_PIECE_BYTES = 16 * 1024;
const shared = new TermWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
// Any release reads the older form of ports, OTP 23 only that.
shared.v4Ports = false;
shared.copyChunk = (bytes) => Buffer.from(bytes);

/** A term encoded ahead of time, as it is then, the version byte in front. */
export class EncodedTerm {
  readonly chunks: readonly Uint8Array[];
  /** Of all chunks together. */
  readonly bytes: number;

  /** @throws EtfEncodeError when the value is no term */
  constructor(term: TermInput) {
    try {
      shared.writeUint8(VERSION_MAGIC);
      shared.writeTerm(term);
      this.bytes = shared.length;
      this.chunks = this.bytes <= ONE_PIECE_BYTES ? [shared.takeOne()] : shared.take();
    } finally {
      shared.truncate(0);
    }
  }
}
