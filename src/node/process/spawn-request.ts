/**
 * A request of ours to spawn a process on another node, until it is answered.
 *
 * Spec: erl_dist_protocol, SPAWN_REQUEST and SPAWN_REPLY.
 */
import type { Atom, Pid, Reference, TermInput } from "../../../etf/index.ts";
import type { Process } from "./process.ts";
import type { Lost, MonitorOptions, OnDown } from "./ties.ts";

export interface SpawnRequest {
  readonly ref: Reference;
  readonly from: Process;
  /** The process runs. With a monitor, `onDown` tells of its end later. */
  readonly onSpawned?: ((pid: Pid) => void) | undefined;
  /** No process was made: a reason such as `notsup`, `system_limit` or `noconnection`. */
  readonly onError: (reason: Atom, lost?: Lost) => void;
  /** The one who asked has ended meanwhile. */
  readonly onDead?: (() => void) | undefined;
  /** Set when the process was to be monitored, and not by messages. */
  readonly onDown?: OnDown | undefined;
  /** Set when the process was to be monitored. */
  readonly monitor?: MonitorOptions | undefined;
  /** The requester has lost interest: a monitor that is set after all is taken back. */
  abandoned: boolean;
}

/** A function to run on another node. */
export interface RemoteFunction {
  readonly module: Atom;
  readonly function: Atom;
  readonly args: readonly TermInput[];
}

export interface RequestOptions {
  readonly groupLeader: Pid;
  /** The request's reference. Default: a new one. */
  readonly ref?: Reference;
  readonly link?: boolean;
  /** With it the process is monitored, and a message tells of its end. */
  readonly monitor?: MonitorOptions;
  readonly emulatorOptions?: readonly TermInput[];
  /** The request can be given up by its reference. Default false. */
  readonly abandonable?: boolean;
  readonly onSpawned?: ((pid: Pid) => void) | undefined;
  readonly onError: (reason: Atom, lost?: Lost) => void;
  /** The one who asks has ended before the answer came. */
  readonly onDead?: (() => void) | undefined;
  /** With it the process is monitored, and no message tells of its end. */
  readonly onDown?: OnDown | undefined;
}
