/**
 * Why two nodes did not become connected. The connection is closed when one of these is thrown.
 */
import { CodedError } from "../../etf/index.ts";
import { missingFlags, releaseWith } from "../distribution/flags.ts";

export type HandshakeErrorCode =
  /** The peer answered `not_allowed`, or we did. */
  | "HS_NOT_ALLOWED"
  /** The peer's own connection attempt to us goes first (simultaneous connect), or ours did. */
  | "HS_NOK"
  /** One side holds an older connection between the two, and this attempt was given up for it. */
  | "HS_ALIVE"
  /** The peer uses a different cookie. */
  | "HS_BAD_DIGEST"
  /** The peer rejected our cookie. */
  | "HS_COOKIE_REFUSED"
  /** Our cookie cannot be one: it has characters that no cookie has. */
  | "HS_COOKIE_INVALID"
  /** The peer lacks distribution flags that we need. */
  | "HS_MISSING_FLAG"
  /** The peer speaks a version of the handshake older than 6, which is OTP 22 or earlier. */
  | "HS_OLD_VERSION"
  /** A name is not a node name, or not the name of the node that should answer. */
  | "HS_WRONG_NAME"
  /** Bytes that are not a handshake message, or a message out of turn. */
  | "HS_MALFORMED"
  | "HS_TIMEOUT"
  | "HS_CLOSED"
  | "HS_ABORTED";

/** A handshake failed: two nodes did not become connected. */
export class HandshakeError extends CodedError<HandshakeErrorCode> {
  override readonly name = "HandshakeError";
  /** The peer, as far as it is known: its node name, or its address. */
  readonly peer: string | undefined;
  constructor(code: HandshakeErrorCode, message: string, peer?: string, options?: ErrorOptions) {
    super(code, message, options);
    this.peer = peer;
  }
}

/** @throws HandshakeError HS_MISSING_FLAG */
export function checkFlags(offered: bigint, required: bigint, peer: string): void {
  const missing = missingFlags(offered, required);
  if (missing.length === 0) return;
  throw new HandshakeError(
    "HS_MISSING_FLAG",
    `${peer} lacks distribution flags that this node requires: ${missing.join(", ")}. Every release from Erlang/OTP ${releaseWith(missing)} on has them: upgrade the peer, or have it offer them if it is not an Erlang node.`,
    peer,
  );
}
