/**
 * Inflating a compressed term to its declared size and not one byte more.
 *
 * Uses Node's zlib, loaded when first needed, or the project's own code in browsers, which have no zlib.
 */
import type * as Zlib from "node:zlib";
import { EtfDecodeError } from "./errors.ts";
import { inflateWeb } from "./inflate.web.ts";

let zlib: typeof Zlib | undefined;

/** Node's zlib; undefined in browsers. */
export function loadZlib(): typeof Zlib | undefined {
  const host = (globalThis as { process?: NodeJS.Process }).process;
  return host?.getBuiltinModule?.("node:zlib");
}

/**
 * @param offset where the bytes lie, for the error
 * @throws EtfDecodeError ETF_BAD_COMPRESSED, ETF_TRUNCATED
 */
export function inflate(
  input: Uint8Array,
  size: number,
  offset: number,
): { bytes: Uint8Array; used: number } {
  zlib ??= loadZlib();
  if (zlib === undefined) return inflateWeb(input, size, offset);
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    result = zlib.inflateSync(input, {
      info: true,
      maxOutputLength: Math.max(size, 1),
    } as Zlib.ZlibOptions) as unknown as typeof result;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "Z_BUF_ERROR") {
      throw new EtfDecodeError("ETF_TRUNCATED", "the compressed bytes end early", offset, {
        cause,
      });
    }
    throw new EtfDecodeError(
      "ETF_BAD_COMPRESSED",
      code === "ERR_BUFFER_TOO_LARGE"
        ? `inflates to more than its declared ${size} bytes`
        : "the compressed bytes do not inflate",
      offset,
      { cause },
    );
  }
  if (result.buffer.length !== size) {
    throw new EtfDecodeError(
      "ETF_BAD_COMPRESSED",
      `inflates to ${result.buffer.length} bytes, declared are ${size}`,
      offset,
    );
  }
  return { bytes: result.buffer, used: result.engine.bytesWritten };
}
