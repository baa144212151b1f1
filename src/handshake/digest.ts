/**
 * The proof of a cookie: MD5 of the cookie and the peer's challenge in decimal digits.
 *
 * Spec: erl_dist_protocol, "Distribution Handshake". MD5 is what the protocol has; who needs more
 * runs the distribution over TLS.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { HandshakeError } from "./errors.ts";

/** @throws HandshakeError HS_COOKIE_INVALID when the cookie has characters outside Latin-1 */
export function cookieDigest(cookie: string, challenge: number): Uint8Array {
  const bytes = Buffer.from(cookie, "latin1");
  if (bytes.toString("latin1") !== cookie) {
    throw new HandshakeError(
      "HS_COOKIE_INVALID",
      "The cookie has characters outside Latin-1, with which no Erlang node can prove its cookie. Choose another cookie, of letters and digits.",
    );
  }
  return createHash("md5").update(bytes).update(String(challenge)).digest();
}

/** Whether two digests are the same, in a time that does not tell where they differ. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
