/**
 * A process's message queue with Erlang's selective receive: the oldest message that matches is
 * taken, the others stay in order.
 *
 * It stays fast while many messages wait that nobody wants. A receive that waits is offered each
 * new message once. Taking a message out of the middle moves no other. And where a receive begins
 * to look is remembered as the runtime remembers it: a reference of this node is not in messages
 * that were there before it was made, and a `Pattern` is never asked of a message again.
 *
 * A peer's message waits in its encoded form and is read when it is taken, or when a receive has to
 * look at it. What waits counts against the budget that all mailboxes of the node share.
 */
import {
  atom,
  ImproperList,
  isReference,
  isTuple,
  type Reference,
  type Term,
} from "../../../etf/index.ts";
import { KeptPayload, type MakesMessage, type Payload } from "../../distribution/payload.ts";
import type { Clock } from "../../transport/clock.ts";
import { NodeError } from "../errors.ts";
import { ErlangError } from "../exceptions.ts";
import type { MailboxBudget } from "./mailbox-budget.ts";
import { limitWait } from "./wait-limits.ts";

/** Says whether a message is the one waited for. */
export type Matcher = (message: Term) => boolean;

/**
 * A matcher whose answer depends on the message alone: it says the same of a message whenever it
 * is asked. A mailbox asks it once, so that to receive with one pattern again and again takes no
 * longer for the messages that it does not match.
 */
export class Pattern<T extends Term = Term> {
  readonly matches: (message: Term) => message is T;

  constructor(matches: ((message: Term) => message is T) | Matcher) {
    this.matches = matches as (message: Term) => message is T;
  }
}

/**
 * What a receive waits for. A reference stands for the messages that are tuples with it among
 * their elements, also as `[alias | Ref]`: replies, `DOWN` and the like.
 */
export type Wanted = Matcher | Pattern | Reference;

export interface ReceiveOptions {
  /** Milliseconds to wait; 0 only looks. Default: no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** The references made by this node, in their order. */
export interface MadeReferences {
  /** How many were made. */
  readonly made: number;
  /** How many had been made before this one; -1 if it is not one of them. */
  madeBefore(ref: Reference): number;
}

/** A message that waits. One that was taken out keeps its `prev`, for who remembers it. */
interface Entry {
  /** Undefined when it was taken out. */
  message: Term | KeptPayload | undefined;
  /** What it counts for: bytes on the wire, or of heap once it was read. */
  bytes: number;
  /** References that had been made when it came. */
  readonly madeReferences: number;
  prev: Entry | undefined;
  next: Entry | undefined;
}

/** A receive that waits. */
interface Waiter {
  readonly wanted: Wanted;
  readonly matches: Matcher;
  readonly resolve: (message: Term) => void;
  readonly reject: (error: unknown) => void;
  /** Lets go of the timer and the signal, if there are any. */
  release: (() => void) | undefined;
  prev: Waiter | undefined;
  next: Waiter | undefined;
}

/** What a message counts for besides its bytes: its place in the list, and its outermost object. */
const ENTRY_BYTES = 128;
/** A message of up to this size costs no more heap than its encoded form would with all around it. */
const READ_AT_ONCE_BYTES = 128;

const SYSTEM_LIMIT = atom("system_limit");

const anything: Matcher = () => true;
const NO_REFERENCES: MadeReferences = { made: 0, madeBefore: () => -1 };

export class Mailbox {
  readonly #clock: Clock;
  readonly #budget: Pick<MailboxBudget, "add" | "remove" | "maxBytes"> | undefined;
  readonly #references: MadeReferences;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #length = 0;
  #bytes = 0;
  #firstWaiter: Waiter | undefined;
  #lastWaiter: Waiter | undefined;
  /** For each pattern and reference, the last message that was refused; undefined if none was. */
  #refused: WeakMap<Pattern | Reference, Entry | undefined> | undefined;
  #closed: Error | undefined;
  /** What may wait here, in bytes, before `onExceeded` is called. */
  maxBytes: number = Number.POSITIVE_INFINITY;
  onExceeded: (() => void) | undefined;

  constructor(
    clock: Clock,
    budget?: Pick<MailboxBudget, "add" | "remove" | "maxBytes">,
    references: MadeReferences = NO_REFERENCES,
  ) {
    this.#clock = clock;
    this.#budget = budget;
    this.#references = references;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#length;
  }

