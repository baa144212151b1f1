/**
 * rpc, the caller's side: `rpc:call` as OTP 25 and later have it, on top of erpc.
 *
 * Where OTP's returns `{badrpc, Reason}`, ours rejects, because a returned `{badrpc, _}` cannot be
 * told from a failure; RemoteError's `badrpc` is the term OTP would have returned. A thrown term
 * is a result, as there. Left out here: block_call, async_call, multicall and the like.
 */
import { type Atom, isAtom, isTuple, type Term, type TermInput } from "../../etf/index.ts";
import type { CallOptions, Erpc } from "./erpc.ts";
import { RemoteError } from "./errors.ts";

export class Rpc {
  readonly #erpc: Erpc;

  constructor(erpc: Erpc) {
    this.#erpc = erpc;
  }

  /**
   * Applies a function on a node and resolves with what it returns or throws.
   *
   * @throws RemoteError REMOTE_EXIT, REMOTE_ERROR where OTP returns `{badrpc, {'EXIT', _}}`;
   *   CallError CALL_NO_CONNECTION (`{badrpc, nodedown}`), CALL_TIMEOUT (`{badrpc, timeout}`),
   *   CALL_NOT_SUPPORTED; EtfEncodeError when an argument is no term; the signal's reason
   */
  async call(
    node: Atom | string,
    module: Atom | string,
    name: Atom | string,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<Term> {
    try {
      return refuseExit(await this.#erpc.call(node, module, name, args, options));
    } catch (error) {
      if (!(error instanceof RemoteError) || error.code !== "REMOTE_THROW") throw error;
      return refuseExit(error.reason);
    }
  }
}

/** A result `{'EXIT', Reason}` counts as an exit, as OTP's rpc has always had it. */
function refuseExit(result: Term): Term {
  if (isTuple(result, 2) && isAtom(result[0], "EXIT")) {
    throw new RemoteError("exit", result[1] as Term);
  }
  return result;
}
