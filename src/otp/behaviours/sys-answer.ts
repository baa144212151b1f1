/**
 * The answer to `get_state` and `replace_state`, whose form depends on the release: `{ok, State}` from
 * OTP 26.1 on (stdlib 5.1), `State` before. Each `sys` understands only its own form.
 *
 * Neither the request nor the distribution flags show the caller's release, so the caller's node is
 * asked for its stdlib version. A node that does not answer within 5 seconds counts as a newer one, and
 * so does this node.
 */
import { atom, isList, isPid, isTuple, type Term, tuple } from "../../../etf/index.ts";
import { OK } from "../../node/atoms.ts";
import type { OtpNode } from "./otp-node.ts";

const ASKED_TIMEOUT_MS = 5000;
const FIRST_TAGGED: readonly [number, number] = [5, 1];

/** The answer that a caller gets for a state. */
export async function stateAnswer(node: OtpNode, from: Term, state: Term): Promise<Term> {
  const pid = isTuple(from, 2) ? from[0] : undefined;
  const asking = isPid(pid) ? pid.node.name : node.name;
  return (await tagsStates(node, asking)) ? tuple(OK, state) : state;
}

/** Whether a node's `sys` tags states with `ok`. */
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
