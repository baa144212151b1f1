/**
 * Processes that a process of ours starts on any node: `spawn_request`, and the waiting forms of it.
 *
 * Spec: `erlang:spawn_request/5` and `spawn_opt/5`. As Erlang terms, to the one who asked:
 *   {spawn_reply, ReqId, ok, Pid}          the process runs; EXIT and DOWN messages come after it
 *   {spawn_reply, ReqId, error, Reason}    there is none: noconnection, notsup, badopt, system_limit
 * Where `spawn/4` and its kin of OTP return a pid that is nobody's when the node cannot be reached,
 * `spawnOn` rejects; who does not catch that while it is linked ends with `noconnection`, as in OTP.
 */

import type { Pid, Reference, TermInput } from "../../../etf/index.ts";
import { type Atom, atom, atomTerm, isPid, toTerm, tuple } from "../../../etf/index.ts";
import { asAtom, ERROR, type NameLike, NOCONNECTION, OK } from "../atoms.ts";
import { deadError, timeoutError } from "../errors.ts";
import { ErlangError } from "../exceptions.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";
import type { RemoteFunction, RequestOptions } from "./spawn-request.ts";
import type { MonitorOptions } from "./ties.ts";
import { limitWait } from "./wait-limits.ts";

export interface SpawnOptions {
  /** As `spawn_link`. Default false. */
  link?: boolean;
  /** As `spawn_monitor`. Default false. */
  monitor?: boolean | MonitorOptions;
  /** Gets what the function prints. Default: that of the process that spawns. */
  groupLeader?: Pid;
  /** Options for the emulator, as terms: `{priority, high}`, `{min_heap_size, 1000}`. Default none. */
  emulatorOptions?: readonly TermInput[];
}

export interface SpawnRequestOptions extends SpawnOptions {
  /** Which answers come as messages. Default `yes`: both. */
  reply?: "yes" | "no" | "error_only" | "success_only";
  /** Stands in the message in the place of `spawn_reply`. */
  replyTag?: TermInput;
}

export interface SpawnOnOptions extends SpawnOptions {
  /** Milliseconds to wait for the answer. Default: no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const SPAWN_REPLY: Atom<"spawn_reply"> = atom("spawn_reply");

export type SpawnErrorCode = "SPAWN_FAILED";

/** The node did not make the process. */
export class SpawnError extends ErlangError {
  readonly code: SpawnErrorCode = "SPAWN_FAILED";
  override readonly reason: Atom;
  constructor(node: Atom, reason: Atom, options?: ErrorOptions) {
    super(reason === NOCONNECTION ? "exit" : "error", reason);
    this.name = "SpawnError";
    this.message = `${node.name} did not make the process: ${reason.name}.`;
    this.reason = reason;
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}

/** A function of another node, its names given as text or atoms. */
export function remoteFunction(
  module: NameLike,
  name: NameLike,
  args: readonly TermInput[],
): RemoteFunction {
  return { module: asAtom(module), function: asAtom(name), args };
}

/** Asks for a process and goes on; returns the request's reference, which is the monitor's too. */
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
 * Asks for a process and waits for it. Who stops waiting gives the request up: a process that is
 * made after all is not monitored, and if it was to be linked, ends with `abandoned`.
 * @throws SpawnError; CallError CALL_TIMEOUT; NodeError PROCESS_DEAD; the signal's reason
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

/** What both ask of the node. */
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
