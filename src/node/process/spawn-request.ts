/**
 * A request of ours to spawn a process on another node, until it is answered.
 *
 * Spec: erl_dist_protocol, SPAWN_REQUEST and SPAWN_REPLY.
 */
import type { Atom, Pid, Reference } from "../../../etf/index.ts";
import type { Lost, MonitorOptions, OnDown } from "./monitor.ts";
import type { Process } from "./process.ts";

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