  /**
   * The messages waiting, oldest first. They wait on as they came: to look at them costs nobody's
   * budget.
   * @throws ErlangError error `system_limit` when together they would take more than the budget
   */
  get messages(): Term[] {
    const messages: Term[] = [];
    const maxBytes = this.#budget?.maxBytes ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    for (let entry = this.#first; entry !== undefined; entry = entry.next) {
      const { message } = entry;
      if (!(message instanceof KeptPayload)) {
        messages.push(message as Term);
        continue;
      }
      const read = message.read();
      if (read === undefined) continue;
      bytes += read.heapBytes;
      if (bytes > maxBytes) throw ErlangError.error(SYSTEM_LIMIT);
      messages.push(read.term);
    }
    return messages;
  }

  /** What the waiting messages count for: their bytes on the wire, or of heap once they were read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a message. */
  push(message: Term, heapBytes = 0): void {
    if (!this.#offered(message)) this.#append(message, heapBytes);
  }

  /**
   * Adds a peer's message, or the one that `makes` makes of the payload; read at once only for a
   * receive that waits.
   * @throws DistProtocolError, EtfDecodeError when it is read and malformed
   */
  arrive(payload: Payload, makes?: MakesMessage): void {
    if (this.#firstWaiter === undefined && payload.bytes > READ_AT_ONCE_BYTES) {
      this.#append(payload.keep(makes), payload.bytes);
      return;
    }
    const term = payload.read();
    const message = makes === undefined ? term : makes(term);
    if (!this.#offered(message)) this.#append(message, payload.heapBytes);
  }

  /** The oldest message, if there is one. */
  shift(): Term | undefined {
    while (this.#first !== undefined) {
      const entry = this.#first;
      const message = this.#read(entry);
      if (message === undefined) continue;
      this.#remove(entry);
      return message;
    }
    return undefined;
  }

  /**
   * The oldest message that matches, waiting for it if need be.
   * @throws NodeError PROCESS_RECEIVE_TIMEOUT, or what closed the mailbox; the signal's reason
   */
  receive(wanted: Wanted = anything, options?: ReceiveOptions): Promise<Term> {
    // Not an async function: that would take two more turns and as many promises for each message.
    try {
      options?.signal?.throwIfAborted();
      const matches = matcherOf(wanted);
      let entry = this.#start(wanted);
      while (entry !== undefined) {
        const { prev } = entry;
        const message = this.#read(entry);
        const taken = message !== undefined && matches(message);
        if (this.#closed !== undefined) break;
        if (taken) {
          this.#remember(wanted, prev);
          this.#remove(entry);
          return Promise.resolve(message);
        }
        // One that proved malformed is out of the list.
        if (message !== undefined) entry = entry.next;
        else entry = prev === undefined ? this.#first : prev.next;
      }
      if (this.#closed !== undefined) return Promise.reject(this.#closed);
      this.#remember(wanted, this.#last);
      return this.#wait(wanted, matches, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes every message that matches, without waiting; of those since a reference if one is given. */
  flush(matches: Matcher, since?: Reference): Term[] {
    const taken: Term[] = [];
    let entry = since === undefined ? this.#first : this.#firstSince(since);
    while (entry !== undefined) {
      const message = this.#read(entry);
      const { next } = entry;
      if (message !== undefined && matches(message)) {
        taken.push(message);
        this.#remove(entry);
      }
      entry = next;
    }
    return taken;
  }

  /** Rejects who waits; what is received later is thrown the same error. */
  close(error: Error): void {
    this.#closed = error;
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
    this.#budget?.remove(this.#bytes);
    this.#bytes = 0;
    this.#refused = undefined;
    while (this.#firstWaiter !== undefined) this.#fail(this.#firstWaiter, error);
  }

  #wait(wanted: Wanted, matches: Matcher, options?: ReceiveOptions): Promise<Term> {
    return new Promise((resolve, reject) => {
      const prev = this.#lastWaiter;
      const waiter: Waiter = {
        wanted,
        matches,
        resolve,
        reject,
        release: undefined,
        prev,
        next: undefined,
      };
      if (prev === undefined) this.#firstWaiter = waiter;
      else prev.next = waiter;
      this.#lastWaiter = waiter;
      if (options !== undefined) this.#limit(waiter, options);
    });
  }

  /** Sets the waiter's limits: a time and a signal. */
  #limit(waiter: Waiter, options: ReceiveOptions): void {
    const timedOut = (timeoutMs: number): void => {
      this.#remember(waiter.wanted, this.#last);
      const text = `No message that matches came within ${timeoutMs} ms.`;
      this.#fail(waiter, new NodeError("PROCESS_RECEIVE_TIMEOUT", text));
    };
    const aborted = (reason: unknown): void => this.#fail(waiter, reason);
    waiter.release = limitWait(this.#clock, options, timedOut, aborted);
  }

  /** A matcher that throws ends its own receive, not the sender. */
  #offer(waiter: Waiter, message: Term): boolean {
    try {
      if (!waiter.matches(message)) return false;
    } catch (error) {
      this.#fail(waiter, error);
      return false;
    }
    this.#leave(waiter);
    this.#remember(waiter.wanted, this.#last);
    waiter.resolve(message);
    return true;
  }

  #fail(waiter: Waiter, error: unknown): void {
    this.#leave(waiter);
    waiter.reject(error);
  }

  #leave(waiter: Waiter): void {
    const { prev, next } = waiter;
    if (prev === undefined) this.#firstWaiter = next;
    else prev.next = next;
    if (next === undefined) this.#lastWaiter = prev;
    else next.prev = prev;
    waiter.release?.();
  }

  /** The first message that may be what is wanted. */
  #start(wanted: Wanted): Entry | undefined {
    if (typeof wanted === "function") return this.#first;
    if (this.#refused?.has(wanted) !== true) {
      return isReference(wanted) ? this.#firstSince(wanted) : this.#first;
    }
    let refused = this.#refused.get(wanted);
    // What was before one that is gone was refused as well.
    while (refused !== undefined && refused.message === undefined) refused = refused.prev;
    return refused === undefined ? this.#first : refused.next;
  }

  /** Every message up to that one was refused. */
  #remember(wanted: Wanted, refused: Entry | undefined): void {
    if (typeof wanted === "function" || this.#closed !== undefined) return;
    this.#refused ??= new WeakMap();
    this.#refused.set(wanted, refused);
  }

  /** The first message that came when the reference had been made. */
  #firstSince(ref: Reference): Entry | undefined {
    const before = this.#references.madeBefore(ref);
    let first: Entry | undefined;
    for (let entry = this.#last; entry !== undefined; entry = entry.prev) {
      if (entry.madeReferences <= before) break;
      first = entry;
    }
    return first;
  }

  /** Offers a message to those who wait; returns whether one of them took it. */
  #offered(message: Term): boolean {
    for (let waiter = this.#firstWaiter; waiter !== undefined; ) {
      const { next } = waiter;
      if (this.#offer(waiter, message)) return true;
      waiter = next;
    }
    return false;
  }

  #append(message: Term | KeptPayload, messageBytes: number): void {
    const prev = this.#last;
    const madeReferences = this.#references.made;
    const bytes = messageBytes + ENTRY_BYTES;
    const entry: Entry = { message, bytes, madeReferences, prev, next: undefined };
    if (prev === undefined) this.#first = entry;
    else prev.next = entry;
    this.#last = entry;
    this.#length++;
    this.#count(bytes);
  }

