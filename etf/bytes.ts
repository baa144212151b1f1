/**
 * Byte arrays as the platform likes them: a `Buffer` on Node, a `Uint8Array` elsewhere.
 */

interface BufferLike {
  from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array;
  allocUnsafe(length: number): Uint8Array;
}

// Not the name `Buffer`: bundlers answer that with a polyfill.
const nodeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

/** A view, no copy. */
export const viewBytes: (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array =
  nodeBuffer === undefined
    ? (buffer, offset, length) => new Uint8Array(buffer, offset, length)
    : (buffer, offset, length) => nodeBuffer.from(buffer, offset, length);

/** Fresh bytes of unknown content; on Node small ones come from Node's shared pool. */
export const allocBytes: (length: number) => Uint8Array =
  nodeBuffer === undefined
    ? (length) => new Uint8Array(length)
    : (length) => nodeBuffer.allocUnsafe(length);

const encoder = new TextEncoder();

export function utf8Bytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  return viewBytes(bytes.buffer, bytes.byteOffset, bytes.length);
}
