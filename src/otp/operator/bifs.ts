/**
 * Functions of OTP's own modules, as operators and their tools call them over rpc: how they are
 * exposed, and how they fail.
 *
 * What such a function throws as `error` gets the stack trace that a genuine node's has, with the
 * call itself first: `{badrpc, {'EXIT', {badarg, [{erlang, process_info, Args, []}]}}}`.
 */
import { atom, type Term, type TermInput } from "../../../etf/index.ts";
import { BADARG, FUNCTION_CLAUSE } from "../../node/atoms.ts";
import { ErlangError, FailedCall } from "../../node/exceptions.ts";
import type { CallContext, ExposedFunction } from "../../node/exposed/functions.ts";
import type { NodeCore } from "../../node/node.ts";

/** A function of OTP's: gets the call it is in, then its arguments. */
export type Bif = (
  context: CallContext,
  ...args: Term[]
) => TermInput | undefined | Promise<TermInput | undefined>;

/** Exposes functions of a module of OTP's, by name and arity as in `"process_info/2"`. */
export function exposeBifs(
  node: NodeCore,
  module: string,
  bifs: Readonly<Record<string, Bif>>,
): void {
  const functions: Record<string, ExposedFunction> = {};
  for (const [key, bif] of Object.entries(bifs)) {
    const name = key.slice(0, key.lastIndexOf("/"));
    const located = (error: unknown, args: readonly Term[]): unknown =>
      error instanceof ErlangError && error.class === "error"
        ? new FailedCall(error.reason, atom(module), atom(name), args)
        : error;
    functions[key] = function (this: CallContext, ...args: Term[]) {
      try {
        const result = bif(this, ...args);
        if (!(result instanceof Promise)) return result;
        return result.catch((error: unknown) => {
          throw located(error, args);
        });
      } catch (error) {
        throw located(error, args);
      }
    };
  }
  node.expose(module, functions);
}

/** Arguments that the function does not take. */
export function badarg(): ErlangError {
  return ErlangError.error(BADARG);
}

/** Arguments that no clause of the function takes: what OTP's modules written in Erlang raise. */
export function functionClause(): ErlangError {
  return ErlangError.error(FUNCTION_CLAUSE);
}
