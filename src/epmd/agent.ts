/**
 * Keeps a node known by name: registers it, and again whenever EPMD comes back; sees to it that
 * there is an EPMD, and serves it itself when nobody else does.
 *
 *     idle -> register -> registered -> EPMD goes away -> register again, with growing pauses
 *
 *     where, in this order     auto   embedded   system   off
 *     an EPMD that runs        yes    yes        yes      -
 *     the system's, started    yes    no         yes      -
 *     one served here          yes    yes        no       -
 *
 * As in erl_epmd, the creation of the first registration stays: what EPMD says later is ignored.
 * When the EPMD goes away, one that comes back (a restart, another node faster than we) is tried
 * first; a pause later the order above is gone through again, so one of the nodes left takes over.
 * In mode `system` an EPMD that went away is only waited for, as `erl` does.
 */
import { randomInt } from "node:crypto";
import { type Clock, systemClock, type Timer } from "../transport/clock.ts";
import type { Network } from "../transport/transport.ts";
import { type EpmdCallOptions, EpmdClient, type Registration } from "./client.ts";
import type { DaemonStarter } from "./daemon.ts";
import { EpmdError } from "./errors.ts";
import type { NodeEntry, RegisteredName } from "./messages.ts";
import { EpmdServer } from "./server.ts";

export type EpmdMode = "auto" | "embedded" | "system" | "off";

export interface EpmdAgentOptions {
  network: Network;
  /** Default `auto`. */
  mode?: EpmdMode;
  /** Default 4369. */
  tcpPort?: number;
  /** Addresses an EPMD started or served here listens on. Default: all interfaces. */
  addresses?: readonly string[] | undefined;
  relaxedCommandCheck?: boolean;
  /** Starts the system's EPMD (`systemEpmd()` of daemon.ts). Default: it is not started. */
  startDaemon?: DaemonStarter;
  /** Limit of a single exchange with EPMD. Default 10,000 ms. */
  timeoutMs?: number;
  clock?: Clock;
  /** A number in [0, 1) that spreads the attempts of several nodes. Default `Math.random`. */
  random?: () => number;
  onEvent?: (event: EpmdAgentEvent) => void;
}

/** Where the EPMD is that a node registered with. */
export type EpmdPlace = "running" | "daemon" | "embedded";

export type EpmdAgentEvent =
  | { readonly type: "registered"; readonly name: string; readonly place: EpmdPlace }
  | { readonly type: "lost"; readonly error: EpmdError }
  /** Registering anew did not succeed; it is tried again after `retryInMs`. */
  | { readonly type: "failed"; readonly error: unknown; readonly retryInMs: number };

/** Pauses before the first attempts to register anew, spread by half; then the last, again and again. */
const RETRY_MS = [100, 500, 1000, 2000] as const;

interface Wanted {
  readonly name: string;
  readonly tcpPort: number;
  readonly hidden: boolean;
}

