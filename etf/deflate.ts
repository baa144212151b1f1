/**
 * The compressed form of a term, as `term_to_binary(Term, [{compressed, Level}])` writes it:
 * 131, 80, the size of the plain form without its 131, and that, deflated.
 *
 * As with OTP the plain form stays where compressing makes nothing smaller; and in the absence of
 * zlib (browsers), since any reader takes either.
 */
import type * as Zlib from "node:zlib";
import { allocBytes } from "./bytes.ts";
import { loadZlib } from "./inflate.ts";
import { TAG, VERSION_MAGIC } from "./tags.ts";

let zlib: typeof Zlib | undefined;

const HEAD_BYTES = 6;

/**
 * @param plain the bytes of a term, 131 first
 * @param level 0 to 9; `true` is 6, as in OTP
 */
export function deflateTerm(plain: Uint8Array, level: number | boolean): Uint8Array {
  zlib ??= loadZlib();
  if (zlib === undefined || level === false || level === 0) return plain;
  const size = plain.length - 1;
  const deflated = zlib.deflateSync(plain.subarray(1), { level: level === true ? 6 : level });
  if (HEAD_BYTES + deflated.length >= plain.length) return plain;
  const bytes = allocBytes(HEAD_BYTES + deflated.length);
  bytes[0] = VERSION_MAGIC;
  bytes[1] = TAG.COMPRESSED;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(2, size);
  bytes.set(deflated, HEAD_BYTES);
  return bytes;
}
