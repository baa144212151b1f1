/**
 * Child specifications of supervisors: what a program writes, what Erlang nodes send, and OTP's checks
 * of both.
 *
 * Spec: stdlib/src/supervisor.erl, "Child specification". As Erlang terms:
 *   #{id, start => {M, F, Args}, restart, significant, shutdown, type, modules}
 *   {Id, {M, F, Args}, Restart, Shutdown, Type, Modules}
 * A child that a function of the program starts appears as `{javascript, start, Args}`, which Erlang
 * nodes can display but not call.
 */
import {
  type Atom,
  atom,
  atomOf,
  isAtom,
  isList,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  TermMap,
  type Tuple,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { asTerm, INFINITY, type NameLike, SHUTDOWN, UNDEFINED } from "../../node/atoms.ts";
import type { Process } from "../../node/process/process.ts";
import { shown } from "../behaviours/shown.ts";
import { BAD_COMBINATION, ID, RESTARTING, SIGNIFICANT } from "../gen/atoms.ts";

/** When a child that ended is started again: always, after an abnormal end, or never. */
export type Restart = "permanent" | "transient" | "temporary";
/** How a child is ended: killed at once, or with that many milliseconds to end, or without a limit. */
export type Shutdown = "brutal_kill" | "infinity" | number;
/** What a child is. */
export type ChildType = "worker" | "supervisor";
/** When the end of significant children ends the supervisor. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

/** A module, a function and its arguments; strings stand for the atoms of these names. */
export type ModuleFunction = readonly [NameLike, NameLike, readonly TermInput[]];

/**
 * Starts a child and links it to the supervisor, whose process it gets. It returns the started Process,
 * GenServer or GenStatem, or a term as start functions of OTP do: `{ok, Pid}`, `{ok, Pid, Info}`,
 * `ignore`, `{error, Reason}`. Throwing a StartError counts as returning what start_link would have
 * returned. A process that the function did not link is linked afterwards; if it has ended by then, its
 * reason is `noproc`.
 */
export type StartFunction = (supervisor: Process, ...args: Term[]) => unknown;

/** A child of a supervisor: how to start it, when to start it again, and how to end it. */
export interface ChildSpec {
  /** Identifies the child among those of the supervisor; a string stands for the atom of that name. */
  id: Term | string;
  /** A function, or a function of an exposed module, whose `this.self` is the supervisor's process. */
  start: StartFunction | ModuleFunction;
  /**
   * When a child that ended is started again: always (`permanent`), after another reason than `normal`,
   * `shutdown` or `{shutdown, _}` (`transient`), or never (`temporary`). Default: `permanent`.
   */
  restart?: Restart;
  /** Whether its end counts for the supervisor's `autoShutdown`. Default: false. */
  significant?: boolean;
  /**
   * How it is ended: `brutal_kill` kills it at once. A number sends the exit signal `shutdown` and
   * kills the child if it is still up after that many milliseconds; `infinity` waits without a limit.
   * Default: 5,000, or `infinity` for a supervisor.
   */
  shutdown?: Shutdown;
  /** Whether it is a worker or a supervisor. Default: `worker`. */
  type?: ChildType;
  /** The modules that it runs, for display. Default: the module of `start`. */
  modules?: "dynamic" | readonly NameLike[];
}

/** A checked child specification. */
export interface CheckedSpec {
  readonly id: Term;
  /** The program's function; undefined for a function of an exposed module. */
  readonly run: StartFunction | undefined;
  readonly module: Atom | boolean;
  readonly function: Atom | boolean;
  readonly args: readonly Term[];
  readonly restart: Restart;
  readonly significant: boolean;
  readonly shutdown: Shutdown;
  readonly type: ChildType;
  readonly modules: Term;
}

/** An invalid specification or flag, with OTP's reason. */
export class Invalid {
  /** As OTP returns it. */
  readonly reason: Term;
  constructor(reason: TermInput) {
    this.reason = toTerm(reason);
  }
}

/** A child, as its supervisor keeps it. */
export interface Child {
  readonly spec: CheckedSpec;
  /** As in OTP, `undefined` once they are not needed again. */
  args: readonly Term[] | undefined;
  pid: Pid | undefined;
  /** Whether a restart failed and will be tried again; `pid` is then that of the ended process. */
  restarting: boolean;
}

const RESTARTS: ReadonlySet<unknown> = new Set(["permanent", "transient", "temporary"]);
const TYPES: ReadonlySet<unknown> = new Set(["worker", "supervisor"]);
const TUPLE_KEYS = ["id", "start", "restart", "shutdown", "type", "modules"];
/** The MFA shown for children that a function of the program starts. */
const JAVASCRIPT = tuple(atom("javascript"), atom("start"), []);

/** Makes a child that has not been started. */
export function newChild(spec: CheckedSpec): Child {
  return { spec, args: spec.args, pid: undefined, restarting: false };
}

/** The program's specification as the map that OTP uses. @throws EtfEncodeError */
export function specTerm(spec: ChildSpec): TermMap {
  const { id, start, modules, ...rest } = spec;
  const map = new TermMap<Term, Term>([[ID, asTerm(id)]]);
  map.set(atom("start"), typeof start === "function" ? JAVASCRIPT : moduleFunction(start));
  for (const [key, value] of Object.entries(rest)) {
    if (value !== undefined) map.set(atom(key), word(value));
  }
  if (modules !== undefined) {
    map.set(
      atom("modules"),
      typeof modules === "string" ? asTerm(modules) : modules.map((module) => asTerm(module)),
    );
  }
  return map;
}

/** Checks a specification that the program wrote. @throws EtfEncodeError */
export function checkOwnSpec(spec: ChildSpec, autoShutdown: AutoShutdown): CheckedSpec | Invalid {
  const checked = checkSpec(specTerm(spec), autoShutdown);
  if (checked instanceof Invalid || typeof spec.start !== "function") return checked;
  return { ...checked, run: spec.start };
}

/** Checks a specification as Erlang nodes send it, in OTP's order. */
export function checkSpec(term: Term, autoShutdown: AutoShutdown): CheckedSpec | Invalid {
  if (isTuple(term, TUPLE_KEYS.length)) {
    const pairs = TUPLE_KEYS.map((key, at): [Term, Term] => [atom(key), term[at] as Term]);
    return checkSpec(new TermMap(pairs), autoShutdown);
  }
  if (!(term instanceof TermMap)) return invalid("invalid_child_spec", term);
  const value = (key: string): Term | undefined => term.get(atom(key));
  const id = value("id");
  if (id === undefined) return new Invalid(atom("missing_id"));
  const start = value("start");
  if (start === undefined) return new Invalid(atom("missing_start"));
  if (!isModuleFunction(start)) return invalid("invalid_mfa", start);
  const restart = value("restart") ?? atom("permanent");
  if (!isAtom(restart) || !RESTARTS.has(restart.name)) {
    return invalid("invalid_restart_type", restart);
  }
  const significant = value("significant") ?? false;
  if (typeof significant !== "boolean") return invalid("invalid_significant", significant);
  if (significant && autoShutdown === "never") return badCombination("auto_shutdown", "never");
  if (significant && restart.name === "permanent") return badCombination("restart", "permanent");
  const type = value("type") ?? atom("worker");
  if (!isAtom(type) || !TYPES.has(type.name)) return invalid("invalid_child_type", type);
  const given = value("shutdown") ?? (type.name === "worker" ? 5000 : INFINITY);
  const shutdown = shutdownOf(given);
  if (shutdown === undefined) return invalid("invalid_shutdown", given);
  const modules = value("modules") ?? [start[0]];
  if (isList(modules)) {
    const wrong = modules.find((module) => atomOf(module) === undefined);
    if (wrong !== undefined) return invalid("invalid_module", wrong);
  } else if (!isAtom(modules, "dynamic")) {
    return invalid("invalid_modules", modules);
  }
  return {
    id,
    run: undefined,
    module: start[0],
    function: start[1],
    args: start[2],
    restart: restart.name as Restart,
    significant,
    shutdown,
    type: type.name as ChildType,
    modules,
  };
}

/** The specification that `supervisor:get_childspec/2` returns. */
export function childToSpec({ spec, args }: Child): Term {
  return new TermMap<Term, Term>([
    [ID, spec.id],
    [atom("start"), mfargs(spec, args)],
    [atom("restart"), atom(spec.restart)],
    [SIGNIFICANT, spec.significant],
    [SHUTDOWN, word(spec.shutdown)],
    [atom("type"), atom(spec.type)],
    [atom("modules"), spec.modules],
  ]);
}

/** The record `#child{}` of OTP 24 and later, which errors of `start_child` contain. */
export function childRecord({ spec, args }: Child): Term {
  return tuple(
    atom("child"),
    UNDEFINED,
    spec.id,
    mfargs(spec, args),
    atom(spec.restart),
    spec.significant,
    word(spec.shutdown),
    atom(spec.type),
    spec.modules,
  );
}

/** The `{M, F, Args}` that starts a child; `undefined` in the place of arguments no longer known. */
export function mfargs(spec: CheckedSpec, args: readonly Term[] | undefined): Term {
  return tuple(spec.module, spec.function, args === undefined ? UNDEFINED : [...args]);
}

/** A child's pid in reports: `undefined` if it is not running, `{restarting, Pid}` between tries. */
export function pidTerm({ pid, restarting }: Child): Term {
  return restarting ? tuple(RESTARTING, pid ?? UNDEFINED) : (pid ?? UNDEFINED);
}

/** A child in the result of `supervisor:which_children/1`. */
export function childTerm({ spec, pid, restarting }: Child, id: Term): Term {
  const child = restarting ? RESTARTING : (pid ?? UNDEFINED);
  return tuple(id, child, atom(spec.type), spec.modules);
}

function invalid(what: string, value: Term): Invalid {
  return new Invalid(tuple(atom(what), value));
}

function badCombination(key: string, value: string): Invalid {
  const pairs = [tuple(atom(key), atom(value)), tuple(SIGNIFICANT, true)];
  return new Invalid(tuple(BAD_COMBINATION, pairs));
}

function isModuleFunction(term: Term): term is Tuple<[Atom | boolean, Atom | boolean, Term[]]> {
  if (!isTuple(term, 3)) return false;
  const [module, name, args] = term;
  return atomOf(module) !== undefined && atomOf(name) !== undefined && isList(args);
}

function shutdownOf(term: Term): Shutdown | undefined {
  if (isAtom(term, "brutal_kill") || isAtom(term, "infinity")) return term.name;
  return Number.isInteger(term) && (term as number) >= 0 ? (term as number) : undefined;
}

function moduleFunction([module, name, args]: ModuleFunction): Term {
  return tuple(asTerm(module), asTerm(name), toTerm([...args]));
}

/** A string as an atom, Infinity as the atom `infinity`, and any other value as a term. */
function word(value: unknown): Term {
  if (value === Number.POSITIVE_INFINITY) return INFINITY;
  return typeof value === "string" ? atom(value) : shown(value);
}
