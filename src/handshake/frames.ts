/**
 * Handshake messages in the stream: each behind its length, of 2 bytes on TCP, 4 on TLS.
 *
 * Spec: erl_dist_protocol, "Distribution Handshake". After the last message of the handshake the
 * stream belongs to the connected protocol; `rest` is what has come of that already.
 */
import type { Transport } from "../transport/transport.ts";
import { HandshakeError } from "./errors.ts";

/** How many bytes a length has, as the transport says. */
export type LengthBytes = Transport["handshakeLengthBytes"];

/**
 * The longest message taken: a name has 255 characters, and some bytes behind it are tolerated.
 * The text of another protocol, such as HTTP, announces more with its first two letters.
 */
const MAX_MESSAGE_BYTES = 4096;

/** Messages as they are sent, one behind the other. */
export function encodeFrames(bodies: readonly Uint8Array[], lengthBytes: LengthBytes): Buffer {
  const size = bodies.reduce((sum, body) => sum + lengthBytes + body.length, 0);
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (const body of bodies) {
    frames.writeUIntBE(body.length, at, lengthBytes);
    frames.set(body, at + lengthBytes);
    at += lengthBytes + body.length;
  }
  return frames;
}

export class FrameReader {
  readonly #lengthBytes: LengthBytes;
  #pending: Buffer = Buffer.alloc(0);

  constructor(lengthBytes: LengthBytes) {
    this.#lengthBytes = lengthBytes;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
  }

  /**
   * The next message, or undefined when more bytes are needed.
   * @throws HandshakeError HS_MALFORMED for a length above 4,096
   */
  next(): Uint8Array | undefined {
    const header = this.#lengthBytes;
    if (this.#pending.length < header) return undefined;
    const length = this.#pending.readUIntBE(0, header);
    if (length > MAX_MESSAGE_BYTES) {
      throw new HandshakeError(
        "HS_MALFORMED",
        `The peer announces a handshake message of ${length} bytes; none is longer than ${MAX_MESSAGE_BYTES}. Check that the port is that of an Erlang node.`,
      );
    }
    if (this.#pending.length < header + length) return undefined;
    const body = this.#pending.subarray(header, header + length);
    this.#pending = this.#pending.subarray(header + length);
    return body;
  }

  /** The bytes not yet taken; the reader is empty afterwards. */
  rest(): Uint8Array {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest;
  }
}
