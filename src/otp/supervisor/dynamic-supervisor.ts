/**
 * A supervisor of children that are started while it runs, as OTP's `simple_one_for_one` and Elixir's
 * `DynamicSupervisor`. Children restart as with one_for_one, and all end at once.
 *
 * Spec: stdlib/src/supervisor.erl, and Elixir's dynamic_supervisor.ex. As Erlang terms, calls of gen:
 *   {start_child, Args}       -> {ok, Child} | {ok, Child, Info} | {error, Reason}, for a supervisor
 *                                with one specification, whose arguments Args extends
 *   {start_child, {{M, F, Args}, Restart, Shutdown, Type, Modules}}    from Elixir, for a supervisor
 *                                without a specification; the answer may also be `ignore`
 *   {terminate_child, Pid}    -> ok | {error, not_found}
 *   {get_childspec, Pid}      -> {ok, Spec} | {error, not_found}
 *   which_children            -> [{undefined, Child, Type, Modules}], in start order
 *   count_children            -> [{specs, 1}, {active, N}, {supervisors, N}, {workers, N}]; without a
 *                                specification, specs is the number of children, as in Elixir
 * The answer to restart_child and delete_child is `{error, simple_one_for_one}`, and so it is to
 * terminate_child with anything but a pid. As in OTP 29, auto_shutdown is not allowed. The option
 * maxChildren and the answer `{error, max_children}` are Elixir's.
 */
