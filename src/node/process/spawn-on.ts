/**
 * How a process starts other processes on any node: `spawn_request`, and `spawnOn`, which waits.
 *
 * Spec: `erlang:spawn_request/5` and `spawn_opt/5`. The requester gets, as Erlang terms:
 *   {spawn_reply, ReqId, ok, Pid}          the process runs; EXIT and DOWN messages come later
 *   {spawn_reply, ReqId, error, Reason}    it failed: noconnection, notsup, badopt, system_limit
 * If the node cannot be reached, OTP's `spawn/4` and its relatives return the pid of a process that does
 * not exist. `spawnOn` rejects instead. A process that does not catch this ends with `noconnection`, as
 * a linked one does in OTP.
 */
import type { Pid, Reference, TermInput } from "../../../etf/index.ts";
import { type Atom, atom, atomTerm, isPid, toTerm, tuple } from "../../../etf/index.ts";
import { asAtom, ERROR, type NameLike, OK } from "../atoms.ts";
import { deadError, timeoutError } from "../errors.ts";
import { SpawnError } from "./errors.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";
import type { RemoteFunction, RequestOptions } from "./spawn-request.ts";
import type { MonitorOptions } from "./ties.ts";
import { limitWait } from "./wait-limits.ts";

/** The options of every spawn. */
export interface SpawnOptions {
  /** Links the new process, as `spawn_link`. Default false. */
  link?: boolean;
  /** Monitors the new process, as `spawn_monitor`. Default false. */
  monitor?: boolean | MonitorOptions;
  /** Gets what the function prints. Default: the group leader of the spawning process. */
  groupLeader?: Pid;
  /** Options for the emulator, as terms: `{priority, high}`, `{min_heap_size, 1000}`. Default: none. */
  emulatorOptions?: readonly TermInput[];
}

/** The options of `spawnRequest`. */
export interface SpawnRequestOptions extends SpawnOptions {
  /** Which replies arrive as messages. Default `yes`: success and error. */
  reply?: "yes" | "no" | "error_only" | "success_only";
  /** Replaces `spawn_reply` in the message. */
  replyTag?: TermInput;
}

/** The options of `spawnOn`. */
export interface SpawnOnOptions extends SpawnOptions {
  /** Milliseconds to wait for the reply. Default: no limit. */
  timeoutMs?: number;
  /** Ends the wait when it fires; `spawnOn` rejects with its reason. */
  signal?: AbortSignal;
}

const SPAWN_REPLY: Atom<"spawn_reply"> = atom("spawn_reply");

/** A function to run on another node. @throws EtfEncodeError ETF_ATOM_TOO_LONG, ETF_BAD_TEXT */
export function remoteFunction(
  module: NameLike,
  name: NameLike,
  args: readonly TermInput[],
): RemoteFunction {
  return { module: asAtom(module), function: asAtom(name), args };
}

/**
 * Asks for a process without waiting; the reply arrives as a message. Returns the reference of the
 * request, which is also that of the monitor.
 * @throws EtfEncodeError if an argument is not a term
 */
export function spawnRequest(
  kernel: Kernel,
  self: Process,
  node: Atom,
  what: RemoteFunction,
  options: SpawnRequestOptions,
): Reference {
  const { reply = "yes", replyTag = SPAWN_REPLY } = options;
  const tag = toTerm(replyTag);
  const ref = kernel.newReference();
  const answer = (outcome: Atom, value: Pid | Atom): void =>
    self.deliver(tuple(tag, ref, outcome, isPid(value) ? value : atomTerm(value)));
  kernel.spawner.request(self, node, what, {
    ...wishes(self, options),
    ref,
    abandonable: true,
    onSpawned: (pid) => {
      if (reply === "yes" || reply === "success_only") answer(OK, pid);
    },
    onError: (reason) => {
      if (reply === "yes" || reply === "error_only") answer(ERROR, reason);
    },
  });
  return ref;
}

/**
 * Asks for a process and waits until it runs. A timeout or an abort abandons the request: if the process
 * starts after all, it is not monitored, and if it was to be linked, it ends with `abandoned`.
 * @throws SpawnError SPAWN_FAILED; CallError CALL_TIMEOUT; NodeError PROCESS_DEAD; the signal's reason
 */
export async function spawnOn(
  kernel: Kernel,
  self: Process,
  node: Atom,
  what: RemoteFunction,
  options: SpawnOnOptions,
): Promise<{ pid: Pid; ref: Reference }> {
  options.signal?.throwIfAborted();
  const ref = kernel.newReference();
  return new Promise((resolve, reject) => {
    let release: (() => void) | undefined;
    let settled = false;
    const settle = (): void => {
      settled = true;
      release?.();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const giveUp = (error: unknown): void => {
      kernel.spawner.abandonRequest(self, ref);
      fail(error);
    };
    kernel.spawner.request(self, node, what, {
      ...wishes(self, options),
      ref,
      abandonable: true,
      onSpawned: (pid) => {
        settle();
        resolve({ pid, ref });
      },
      onError: (reason, lost) => fail(new SpawnError(node, reason, { cause: lost?.error })),
      onDead: () => fail(deadError(self)),
    });
    if (settled) return;
    const timedOut = (timeoutMs: number): void => giveUp(timeoutError(node.name, timeoutMs));
    release = limitWait(kernel.clock, options, timedOut, giveUp);
  });
}

/** The options that both forms pass on. */
function wishes(
  self: Process,
  { link, monitor, groupLeader, emulatorOptions }: SpawnOptions,
): Pick<RequestOptions, "link" | "monitor" | "groupLeader" | "emulatorOptions"> {
  return {
    groupLeader: groupLeader ?? self.groupLeader,
    ...(link === undefined ? {} : { link }),
    ...(monitor === undefined || monitor === false
      ? {}
      : { monitor: monitor === true ? {} : monitor }),
    ...(emulatorOptions === undefined ? {} : { emulatorOptions }),
  };
}