  /** What waits has grown; whoever exceeds a budget may be ended, the owner of this mailbox too. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget?.add(bytes);
    if (this.#bytes > this.maxBytes) this.onExceeded?.();
  }

  /**
   * An entry's message, read now if it was not yet. Undefined when it is malformed: then it is out.
   * Reading may end a connection or a process, and with it close this mailbox.
   */
  #read(entry: Entry): Term | undefined {
    const { message } = entry;
    if (!(message instanceof KeptPayload)) return message;
    const read = message.read();
    if (entry.message === undefined || this.#closed !== undefined) return undefined;
    if (read === undefined) {
      this.#remove(entry);
      return undefined;
    }
    entry.message = read.term;
    const more = read.heapBytes + ENTRY_BYTES - entry.bytes;
    entry.bytes += more;
    this.#count(more);
    return this.#closed === undefined ? read.term : undefined;
  }

  #remove(entry: Entry): void {
    const { prev, next } = entry;
    entry.message = undefined;
    entry.next = undefined;
    if (prev === undefined) this.#first = next;
    else prev.next = next;
    if (next === undefined) this.#last = prev;
    else next.prev = prev;
    this.#length--;
    this.#bytes -= entry.bytes;
    this.#budget?.remove(entry.bytes);
  }
}

function matcherOf(wanted: Wanted): Matcher {
  if (typeof wanted === "function") return wanted;
  if (wanted instanceof Pattern) return wanted.matches;
  return (message) => isTuple(message) && message.some((element) => means(element, wanted));
}

function means(element: Term, ref: Reference): boolean {
  return element instanceof ImproperList ? ref.equals(element.tail) : ref.equals(element);
}
