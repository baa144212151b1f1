/**
 * How much all mailboxes of a node may hold together, and what happens above that.
 *
 * A full mailbox never stops a connection, because replies, exits and messages for other processes
 * arrive on the same one. So memory is limited as `max_heap_size` limits it in OTP: the process with the
 * largest mailbox ends with the reason `killed`.
 */

/** Makes room when the budget runs out. */
export interface BudgetKeeper {
  /** Half of the budget is in use, for the first time since it was below a quarter. */
  half(bytes: number, maxBytes: number): void;
  /** More than the budget is in use: ends processes until at most `targetBytes` are. */
  exceeded(bytes: number, maxBytes: number, targetBytes: number): void;
}

/** Counts the bytes in all mailboxes and asks its keeper to make room. */
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

  /** Bytes that the messages in all mailboxes take: on the wire, or of heap once they were read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that a mailbox now holds; may end processes. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.maxBytes / 2) return;
    if (!this.#halfTold) {
      this.#halfTold = true;
      this.#keeper.half(this.#bytes, this.maxBytes);
    }
    if (this.#bytes <= this.maxBytes || this.#making) return;
    // Processes that end here send messages to others, which count as well.
    this.#making = true;
    try {
      this.#keeper.exceeded(this.#bytes, this.maxBytes, this.maxBytes - this.maxBytes / 8);
    } finally {
      this.#making = false;
    }
  }

  /** Counts bytes that a mailbox no longer holds. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < this.maxBytes / 4) this.#halfTold = false;
  }
}
