/**
 * The cookies of a node: one for all peers, and others for individual peers.
 *
 * As with `erlang:set_cookie/2`, a peer's own cookie applies whichever side connects, and a change
 * takes effect with the next handshake.
 */
import { checkCookie } from "./cookie.ts";

/** The cookie to use with each peer. */
export class CookieTable {
  #common: string;
  readonly #byPeer = new Map<string, string>();

  /**
   * @param common the cookie for peers that have none of their own
   * @param byPeer cookies of individual peers, by full node name
   * @throws NodeError NODE_COOKIE_INVALID
   */
  constructor(common: string, byPeer: Readonly<Record<string, string>> = {}) {
    this.#common = checkCookie(common);
    for (const [peer, cookie] of Object.entries(byPeer)) this.set(peer, cookie);
  }

  /** The cookie for all peers that have none of their own. */
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

  /** Sets the cookie of one peer. @throws NodeError NODE_COOKIE_INVALID */
  set(peer: string, cookie: string): void {
    this.#byPeer.set(peer, checkCookie(cookie));
  }
}
