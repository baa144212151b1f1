/**
 * Calls to supervisors, as `supervisor` of OTP makes them; what they ask is listed in supervisor.ts.
 * Nothing limits the wait unless `timeoutMs` does, as in OTP.
 */
import { type Atom, atom, type Pid, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import { asTerm } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";
import { COUNT_CHILDREN, START_CHILD, WHICH_CHILDREN } from "../gen/atoms.ts";
import type { GenCallOptions, GenClient } from "../gen/gen.ts";
import { type ChildSpec, type ModuleFunction, specTerm } from "./child-spec.ts";

/** A child specification that another node can read. */
export interface RemoteChildSpec extends ChildSpec {
  start: ModuleFunction;
}

/** `{Id, Child, Type, Modules}`; the child's pid, or the atom `undefined` or `restarting`. */
export type ChildTuple = readonly [id: Term, child: Pid | Atom, type: Atom, modules: Term];

export interface ChildCounts {
  specs: number;
  active: number;
  supervisors: number;
  workers: number;
}

/** Each method throws as `node.gen.call`; errors that OTP returns are returned as terms. */
export class SupervisorClient {
  readonly #gen: GenClient;

  constructor(gen: GenClient) {
    this.#gen = gen;
  }

  async whichChildren(supervisor: MonitorTarget, options?: GenCallOptions): Promise<ChildTuple[]> {
    const children = await this.#call(supervisor, WHICH_CHILDREN, options);
    return children as unknown as ChildTuple[];
  }

  async countChildren(supervisor: MonitorTarget, options?: GenCallOptions): Promise<ChildCounts> {
    const counts = await this.#call(supervisor, COUNT_CHILDREN, options);
    const rows = (counts as [Atom, number][]).map(([what, count]) => [what.name, count]);
    return Object.fromEntries(rows) as ChildCounts;
  }

  /**
   * Resolves with `{ok, Child}`, `{ok, Child, Info}` or `{error, Reason}`.
   * @param child a specification, or the arguments for a simple_one_for_one supervisor
   */
  startChild(
    supervisor: MonitorTarget,
    child: RemoteChildSpec | readonly TermInput[],
    options?: GenCallOptions,
  ): Promise<Term> {
    const argument = Array.isArray(child) ? child : specTerm(child as RemoteChildSpec);
    return this.#call(supervisor, tuple(START_CHILD, argument), options);
  }

  /** @param id a child's id; a pid for a simple_one_for_one supervisor */
  terminateChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("terminate_child", supervisor, id, options);
  }

  restartChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("restart_child", supervisor, id, options);
  }

  deleteChild(supervisor: MonitorTarget, id: Id, options?: GenCallOptions): Promise<Term> {
    return this.#about("delete_child", supervisor, id, options);
  }

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
