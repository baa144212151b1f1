/** What goes wrong on a connection: its codes, which docs/errors.md explains. */
import { CodedError } from "../../etf/index.ts";

export type DistProtocolErrorCode =
  | "DIST_FRAME_LIMIT"
  | "DIST_FRAME_TYPE"
  | "DIST_CONTROL_UNKNOWN"
  | "DIST_CONTROL_MALFORMED"
  | "DIST_TERM_MALFORMED"
  /** A distribution header that is cut short or holds what is not an atom. */
  | "DIST_HEADER_MALFORMED"
  /** A reference to an entry of the atom cache that was never filled. */
  | "DIST_CACHE_MISS"
  /** A fragment out of its turn: the fragment id counts down by one to 1. */
  | "DIST_FRAGMENT_ORDER"
  /** A fragment of a sequence that was not begun. */
  | "DIST_FRAGMENT_UNKNOWN"
  /** More open sequences, or more bytes held in them, than the options allow. */
  | "DIST_FRAGMENT_LIMIT"
  | "DIST_INTERNAL";

/** The peer sent what the protocol does not allow; the connection closes. */
export class DistProtocolError extends CodedError<DistProtocolErrorCode> {
  override readonly name = "DistProtocolError";
}

export type ConnectionClosedErrorCode =
  | "CONN_CLOSED"
  | "CONN_OVERLOADED"
  | "CONN_DISCONNECTED"
  | "CONN_NET_TICK_TIMEOUT";

/** The connection is over; what waited for it is rejected with this. */
export class ConnectionClosedError extends CodedError<ConnectionClosedErrorCode> {
  override readonly name = "ConnectionClosedError";
}
