/**
 * The cookies a node uses: one for everybody, and others for single peers.
 *
 * As `erlang:set_cookie/2` has it: a peer's own cookie counts in both roles, when we connect to it
 * and when it connects to us; what is set counts from the next handshake on.
 */
import { checkCookie } from "./cookie.ts";

export class CookieTable {
  #common: string;
  readonly #byPeer = new Map<string, string>();

  /**
   * @param byPeer cookies of single peers, by full node name
   * @throws NodeError NODE_COOKIE_INVALID
   */
  constructor(common: string, byPeer: Readonly<Record<string, string>> = {}) {
    this.#common = checkCookie(common);
    for (const [peer, cookie] of Object.entries(byPeer)) this.set(peer, cookie);
  }

  /** The cookie of all peers that have none of their own. */
  get common(): string {
    return this.#common;
  }

  /** @throws NodeError NODE_COOKIE_INVALID */
  set common(cookie: string) {
    this.#common = checkCookie(cookie);
  }

  /** The cookie to use with a peer. */
  of(peer: string): string {
    return this.#byPeer.get(peer) ?? this.#common;
  }

  /** @throws NodeError NODE_COOKIE_INVALID */
  set(peer: string, cookie: string): void {
    this.#byPeer.set(peer, checkCookie(cookie));
  }
}
