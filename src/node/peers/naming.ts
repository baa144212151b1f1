/**
 * Dynamic node names: the names this node gives to peers that ask for one, and the name that a peer
 * gives to this node. See ThisNode.
 */
import { randomBytes } from "node:crypto";
import type { Atom } from "../../../etf/index.ts";
import type { GivenName, HandshakeResult } from "../../handshake/drive.ts";
import { asAtom } from "../atoms.ts";
import { NamePool } from "../identity/name-pool.ts";
import type { ThisNode } from "../identity/this-node.ts";
import type { Peer } from "./peer.ts";

export class Naming {
  readonly #self: ThisNode;
  readonly #pool = new NamePool(() => randomBytes(8).readBigUInt64BE());
  /** The peer that is being asked for this node's name; other attempts wait for it. */
  #asked: Peer | undefined;
  /** The peer that named this node. */
  #namedBy: Peer | undefined;

  constructor(self: ThisNode) {
    this.#self = self;
  }

  /**
   * A name for a node that asks for one.
   * @param taken whether a peer has that name
   */
  give(host: string, taken: (name: Atom) => boolean): GivenName | undefined {
    for (;;) {
      const given = this.#pool.take(host);
      if (given === undefined || !taken(asAtom(given.name))) return given;
    }
  }

  /** The node of that name is gone, or did not get through the handshake. */
  giveBack(given: GivenName): void {
    this.#pool.giveBack(given);
  }

  /**
   * Resolves to whether this attempt asks the peer for this node's name, once no other attempt does.
   * @throws the signal's reason
   */
  async asks(peer: Peer, signal: AbortSignal): Promise<boolean> {
    while (this.#self.unnamed && this.#asked !== undefined) {
      await this.#asked.settled().catch(() => {});
    }
    signal.throwIfAborted();
    if (!this.#self.unnamed) return false;
    this.#asked = peer;
    const over = (): void => {
      this.#asked = undefined;
    };
    peer.settled().then(over, over);
    return true;
  }

  /** The peer gave this node its name. */
  named(peer: Peer, { ownName, ownCreation }: HandshakeResult): void {
    this.#namedBy = peer;
    this.#self.rename(ownName, ownCreation);
  }

  /** The connection ended. Returns whether this node has lost its name with it. */
  lost(peer: Peer): boolean {
    if (peer.given !== undefined) this.giveBack(peer.given);
    if (peer !== this.#namedBy) return false;
    this.#namedBy = undefined;
    return true;
  }
}
