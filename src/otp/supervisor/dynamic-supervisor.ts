/**
 * A supervisor of children that are started while it runs: `simple_one_for_one` of OTP, and
 * `DynamicSupervisor` of Elixir. They restart as one_for_one, and are ended all at once.
 *
 * Spec: stdlib/src/supervisor.erl, and Elixir's dynamic_supervisor.ex. As Erlang terms, calls of gen:
 *   {start_child, Args}       -> {ok, Child} | {ok, Child, Info} | {error, Reason}, as the one
 *                                specification given, with Args behind its own
 *   {start_child, {{M, F, Args}, Restart, Shutdown, Type, Modules}}    as Elixir sends it, when no
 *                                specification was given; also answered `ignore`
 *   {terminate_child, Pid}    -> ok | {error, not_found}
 *   {get_childspec, Pid}      -> {ok, Spec} | {error, not_found}
 *   which_children            -> [{undefined, Child, Type, Modules}], in the order of their start
 *   count_children            -> [{specs, 1}, {active, N}, {supervisors, N}, {workers, N}]; in
 *                                Elixir's way, specs is the number of children
 * restart_child and delete_child are answered `{error, simple_one_for_one}`, as is terminate_child
 * with anything but a pid. As in OTP 29 there is no auto_shutdown. From Elixir come `{error, max_children}` and the option maxChildren.
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

export interface DynamicSupervisorOptions extends RestartLimits {
  /** What all children are. Without it each is started by a specification of its own. */
  child?: ChildSpec;
  /** Children that there may be at a time. Default: no limit. */
  maxChildren?: number;
}

const NO_SUCH_CHILD = errorTerm(NOT_FOUND);
const SIMPLE = errorTerm(atom("simple_one_for_one"));
const ELIXIR_KEYS = ["start", "restart", "shutdown", "type", "modules"];

export class DynamicSupervisor extends SupervisorBase {
  readonly #own: ChildSpec | undefined;
  readonly #maxChildren: number;
  #template: CheckedSpec | undefined;
  /** By the pid of the process that runs, or ended and could not be started again yet. */
  readonly #children = new PidMap<Child>();

  constructor(options: DynamicSupervisorOptions = {}) {
    const { child, maxChildren = Number.POSITIVE_INFINITY, ...limits } = options;
    super(limits);
    this.#own = child;
    this.#maxChildren = maxChildren;
  }

  /**
   * Starts a child: with more arguments for the specification that was given, as
   * `supervisor:start_child/2`, or by a specification, as `DynamicSupervisor.start_child/2` of
   * Elixir. Resolves with its pid, or undefined when it said `ignore`.
   * @throws StartError START_FAILED, with what `start` failed with, `max_children`, or what is wrong
   *   with the specification; RemoteError when the supervisor does not run, or ends; NodeError
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
        // As in OTP, it is what was given for all of them.
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

  /** All at once, each kind with its own time. Those that ended alike are reported together. */
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

  /** The child with that pid. As in OTP, what has ended counts as one, if all are of one kind. */
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
