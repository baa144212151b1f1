/** The children of a supervisor, in the order in which they are started, by id, and by pid. */
import { type Pid, type Term, TermMap } from "../../../etf/index.ts";
import { PidMap } from "../../node/process/identifiers.ts";
import type { Child } from "./child-spec.ts";

export class Children {
  readonly #ordered = new Set<Child>();
  readonly #byId = new TermMap<Term, Child>();
  readonly #byPid = new PidMap<Child>();

  /** In start order; the caller's to keep. */
  all(): Child[] {
    return [...this.#ordered];
  }

  get(id: Term): Child | undefined {
    return this.#byId.get(id);
  }

  /** The child whose process that is. */
  running(pid: Pid): Child | undefined {
    const child = this.#byPid.get(pid);
    return child?.restarting === true ? undefined : child;
  }

  /** Says which process a child is now, or that it is none. */
  setPid(child: Child, pid: Pid | undefined): void {
    if (child.pid !== undefined && this.#byPid.get(child.pid) === child) {
      this.#byPid.delete(child.pid);
    }
    child.pid = pid;
    if (pid !== undefined) this.#byPid.set(pid, child);
  }

  add(child: Child): void {
    this.#ordered.add(child);
    this.#byId.set(child.spec.id, child);
  }

  remove(child: Child): void {
    this.#ordered.delete(child);
    this.#byId.delete(child.spec.id);
  }
}
