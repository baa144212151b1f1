/**
 * What happens before a node is there: its name and cookie are settled, it listens, and the name
 * service makes it known and gives it its creation.
 */
import { randomInt } from "node:crypto";
import { hostname } from "node:os";
import { heapLimitBytes, TermDecoder } from "../../etf/index.ts";
import { FRAGMENT_ROOM_BYTES } from "../distribution/connection.ts";
import { DFLAG, MANDATORY_25 } from "../distribution/flags.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import { tcpNetwork } from "../transport/tcp.ts";
import type { Listener, Network, Transport } from "../transport/transport.ts";
import { userCookie } from "./identity/cookie.ts";
import { CookieTable } from "./identity/cookie-table.ts";
import { type EpmdOptions, type NameService, nameService } from "./identity/name-service.ts";
import { fullNodeName, nameKind, splitNodeName } from "./identity/names.ts";
import { ThisNode } from "./identity/this-node.ts";
import type { DistAutoConnect, PeersOptions } from "./peers/peers.ts";

/** What a node offers its peers: what it can do, no more. A visible one offers PUBLISHED besides. */
export const OFFERED_FLAGS: bigint =
  MANDATORY_25 |
  DFLAG.DIST_MONITOR |
  DFLAG.DIST_MONITOR_NAME |
  DFLAG.UNICODE_IO |
  DFLAG.DIST_HDR_ATOM_CACHE |
  DFLAG.SMALL_ATOM_TAGS |
  DFLAG.SEND_SENDER |
  DFLAG.BIG_SEQTRACE_LABELS |
  DFLAG.EXIT_PAYLOAD |
  DFLAG.FRAGMENTS |
  DFLAG.UNLINK_ID |
  DFLAG.MANDATORY_25_DIGEST |
  DFLAG.SPAWN |
  DFLAG.V4_NC |
  DFLAG.ALIAS |
  DFLAG.ALTACT_SIG |
  DFLAG.NATIVE_RECORDS;

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

/** Transports accepted before the node is there wait here. */
export class AcceptQueue {
  #waiting: Transport[] = [];
  #take: ((transport: Transport) => void) | undefined;

  accept(transport: Transport): void {
    if (this.#take === undefined) this.#waiting.push(transport);
    else this.#take(transport);
  }

  handOver(take: (transport: Transport) => void): void {
    this.#take = take;
    for (const transport of this.#waiting) take(transport);
    this.#waiting = [];
  }
}

export interface PreparedNode {
  readonly clock: Clock;
  readonly listener: Listener | undefined;
  readonly accepted: AcceptQueue;
  readonly nameService: NameService;
  readonly cookies: CookieTable;
  readonly maxMailboxBytes: number;
  readonly peers: PeersOptions;
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

/**
 * Settles everything a node needs; nothing is left behind when it throws.
 * @throws NodeError, TransportError, EpmdError
 */
export async function prepareNode(options: NodeCoreOptions): Promise<PreparedNode> {
  const clock = options.clock ?? systemClock;
  const network = options.network ?? tcpNetwork({ highWaterMarkBytes: FRAGMENT_ROOM_BYTES });
  const longNames = options.longNames ?? nameKind(options.name) === "long";
  const kind = longNames ? "long" : "short";
  const name = fullNodeName(options.name, kind, hostname());
  const cookies = await settleCookies(options);
  const dynamic = new ThisNode(name, 0).dynamicHost !== undefined;
  const visible = options.hidden === false && !dynamic;
  const flags = visible ? OFFERED_FLAGS | DFLAG.PUBLISHED : OFFERED_FLAGS;
  const accepted = new AcceptQueue();
  const listener = dynamic ? undefined : await listen(options, network, accepted);
  const names =
    options.nameService ??
    nameService(options.epmd ?? {}, network, clock, options.env ?? process.env);
  let creation: number;
  try {
    creation =
      listener === undefined
        ? randomInt(4, 2 ** 32)
        : await names.register(splitNodeName(name)!.alive, listener.tcpPort, {
            hidden: !visible,
          });
  } catch (error) {
    await Promise.all([listener?.close(), names.close()]);
    throw error;
  }
  const { maxMailboxBytes, maxTermHeapBytes, ...connectionLimits } = limits(options);
  const peers: PeersOptions = {
    ...connectionLimits,
    decoder: new TermDecoder({ binaries: "view", maxHeapBytes: maxTermHeapBytes }),
    self: new ThisNode(name, creation, kind),
    flags,
    network,
    clock,
    distAutoConnect: dynamic ? "never" : options.distAutoConnect,
    cookieFor: (peer) => cookies.of(peer),
    lookUp: async (peer, signal) => {
      const { alive, host } = splitNodeName(peer)!;
      return { host, tcpPort: await names.portOf(alive, host, { signal }) };
    },
  };
  return {
    clock,
    listener,
    accepted,
    nameService: names,
    cookies,
    maxMailboxBytes,
    peers,
  };
}

async function settleCookies(options: NodeCoreOptions): Promise<CookieTable> {
  const common = options.cookie ?? (await userCookie(options.env ?? process.env));
  return new CookieTable(common, options.cookies);
}

async function listen(
  options: NodeCoreOptions,
  network: Network,
  accepted: AcceptQueue,
): Promise<Listener | undefined> {
  if (options.listen === false) return undefined;
  const { host, portMin = options.epmd?.nodePort ?? 0, portMax = portMin } = options.listen ?? {};
  return network.listen(
    { ...(host === undefined ? {} : { host }), tcpPort: portMin, tcpPortMax: portMax },
    (transport) => accepted.accept(transport),
  );
}

type Limits = { -readonly [Key in keyof typeof DEFAULT_LIMITS]: number };

function limits(options: NodeCoreOptions): Limits {
  const chosen: Limits = { ...DEFAULT_LIMITS };
  for (const key of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    chosen[key] = options[key] ?? chosen[key];
  }
  chosen.netTickIntensity = Math.min(1000, Math.max(4, chosen.netTickIntensity));
  return chosen;
}
