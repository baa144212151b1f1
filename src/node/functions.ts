/**
 * What other nodes may call: functions by module, name and arity, and nothing else.
 *
 * An exposed function gets its arguments as terms and returns a term, or a promise of one;
 * nothing (`undefined`) is answered as the atom `ok`.
 */
import type { Atom, Pid, Term, TermInput } from "../../etf/index.ts";
import { atom, isAtom, tuple } from "../../etf/index.ts";
import { ErlangError, NodeError } from "./errors.ts";
import type { Process } from "./process.ts";

/** What an exposed function finds as `this`. */
export interface CallContext {
  /** The process the function runs in; its group leader is the caller's. */
  readonly self: Process;
  /** Who asked for the call, if that is known. */
  readonly caller: Pid | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments' types are the exposing program's choice
export type ExposedFunction = (this: CallContext, ...args: any[]) => unknown;

/**
 * Functions by name, `store` with the arity of the JavaScript function, or by name and arity,
 * `"store/2"`, for several arities of one name and for functions with optional arguments.
 */
export type ExposedModule = Readonly<Record<string, ExposedFunction>>;

/** Runs as a process of its own, made by a spawn request: what it returns does not matter. */
export type ProcessFunction = (self: Process, args: readonly Term[], caller: Pid) => unknown;

type Row =
  | { readonly kind: "function"; readonly run: ExposedFunction }
  | { readonly kind: "process"; readonly run: ProcessFunction };

const KEY = /^([^/]+)(?:\/(\d{1,3}))?$/;
const OK: Atom<"ok"> = atom("ok");
const UNDEF: Atom<"undef"> = atom("undef");

export class FunctionTable {
  readonly #rows = new Map<string, Row>();

  /**
   * Makes functions callable; one that was exposed under the same module, name and arity before
   * is replaced.
   * @throws NodeError FUNCTION_NAME_INVALID
   */
  expose(module: string, functions: ExposedModule): void {
    for (const [key, run] of Object.entries(functions)) {
      const found = KEY.exec(key);
      if (found === null || typeof run !== "function" || Number(found[2] ?? 0) > 255) {
        throw new NodeError(
          "FUNCTION_NAME_INVALID",
          `"${module}:${key}" cannot be exposed: a name such as "store", or "store/2" with an arity of 0 to 255, and a function are expected.`,
        );
      }
      const arity = found[2] === undefined ? run.length : Number(found[2]);
      this.#rows.set(rowKey(module, found[1]!, arity), { kind: "function", run });
    }
  }

  /** Makes a function that is to be spawned, as `erpc:execute_call/4` is. */
  exposeProcess(module: string, name: string, arity: number, run: ProcessFunction): void {
    this.#rows.set(rowKey(module, name, arity), { kind: "process", run });
  }

  /**
   * Applies an exposed function. The result is what it returned, a promise if it returned one.
   * @throws ErlangError error `undef` when there is no such function; whatever it throws
   */
  apply(
    context: CallContext,
    module: Term,
    name: Term,
    args: readonly Term[],
  ): TermInput | Promise<TermInput> {
    const row = this.#find(module, name, args.length);
    if (row?.kind !== "function") throw new UndefError(module, name, args);
    const result = row.run.apply(context, [...args]);
    if (result instanceof Promise) return result.then(okIfNothing);
    return okIfNothing(result);
  }

  /** Runs as the body of a process that another node has spawned. */
  spawned(self: Process, caller: Pid, module: Atom, name: Atom, args: readonly Term[]): unknown {
    const row = this.#find(module, name, args.length);
    if (row?.kind === "process") return row.run(self, args, caller);
    return this.apply({ self, caller }, module, name, args);
  }

  /** The modules of which something is callable, in the order they came. */
  modules(): string[] {
    return [...new Set([...this.#rows.keys()].map(moduleOfKey))];
  }

  /** Whether a function is callable, or can be spawned. */
  exports(module: Atom, name: Atom, arity: number): boolean {
    return this.#find(module, name, arity) !== undefined;
  }

  #find(module: Term, name: Term, arity: number): Row | undefined {
    if (!isAtom(module) || !isAtom(name)) return undefined;
    return this.#rows.get(rowKey(module.name, name.name, arity));
  }
}

/** An `error` raised by a call as such; the stack trace is OTP's: that call, arguments and all. */
export class FailedCall extends ErlangError {
  readonly call: Term;
  constructor(reason: Term, module: Term, name: Term, args: readonly Term[]) {
    super("error", reason);
    this.call = tuple(module, name, [...args], []);
  }
}

/** `error(undef)`: there is no such function. */
export class UndefError extends FailedCall {
  constructor(module: Term, name: Term, args: readonly Term[]) {
    super(UNDEF, module, name, args);
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
