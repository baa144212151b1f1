/**
 * Whole terms from bytes, as `binary_to_term` takes them: exactly, or at once as plain values.
 */
import type { DecodeOptions } from "./decode-leaf.ts";
import { PlainDecoder } from "./decode-plain.ts";
import { TermDecoder } from "./decode-term.ts";
import { EtfDecodeError } from "./errors.ts";
import type { Plain, ToPlainOptions } from "./plain.ts";
import { VERSION_MAGIC } from "./tags.ts";
import type { Term } from "./terms.ts";

export type { DecodeOptions } from "./decode-leaf.ts";

export interface DecodePlainOptions extends DecodeOptions {
  /** Plain values instead of terms, in one pass: as `toPlain` with these options makes them. */
  plain: true | ToPlainOptions;
}

// Both stay for good: the engine's knowledge of a class ends with its last instance, and with it
// the code that was compiled for it.
const exactly = new TermDecoder();
const plainly = new PlainDecoder({}, {});

/**
 * The term that the bytes are, all of them: 131, then one term.
 *
 * @throws EtfDecodeError
 */
export function decode(bytes: Uint8Array, options: DecodePlainOptions): Plain;
export function decode(bytes: Uint8Array, options?: DecodeOptions): Term;
export function decode(
  bytes: Uint8Array,
  options?: DecodeOptions | DecodePlainOptions,
): Term | Plain {
  if (options === undefined) return whole(exactly, bytes);
  if ("plain" in options && options.plain) {
    if (options.plain === true && isAlone(options)) return whole(plainly, bytes);
    const { plain, ...limits } = options;
    return whole(new PlainDecoder(limits, plain === true ? {} : plain), bytes);
  }
  return whole(new TermDecoder(options), bytes);
}

/** True if the options ask for nothing but the plain form. */
function isAlone(options: DecodePlainOptions): boolean {
  for (const name in options) if (name !== "plain") return false;
  return true;
}

function whole<T>(
  decoder: { offset: number; decodeAt(bytes: Uint8Array, offset: number, end: number): T },
  bytes: Uint8Array,
): T {
  if (bytes.length === 0) throw new EtfDecodeError("ETF_TRUNCATED", "no bytes at all", 0);
  if (bytes[0] !== VERSION_MAGIC) {
    throw new EtfDecodeError("ETF_BAD_VERSION", `the first byte is ${bytes[0]}, not 131`, 0);
  }
  const result = decoder.decodeAt(bytes, 1, bytes.length);
  if (decoder.offset !== bytes.length) {
    throw new EtfDecodeError(
      "ETF_TRAILING_BYTES",
      `${bytes.length - decoder.offset} bytes follow the term`,
      decoder.offset,
    );
  }
  return result;
}
