/** The events that a state machine still has to handle. */
import type { QueuedEvent } from "./gen-statem-callbacks.ts";

/** A queue that also takes events at its front. Each operation takes constant time on average. */
export class EventQueue {
  /** The next one last. */
  #front: QueuedEvent[] = [];
  #back: QueuedEvent[];

  constructor(...events: QueuedEvent[]) {
    this.#back = events;
  }

  /** The number of events. */
  get length(): number {
    return this.#front.length + this.#back.length;
  }

  /** The next event. */
  get first(): QueuedEvent | undefined {
    this.#turn();
    return this.#front.at(-1);
  }

  /** Puts an event after all others. */
  push(event: QueuedEvent): void {
    this.#back.push(event);
  }

  /** Takes the next event out. */
  shift(): QueuedEvent | undefined {
    this.#turn();
    return this.#front.pop();
  }

  /** Puts events before all others, keeping their order. */
  prepend(events: readonly QueuedEvent[]): void {
    for (let i = events.length - 1; i >= 0; i--) this.#front.push(events[i]!);
  }

  /** All events, the next one first. */
  toArray(): QueuedEvent[] {
    return [...this.#front].reverse().concat(this.#back);
  }

  #turn(): void {
    if (this.#front.length > 0) return;
    this.#front = this.#back.reverse();
    this.#back = [];
  }
}