import {
  atom,
  exactEquals,
  isPid,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  TermMap,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { BADARG, EXIT, FUNCTION_CLAUSE, OK, UNDEFINED } from "../../node/atoms.ts";
import { ErlangError } from "../../node/exceptions.ts";
import { PidMap } from "../../node/process/identifiers.ts";
import {
  AUTO_SHUTDOWN,
  BAD_COMBINATION,
  ID,
  IGNORE,
  NOT_FOUND,
  RESTARTING,
  START_SPEC,
  STRATEGY,
  SUPERVISOR_DATA,
} from "../gen/atoms.ts";
import { endedWell, endProcesses } from "./child-shutdown.ts";
import {
  type CheckedSpec,
  type Child,
  type ChildSpec,
  childTerm,
  childToSpec,
  Invalid,
  newChild,
  type Shutdown,
} from "./child-spec.ts";
import { StartFailure, startedTerm } from "./child-start.ts";
import { errorTerm, SupervisorBase } from "./supervisor-base.ts";
import type { RestartLimits } from "./supervisor-flags.ts";

/** Options of a DynamicSupervisor. */
export interface DynamicSupervisorOptions extends RestartLimits {
  /** The specification of all children. Default: each `startChild` brings its own. */
  child?: ChildSpec;
  /** How many children may exist at a time. Default: no limit. */
  maxChildren?: number;
}

const NO_SUCH_CHILD = errorTerm(NOT_FOUND);
const SIMPLE = errorTerm(atom("simple_one_for_one"));
const ELIXIR_KEYS = ["start", "restart", "shutdown", "type", "modules"];

/**
 * A supervisor of children that are started while it runs, as Elixir's `DynamicSupervisor` and OTP's
 * `simple_one_for_one`.
 *
 * ```ts
 * const rooms = new DynamicSupervisor({ maxChildren: 100 });
 * await rooms.start(node, { name: "rooms" });
 * const pid = await rooms.startChild({
 *   start: (supervisor) => new Room().startLink(node, supervisor),
 *   restart: "transient",
 * });
 * ```
 */
export class DynamicSupervisor extends SupervisorBase {
  readonly #own: ChildSpec | undefined;
  readonly #maxChildren: number;
  #template: CheckedSpec | undefined;
  /** By the pid of the process that is up, or that ended and could not be started again yet. */
  readonly #children = new PidMap<Child>();

  constructor(options: DynamicSupervisorOptions = {}) {
    const { child, maxChildren = Number.POSITIVE_INFINITY, ...limits } = options;
    super(limits);
    this.#own = child;
    this.#maxChildren = maxChildren;
  }

  /**
   * Starts a child: with further arguments for the supervisor's specification, as
   * `supervisor:start_child/2`, or with a specification, as Elixir's
   * `DynamicSupervisor.start_child/2`. Resolves with its pid, or undefined if it returned `ignore`.
   * @throws StartError START_FAILED with the reason: why `start` failed, `max_children`, or what is
   *   wrong with the specification; RemoteError when the supervisor is not running, or ends; NodeError
   *   NODE_STOPPED; EtfEncodeError
   */
  startChild(child: readonly TermInput[] | Omit<ChildSpec, "id">): Promise<Pid | undefined> {
    if (Array.isArray(child)) return this.requestStart(toTerm(child));
    return this.requestStart({ id: UNDEFINED, ...(child as Omit<ChildSpec, "id">) });
  }

  protected override async startChildren(): Promise<Term | undefined> {
    const { autoShutdown } = this.limits;
    if (autoShutdown !== "never") {
      const pairs = [
        tuple(AUTO_SHUTDOWN, atom(autoShutdown)),
        tuple(STRATEGY, atom("simple_one_for_one")),
      ];
      const wrong = tuple(BAD_COMBINATION, pairs);
      return tuple(SUPERVISOR_DATA, wrong);
    }
    if (this.#own === undefined) return undefined;
    const template = this.check(this.#own);
    if (template instanceof Invalid) return tuple(START_SPEC, template.reason);
    this.#template = template;
    return undefined;
  }

  protected override async startRequest(request: Term | ChildSpec): Promise<Term> {
    const child = this.#offeredChild(request);
    if (child instanceof Invalid) return errorTerm(child.reason);
    if (this.#children.size >= this.#maxChildren) return errorTerm(atom("max_children"));
    const started = await this.begin(child);
    if (started instanceof StartFailure) {
      return errorTerm(this.#template === undefined ? started.plainReason : started.reason);
    }
    if (started.pid === undefined) {
      return this.#template === undefined ? IGNORE : startedTerm(started);
    }
    this.#store(child, started.pid);
    return startedTerm(started);
  }

  protected override childRequest(what: string, id: Term): Promise<Term> | Term | undefined {
    switch (what) {
      case "terminate_child":
        return isPid(id) ? this.#end(id) : SIMPLE;
      case "restart_child":
      case "delete_child":
        return SIMPLE;
      case "get_childspec": {
        const child = isPid(id) ? this.#find(id) : this.#templateOf(id);
        if (child === undefined) return NO_SUCH_CHILD;
        // As in OTP, this is the specification of all children, without further arguments.
        return tuple(OK, childToSpec(newChild(child.spec)));
      }
    }
    return undefined;
  }

  protected override async restarted(child: Child): Promise<Child | undefined> {
    const started = await this.begin(child);
    if (started instanceof StartFailure) {
      this.reports.error("start_error", started.reason, child);
      child.restarting = true;
      return child;
    }
    this.gone(child);
    if (started.pid !== undefined) this.#store(child, started.pid);
    return undefined;
  }

  protected override childOf(pid: Pid): Child | undefined {
    const child = this.#children.get(pid);
    return child?.restarting === false ? child : undefined;
  }

  protected override waiting(key: Term): Child | undefined {
    if (!isTuple(key, 2) || key[0] !== RESTARTING || !isPid(key[1])) return undefined;
    const child = this.#children.get(key[1]);
    return child?.restarting === true ? child : undefined;
  }

  protected override keyOf(child: Child): Term {
    return tuple(RESTARTING, child.pid!);
  }

  protected override gone(child: Child): void {
    this.#children.delete(child.pid!);
  }

  protected override endsWith(): boolean {
    return false;
  }

  /** Ends all at once, those of each `shutdown` as one group. Equal outcomes are reported together. */
  protected override async endChildren(): Promise<void> {
    const groups = new Map<Shutdown, Child[]>();
    for (const child of this.#children.values()) {
      if (child.restarting) continue;
      const { shutdown } = child.spec;
      const group = groups.get(shutdown);
      if (group === undefined) groups.set(shutdown, [child]);
      else group.push(child);
    }
    await Promise.all([...groups].map(([shutdown, group]) => this.#endGroup(shutdown, group)));
  }

  protected override whichChildren(): Term[] {
    return this.#children.values().map((child) => childTerm(child, UNDEFINED));
  }

  protected override counts() {
    const children = this.#children.values();
    const counts = { specs: 1, active: 0, supervisors: 0, workers: 0 };
    if (this.#template === undefined) counts.specs = children.length;
    for (const { spec, restarting } of children) {
      if (!restarting) counts.active++;
      counts[`${spec.type}s`]++;
    }
    return counts;
  }

  #offeredChild(request: Term | ChildSpec): Child | Invalid {
    const template = this.#template;
    if (template !== undefined) {
      if (!Array.isArray(request) || isTuple(request)) {
        return new Invalid(tuple(EXIT, tuple(BADARG, [])));
      }
      const child = newChild(template);
      child.args = [...template.args, ...request];
      return child;
    }
    let given = request;
    if (isTuple(request, ELIXIR_KEYS.length)) {
      const values = request as readonly unknown[];
      const pairs = ELIXIR_KEYS.map((key, at): [Term, Term] => [atom(key), values[at] as Term]);
      given = new TermMap([[ID, UNDEFINED], ...pairs]);
    } else if (Array.isArray(request)) {
      throw ErlangError.error(FUNCTION_CLAUSE);
    }
    const spec = this.check(given);
    return spec instanceof Invalid ? spec : newChild(spec);
  }

  #store(child: Child, pid: Pid): void {
    child.pid = pid;
    child.restarting = false;
    if (child.spec.restart === "temporary") child.args = undefined;
    this.#children.set(pid, child);
  }

  async #end(pid: Pid): Promise<Term> {
    const child = this.#find(pid);
    if (child === undefined) return NO_SUCH_CHILD;
    if (child.pid !== undefined) {
      if (!child.restarting) await this.endChild({ ...newChild(child.spec), pid: child.pid });
      this.gone(child);
    }
    return OK;
  }

  /** The child with a pid. As in OTP, any ended process counts as one if all have one specification. */
  #find(pid: Pid): Child | undefined {
    const child = this.#children.get(pid);
    if (child !== undefined || this.#template === undefined) return child;
    return this.isAlive(pid) ? undefined : newChild(this.#template);
  }

  #templateOf(id: Term): Child | undefined {
    const template = this.#template;
    if (template === undefined || !exactEquals(template.id, id)) return undefined;
    return newChild(template);
  }

  async #endGroup(shutdown: Shutdown, group: readonly Child[]): Promise<void> {
    const pids = group.map(({ pid }) => pid!);
    const reasons = await endProcesses(this.self, this.node.clock, pids, shutdown);
    const alike = new Map<CheckedSpec, TermMap<Term, number>>();
    group.forEach(({ spec }, at) => {
      const reason = reasons[at] as Term;
      if (endedWell(reason, shutdown, spec.restart)) return;
      const counts = alike.get(spec) ?? new TermMap<Term, number>();
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      alike.set(spec, counts);
    });
    for (const [spec, counts] of alike) {
      for (const [reason, count] of counts) {
        this.reports.error("shutdown_error", reason, newChild(spec), count);
      }
    }
  }
}
