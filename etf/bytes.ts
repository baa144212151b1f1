/**
 * Byte arrays as the platform likes them: a `Buffer` on Node, a `Uint8Array` elsewhere.
 */
import { hasLoneSurrogate } from "./atom.ts";
import { badText } from "./errors.ts";

type BytesClass = new (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array;

interface BufferLike {
  from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array;
  allocUnsafe(length: number): Uint8Array;
  readonly [Symbol.species]?: BytesClass;
}

// Not the name `Buffer`: bundlers answer that with a polyfill.
const nodeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

/** For a `Buffer` class whose instances its own species does not make. */
function makerOf(buffer: BufferLike): BytesClass {
  return function make(bytes: ArrayBufferLike, offset: number, length: number) {
    return buffer.from(bytes, offset, length);
  } as unknown as BytesClass;
}

/**
 * The class that makes byte arrays. Node's Buffers are instances of a class that is reached as the
 * species only; to construct one takes a third of the time that `Buffer.from` takes.
 */
const Bytes: BytesClass = (() => {
  if (nodeBuffer === undefined) return Uint8Array as unknown as BytesClass;
  const species = nodeBuffer[Symbol.species];
  const fits = species !== undefined && (species as unknown) !== nodeBuffer;
  return fits ? species : makerOf(nodeBuffer);
})();

/** A view, no copy. */
export function viewBytes(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array {
  return new Bytes(buffer, offset, length);
}

/** As Node's own: small byte arrays share a buffer of this size. */
const POOL_BYTES = 8192;

let pool = new ArrayBuffer(POOL_BYTES);
let poolWords = new Int32Array(pool);
let poolAt = 0;

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function newPool(): void {
  pool = new ArrayBuffer(POOL_BYTES);
  poolWords = new Int32Array(pool);
  poolAt = 0;
}

/** Fresh bytes of unknown content; small ones share a pool. */
export function allocBytes(length: number): Uint8Array {
  if (length > POOL_BYTES >> 3) {
    return nodeBuffer === undefined ? new Uint8Array(length) : nodeBuffer.allocUnsafe(length);
  }
  if (length > POOL_BYTES - poolAt) newPool();
  const bytes = new Bytes(pool, poolAt, length);
  poolAt = (poolAt + length + 7) & ~7; // aligned, for who reads numbers through other views
  return bytes;
}

/** Bytes of a larger array, copied. */
export function copyBytes(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = allocBytes(length);
  if (length <= 64) for (let i = 0; i < length; i++) copy[i] = bytes[start + i]!;
  else copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  return copy;
}

/**
 * A few bytes of a larger array, copied in words, for which up to three bytes more must be there:
 * in half of the time.
 */
export function copyWords(view: DataView, start: number, length: number): Uint8Array {
  if (length > POOL_BYTES - poolAt) newPool();
  const words = poolWords;
  const at = poolAt >> 2;
  for (let i = 0; 4 * i < length; i++) {
    words[at + i] = view.getInt32(start + 4 * i, LITTLE_ENDIAN_HOST);
  }
  const bytes = new Bytes(pool, poolAt, length);
  poolAt = (poolAt + length + 7) & ~7;
  return bytes;
}

const encoder = new TextEncoder();

/** @throws EtfEncodeError ETF_BAD_TEXT for half of a surrogate pair */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  // ASCII has no surrogates.
  if (bytes.length !== text.length && hasLoneSurrogate(text)) throw badText();
  return viewBytes(bytes.buffer, bytes.byteOffset, bytes.length);
}
