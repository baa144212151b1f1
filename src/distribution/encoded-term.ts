/** Terms encoded before there is a connection to write them to, or for several receivers. */
import { type TermInput, TermWriter, VERSION_MAGIC } from "../../etf/index.ts";

/** Binaries of at least this size are written from where they are, not copied. */
export const BY_REFERENCE_BYTES: number = 32 * 1024;

/** A term encoded ahead of time, the version byte in front; large binaries are not copied. */
export class EncodedTerm {
  readonly chunks: readonly Uint8Array[];
  /** Of all chunks together. */
  readonly bytes: number;

  /** @throws EtfEncodeError when the value is no term */
  constructor(term: TermInput) {
    const writer = new TermWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
    writer.v4Ports = false; // any release reads the older form, OTP 23 only that
    writer.writeUint8(VERSION_MAGIC);
    writer.writeTerm(term);
    this.bytes = writer.length;
    this.chunks = writer.take();
  }
}
