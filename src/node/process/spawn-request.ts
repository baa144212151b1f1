/**
 * The records of this node's requests to spawn processes on other nodes.
 *
 * Spec: erl_dist_protocol, SPAWN_REQUEST and SPAWN_REPLY.
 */
import type { Atom, Pid, Reference, TermInput } from "../../../etf/index.ts";
import type { Process } from "./process.ts";
import type { Lost, MonitorOptions, OnDown } from "./ties.ts";

/** A request that is not answered yet. */
export interface SpawnRequest {
  readonly ref: Reference;
  readonly from: Process;
  /** The process runs. With a monitor, `onDown` reports its end later. */
  readonly onSpawned?: ((pid: Pid) => void) | undefined;
  /** The process did not start, for a reason such as `notsup`, `system_limit` or `noconnection`. */
  readonly onError: (reason: Atom, lost?: Lost) => void;
  /** The requester ended before the reply arrived. */
  readonly onDead?: (() => void) | undefined;
  /** Set if the process is monitored with a callback. */
  readonly onDown?: OnDown | undefined;
  /** Set if the process is monitored with a DOWN message. */
  readonly monitor?: MonitorOptions | undefined;
  /** The requester no longer needs the process: if it is monitored after all, the monitor is removed. */
  abandoned: boolean;
}

/** A function to run on another node. */
export interface RemoteFunction {
  readonly module: Atom;
  readonly function: Atom;
  readonly args: readonly TermInput[];
}

/** What a request asks for, and what is called with the outcome. */
export interface RequestOptions {
  readonly groupLeader: Pid;
  /** The request's reference. Default: a new one. */
  readonly ref?: Reference;
  readonly link?: boolean;
  /** Monitors the process with a DOWN message. */
  readonly monitor?: MonitorOptions;
  readonly emulatorOptions?: readonly TermInput[];
  /** Whether the request can be abandoned by its reference. Default false. */
  readonly abandonable?: boolean;
  readonly onSpawned?: ((pid: Pid) => void) | undefined;
  readonly onError: (reason: Atom, lost?: Lost) => void;
  /** The requester ended before the reply arrived. */
  readonly onDead?: (() => void) | undefined;
  /** Monitors the process with a callback in place of the message. */
  readonly onDown?: OnDown | undefined;
}
