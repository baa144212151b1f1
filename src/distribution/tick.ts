/**
 * The rule of ticks: when to send one, and when the peer is taken for dead.
 *
 * As OTP's dist_util does it: the net tick time is cut into `intensity` parts; at the end of
 * each part a tick goes out if nothing else was written, and a peer from which nothing came
 * for `intensity` parts on end is gone. So silence is noticed between 1 and 1 + 1/intensity
 * times the net tick time. On a connection with a hidden node a tick also goes out when nothing
 * was read, because a hidden node need not tick by itself.
 */

/** Counters that only grow: bytes read and frames written so far; and whether bytes wait to be written. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
  readonly sendQueueEmpty: boolean;
}

export type TickDecision = "quiet" | "tick" | "timeout";

export class TickRule {
  readonly #intensity: number;
  readonly #hidden: boolean;
  #received = 0;
  #sent = 0;
  /** Parts on end in which nothing was read. */
  #silentParts = 0;

  constructor(intensity: number, hidden: boolean) {
    this.#intensity = intensity;
    this.#hidden = hidden;
  }

  /** To be called at the end of each part; "tick" asks the caller to send one. */
  check(traffic: Traffic): TickDecision {
    const readSome = traffic.received !== this.#received;
    const wroteSome = traffic.sent !== this.#sent;
    this.#silentParts = readSome ? 0 : this.#silentParts + 1;
    if (this.#silentParts >= this.#intensity) return "timeout";
    const tick = (!wroteSome && traffic.sendQueueEmpty) || (this.#hidden && !readSome);
    this.#received = traffic.received;
    // The tick itself is a write, but not one that silences the next part's tick.
    this.#sent = tick ? traffic.sent + 1 : traffic.sent;
    return tick ? "tick" : "quiet";
  }
}
