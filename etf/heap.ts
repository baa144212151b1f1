/**
 * What terms cost in heap, and how much heap there is: a limit on bytes received does not bound
 * memory, since a term takes up to forty times the bytes that it came in.
 *
 * The costs are those of V8 on 64 bits, measured by what `process.memoryUsage()` reports per value,
 * rounded up. Elements of containers take a word each.
 */
import type * as V8 from "node:v8";

/** All costs are in words of this size: so the sum is a number that the engine adds fast. */
export const WORD_BYTES = 8;

/** Of a list, tuple or map without its elements. */
export const CONTAINER_WORDS = 6;
/** What a map takes beyond its container. */
export const MAP_WORDS = 10;
/** What a map's index takes for a key. */
export const MAP_KEY_WORDS = 4;
/** A level of nesting while it is read without recursion. */
export const LEVEL_WORDS = 20;
export const FLOAT_WORDS = 6;
export const BINARY_WORDS = 17;
/** A string without its characters. */
export const TEXT_WORDS = 3;
/** A pid, a port, a fun `M:F/A`. */
export const IDENTIFIER_WORDS = 11;
export const REFERENCE_WORDS = 19;
export const BIG_INTEGER_WORDS = 4;
/** A fun with its environment, or a record, without the values. */
export const FUN_WORDS = 40;
/** An atom that is new. */
export const ATOM_WORDS = 40;

/** Where the engine does not say how large the heap may grow. */
const UNKNOWN_HEAP_BYTES = 2 * 1024 * 1024 * 1024;

let heapLimit: number | undefined;

/** How large the heap may grow, in bytes: `heap_size_limit` of V8, 2 GiB where nothing tells. */
export function heapLimitBytes(): number {
  if (heapLimit === undefined) {
    const host = (globalThis as { process?: NodeJS.Process }).process;
    const v8: typeof V8 | undefined = host?.getBuiltinModule?.("node:v8");
    heapLimit = v8?.getHeapStatistics?.().heap_size_limit ?? UNKNOWN_HEAP_BYTES;
  }
  return heapLimit;
}
