/**
 * A process's message queue with Erlang's selective receive: the oldest message that matches is
 * taken, the others stay in order.
 *
 * It stays fast while many messages wait that nobody wants. A receive that waits is offered each
 * new message once. Taking a message out of the middle moves no other. And where a receive begins
 * to look is remembered as the runtime remembers it: a reference of this node is not in messages
 * that were there before it was made, and a `Pattern` is never asked of a message again.
 *
 * What waits here has a bound: above it, connections that bring more are read no further until
 * half of it has been taken, so that a flood is held up where it comes from.
 */
import { ImproperList, isReference, isTuple, type Reference, type Term } from "../../etf/index.ts";
import type { Clock } from "../transport/clock.ts";
import { NodeError } from "./errors.ts";
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

/** Where messages come from that can be held up. */
export interface Source {
  /** Brings nothing more until `resume` with the same holder. */
  pause(holder: object): void;
  resume(holder: object): void;
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
  message: Term | undefined;
  /** Bytes it took on the wire; 0 for one of this node. */
  readonly bytes: number;
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

const anything: Matcher = () => true;
const NO_REFERENCES: MadeReferences = { made: 0, madeBefore: () => -1 };

export class Mailbox {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #references: MadeReferences;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #length = 0;
  #bytes = 0;
  #heldUp: Set<Source> | undefined;
  #firstWaiter: Waiter | undefined;
  #lastWaiter: Waiter | undefined;
  /** For each pattern and reference, the last message that was refused; undefined if none was. */
  #refused: WeakMap<Pattern | Reference, Entry | undefined> | undefined;
  #closed: Error | undefined;

  /** @param maxBytes of messages from other nodes, above which their connections are held up */
  constructor(
    clock: Clock,
    maxBytes: number = Number.POSITIVE_INFINITY,
    references: MadeReferences = NO_REFERENCES,
  ) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#references = references;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#length;
  }

  /** The messages waiting, oldest first. */
  get messages(): Term[] {
    const messages: Term[] = [];
    for (let entry = this.#first; entry !== undefined; entry = entry.next) {
      messages.push(entry.message as Term);
    }
    return messages;
  }

  /** What the waiting messages of other nodes took on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a message; `bytes` and `source` are those of a connection that brought it. */
  push(message: Term, bytes = 0, source?: Source): void {
    for (let waiter = this.#firstWaiter; waiter !== undefined; ) {
      const { next } = waiter;
      if (this.#offer(waiter, message)) return;
      waiter = next;
    }
    const prev = this.#last;
    const madeReferences = this.#references.made;
    const entry: Entry = { message, bytes, madeReferences, prev, next: undefined };
    if (prev === undefined) this.#first = entry;
    else prev.next = entry;
    this.#last = entry;
    this.#length++;
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes && source !== undefined) {
      this.#heldUp ??= new Set();
      if (this.#heldUp.has(source)) return;
      this.#heldUp.add(source);
      source.pause(this);
    }
  }

  /** The oldest message, if there is one. */
  shift(): Term | undefined {
    return this.#first === undefined ? undefined : this.#take(this.#first);
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
      for (let entry = this.#start(wanted); entry !== undefined; entry = entry.next) {
        if (!matches(entry.message as Term)) continue;
        this.#remember(wanted, entry.prev);
        return Promise.resolve(this.#take(entry));
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
      const { next } = entry;
      if (matches(entry.message as Term)) taken.push(this.#take(entry));
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
    this.#bytes = 0;
    this.#refused = undefined;
    this.#release();
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

  #take(entry: Entry): Term {
    const { prev, next } = entry;
    const message = entry.message as Term;
    entry.message = undefined;
    entry.next = undefined;
    if (prev === undefined) this.#first = next;
    else prev.next = next;
    if (next === undefined) this.#last = prev;
    else next.prev = prev;
    this.#length--;
    this.#bytes -= entry.bytes;
    if (this.#heldUp !== undefined && this.#bytes <= this.#maxBytes / 2) this.#release();
    return message;
  }

  #release(): void {
    for (const source of this.#heldUp ?? []) source.resume(this);
    this.#heldUp = undefined;
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
