/** The `client_info` of a server's crash report: who made the call that the server ended on. */
import { atom, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { UNDEFINED } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";

/** `undefined`, `{Pid, remote}`, `{Pid, dead}` or `{Pid, {NameOrPid, []}}`, without a stack trace. */
export function clientInfo(node: NodeCore, pid: Pid | undefined): Term {
  if (pid === undefined) return UNDEFINED;
  if (pid.node.name !== node.name) return tuple(pid, atom("remote"));
  const process = node.processOf(pid);
  if (process === undefined) return tuple(pid, atom("dead"));
  return tuple(pid, tuple(process.nameTerm ?? pid, []));
}
