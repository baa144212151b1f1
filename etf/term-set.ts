/**
 * Sets whose elements are compared as Erlang compares them, with `=:=`: a tuple or a binary is
 * found by any equal one, and `1` and `1.0` are two elements. In order of insertion.
 */
import type { MapValues } from "./map-base.ts";
import { TermMap } from "./term-map.ts";
import type { Term, TermInput } from "./terms.ts";

export class TermSet<T = Term> {
  readonly #elements = new TermMap<T, true>();

  constructor(elements: Iterable<T | TermInput> = []) {
    for (const element of elements) this.add(element);
  }

  get size(): number {
    return this.#elements.size;
  }

  has(element: T | TermInput): boolean {
    return this.#elements.has(element);
  }

  /** An element that is new is kept in the form it is decoded to: a string as its bytes. */
  add(element: T | TermInput): this {
    if (!this.#elements.has(element)) this.#elements.set(element, true);
    return this;
  }

  delete(element: T | TermInput): boolean {
    return this.#elements.delete(element);
  }

  clear(): void {
    this.#elements.clear();
  }

  values(): MapValues<T> {
    return this.#elements.keys();
  }

  [Symbol.iterator](): MapValues<T> {
    return this.#elements.keys();
  }

  forEach(callback: (element: T, set: this) => void): void {
    for (const element of this) callback(element, this);
  }

  get [Symbol.toStringTag](): string {
    return "TermSet";
  }
}