export class EpmdAgent implements AsyncDisposable {
  readonly mode: EpmdMode;
  readonly client: EpmdClient;
  readonly #options: EpmdAgentOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  #server: EpmdServer | undefined;
  #registration: Registration | undefined;
  #retry: Timer | undefined;
  /** The work under way, which `close` waits for. */
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: EpmdAgentOptions) {
    this.#options = options;
    this.mode = options.mode ?? "auto";
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.client = new EpmdClient({
      network: options.network,
      clock: this.#clock,
      ...(options.tcpPort === undefined ? {} : { tcpPort: options.tcpPort }),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
  }

  /** The EPMD served here, if it is. */
  get server(): EpmdServer | undefined {
    return this.#server;
  }

  /** Whether the name is registered now. */
  get registered(): boolean {
    return this.#registration !== undefined;
  }

  /**
   * Registers the name and keeps it registered until `close`; returns the node's creation.
   * In mode `off` nothing is registered and the creation is random.
   * @throws EpmdError EPMD_NAME_TAKEN, EPMD_NAME_INVALID, EPMD_UNREACHABLE, EPMD_TIMEOUT,
   * EPMD_REFUSED, EPMD_BAD_REPLY, EPMD_ABORTED; TransportError TRANSPORT_ADDRESS_UNAVAILABLE
   */
  async register(
    name: string,
    tcpPort: number,
    options: { hidden?: boolean } = {},
  ): Promise<number> {
    if (this.mode === "off") return randomInt(4, 2 ** 32);
    const wanted: Wanted = { name, tcpPort, hidden: options.hidden ?? false };
    const work = this.#registerSomewhere(wanted);
    this.#working = work.catch(() => {});
    try {
      return (await work).creation;
    } catch (error) {
      await this.#stopServing();
      throw error;
    }
  }

  /**
   * The TCP port that the node `name` (the part before the `@`) of `host` listens on.
   * @throws EpmdError EPMD_NAME_UNKNOWN, EPMD_UNREACHABLE, EPMD_HOST_UNKNOWN, EPMD_TIMEOUT, ...
   */
  async portOf(name: string, host: string, options?: EpmdCallOptions): Promise<number> {
    return (await this.portPlease(name, host, options)).tcpPort;
  }

  /** As `EpmdClient.portPlease`. */
  portPlease(name: string, host: string, options?: EpmdCallOptions): Promise<NodeEntry> {
    return this.client.portPlease(name, host, options);
  }

  /** As `EpmdClient.names`. */
  names(host?: string, options?: EpmdCallOptions): Promise<RegisteredName[]> {
    return this.client.names(host, options);
  }

  /** Gives the name back and ends the EPMD served here; the sockets are closed when it resolves. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#retry?.cancel();
    await this.#working;
    const registration = this.#registration;
    this.#registration = undefined;
    await registration?.close();
    await this.#stopServing();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Goes through the places in their order. */
  async #registerSomewhere(wanted: Wanted): Promise<Registration> {
    let unreachable: unknown;
    try {
      return await this.#registerAt(wanted, "running");
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      unreachable = error;
    }
    if (this.mode !== "embedded" && (await this.#startDaemon())) {
      return this.#registerAt(wanted, "daemon");
    }
    if (this.mode === "system") throw noSystemEpmd(unreachable);
    try {
      this.#server ??= await this.#serve();
    } catch (error) {
      // Somebody was faster: an EPMD is there now.
      if (error instanceof EpmdError && error.code === "EPMD_PORT_TAKEN") {
        return this.#registerAt(wanted, "running");
      }
      throw error;
    }
    return this.#registerAt(wanted, "embedded");
  }

  async #registerAt(wanted: Wanted, place: EpmdPlace): Promise<Registration> {
    const registration = await this.client.register(wanted.name, wanted.tcpPort, {
      hidden: wanted.hidden,
      signal: this.#abort.signal,
    });
    if (this.#abort.signal.aborted) {
      await registration.close();
      throw new EpmdError("EPMD_ABORTED", `Registering "${wanted.name}" was aborted.`);
    }
    this.#registration = registration;
    this.#tell({ type: "registered", name: wanted.name, place });
    void registration.lost.then((error) => {
      this.#registration = undefined;
      this.#tell({ type: "lost", error });
      this.#registerAgain(wanted, 0);
    });
    return registration;
  }

  /** Sets the time of the next attempt; returns how far off it is. */
  #registerAgain(wanted: Wanted, attempt: number): number {
    if (this.#abort.signal.aborted) return 0;
    const pause = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!;
    // Spread, or all nodes of a host would go for the port at one instant.
    const retryInMs = Math.round(pause * (0.5 + this.#random()));
    this.#retry = this.#clock.setTimer(retryInMs, () => {
      this.#working = this.#tryAgain(wanted, attempt);
    });
    return retryInMs;
  }

  async #tryAgain(wanted: Wanted, attempt: number): Promise<void> {
    const onlyWait = attempt === 0 || this.mode === "system";
    try {
      if (onlyWait) await this.#registerAt(wanted, "running");
      else await this.#registerSomewhere(wanted);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const retryInMs = this.#registerAgain(wanted, attempt + 1);
      this.#tell({ type: "failed", error, retryInMs });
    }
  }

  async #startDaemon(): Promise<boolean> {
    const { addresses, relaxedCommandCheck, startDaemon } = this.#options;
    if (startDaemon === undefined || this.#abort.signal.aborted) return false;
    return startDaemon({ tcpPort: this.client.tcpPort, addresses, relaxedCommandCheck });
  }

  async #serve(): Promise<EpmdServer> {
    const { network, addresses, relaxedCommandCheck } = this.#options;
    const server = await EpmdServer.start({
      network,
      tcpPort: this.client.tcpPort,
      clock: this.#clock,
      ...(addresses === undefined ? {} : { addresses }),
      ...(relaxedCommandCheck === undefined ? {} : { relaxedCommandCheck }),
    });
    void server.closed.then(() => {
      if (this.#server === server) this.#server = undefined;
    });
    return server;
  }

  async #stopServing(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  #tell(event: EpmdAgentEvent): void {
    this.#options.onEvent?.(event);
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof EpmdError && error.code === "EPMD_UNREACHABLE";
}

function noSystemEpmd(cause: unknown): EpmdError {
  return new EpmdError(
    "EPMD_UNREACHABLE",
    "No EPMD runs on this host, and the system's could not be started. Install Erlang's epmd, or let the node serve EPMD itself (--epmd auto or embedded).",
    { cause },
  );
}
