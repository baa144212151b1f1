/**
 * What other nodes may call: functions by module, name and arity, and nothing else.
 *
 * An exposed function gets its arguments as terms and returns a term, or a promise of one;
 * nothing (`undefined`) is answered as the atom `ok`.
 */

import type { Atom, LocalFun, Pid, Term, TermInput } from "../../../etf/index.ts";
import { atom, atomOf, atomTerm, ExternalFun, isFun, isList, tuple } from "../../../etf/index.ts";
import { APPLY, BADARG, BADFUN, ERLANG, OK } from "../atoms.ts";
import { ErlangError, FunctionClauseError, NoClauseError, UndefError } from "../exceptions.ts";
import type { Process } from "../process/process.ts";
import { exposedFunctions } from "./exposed.ts";

/** What an exposed function finds as `this`. */
export interface CallContext {
  /** The process the function runs in. */
  readonly self: Process;
  /** Who asked for the call, if that is known. */
  readonly caller: Pid | undefined;
  /** Gets the output of the function; the caller's, unless it named another. */
  readonly groupLeader: Pid;
  /**
   * Fires when the caller dies or the connection to it is lost, with an ErlangError of that exit
   * reason, and when the process the function runs in is ended. Nothing is watched until it is asked
   * for. A caller that gave up waiting and lives on is not noticed.
   */
  readonly signal: AbortSignal;
}

/** A call as it comes in. */
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

// biome-ignore lint/suspicious/noExplicitAny: the arguments' types are the exposing program's choice
export type ExposedFunction = (this: CallContext, ...args: any[]) => unknown;

/**
 * Functions by name or by name and arity, `"store/2"`, for several functions of one name.
 *
 * A function under its name alone is called with every number of arguments that its parameters take:
 * `(a, b) => …` is of arity 2, `(a, b = 1) => …` of 1 and 2, `(a, ...more) => …` of 1 to 255. The
 * parameters are read from the source; of a bound or native function, of one whose `length` was set, and
 * of one with a template or a regular expression in a default value it cannot be known, so that these
 * need a key with their arity.
 */
export type ExposedModule = Readonly<Record<string, ExposedFunction>>;

/** Runs as a process of its own, made by a spawn request: what it returns does not matter. */
export type ProcessFunction = (self: Process, args: readonly Term[], caller: Pid) => unknown;

type Row =
  | { readonly kind: "function"; readonly run: ExposedFunction }
  | { readonly kind: "process"; readonly run: ProcessFunction };

const BADARITY: Atom<"badarity"> = atom("badarity");

export class FunctionTable {
  readonly #rows = new Map<string, Row>();

  /**
   * Makes functions of a plain object, or methods of an instance of a class, callable. One that was
   * exposed under the same module, name and arity before is replaced.
   *
   * Of an instance these are all of its methods, inherited ones too, and functions in its properties,
   * but for the constructor, getters and setters, and names that begin with an underscore. Methods that
   * are private to TypeScript alone cannot be told from others; `#private` ones are not seen. They have
   * the instance as `this`, and no CallContext.
   * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
   */
  expose(module: string, functions: ExposedModule | object): void {
    for (const { name, arities, run } of exposedFunctions(module, functions)) {
      for (let arity = arities.from; arity <= arities.to; arity++) {
        this.#rows.set(rowKey(module, name, arity), { kind: "function", run });
      }
    }
  }

  /** Makes a function that is to be spawned, as `erpc:execute_call/4` is. */
  exposeProcess(module: string, name: string, arity: number, run: ProcessFunction): void {
    this.#rows.set(rowKey(module, name, arity), { kind: "process", run });
  }

  /**
   * Applies an exposed function, or through `erlang:apply/2` and `apply/3` the one that they name. The
   * result is what it returned, a promise if it returned one.
   * @throws ErlangError error `undef` when there is no such function; whatever it throws
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
        const [first, second, third] = args as readonly Term[] as [Term, Term, Term];
        if (args.length === 2 && isFun(first)) return this.applyFun(call, first, second);
        if (args.length === 2) throw ErlangError.error(tuple(BADFUN, first) as Term);
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
   * @throws as `apply`; ErlangError error `badarg` when the arguments are no list, `badarity`
   */
  applyFun(call: Call, fun: ExternalFun | LocalFun, args: Term): TermInput | Promise<TermInput> {
    if (!isList(args)) throw ErlangError.error(BADARG);
    // The code of a fun that is not `fun M:F/A` is where it was made.
    if (!(fun instanceof ExternalFun)) throw new UndefError(ERLANG, APPLY, [fun, args]);
    if (fun.arity !== args.length) {
      throw ErlangError.error(tuple(BADARITY, tuple(fun, args)) as Term);
    }
    return this.apply(call, atomTerm(fun.module), atomTerm(fun.function), args);
  }

  #applyNamed(call: Call, module: Term, name: Term, args: Term): TermInput | Promise<TermInput> {
    if (atomOf(module) === undefined || atomOf(name) === undefined || !isList(args)) {
      throw ErlangError.error(BADARG);
    }
    return this.apply(call, module, name, args);
  }

  /** Runs as the body of a process that another node has spawned. */
  spawned(self: Process, caller: Pid, module: Term, name: Term, args: readonly Term[]): unknown {
    const row = this.#find(module, name, args.length);
    if (row?.kind === "process") return row.run(self, args, caller);
    return this.apply({ self, caller }, module, name, args);
  }

  /** The modules of which something is callable, in the order they came. */
  modules(): string[] {
    return [...new Set([...this.#rows.keys()].map(moduleOfKey))];
  }

  /** Whether a function is callable, or can be spawned. */
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
  // The length says where the module ends, whatever characters the two names have.
  return `${module.length}:${module}:${name}/${arity}`;
}

function moduleOfKey(key: string): string {
  const start = key.indexOf(":") + 1;
  return key.slice(start, start + Number(key.slice(0, start - 1)));
}
