/** What the connections of a node need to know, and whom they notify. */
import type { TermDecoder } from "../../../etf/index.ts";
import type { ConnectionLimits } from "../../distribution/connection.ts";
import type { ConnectionClosedError, DistProtocolError } from "../../distribution/errors.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Network } from "../../transport/transport.ts";
import type { NodeName } from "../identity/names.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "./peer.ts";

/** Where a node listens. */
export interface PeerAddress {
  host: string;
  tcpPort: number;
}

/**
 * Which signals connect to their receiver's node, as OTP's kernel parameter dist_auto_connect.
 * `never`: none do; `once`: only those to a node that has not been connected before. `connect` and
 * the peer itself can connect in either case.
 */
export type DistAutoConnect = "never" | "once";

export interface PeersOptions extends ConnectionLimits {
  self: ThisNode;
  /** Flags to offer in handshakes. */
  flags: bigint;
  network: Network;
  clock: Clock;
  netTickTimeMs: number;
  netTickIntensity: number;
  /** Reads what peers send. */
  decoder: TermDecoder;
  /** Bytes in fragments of a peer's unfinished messages. */
  maxFragmentedBytes: number;
  /** Limit for a whole connection set-up: look-up, connect, handshake. */
  netSetupTimeMs: number;
  /** Default: every signal connects. */
  distAutoConnect?: DistAutoConnect | undefined;
  cookieFor(peer: string): string;
  /** Asks the peer's EPMD. */
  lookUp(peer: NodeName, signal: AbortSignal): Promise<PeerAddress>;
}

/** Notified of what happens on connections, in order. */
export interface PeersHandler {
  up(peer: Peer): void;
  /** A node connected to this one and did not get through the handshake. */
  rejected(error: Error): void;
  /** This node got a name from a peer, or lost that name. */
  renamed(): void;
  /** No connection to the peer could be established. */
  failed(peer: Peer, error: Error): void;
  /** The connection to the peer ended. */
  down(peer: Peer, error: ConnectionClosedError | DistProtocolError): void;
}
