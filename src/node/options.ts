/** The options of a node, with their defaults and limits. */
import { heapLimitBytes } from "../../etf/index.ts";
import type { Clock } from "../transport/clock.ts";
import type { Network } from "../transport/transport.ts";
import type { EpmdOptions, NameService } from "./identity/name-service.ts";
import type { DistAutoConnect } from "./peers/peers-options.ts";

/** Where a node listens for peers. */
export interface ListenChoice {
  /** The address to listen on. Default: all interfaces, as `erl`. */
  host?: string;
  /** The lowest and highest TCP port, as inet_dist_listen_min and _max. Default: any free port. */
  portMin?: number;
  portMax?: number;
}

/** The options of a node, without those of the OTP services. */
export interface NodeCoreOptions {
  /**
   * `gandalf` or `gandalf@host`. With `undefined` or `undefined@host` the node gets its name from the
   * first node it connects to (`connect`), as with `erl -sname undefined`. Such a node does not listen,
   * is hidden and never connects automatically, whatever the other options say.
   */
  name: string;
  /**
   * Whether the node uses long names (`-name`) or short ones (`-sname`). With long names it connects
   * only to hosts with a dot, with short names only to hosts without. Default: long if the host in
   * `name` has a dot.
   */
  longNames?: boolean;
  /** The cookie. Default: read from `~/.erlang.cookie`, which is created if missing. */
  cookie?: string;
  /** Whether the node is hidden: peers list it as hidden and `global` ignores it. Default true. */
  hidden?: boolean;
  /**
   * Whether a signal to a node without a connection sets one up. `never`: it does not; `once`: not if
   * that node was connected before. Default: always.
   */
  distAutoConnect?: DistAutoConnect;
  /** Cookies for individual peers, by full node name. */
  cookies?: Readonly<Record<string, string>>;
  /** Where to listen; with `false` the node accepts no connections and does not register with EPMD. */
  listen?: ListenChoice | false;
  /** EPMD: who serves it, and where. */
  epmd?: EpmdOptions;
  /** Replaces EPMD. */
  nameService?: NameService;
  /** How long a peer may be silent before it counts as dead, in milliseconds. Default 60,000. */
  netTickTimeMs?: number;
  /** How many parts the net tick time has; clamped to 4 to 1000, as in OTP. Default 4. */
  netTickIntensity?: number;
  /** How long setting up a connection may take, in milliseconds. Default 7,000. */
  netSetupTimeMs?: number;
  /**
   * The largest frame accepted from a peer, in bytes. Default 512 MiB, or a quarter of the heap limit
   * (`v8.getHeapStatistics().heap_size_limit`) if that is less.
   */
  maxFrameBytes?: number;
  /**
   * How many bytes a peer's incomplete fragmented messages may take; more ends the connection.
   * Default 1 GiB, or half of the heap limit if that is less.
   */
  maxFragmentedBytes?: number;
  /**
   * How many bytes of heap a term from a peer may take, which can be forty times its size on the wire;
   * more ends the connection. Default: a quarter of the heap limit.
   */
  maxTermHeapBytes?: number;
  /** With more bytes than this queued on a connection, senders wait. Default 1 MiB. */
  highWaterMarkBytes?: number;
  /**
   * With more bytes than this queued on a connection, a send throws CONN_OVERLOADED; twice as many end
   * the connection. Default 256 MiB.
   */
  maxQueuedBytes?: number;
  /**
   * How many bytes the messages in all mailboxes of the node may take. A full mailbox never stops a
   * connection. Above this limit the node ends the processes with the largest mailboxes, with the reason
   * `killed` as by max_heap_size in OTP, and names them in the event `log`. The event `mailboxes` reports
   * when half of it is in use. Default: a quarter of the heap limit; Infinity for no limit.
   */
  maxMailboxBytes?: number;
  /** What connections are made on. Default: TCP. */
  network?: Network;
  /** Where time comes from. Default: the system. */
  clock?: Clock;
  /** The environment. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_LIMITS = {
  netTickTimeMs: 60_000,
  netTickIntensity: 4,
  netSetupTimeMs: 7_000,
  maxFrameBytes: Math.min(512 * 1024 * 1024, heapLimitBytes() / 4),
  maxFragmentedBytes: Math.min(1024 * 1024 * 1024, heapLimitBytes() / 2),
  maxTermHeapBytes: heapLimitBytes() / 4,
  highWaterMarkBytes: 1024 * 1024,
  maxQueuedBytes: 256 * 1024 * 1024,
  maxMailboxBytes: heapLimitBytes() / 4,
};

/** The numeric options, each with a value. */
export type Limits = { -readonly [Key in keyof typeof DEFAULT_LIMITS]: number };

/** The numeric options as given, with the defaults for those that are missing. */
export function limitsOf(options: NodeCoreOptions): Limits {
  const chosen: Limits = { ...DEFAULT_LIMITS };
  for (const key of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    chosen[key] = options[key] ?? chosen[key];
  }
  chosen.netTickIntensity = Math.min(1000, Math.max(4, chosen.netTickIntensity));
  return chosen;
}
