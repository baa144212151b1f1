/** The options of a node, with their defaults and limits. */
import { heapLimitBytes } from "../../etf/index.ts";
import type { Clock } from "../transport/clock.ts";
import type { Network } from "../transport/transport.ts";
import type { EpmdOptions, NameService } from "./identity/name-service.ts";
import type { DistAutoConnect } from "./peers/peers-options.ts";

export interface ListenChoice {
  /** Address to listen on. Default: all interfaces, as `erl`. */
  host?: string;
  /** Lowest and highest TCP port, as inet_dist_listen_min and _max. Default: any free port. */
  portMin?: number;
  portMax?: number;
}

export interface NodeCoreOptions {
  /**
   * `gandalf` or `gandalf@host`. `undefined`, or `undefined@host`, is a node that gets its name from
   * the first node it connects to (`connect`), as with `erl -sname undefined`: it does not listen, is
   * hidden, and does not connect by itself, whatever the other options say.
   */
  name: string;
  /**
   * Long names (`-name`) or short ones (`-sname`): the node connects only to hosts with a dot, or only
   * to hosts without. Default: long if the name has a host with a dot.
   */
  longNames?: boolean;
  /** The cookie. Default: that of `~/.erlang.cookie`, created if missing. */
  cookie?: string;
  /** Whether peers list this node as a hidden one, and `global` leaves it alone. Default true. */
  hidden?: boolean;
  /**
   * `never`: signals do not connect to nodes by themselves; `once`: not to a node that has been
   * connected before. Default: they do, always.
   */
  distAutoConnect?: DistAutoConnect;
  /** Cookies for single peers, by full node name. */
  cookies?: Readonly<Record<string, string>>;
  /** Where to listen, or `false` to take no connections and to be unknown to EPMD. */
  listen?: ListenChoice | false;
  /** EPMD: who serves it, and where. */
  epmd?: EpmdOptions;
  /** Takes the place of EPMD. */
  nameService?: NameService;
  /** Silence after which a peer is taken for dead, in milliseconds. Default 60,000. */
  netTickTimeMs?: number;
  /** Parts the net tick time is cut into, 4 to 1000; what is beyond is taken for these, as in OTP. Default 4. */
  netTickIntensity?: number;
  /** Time to set up a connection, in milliseconds. Default 7,000. */
  netSetupTimeMs?: number;
  /**
   * Largest frame taken from a peer, in bytes. Default 512 MiB, or a quarter of what the heap may
   * grow to (`v8.getHeapStatistics().heap_size_limit`) if that is less.
   */
  maxFrameBytes?: number;
  /**
   * Bytes of buffers for a peer's messages of which fragments are still to come; beyond it the
   * connection ends. Default 1 GiB, or half of what the heap may grow to if that is less.
   */
  maxFragmentedBytes?: number;
  /**
   * Bytes of heap that a term from a peer may take, which is up to forty times what it takes on the
   * wire; beyond it the connection ends. Default a quarter of what the heap may grow to.
   */
  maxTermHeapBytes?: number;
  /** Bytes waiting on a connection above which senders wait. Default 1 MiB. */
  highWaterMarkBytes?: number;
  /**
   * Bytes waiting on a connection above which a send throws CONN_OVERLOADED, and twice which end
   * the connection. Default 256 MiB.
   */
  maxQueuedBytes?: number;
  /**
   * Bytes that the messages waiting in all mailboxes of the node may take. A full mailbox holds up no
   * connection; beyond this the processes with the largest mailboxes are ended with the reason
   * `killed`, as by max_heap_size in OTP, and the event `log` names them. The event `mailboxes`
   * tells that half is in use. Default a quarter of what the heap may grow to; Infinity for no bound.
   */
  maxMailboxBytes?: number;
  network?: Network;
  clock?: Clock;
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

export type Limits = { -readonly [Key in keyof typeof DEFAULT_LIMITS]: number };

export function limitsOf(options: NodeCoreOptions): Limits {
  const chosen: Limits = { ...DEFAULT_LIMITS };
  for (const key of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    chosen[key] = options[key] ?? chosen[key];
  }
  chosen.netTickIntensity = Math.min(1000, Math.max(4, chosen.netTickIntensity));
  return chosen;
}
