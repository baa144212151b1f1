/** The children of a supervisor, in start order, by id, and by pid. */
import { type Pid, type Term, TermMap } from "../../../etf/index.ts";
import { PidMap } from "../../node/process/identifiers.ts";
import type { Child } from "./child-spec.ts";

/** The collection of a supervisor's children. */
export class Children {
  readonly #ordered = new Set<Child>();
  readonly #byId = new TermMap<Term, Child>();
  readonly #byPid = new PidMap<Child>();

  /** All children in start order, as a new array. */
  all(): Child[] {
    return [...this.#ordered];
  }

  /** The child with an id. */
  get(id: Term): Child | undefined {
    return this.#byId.get(id);
  }

  /** The child that runs as this process. */
  running(pid: Pid): Child | undefined {
    const child = this.#byPid.get(pid);
    return child?.restarting === true ? undefined : child;
  }

  /** Sets the process of a child; undefined if it has none. */
  setPid(child: Child, pid: Pid | undefined): void {
    if (child.pid !== undefined && this.#byPid.get(child.pid) === child) {
      this.#byPid.delete(child.pid);
    }
    child.pid = pid;
    if (pid !== undefined) this.#byPid.set(pid, child);
  }

  /** Adds a child after all others. */
  add(child: Child): void {
    this.#ordered.add(child);
    this.#byId.set(child.spec.id, child);
  }

  /** Removes a child. */
  remove(child: Child): void {
    this.#ordered.delete(child);
    this.#byId.delete(child.spec.id);
  }
}
