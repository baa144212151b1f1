/**
 * Big integers to and from little-endian bytes, by the package bigint-buffer; the only module
 * that touches it.
 *
 * Its addon ends the process, or writes beyond an array, when it is given something odd, and its
 * loader prints a warning where no addon was built (most installations). So: it is loaded for the
 * first integer that it is faster for, silently, and only its addon, since what it does without is
 * slower than what is done here; and its functions see only what they are safe with: a bigint that
 * is not negative with a width that is a multiple of 8, or a Buffer of at least one byte. It is used
 * on the main thread only: the addon asserts that each call into the engine succeeds, which a worker's
 * do not once `worker.terminate()` has been called, and a failed assertion aborts the whole program.
 *
 * Without the addon large integers go the way that the engine itself has, its serialization
 * (`node:v8`), which holds their bytes as they are, and those between as hexadecimal text.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { bigintFromWords, bigintFromBytes as ownFromBytes } from "./bigint.web.ts";
import { viewBytes } from "./bytes.ts";

export { HARD_LIMIT_BYTES, MAX_PUT_BYTES, putBigint } from "./bigint.web.ts";

interface Addon {
  toBigIntLE(bytes: Buffer): bigint;
  toBufferLE(value: bigint, width: number): Buffer;
}

/** Up to so many bytes words are as fast as the addon, and than anything else without it. */
const ADDON_WORD_BYTES = 24;
const OWN_WORD_BYTES = 48;
/** Up to so many bytes text is faster than the engine's serialization. */
const TEXT_BYTES = 160;

let addon: Addon | null | undefined;
let v8: typeof import("node:v8") | undefined;

function load(): Addon | null {
  const require = createRequire(import.meta.url);
  v8 = require("node:v8") as typeof import("node:v8");
  if (!isMainThread) return null;
  try {
    const entry = require.resolve("bigint-buffer");
    const from = createRequire(entry);
    from("bindings")({ bindings: "bigint_buffer.node", module_root: dirname(dirname(entry)) });
    return from(entry) as Addon; // the addon loads, so this does not warn
  } catch {
    return null;
  }
}

/** The number that the bytes are, the least significant first. */
export function bigintFromBytes(
  bytes: Uint8Array,
  start: number = 0,
  size: number = bytes.length - start,
): bigint {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("not bytes");
  if (size === 0) return 0n;
  if (size <= ADDON_WORD_BYTES) return bigintFromWords(bytes, start, size);
  if (addon === undefined) addon = load();
  if (addon !== null) {
    return addon.toBigIntLE(viewBytes(bytes.buffer, bytes.byteOffset + start, size) as Buffer);
  }
  if (size <= OWN_WORD_BYTES) return bigintFromWords(bytes, start, size);
  return size <= TEXT_BYTES ? fromText(bytes, start, size) : fromSerialized(bytes, start, size);
}

/** The bytes of a number that is not negative, the least significant first, none too many. */
export function bigintToBytes(value: bigint): Uint8Array {
  if (typeof value !== "bigint" || value < 0n) throw new TypeError("not a positive bigint");
  if (addon === undefined) addon = load();
  const width = widthFor(value);
  const bytes =
    addon !== null
      ? addon.toBufferLE(value, width)
      : width <= TEXT_BYTES
        ? toText(value)
        : toSerialized(value);
  let size = bytes.length;
  while (size > 1 && bytes[size - 1] === 0) size--;
  return bytes.subarray(0, size);
}

/** A multiple of 8 bytes that the value fits into, and not above twice of what it needs. */
function widthFor(value: bigint): number {
  let shift = 0;
  for (;;) {
    const high = Number(shift === 0 ? value : value >> BigInt(shift));
    if (high < Number.POSITIVE_INFINITY) {
      // Rounded up at most to the next power of two, which has one bit more.
      const bits = shift + (high === 0 ? 0 : Math.floor(Math.log2(high)) + 2);
      return Math.max(8, 8 * Math.ceil(bits / 64));
    }
    shift = shift === 0 ? 896 : 2 * shift;
  }
}

function fromText(bytes: Uint8Array, start: number, size: number): bigint {
  const reversed = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) reversed[size - 1 - i] = bytes[start + i]!;
  return BigInt(`0x${reversed.toString("hex")}`);
}

function toText(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").reverse();
}

/*
 * A bigint as `v8.serialize` writes it: the version, 255 and a byte; 90; a number of seven bits a byte,
 * the low ones first, which is twice the size in bytes (and 1 more if negative); the bytes, the
 * least significant first, filled up with zeros to a multiple of 8.
 */
const BIGINT_TAG = 90;

function fromSerialized(bytes: Uint8Array, start: number, size: number): bigint {
  const { serialize, Deserializer } = v8!;
  const head: number[] = [...serialize(0n).subarray(0, 2), BIGINT_TAG];
  let field = 2 * size;
  for (; field > 127; field = Math.floor(field / 128)) head.push((field % 128) | 128);
  head.push(field);
  const serialized = Buffer.allocUnsafe(head.length + size);
  serialized.set(head);
  serialized.set(bytes.subarray(start, start + size), head.length);
  const reader = new Deserializer(serialized);
  reader.readHeader();
  const value: unknown = reader.readValue();
  return typeof value === "bigint" ? value : ownFromBytes(bytes, start, size);
}

function toSerialized(value: bigint): Uint8Array {
  const bytes = v8!.serialize(value);
  if (bytes[2] !== BIGINT_TAG) return toText(value);
  let at = 3;
  while (bytes[at]! > 127) at++;
  return bytes.subarray(at + 1);
}
