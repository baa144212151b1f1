/**
 * Functions of OTP's own modules, which operators and their tools call over rpc: how they are exposed,
 * and how they fail.
 *
 * An `error` that such a function throws gets the stack trace of an Erlang node's, with the call itself
 * first: `{badrpc, {'EXIT', {badarg, [{erlang, process_info, Args, []}]}}}`.
 */
import { atom, type Term, type TermInput } from "../../../etf/index.ts";
import { BADARG, FUNCTION_CLAUSE } from "../../node/atoms.ts";
import { ErlangError, FailedCall } from "../../node/exceptions.ts";
import type { CallContext, ExposedFunction } from "../../node/exposed/functions.ts";
import type { NodeCore } from "../../node/node.ts";

/** The implementation of one of OTP's functions; gets the context of its call, then the arguments. */
export type Bif = (
  context: CallContext,
  ...args: Term[]
) => TermInput | undefined | Promise<TermInput | undefined>;

/** Exposes functions of an OTP module, by name and arity as in `"process_info/2"`. */
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

/** The error `badarg`, for invalid arguments of a built-in function. */
export function badarg(): ErlangError {
  return ErlangError.error(BADARG);
}

/** The error `function_clause`, which OTP's modules written in Erlang raise for invalid arguments. */
export function functionClause(): ErlangError {
  return ErlangError.error(FUNCTION_CLAUSE);
}
