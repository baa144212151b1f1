/**
 * The answer to `get_state` and `replace_state`, which has changed: `{ok, State}` from OTP 26.1 on
 * (stdlib 5.1), `State` alone before, and each `sys` understands its own only.
 *
 * Nothing in a request says which release has made it, nor do the flags: so its node is asked, for
 * the version of stdlib. One that does not tell, in 5 seconds, is taken to be a newer one, and so is
 * this node.
 */
import { atom, isList, isPid, isTuple, type Term, tuple } from "../../../etf/index.ts";
import { OK } from "../../node/atoms.ts";
import type { OtpNode } from "./otp-node.ts";

const ASKED_TIMEOUT_MS = 5000;
const FIRST_TAGGED: readonly [number, number] = [5, 1];

/** What a caller gets for a state. */
export async function stateAnswer(node: OtpNode, from: Term, state: Term): Promise<Term> {
  const pid = isTuple(from, 2) ? from[0] : undefined;
  const asking = isPid(pid) ? pid.node.name : node.name;
  return (await tagsStates(node, asking)) ? tuple(OK, state) : state;
}

/** Whether `sys` of a node tags states with `ok`. */
export async function tagsStates(node: OtpNode, peer: string): Promise<boolean> {
  if (peer === node.name) return true;
  try {
    const args = [atom("stdlib"), atom("vsn")];
    const options = { timeoutMs: ASKED_TIMEOUT_MS };
    const answer = await node.erpc.call(peer, "application", "get_key", args, options);
    const version = isTuple(answer, 2) ? answer[1] : undefined;
    if (!isList(version)) return true;
    const [major = 0, minor = 0] = Buffer.from(version as number[])
      .toString()
      .split(".")
      .map(Number);
    return major > FIRST_TAGGED[0] || (major === FIRST_TAGGED[0] && minor >= FIRST_TAGGED[1]);
  } catch {
    return true;
  }
}
