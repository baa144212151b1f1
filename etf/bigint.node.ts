/**
 * Big integers to and from little-endian bytes, by the package bigint-buffer; the only module
 * that touches it.
 *
 * Its addon ends the process, or writes beyond an array, when it is given something odd, and its
 * loader prints a warning where no addon was built (most installations). So: it is loaded for the
 * first integer above 8 bytes, silently, its plain build where there is no addon, our own code
 * where there is no package; and its functions see only what they are safe with: a bigint that is
 * not negative with a width that is a multiple of 8, or a Buffer of at least one byte.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { bigintFromBytes as ownFromBytes, bigintToBytes as ownToBytes } from "./bigint.web.ts";

export { HARD_LIMIT_BYTES } from "./bigint.web.ts";

interface Implementation {
  toBigIntLE(bytes: Buffer): bigint;
  toBufferLE(value: bigint, width: number): Buffer;
}

let implementation: Implementation | null | undefined;

function load(): Implementation | null {
  try {
    const entry = createRequire(import.meta.url).resolve("bigint-buffer");
    const from = createRequire(entry);
    try {
      const root = dirname(dirname(entry));
      from("bindings")({ bindings: "bigint_buffer.node", module_root: root });
      return from(entry) as Implementation; // the addon loads, so this does not warn
    } catch {
      return from("./browser.js") as Implementation;
    }
  } catch {
    return null;
  }
}

/** A multiple of 8 bytes that the value fits into. */
function widthFor(value: bigint): number {
  const magnitude = Number(value);
  // Rounded up at most to the next power of two, which has one bit more.
  const bits = magnitude < Number.POSITIVE_INFINITY ? Math.floor(Math.log2(magnitude)) + 2 : 0;
  if (bits > 0) return 8 * Math.ceil(bits / 64);
  return Math.max(8, 8 * Math.ceil(value.toString(16).length / 16));
}

/** The number that the bytes are, the least significant first. */
export function bigintFromBytes(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  if (implementation === undefined) implementation = load();
  if (implementation === null) return ownFromBytes(bytes);
  return implementation.toBigIntLE(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** The bytes of a number that is not negative, the least significant first, none too many. */
export function bigintToBytes(value: bigint): Uint8Array {
  if (typeof value !== "bigint" || value < 0n) throw new TypeError("not a positive bigint");
  if (implementation === undefined) implementation = load();
  if (implementation === null) return ownToBytes(value);
  const bytes = implementation.toBufferLE(value, widthFor(value));
  let size = bytes.length;
  while (size > 1 && bytes[size - 1] === 0) size--;
  return bytes.subarray(0, size);
}
