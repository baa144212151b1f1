/**
 * What other nodes can call: functions by module, name and arity, and nothing else.
 *
 * An exposed function gets its arguments as terms and returns a term, or a promise of one. If it returns
 * `undefined`, the caller gets the atom `ok`.
 */
import type { Atom, LocalFun, Pid, Term, TermInput } from "../../../etf/index.ts";
import { atom, atomOf, atomTerm, ExternalFun, isFun, isList, tuple } from "../../../etf/index.ts";
import { APPLY, BADARG, BADFUN, ERLANG, OK } from "../atoms.ts";
import { ErlangError, FunctionClauseError, NoClauseError, UndefError } from "../exceptions.ts";
import type { Process } from "../process/process.ts";
import { exposedFunctions } from "./exposed.ts";

/** The `this` of an exposed function. */
export interface CallContext {
  /** The process the function runs in. */
  readonly self: Process;
  /** The process that asked for the call, if known. */
  readonly caller: Pid | undefined;
  /** Gets what the function prints: the caller's group leader, unless the caller named another. */
  readonly groupLeader: Pid;
  /**
   * Fires when the process that runs the function ends, and when the caller ends or the connection to it
   * is lost, then with an ErlangError of that exit reason. The caller is watched only once this property
   * is read. A caller that stops waiting but lives on goes unnoticed.
   */
  readonly signal: AbortSignal;
}

/** An incoming call: the process that runs it, and who asked. */
export type Call = Pick<CallContext, "self" | "caller">;

class ExposedCall implements CallContext {
  readonly self: Process;
  readonly caller: Pid | undefined;
  #signal: AbortSignal | undefined;

  constructor({ self, caller }: Call) {
    this.self = self;
    this.caller = caller;
  }

  get groupLeader(): Pid {
    return this.self.groupLeader;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch();
    return this.#signal;
  }

  #watch(): AbortSignal {
    const abort = new AbortController();
    const { self, caller } = this;
    const ended = (): void => abort.abort(self.signal.reason);
    if (self.signal.aborted) ended();
    else {
      self.signal.addEventListener("abort", ended, { once: true });
      if (caller !== undefined) {
        self.watch(caller, (reason) => abort.abort(ErlangError.exit(reason)));
      }
    }
    return abort.signal;
  }
}

/** A function that other nodes can call. */
// biome-ignore lint/suspicious/noExplicitAny: the exposing program chooses the types of the arguments
export type ExposedFunction = (this: CallContext, ...args: any[]) => unknown;

/**
 * Functions by name, or by name and arity (`"store/2"`) if several share a name.
 *
 * A function under its name alone can be called with every number of arguments that its parameters
 * allow: `(a, b) => …` with 2, `(a, b = 1) => …` with 1 or 2, `(a, ...more) => …` with 1 to 255. The
 * parameters are read from the function's source. That does not work for bound and native functions, for
 * those whose `length` was set, and for those with a template or a regular expression in a default value:
 * their key must contain the arity.
 */
export type ExposedModule = Readonly<Record<string, ExposedFunction>>;

/** The body of a process that a spawn request starts; its return value is ignored. */
export type ProcessFunction = (self: Process, args: readonly Term[], caller: Pid) => unknown;

type Row =
  | { readonly kind: "function"; readonly run: ExposedFunction }
  | { readonly kind: "process"; readonly run: ProcessFunction };

const BADARITY: Atom<"badarity"> = atom("badarity");

/** The functions that other nodes can call. */
export class FunctionTable {
  readonly #rows = new Map<string, Row>();

  /**
   * Makes the functions of a plain object, or the methods of an instance of a class, callable. They
   * replace functions exposed earlier under the same module, name and arity.
   *
   * An instance exposes all its methods, inherited ones included, and the functions in its properties;
   * not its constructor, getters and setters, and not names that begin with an underscore. `#private`
   * methods stay private, but methods that only TypeScript marks as private are exposed. Methods have the
   * instance as `this` instead of a CallContext.
   * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
   */
  expose(module: string, functions: ExposedModule | object): void {
    for (const { name, arities, run } of exposedFunctions(module, functions)) {
      for (let arity = arities.from; arity <= arities.to; arity++) {
        this.#rows.set(rowKey(module, name, arity), { kind: "function", run });
      }
    }
  }

