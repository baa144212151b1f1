/**
 * A network of named hosts in one program, for tests of what connects and listens.
 *
 * Each host has TCP ports of its own; `localhost` and loopback addresses mean the asking host.
 */
import { type Clock, systemClock } from "./clock.ts";
import { TransportError } from "./errors.ts";
import { type MemoryPairOptions, memoryPair } from "./memory.ts";
import type { ConnectOptions, Listener, ListenOptions, Network, Transport } from "./transport.ts";

type Accept = (transport: Transport) => void;

const FIRST_FREE_PORT = 32_768;

export class MemoryNetwork {
  readonly #hosts = new Map<string, Map<number, Accept>>();
  readonly #silent = new Set<string>();
  readonly #options: Omit<MemoryPairOptions, "addresses">;
  readonly #clock: Clock;
  #nextPort = FIRST_FREE_PORT;

  constructor(options: Omit<MemoryPairOptions, "addresses"> = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The network as programs on the host `name` see it. */
  host(name: string): Network {
    if (!this.#hosts.has(name)) this.#hosts.set(name, new Map());
    return {
      connect: (options) => this.#connect(name, options),
      listen: (options, accept) => this.#listen(name, options, accept),
    };
  }

  /** From now on a connection to `host` is neither accepted nor refused, as behind a firewall. */
  silence(host: string): void {
    this.#silent.add(host);
  }

  async #connect(from: string, options: ConnectOptions): Promise<Transport> {
    const { host, tcpPort, signal } = options;
    if (signal?.aborted) throw aborted(options);
    const name = isLoopback(host) ? from : host;
    if (this.#silent.has(name)) return this.#never(options);
    await new Promise<void>((resolve) => this.#clock.defer(resolve));
    if (signal?.aborted) throw aborted(options);
    const ports = this.#hosts.get(name);
    if (ports === undefined) {
      throw new TransportError("TRANSPORT_HOST_UNKNOWN", `No host is named "${host}".`);
    }
    const accept = ports.get(tcpPort);
    if (accept === undefined) {
      throw new TransportError("TRANSPORT_REFUSED", `${host}:${tcpPort} refused the connection.`);
    }
    const [ours, theirs] = memoryPair({
      ...this.#options,
      addresses: [this.#clientAddress(from, name), `${addressOf(name, from)}:${tcpPort}`],
    });
    accept(theirs);
    return ours;
  }

  #never(options: ConnectOptions): Promise<Transport> {
    const { host, tcpPort, timeoutMs, signal } = options;
    return new Promise((_resolve, reject) => {
      const timeout = () =>
        reject(new TransportError("TRANSPORT_TIMEOUT", `No answer from ${host}:${tcpPort}.`));
      const timer = timeoutMs === undefined ? undefined : this.#clock.setTimer(timeoutMs, timeout);
      signal?.addEventListener("abort", () => {
        timer?.cancel();
        reject(aborted(options));
      });
    });
  }

  async #listen(name: string, options: ListenOptions, accept: Accept): Promise<Listener> {
    const ports = this.#hosts.get(name)!;
    const first = options.tcpPort === 0 ? this.#nextPort++ : options.tcpPort;
    const last = Math.max(first, options.tcpPortMax ?? first);
    for (let tcpPort = first; tcpPort <= last; tcpPort++) {
      if (ports.has(tcpPort)) continue;
      ports.set(tcpPort, accept);
      return {
        host: options.host ?? name,
        tcpPort,
        close: async () => {
          if (ports.get(tcpPort) === accept) ports.delete(tcpPort);
        },
      };
    }
    throw new TransportError(
      "TRANSPORT_ADDRESS_IN_USE",
      `Ports ${first} to ${last} of ${name} are taken.`,
    );
  }

  #clientAddress(from: string, to: string): string {
    return `${addressOf(from, to)}:${this.#nextPort++}`;
  }
}

function addressOf(host: string, seenFrom: string): string {
  return host === seenFrom ? "127.0.0.1" : host;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function aborted(options: ConnectOptions): TransportError {
  return new TransportError(
    "TRANSPORT_ABORTED",
    `Connecting to ${options.host}:${options.tcpPort} was aborted.`,
    { cause: options.signal?.reason },
  );
}
