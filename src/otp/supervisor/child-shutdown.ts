/**
 * Ends children as a supervisor does, several at once.
 *
 * Spec: stdlib/src/supervisor.erl, shutdown/1. Monitors each child, then sends it the exit signal
 * `shutdown` or `kill`; children that are still up when the time is over are killed. Waits for the
 * monitors' messages and not only for those of the links, since a child may have unlinked itself.
 */
import {
  isPid,
  isReference,
  isTuple,
  type Pid,
  type Reference,
  type Term,
} from "../../../etf/index.ts";
import { DOWN, EXIT, KILL, KILLED, SHUTDOWN } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import { PidMap, ReferenceMap } from "../../node/process/identifiers.ts";
import type { Matcher } from "../../node/process/mailbox.ts";
import type { Process } from "../../node/process/process.ts";
import { isQuiet } from "../behaviours/proc-lib.ts";
import { receiveWithin } from "../gen/receive-within.ts";
import type { Restart, Shutdown } from "./child-spec.ts";

type Clock = NodeCore["clock"];

/**
 * Ends processes; resolves with the exit reason of each, in order. The reason of a link's message takes
 * precedence, because a monitor of a process that has already ended reports only `noproc`.
 * @param shutdown milliseconds that the processes may take, `infinity`, or `brutal_kill`
 * @throws NodeError PROCESS_DEAD when the supervisor itself ends meanwhile
 */
export async function endProcesses(
  supervisor: Process,
  clock: Clock,
  pids: readonly Pid[],
  shutdown: Shutdown,
): Promise<Term[]> {
  const waiting = new ReferenceMap<Pid>();
  const ended = new PidMap<Term | undefined>();
  for (const pid of pids) {
    ended.set(pid, undefined);
    waiting.set(supervisor.monitor(pid), pid);
    supervisor.sendExit(pid, shutdown === "brutal_kill" ? KILL : SHUTDOWN);
  }
  const isOfThem: Matcher = (message) =>
    downIn(message, waiting) !== undefined || exitIn(message, ended) !== undefined;
  let deadline = typeof shutdown === "number" ? clock.now() + shutdown : Number.POSITIVE_INFINITY;
  while (waiting.size > 0) {
    const timeoutMs = Math.max(0, deadline - clock.now());
    const message = await receiveWithin(supervisor, isOfThem, timeoutMs);
    if (message === undefined) {
      for (const pid of waiting.values()) supervisor.sendExit(pid, KILL);
      deadline = Number.POSITIVE_INFINITY;
      continue;
    }
    const [, , reason] = message as readonly Term[];
    const exited = exitIn(message, ended);
    if (exited !== undefined) {
      ended.set(exited, reason);
      continue;
    }
    const [, ref, , , why] = message as [Term, Reference, Term, Term, Term];
    const pid = waiting.take(ref)!;
    supervisor.unlink(pid);
    if (ended.get(pid) === undefined) ended.set(pid, why);
  }
  return pids.map((pid) => ended.get(pid) as Term);
}

/** Whether a child that the supervisor ended has the expected reason; any other is reported. */
export function endedWell(reason: Term, shutdown: Shutdown, restart: Restart): boolean {
  if (reason === (shutdown === "brutal_kill" ? KILLED : SHUTDOWN)) return true;
  return restart !== "permanent" && isQuiet(reason);
}

function downIn(message: Term, waiting: ReferenceMap<Pid>): Pid | undefined {
  if (!isTuple(message, 5) || message[0] !== DOWN || !isReference(message[1])) return undefined;
  return waiting.get(message[1]);
}

function exitIn(message: Term, ended: PidMap<Term | undefined>): Pid | undefined {
  if (!isTuple(message, 3) || message[0] !== EXIT || !isPid(message[1])) return undefined;
  return ended.has(message[1]) ? message[1] : undefined;
}
