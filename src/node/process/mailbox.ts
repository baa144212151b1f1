/**
 * A process's message queue with Erlang's selective receive: it takes the oldest message that matches
 * and leaves the others in order.
 *
 * It stays fast with many messages in the queue that no receive wants. A waiting receive sees each new
 * message once. Taking a message from the middle moves no other. And, like the runtime, the mailbox
 * remembers where a receive has to start: a reference of this node cannot be in a message that arrived
 * before the reference was made, and a `Pattern` sees each message only once.
 *
 * A peer's message stays encoded until it is taken or until a receive has to look at it. All messages
 * in the queue count against the budget that the mailboxes of the node share.
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

/** Returns whether a message is the wanted one. */
export type Matcher = (message: Term) => boolean;

/**
 * A matcher whose result depends on the message alone. A mailbox calls it once for each message, so
 * repeated receives with the same pattern skip the messages that it did not match.
 */
export class Pattern<T extends Term = Term> {
  readonly matches: (message: Term) => message is T;

  constructor(matches: ((message: Term) => message is T) | Matcher) {
    this.matches = matches as (message: Term) => message is T;
  }
}

/**
 * What a receive waits for. A reference stands for tuples that contain it as an element, or as
 * `[alias | Ref]`: replies, `DOWN` and the like.
 */
export type Wanted = Matcher | Pattern | Reference;

/** The options of a receive. */
export interface ReceiveOptions {
  /** Milliseconds to wait; 0 checks the queue and does not wait. Default: no limit. */
  timeoutMs?: number;
  /** Ends the wait when it fires; the receive rejects with its reason. */
  signal?: AbortSignal;
}

/** The references that this node made, in order. */
export interface MadeReferences {
  /** How many references were made. */
  readonly made: number;
  /** How many references were made before this one; -1 if this node did not make it. */
  madeBefore(ref: Reference): number;
}

/** A message in the queue. Once removed it keeps its `prev`, because `#refused` may still point to it. */
interface Entry {
  /** Undefined once it was removed. */
  message: Term | KeptPayload | undefined;
  /** What it counts for: bytes on the wire, or of heap once it was read. */
  bytes: number;
  /** How many references had been made when it arrived. */
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
  /** Releases the timer and the signal. */
  release: (() => void) | undefined;
  prev: Waiter | undefined;
  next: Waiter | undefined;
}

/** What a message counts for in addition to its bytes: its entry in the queue and its outermost object. */
const ENTRY_BYTES = 128;
/** Up to this size, a message that is read takes no more heap than its encoded form with its overhead. */
const READ_AT_ONCE_BYTES = 128;

const SYSTEM_LIMIT = atom("system_limit");

const anything: Matcher = () => true;
const NO_REFERENCES: MadeReferences = { made: 0, madeBefore: () => -1 };

/** The messages of a process and its waiting receives. */
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
  /** For each pattern and reference, the last message that did not match; undefined before the first. */
  #refused: WeakMap<Pattern | Reference, Entry | undefined> | undefined;
  #closed: Error | undefined;
  /** How many bytes this mailbox may hold before `onExceeded` is called. Default: Infinity. */
  maxBytes: number = Number.POSITIVE_INFINITY;
  /** Called when the mailbox holds more than `maxBytes`. */
  onExceeded: (() => void) | undefined;

  /**
   * @param budget counts the bytes of all mailboxes of the node
   * @param references lets a receive by reference skip older messages
   */
  constructor(
    clock: Clock,
    budget?: Pick<MailboxBudget, "add" | "remove" | "maxBytes">,
    references: MadeReferences = NO_REFERENCES,
  ) {
    this.#clock = clock;
    this.#budget = budget;
    this.#references = references;
  }

  /** How many messages the queue holds. */
  get length(): number {
    return this.#length;
  }

  /**
   * The messages in the queue, oldest first. They stay in the queue, encoded as they arrived, so reading
   * them does not count against the budget.
   * @throws ErlangError error `system_limit` if together they would take more than the budget
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

  /** Bytes that the messages in the queue take: on the wire, or of heap once they were read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a message. @param heapBytes what it counts for */
  push(message: Term, heapBytes = 0): void {
    if (!this.#offered(message)) this.#append(message, heapBytes);
  }

  /**
   * Adds a peer's message, or what `makes` makes of the payload. Unless it is small, it is read at once
   * only if a receive is waiting.
   * @throws DistProtocolError, EtfDecodeError if it is read and malformed
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

  /** Removes and returns the oldest message; undefined if the queue is empty. */
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
   * Removes and returns the oldest message that matches; waits for one if necessary.
   * @throws NodeError PROCESS_RECEIVE_TIMEOUT; the error that closed the mailbox; the signal's reason
   */
  receive(wanted: Wanted = anything, options?: ReceiveOptions): Promise<Term> {
    // An async function would cost two more microtasks and two more promises for each message.
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
        // A message that turned out malformed is no longer in the list.
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

  /** Removes and returns all messages that match, without waiting. @param since only messages after that reference was made */
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

  /** Drops all messages; waiting and later receives reject with the error. */
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

  /** Applies the timeout and the signal to a waiting receive. */
  #limit(waiter: Waiter, options: ReceiveOptions): void {
    const timedOut = (timeoutMs: number): void => {
      this.#remember(waiter.wanted, this.#last);
      const text = `No matching message arrived within ${timeoutMs} ms.`;
      this.#fail(waiter, new NodeError("PROCESS_RECEIVE_TIMEOUT", text));
    };
    const aborted = (reason: unknown): void => this.#fail(waiter, reason);
    waiter.release = limitWait(this.#clock, options, timedOut, aborted);
  }

  /** Offers a message to one receive; a matcher that throws fails that receive, not the sender. */
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

  /** The first message that a receive has to look at. */
  #start(wanted: Wanted): Entry | undefined {
    if (typeof wanted === "function") return this.#first;
    if (this.#refused?.has(wanted) !== true) {
      return isReference(wanted) ? this.#firstSince(wanted) : this.#first;
    }
    let refused = this.#refused.get(wanted);
    // The messages before a removed one did not match either.
    while (refused !== undefined && refused.message === undefined) refused = refused.prev;
    return refused === undefined ? this.#first : refused.next;
  }

  /** Records that no message up to this one matched. */
  #remember(wanted: Wanted, refused: Entry | undefined): void {
    if (typeof wanted === "function" || this.#closed !== undefined) return;
    this.#refused ??= new WeakMap();
    this.#refused.set(wanted, refused);
  }

  /** The first message that arrived after the reference was made. */
  #firstSince(ref: Reference): Entry | undefined {
    const before = this.#references.madeBefore(ref);
    let first: Entry | undefined;
    for (let entry = this.#last; entry !== undefined; entry = entry.prev) {
      if (entry.madeReferences <= before) break;
      first = entry;
    }
    return first;
  }

  /** Offers a message to the waiting receives; returns whether one of them took it. */
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

  /** Counts more bytes. Processes that exceed a budget are ended, perhaps the owner of this mailbox. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget?.add(bytes);
    if (this.#bytes > this.maxBytes) this.onExceeded?.();
  }

  /**
   * The message of an entry, read now if it is still encoded. Undefined if it is malformed; it is then
   * removed. Reading may end a connection or a process, and thereby close this mailbox.
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
