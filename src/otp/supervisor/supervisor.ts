/**
 * A supervisor, as OTP's `supervisor`: starts its children, and restarts them when they end.
 *
 * Spec: stdlib/src/supervisor.erl. As Erlang terms, all of them calls of gen:
 *   which_children            -> [{Id, Child, Type, Modules}], the last started first
 *   count_children            -> [{specs, N}, {active, N}, {supervisors, N}, {workers, N}]
 *   {start_child, Spec}       -> {ok, Child} | {ok, Child, Info} | {error, Reason}
 *   {terminate_child, Id}     -> ok | {error, not_found}
 *   {restart_child, Id}       -> {ok, Child} | {error, running | restarting | not_found | Reason}
 *   {delete_child, Id}        -> ok | {error, running | restarting | not_found}
 *   {get_childspec, Id}       -> {ok, Spec} | {error, not_found}
 * A specification from another node can start only what the program has exposed. For children that
 * come and go, see dynamic-supervisor.ts. Code changes are left out: OTP asks the callback module for
 * new specifications, and a supervisor here has no callback module.
 */
import { atom, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { OK, SHUTDOWN } from "../../node/atoms.ts";
import { ALREADY_STARTED, NOT_FOUND, RESTARTING, RUNNING, START_SPEC } from "../gen/atoms.ts";
import {
  type Child,
  type ChildSpec,
  childRecord,
  childTerm,
  childToSpec,
  Invalid,
  newChild,
} from "./child-spec.ts";
import { type Started, StartFailure, startedTerm } from "./child-start.ts";
import { Children } from "./children.ts";
import { errorTerm, SupervisorBase } from "./supervisor-base.ts";
import type { SupervisorFlags } from "./supervisor-flags.ts";

const NO_SUCH_CHILD = errorTerm(NOT_FOUND);

/**
 * A supervisor, as OTP's `supervisor`: starts its children in order and restarts those that end.
 *
 * ```ts
 * const top = new Supervisor(
 *   [{ id: "counter", start: (supervisor) => new Counter().startLink(node, supervisor) }],
 *   { strategy: "one_for_one", intensity: 3, period: 10 },
 * );
 * await top.start(node, { name: "top" });
 * ```
 */
export class Supervisor extends SupervisorBase {
  readonly #specs: readonly ChildSpec[];
  readonly #children = new Children();

  /** @param children the first children, started in this order and ended in reverse */
  constructor(children: readonly ChildSpec[] = [], flags: SupervisorFlags = {}) {
    super(flags);
    this.#specs = children;
  }

  /**
   * Starts a child, as `supervisor:start_child/2`. Resolves with its pid, or undefined if it returned
   * `ignore`.
   * @throws StartError START_FAILED with the reason: `already_present`, `{already_started, Pid}`, what
   *   is wrong with the specification, or `{Reason, Child}`; RemoteError when the supervisor is not
   *   running, or ends; NodeError NODE_STOPPED
   */
  startChild(spec: ChildSpec): Promise<Pid | undefined> {
    return this.requestStart(spec);
  }

  protected override async startChildren(): Promise<Term | undefined> {
    for (const own of this.#specs) {
      const spec = this.check(own);
      let wrong = spec instanceof Invalid ? spec.reason : undefined;
      if (!(spec instanceof Invalid)) {
        if (this.#children.get(spec.id) === undefined) this.#children.add(newChild(spec));
        else wrong = tuple(atom("duplicate_child_name"), spec.id);
      }
      if (wrong !== undefined) return tuple(START_SPEC, wrong);
    }
    const failed = await this.#startAll(this.#children.all());
    if (failed === undefined) return undefined;
    await this.endChildren();
    const { child, reason } = failed;
    const what = tuple(atom("failed_to_start_child"), child.spec.id, reason);
    return tuple(SHUTDOWN, what);
  }

  protected override async startRequest(request: Term | ChildSpec): Promise<Term> {
    const spec = this.check(request);
    if (spec instanceof Invalid) return errorTerm(spec.reason);
    const present = this.#children.get(spec.id);
    if (present?.pid !== undefined && !present.restarting) {
      return errorTerm(tuple(ALREADY_STARTED, present.pid));
    }
    if (present !== undefined) return errorTerm(atom("already_present"));
    const child = newChild(spec);
    const started = await this.#start(child, "debug");
    if (started instanceof StartFailure) {
      const { reason } = started;
      if (isAlreadyStarted(reason)) return errorTerm(reason);
      return errorTerm(tuple(reason, childRecord(child)));
    }
    if (started.pid !== undefined || spec.restart !== "temporary") {
      if (spec.restart === "temporary") child.args = undefined;
      this.#children.add(child);
    }
    return startedTerm(started);
  }

  protected override childRequest(what: string, id: Term): Promise<Term> | Term | undefined {
    const child = this.#children.get(id);
    switch (what) {
      case "terminate_child":
        return child === undefined ? NO_SUCH_CHILD : this.#endForGood(child);
      case "restart_child":
        return this.#unlessInUse(child, (idle) => this.#startAgain(idle));
      case "delete_child":
        return this.#unlessInUse(child, (idle) => {
          this.#children.remove(idle);
          return OK;
        });
      case "get_childspec":
        return child === undefined ? NO_SUCH_CHILD : tuple(OK, childToSpec(child));
    }
    return undefined;
  }

  protected override async restarted(child: Child): Promise<Child | undefined> {
    if (this.limits.strategy !== "one_for_one") return this.#restartGroup(child);
    const started = await this.#start(child);
    if (!(started instanceof StartFailure)) return undefined;
    this.reports.error("start_error", started.reason, child);
    child.restarting = true;
    return child;
  }

  protected override childOf(pid: Pid): Child | undefined {
    return this.#children.running(pid);
  }

  protected override waiting(key: Term): Child | undefined {
    const child = this.#children.get(key);
    return child?.restarting === true ? child : undefined;
  }

  protected override keyOf(child: Child): Term {
    return child.spec.id;
  }

  protected override gone(child: Child): void {
    this.#children.setPid(child, undefined);
    child.restarting = false;
    if (child.spec.restart === "temporary") this.#children.remove(child);
  }

  protected override endsWith({ spec }: Child): boolean {
    const { autoShutdown } = this.limits;
    if (!spec.significant || autoShutdown === "never") return false;
    if (autoShutdown === "any_significant") return true;
    const isLeft = (child: Child): boolean => child.pid !== undefined || child.restarting;
    return !this.#children.all().some((child) => child.spec.significant && isLeft(child));
  }

  protected override async endChildren(): Promise<void> {
    await this.#endAll(this.#children.all());
  }

  protected override whichChildren(): Term[] {
    const started = this.#children.all().reverse();
    return started.map((child) => childTerm(child, child.spec.id));
  }

  protected override counts() {
    const counts = { specs: 0, active: 0, supervisors: 0, workers: 0 };
    for (const { spec, pid, restarting } of this.#children.all()) {
      counts.specs++;
      if (pid !== undefined && !restarting && this.isAlive(pid)) counts.active++;
      counts[`${spec.type}s`]++;
    }
    return counts;
  }

  /** Restarts as one_for_all and rest_for_one: ends the affected children and starts them in order. */
  async #restartGroup(child: Child): Promise<Child | undefined> {
    const all = this.#children.all();
    const group = this.limits.strategy === "one_for_all" ? all : all.slice(all.indexOf(child));
    const { pid } = child;
    this.#children.setPid(child, undefined);
    child.restarting = false;
    const failed = (await this.#startAll(await this.#endAll(group)))?.child;
    if (failed === undefined) return undefined;
    failed.restarting = true;
    this.#children.setPid(failed, failed === child ? pid : undefined);
    return failed;
  }

  /** Starts children in order, until one fails. */
  async #startAll(children: readonly Child[]): Promise<{ child: Child; reason: Term } | undefined> {
    for (const child of children) {
      const started = await this.#start(child);
      if (started instanceof StartFailure) {
        const { reason } = started;
        this.reports.error("start_error", reason, child);
        return { child, reason };
      }
      if (started.pid === undefined) this.gone(child);
    }
    return undefined;
  }

  async #start(child: Child, level: "info" | "debug" = "info"): Promise<Started | StartFailure> {
    const started = await this.begin(child);
    if (started instanceof StartFailure) return started;
    this.#children.setPid(child, started.pid);
    child.restarting = false;
    if (started.pid !== undefined) this.reports.progress(child, level);
    return started;
  }

  async #startAgain(child: Child): Promise<Term> {
    const started = await this.#start(child, "debug");
    return started instanceof StartFailure ? errorTerm(started.reason) : startedTerm(started);
  }

  /** Ends children, the last started first. Returns those that may be started again, in order. */
  async #endAll(children: readonly Child[]): Promise<Child[]> {
    for (const child of [...children].reverse()) await this.#end(child);
    return children.filter((child) => this.#children.get(child.spec.id) === child);
  }

  async #end(child: Child): Promise<void> {
    if (child.pid !== undefined && !child.restarting) await this.endChild(child);
    this.gone(child);
  }

  async #endForGood(child: Child): Promise<Term> {
    await this.#end(child);
    return OK;
  }

  #unlessInUse(
    child: Child | undefined,
    act: (child: Child) => Promise<Term> | Term,
  ): Promise<Term> | Term {
    if (child === undefined) return NO_SUCH_CHILD;
    if (child.restarting) return errorTerm(RESTARTING);
    return child.pid === undefined ? act(child) : errorTerm(RUNNING);
  }
}

function isAlreadyStarted(reason: Term): boolean {
  return Array.isArray(reason) && reason.length === 2 && reason[0] === ALREADY_STARTED;
}