  /** Makes a function that peers spawn rather than call, such as `erpc:execute_call/4`. */
  exposeProcess(module: string, name: string, arity: number, run: ProcessFunction): void {
    this.#rows.set(rowKey(module, name, arity), { kind: "process", run });
  }

  /**
   * Applies an exposed function; `erlang:apply/2` and `apply/3` apply the function that they name.
   * Returns what the function returned, a promise if it returned one.
   * @throws ErlangError error `undef` if the function is not exposed; whatever the function throws
   */
  apply(
    call: Call,
    module: Term,
    name: Term,
    args: readonly Term[],
  ): TermInput | Promise<TermInput> {
    const row = this.#find(module, name, args.length);
    if (row?.kind !== "function") {
      if (module === ERLANG && name === APPLY) {
        const [first, second, third] = args as [Term, Term, Term];
        if (args.length === 2 && isFun(first)) return this.applyFun(call, first, second);
        if (args.length === 2) throw ErlangError.error(tuple(BADFUN, first));
        if (args.length === 3) return this.#applyNamed(call, first, second, third);
      }
      throw new UndefError(module, name, args);
    }
    try {
      const result = row.run.apply(new ExposedCall(call), [...args]);
      if (result instanceof Promise) return result.then(okIfNothing);
      return okIfNothing(result);
    } catch (error) {
      if (error instanceof NoClauseError) throw new FunctionClauseError(module, name, args);
      throw error;
    }
  }

  /**
   * As `erlang:apply/2`.
   * @throws as `apply`; ErlangError error `badarg` if `args` is not a list, `badarity`
   */
  applyFun(call: Call, fun: ExternalFun | LocalFun, args: Term): TermInput | Promise<TermInput> {
    if (!isList(args)) throw ErlangError.error(BADARG);
    // Only `fun M:F/A` can run here: the code of any other fun is on the node that made it.
    if (!(fun instanceof ExternalFun)) throw new UndefError(ERLANG, APPLY, [fun, args]);
    if (fun.arity !== args.length) {
      throw ErlangError.error(tuple(BADARITY, tuple(fun, args)));
    }
    return this.apply(call, atomTerm(fun.module), atomTerm(fun.function), args);
  }

  #applyNamed(call: Call, module: Term, name: Term, args: Term): TermInput | Promise<TermInput> {
    if (atomOf(module) === undefined || atomOf(name) === undefined || !isList(args)) {
      throw ErlangError.error(BADARG);
    }
    return this.apply(call, module, name, args);
  }

  /** Runs a function as the body of a process that another node spawned. */
  spawned(self: Process, caller: Pid, module: Term, name: Term, args: readonly Term[]): unknown {
    const row = this.#find(module, name, args.length);
    if (row?.kind === "process") return row.run(self, args, caller);
    return this.apply({ self, caller }, module, name, args);
  }

  /** The modules with at least one function, in the order they were exposed. */
  modules(): string[] {
    return [...new Set([...this.#rows.keys()].map(moduleOfKey))];
  }

  /** Whether a function can be called or spawned. */
  exports(module: Term, name: Term, arity: number): boolean {
    return this.#find(module, name, arity) !== undefined;
  }

  #find(module: Term, name: Term, arity: number): Row | undefined {
    const [ofModule, ofFunction] = [atomOf(module), atomOf(name)];
    if (ofModule === undefined || ofFunction === undefined) return undefined;
    return this.#rows.get(rowKey(ofModule.name, ofFunction.name, arity));
  }
}

function okIfNothing(result: unknown): TermInput {
  return result === undefined ? OK : (result as TermInput);
}

function rowKey(module: string, name: string, arity: number): string {
  // The length marks the end of the module, whatever characters the two names contain.
  return `${module.length}:${module}:${name}/${arity}`;
}

function moduleOfKey(key: string): string {
  const start = key.indexOf(":") + 1;
  return key.slice(start, start + Number(key.slice(0, start - 1)));
}
