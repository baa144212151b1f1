/**
 * The name server's data: keys compared as Erlang compares them with `=:=`, and any term as a
 * value, given back as the very term that was stored.
 */
import { type Atom, type Term, TermMap, type Tuple, tuple } from "../../etf/index.ts";
import { OK, UNDEFINED } from "../node/atoms.ts";

export class KvsStore {
  readonly #values = new TermMap<Term, Term>();

  get size(): number {
    return this.#values.size;
  }

  /** Stores a value under a key, in the place of an older one. Returns `true`, as the book's does. */
  store(key: Term, value: Term): true {
    this.#values.set(key, value);
    return true;
  }

  /** `{ok, Value}`, or the atom `undefined`. */
  lookup(key: Term): Tuple<readonly [Atom<"ok">, Term]> | Atom<"undefined"> {
    const value = this.#values.get(key);
    return value === undefined ? UNDEFINED : tuple(OK, value);
  }
}
