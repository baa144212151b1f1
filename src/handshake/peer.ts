/**
 * What a handshake is about: who the peer is and what was agreed.
 */
import { negotiate } from "../distribution/flags.ts";

export interface PeerIdentity {
  readonly name: string;
  /** As offered, MANDATORY_25_DIGEST replaced by the flags it stands for. */
  readonly flags: bigint;
  readonly creation: number;
}

/** The end of a handshake that went well, the same in both roles. */
export interface Agreement {
  readonly peer: PeerIdentity;
  /** The flags both sides offered: what the connection may use. */
  readonly negotiatedFlags: bigint;
  /** Our own name and creation: those the peer gave us, if we asked for them (NAME_ME). */
  readonly ownName: string;
  readonly ownCreation: number;
}

export function agreement(
  peer: PeerIdentity,
  own: { readonly name: string; readonly creation: number; readonly flags: bigint },
): Agreement {
  return {
    peer,
    negotiatedFlags: negotiate(own.flags, peer.flags),
    ownName: own.name,
    ownCreation: own.creation,
  };
}
