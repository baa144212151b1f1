/** Terms encoded before there is a connection to write them to, or for several receivers. */
import { type TermInput, VERSION_MAGIC } from "../../etf/index.ts";
import { type SharedState, sharedState } from "./shared-state.ts";

/** Terms of up to this many bytes are one chunk. */
const ONE_PIECE_BYTES = 16 * 1024;

/** A term as it was when this was made, encoded, the version byte in front. */
export class EncodedTerm {
  readonly chunks: readonly Uint8Array[];
  /** Of all chunks together. */
  readonly bytes: number;

  /** @throws EtfEncodeError when the value is not a term */
  constructor(term: TermInput, shared: SharedState = sharedState) {
    const writer = shared.ahead;
    try {
      writer.writeUint8(VERSION_MAGIC);
      writer.writeTerm(term);
      this.bytes = writer.length;
      this.chunks = this.bytes <= ONE_PIECE_BYTES ? [writer.takeOne()] : writer.take();
    } finally {
      writer.truncate(0);
    }
  }
}
