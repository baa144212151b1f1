/** The children of a supervisor, in the order in which they are started, and by id. */
import { type Pid, type Term, TermMap } from "../../etf/index.ts";
import type { Child } from "./child-spec.ts";

export class Children {
  #ordered: Child[] = [];
  readonly #byId = new TermMap<Term, Child>();

  /** In start order; the caller's to keep. */
  all(): Child[] {
    return [...this.#ordered];
  }

  get(id: Term): Child | undefined {
    return this.#byId.get(id);
  }

  /** The child whose process that is. */
  running(pid: Pid): Child | undefined {
    return this.#ordered.find((child) => !child.restarting && child.pid?.equals(pid) === true);
  }

  add(child: Child): void {
    this.#ordered.push(child);
    this.#byId.set(child.spec.id, child);
  }

  remove(child: Child): void {
    this.#ordered = this.#ordered.filter((each) => each !== child);
    this.#byId.delete(child.spec.id);
  }
}
