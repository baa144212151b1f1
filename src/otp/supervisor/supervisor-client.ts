/**
 * A client of supervisors on any node, as module `supervisor`; supervisor.ts lists the requests. As in
 * OTP, calls have no time-out by default.
 */
import { type Atom, atom, type Pid, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import { asTerm } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";
import { COUNT_CHILDREN, START_CHILD, WHICH_CHILDREN } from "../gen/atoms.ts";
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import { type ChildSpec, type ModuleFunction, specTerm } from "./child-spec.ts";

/** A child specification for another node, whose start function is a module's. */
export interface RemoteChildSpec extends ChildSpec {
  start: ModuleFunction;
}

/** `{Id, Child, Type, Modules}`. Child is a pid, or the atom `undefined` or `restarting`. */
export type ChildTuple = readonly [id: Term, child: Pid | Atom, type: Atom, modules: Term];

/** How many children a supervisor has. */
export interface ChildCounts {
  /** Child specifications. */
  specs: number;
  /** Children that are up. */
  active: number;
  /** Children that are supervisors. */
  supervisors: number;
  /** Children that are workers. */
  workers: number;
}

/**
 * Inspects and controls supervisors of any node: `node.supervisor`. Each method throws as
 * `node.gen.call`, and returns the errors that OTP returns, `{error, Reason}`, as terms.
 *
 * ```ts
 * for (const [id, child] of await node.supervisor.whichChildren(["top", "b@host"])) {
 *   console.log(String(id), String(child));
 * }
 * ```
 */
export class SupervisorClient {
  readonly #gen: GenClient;

  constructor(gen: GenClient) {
    this.#gen = gen;
  }

  /** Lists the children, the last started first, as `supervisor:which_children/1`. */
  async whichChildren(supervisor: MonitorTarget, options?: GenCallOptions): Promise<ChildTuple[]> {
    const children = await this.#call(supervisor, WHICH_CHILDREN, options);
    return children as unknown as ChildTuple[];
  }

  /** Counts the children, as `supervisor:count_children/1`. */
  async countChildren(supervisor: MonitorTarget, options?: GenCallOptions): Promise<ChildCounts> {
    const counts = await this.#call(supervisor, COUNT_CHILDREN, options);
    const rows = (counts as [Atom, number][]).map(([what, count]) => [what.name, count]);
    return Object.fromEntries(rows) as ChildCounts;
  }

  /**
   * Starts a child, as `supervisor:start_child/2`. Resolves with `{ok, Child}`, `{ok, Child, Info}` or
   * `{error, Reason}`.
   * @param child a specification, or the further arguments for a simple_one_for_one supervisor
   */
  startChild(
    supervisor: MonitorTarget,
    child: RemoteChildSpec | readonly TermInput[],
    options?: GenCallOptions,
  ): Promise<Term> {
    const argument = Array.isArray(child) ? child : specTerm(child as RemoteChildSpec);
    return this.#call(supervisor, tuple(START_CHILD, argument), options);
  }

  /**
   * Ends a child, as `supervisor:terminate_child/2`. Resolves with `ok` or `{error, Reason}`.
   * @param id the child's id; its pid for a simple_one_for_one supervisor
   */
  terminateChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("terminate_child", supervisor, id, options);
  }

  /** Restarts an ended child, as `supervisor:restart_child/2`. Resolves as `startChild`. */
  restartChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("restart_child", supervisor, id, options);
  }

  /** Deletes the specification of an ended child. Resolves with `ok` or `{error, Reason}`. */
  deleteChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("delete_child", supervisor, id, options);
  }

  /** Reads a child's specification. Resolves with `{ok, Spec}` or `{error, not_found}`. */
  getChildspec(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("get_childspec", supervisor, id, options);
  }

  #about(
    what: string,
    supervisor: MonitorTarget,
    id: Id,
    options: GenCallOptions | undefined,
  ): Promise<Term> {
    const request = tuple(atom(what), asTerm(id));
    return this.#call(supervisor, request, options);
  }

  #call(supervisor: MonitorTarget, request: TermInput, options: GenCallOptions = {}) {
    return this.#gen.call(supervisor, request, { timeoutMs: Number.POSITIVE_INFINITY, ...options });
  }
}

type Id = ChildSpec["id"];
