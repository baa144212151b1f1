/**
 * What happens before a node exists: it gets its name and cookie, chooses its network, listens, and
 * registers with the name service, which gives it its creation.
 */
import { randomInt } from "node:crypto";
import { hostname } from "node:os";
import { TermDecoder } from "../../etf/index.ts";
import { FRAGMENT_ROOM_BYTES } from "../distribution/connection.ts";
import { DFLAG, OFFERED_FLAGS } from "../distribution/flags.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import { tcpNetwork } from "../transport/tcp.ts";
import type { Listener, Network, Transport } from "../transport/transport.ts";
import { userCookie } from "./identity/cookie.ts";
import { CookieTable } from "./identity/cookie-table.ts";
import { type NameService, nameService } from "./identity/name-service.ts";
import { fullNodeName, nameKind, parseNodeName } from "./identity/names.ts";
import { ThisNode } from "./identity/this-node.ts";
import { limitsOf, type NodeCoreOptions } from "./options.ts";
import type { PeersOptions } from "./peers/peers-options.ts";

/** Keeps the transports that are accepted before the node exists. */
export class AcceptQueue {
  #waiting: Transport[] = [];
  #take: ((transport: Transport) => void) | undefined;

  /** Keeps a transport, or hands it over once the node exists. */
  accept(transport: Transport): void {
    if (this.#take === undefined) this.#waiting.push(transport);
    else this.#take(transport);
  }

  /** Hands over the transports kept so far, and all later ones. */
  handOver(take: (transport: Transport) => void): void {
    this.#take = take;
    for (const transport of this.#waiting) take(transport);
    this.#waiting = [];
  }
}

/** What a node is made from. */
export interface PreparedNode {
  readonly clock: Clock;
  readonly listener: Listener | undefined;
  readonly accepted: AcceptQueue;
  readonly nameService: NameService;
  readonly cookies: CookieTable;
  readonly maxMailboxBytes: number;
  readonly peers: PeersOptions;
}

/**
 * Prepares everything a node needs. When it throws, nothing is left running.
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
        : await names.register(parseNodeName(name)!.alive, listener.tcpPort, {
            hidden: !visible,
          });
  } catch (error) {
    await Promise.all([listener?.close(), names.close()]);
    throw error;
  }
  const { maxMailboxBytes, maxTermHeapBytes, ...connectionLimits } = limitsOf(options);
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
      const { alive, host } = parseNodeName(peer)!;
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
