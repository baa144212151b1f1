/**
 * What all mailboxes of a node may hold together, and what happens beyond it.
 *
 * A full mailbox never stops a connection: answers, exits and messages for other processes come the
 * same way. So memory is bounded as `max_heap_size` bounds it in OTP: the process with the largest
 * mailbox is ended, with the reason `killed`.
 */

/** Someone who is asked to make room. */
export interface BudgetKeeper {
  /** Half of the budget is in use, for the first time since less than a quarter was. */
  half(bytes: number, maxBytes: number): void;
  /** More than the budget is in use: ends processes until no more than `targetBytes` are. */
  exceeded(bytes: number, maxBytes: number, targetBytes: number): void;
}

export class MailboxBudget {
  readonly maxBytes: number;
  readonly #keeper: BudgetKeeper;
  #bytes = 0;
  #halfTold = false;
  #making = false;

  constructor(maxBytes: number, keeper: BudgetKeeper) {
    this.maxBytes = maxBytes;
    this.#keeper = keeper;
  }

  /** Bytes that waiting messages take: on the wire, or in heap once they were read. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.maxBytes / 2) return;
    if (!this.#halfTold) {
      this.#halfTold = true;
      this.#keeper.half(this.#bytes, this.maxBytes);
    }
    if (this.#bytes <= this.maxBytes || this.#making) return;
    // What ends while room is made tells others, whose messages count as well.
    this.#making = true;
    try {
      this.#keeper.exceeded(this.#bytes, this.maxBytes, this.maxBytes - this.maxBytes / 8);
    } finally {
      this.#making = false;
    }
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < this.maxBytes / 4) this.#halfTold = false;
  }
}
