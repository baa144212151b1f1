/**
 * What both kinds of supervisors have in common: requests, restarts and their limit, the end of
 * significant children, and starting children on behalf of the program.
 */
import {
  type Atom,
  atom,
  isPid,
  isReference,
  isTuple,
  type Pid,
  type Term,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { asAtom, ERROR, EXIT, FUNCTION_CLAUSE, OK, SHUTDOWN } from "../../node/atoms.ts";
import { ErlangError } from "../../node/exceptions.ts";
import { ReferenceMap } from "../../node/process/identifiers.ts";
import type { Process } from "../../node/process/process.ts";
import { GenServer } from "../behaviours/gen-server.ts";
import type {
  CallResult,
  GenServerStartOptions,
  HandleResult,
  InitResult,
} from "../behaviours/gen-server-callbacks.ts";
import type { OtpNode } from "../behaviours/otp-node.ts";
import { isQuiet } from "../behaviours/proc-lib.ts";
import {
  AUTO_SHUTDOWN,
  COUNT_CHILDREN,
  GEN_CAST,
  START_CHILD,
  STRATEGY,
  SUPERVISOR_DATA,
  WHICH_CHILDREN,
} from "../gen/atoms.ts";
import { StartError } from "../gen/errors.ts";
import { endedWell, endProcesses } from "./child-shutdown.ts";
import {
  type CheckedSpec,
  type Child,
  type ChildSpec,
  checkOwnSpec,
  checkSpec,
  Invalid,
} from "./child-spec.ts";
import { type Started, type StartFailure, startChild } from "./child-start.ts";
import { checkFlags, RestartCount, type SupervisorFlags } from "./supervisor-flags.ts";
import { SupervisorReports } from "./supervisor-report.ts";

const TRY_AGAIN: Atom<"try_again_restart"> = atom("try_again_restart");
const ENDS: HandleResult = { stop: SHUTDOWN };

/** The state for `sys:get_state`, made on demand. */
export interface SupervisorState {
  toJSON(): Term;
}

/** Makes `{error, Reason}`. */
export function errorTerm(reason: Term): Term {
  return tuple(ERROR, reason);
}

/** The base of `Supervisor` and `DynamicSupervisor`. */
export abstract class SupervisorBase extends GenServer<SupervisorState> {
  protected readonly flags: SupervisorFlags;
  #node: OtpNode | undefined;
  #module: Atom | undefined;
  #checked: Required<SupervisorFlags> | undefined;
  #restarts: RestartCount | undefined;
  #reports: SupervisorReports | undefined;
  /** Specifications of the program that the supervisor's process has not taken yet. */
  readonly #offered = new ReferenceMap<ChildSpec>();

  constructor(flags: SupervisorFlags) {
    super();
    this.flags = flags;
    this.state = { toJSON: () => this.#stateTerm() };
  }

  /** Starts the supervisor and its first children. @throws as `GenServer.start` */
  override start(node: OtpNode, options: GenServerStartOptions = {}): Promise<Process> {
    return super.start(this.#on(node, options), options);
  }

  /** As `start`, linked to a parent. @throws as `GenServer.startLink` */
  override startLink(
    node: OtpNode,
    parent: Process,
    options: GenServerStartOptions = {},
  ): Promise<Process> {
    return super.startLink(this.#on(node, options), parent, options);
  }

  /** Starts the supervisor's first children. A returned term is the reason of a failure. */
  protected abstract startChildren(): Promise<Term | undefined>;
  /** Restarts a child that ended. Returns the child whose restart failed and should be tried again. */
  protected abstract restarted(child: Child): Promise<Child | undefined>;
  /** The child that runs as a process. */
  protected abstract childOf(pid: Pid): Child | undefined;
  /** The child that waits to be restarted, by its key. */
  protected abstract waiting(key: Term): Child | undefined;
  /** The key of a child that waits to be restarted. */
  protected abstract keyOf(child: Child): Term;
  /** Forgets the process of a child that has ended and is not started again. */
  protected abstract gone(child: Child): void;
  /** Whether the supervisor ends because this child has ended; `gone` has been called. */
  protected abstract endsWith(child: Child): boolean;
  /** Ends all children. */
  protected abstract endChildren(): Promise<void>;
  /** Answers `start_child`. */
  protected abstract startRequest(request: Term | ChildSpec): Promise<Term>;
  /** Answers a request about the child with an id; undefined for an unknown request. */
  protected abstract childRequest(what: string, id: Term): Promise<Term> | Term | undefined;
  /** Answers `which_children`. */
  protected abstract whichChildren(): Term[];
  /** Answers `count_children`. */
  protected abstract counts(): Record<"specs" | "active" | "supervisors" | "workers", number>;

  protected get node(): OtpNode {
    return this.#node!;
  }

  /** The flags with their defaults, set by init. */
  protected get limits(): Required<SupervisorFlags> {
    return this.#checked!;
  }

  protected get reports(): SupervisorReports {
    return this.#reports!;
  }

  override async init(): Promise<InitResult> {
    this.self.trapExit = true;
    this.#reports = new SupervisorReports(this.node, this.self.pid, () => this.#name());
    const flags = checkFlags(this.flags);
    if (flags instanceof Invalid) return { stop: tuple(SUPERVISOR_DATA, flags.reason) };
    this.#checked = flags;
    this.#restarts = new RestartCount(flags);
    const wrong = await this.startChildren();
    return wrong === undefined ? undefined : { stop: wrong };
  }

  override async handleCall(request: Term): Promise<CallResult> {
    if (request === WHICH_CHILDREN) return { reply: this.whichChildren() };
    if (request === COUNT_CHILDREN) {
      const counts = Object.entries(this.counts());
      return { reply: counts.map(([what, count]) => tuple(atom(what), count)) };
    }
    if (isTuple(request, 2)) {
      const [what, argument] = request as readonly Term[] as [Term, Term];
      if (what === START_CHILD) {
        const own = isReference(argument) ? this.#offered.take(argument) : undefined;
        return { reply: await this.startRequest(own ?? argument) };
      }
      const reply = await this.childRequest(String(what), argument);
      if (reply !== undefined) return { reply };
    }
    throw ErlangError.error(FUNCTION_CLAUSE);
  }

  override handleCast(request: Term): Promise<HandleResult> | undefined {
    if (!isTuple(request, 2) || request[0] !== TRY_AGAIN) {
      throw ErlangError.error(FUNCTION_CLAUSE);
    }
    const child = this.waiting(request[1]);
    return child === undefined ? undefined : this.#restart(child);
  }

  override handleInfo(message: Term): Promise<HandleResult> | undefined {
    if (!isTuple(message, 3) || message[0] !== EXIT) {
      this.reports.unexpected(message);
      return undefined;
    }
    const [, pid, reason] = message as readonly Term[] as [Term, Term, Term];
    const child = isPid(pid) ? this.childOf(pid) : undefined;
    return child === undefined ? undefined : this.#ended(child, reason);
  }

  override terminate(): Promise<void> {
    return this.endChildren();
  }

  /** Starts a child's process, without recording it. */
  protected begin({ spec, args }: Child): Promise<Started | StartFailure> {
    return startChild(this.node, this.self, spec, args ?? []);
  }

  /** Ends a running child, and reports an unexpected exit reason. */
  protected async endChild(child: Child): Promise<void> {
    const { shutdown, restart } = child.spec;
    const { clock } = this.node;
    const [reason] = (await endProcesses(this.self, clock, [child.pid!], shutdown)) as [Term];
    if (!endedWell(reason, shutdown, restart)) this.reports.error("shutdown_error", reason, child);
  }

  /** Whether a child's process is up. A process of another node is assumed to be. */
  protected isAlive(pid: Pid): boolean {
    return pid.node.name !== this.node.name || this.node.processOf(pid) !== undefined;
  }

  /** Checks a specification that came from a request or the program. */
  protected check(spec: Term | ChildSpec): CheckedSpec | Invalid {
    const { autoShutdown } = this.limits;
    return isOwnSpec(spec) ? checkOwnSpec(spec, autoShutdown) : checkSpec(spec, autoShutdown);
  }

  /**
   * Makes the supervisor's process start a child. Resolves with its pid, or undefined for `ignore`.
   * @throws StartError START_FAILED; RemoteError when the supervisor ends; NodeError NODE_STOPPED
   */
  protected async requestStart(argument: ChildSpec | Term): Promise<Pid | undefined> {
    let request = argument as Term;
    if (isOwnSpec(argument)) {
      request = this.node.newReference();
      this.#offered.set(request, argument);
    }
    const answer = await this.node.gen.call(this.self.pid, tuple(START_CHILD, request), {
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    const [tag, value] = answer as [Term, Term];
    if (tag !== OK) throw StartError.failed(value);
    return isPid(value) ? value : undefined;
  }

  async #ended(child: Child, reason: Term): Promise<HandleResult> {
    const { restart } = child.spec;
    const quiet = isQuiet(reason);
    if (!quiet || restart === "permanent") this.reports.error("child_terminated", reason, child);
    if (restart === "permanent" || (restart === "transient" && !quiet)) return this.#restart(child);
    this.gone(child);
    return this.endsWith(child) ? ENDS : undefined;
  }

  async #restart(child: Child): Promise<HandleResult> {
    if (this.#restarts?.add(this.node.clock.now()) !== true) {
      this.reports.error("shutdown", atom("reached_max_restart_intensity"), child);
      this.gone(child);
      return ENDS;
    }
    const failed = await this.restarted(child);
    if (failed === undefined) return undefined;
    // Other requests come first: one of them may end the child for good.
    const again = tuple(TRY_AGAIN, this.keyOf(failed));
    void this.self.send(this.self.pid, tuple(GEN_CAST, again));
    return undefined;
  }

  #on(node: OtpNode, { module }: GenServerStartOptions): OtpNode {
    this.#node ??= node;
    const name = module ?? this.constructor.name;
    this.#module ??= asAtom(name);
    return node;
  }

  #name(): Term {
    const { nameTerm, pid } = this.self;
    return tuple(...(nameTerm === undefined ? [pid, this.#module!] : [atom("local"), nameTerm]));
  }

  #stateTerm(): Term {
    const { strategy, intensity, period, autoShutdown } = this.limits;
    return new TermMap<Term, Term>([
      [STRATEGY, atom(strategy)],
      [atom("intensity"), intensity],
      [atom("period"), period],
      [AUTO_SHUTDOWN, atom(autoShutdown)],
      [atom("children"), this.whichChildren()],
    ]);
  }
}

/** Whether a specification is the program's: a plain object, which a term never is. */
function isOwnSpec(spec: Term | ChildSpec): spec is ChildSpec {
  return typeof spec === "object" && Object.getPrototypeOf(spec) === Object.prototype;
}
