/**
 * Asks an EPMD: registers a node's name, looks up a node's TCP port, lists names.
 *
 * Spec: erl_dist_protocol, "EPMD Protocol"; kernel's erl_epmd. A name stays registered for as long
 * as the connection it was registered on; keeping it registered when EPMD restarts is agent.ts.
 */
import { type Clock, systemClock } from "../transport/clock.ts";
import type { Network, Transport } from "../transport/transport.ts";
import { EpmdError } from "./errors.ts";
import { ask } from "./exchange.ts";
import {
  type EpmdRequest,
  NODE_TYPE,
  type NodeEntry,
  parseAlive2Response,
  parseNamesResponse,
  parsePort2Response,
  parseTextResponse,
  type RegisteredName,
} from "./messages.ts";

export const EPMD_PORT = 4369;
/** Where a node finds the EPMD it registers with. */
export const EPMD_LOCAL_HOST = "127.0.0.1";

export interface EpmdClientOptions {
  network: Network;
  /** EPMD's TCP port, on every host. Default 4369; `epmdPortFromEnv` reads ERL_EPMD_PORT. */
  tcpPort?: number;
  /** How long a whole exchange may take. Default 10,000 ms, as in erl_epmd. */
  timeoutMs?: number;
  clock?: Clock;
}

export interface EpmdCallOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface RegisterOptions extends EpmdCallOptions {
  /** Registers as a hidden node. Default false. */
  hidden?: boolean;
  /** Default 6, which tells peers to use the handshake of OTP 23. */
  highestVersion?: number;
  /** Default 5. */
  lowestVersion?: number;
  /** Default 0, TCP over IPv4. */
  protocol?: number;
  extra?: Uint8Array;
  /** Default 127.0.0.1: EPMD takes registrations from its own host only. */
  host?: string;
}

/** A name that is registered for as long as this lives. */
export interface Registration extends AsyncDisposable {
  readonly name: string;
  readonly tcpPort: number;
  /** What tells this life of the node from its earlier ones. */
  readonly creation: number;
  /** Resolves when EPMD ends the registration, never when `close` does. */
  readonly lost: Promise<EpmdError>;
  /** Gives the name back. Resolves when the connection is closed. */
  close(): Promise<void>;
}

export class EpmdClient {
  readonly tcpPort: number;
  readonly #options: { network: Network; clock: Clock; timeoutMs: number };

  constructor(options: EpmdClientOptions) {
    const { network, clock = systemClock, timeoutMs = 10_000 } = options;
    this.tcpPort = options.tcpPort ?? EPMD_PORT;
    this.#options = { network, clock, timeoutMs };
  }

  /**
   * Registers `name` (the part of a node name before the `@`) as listening on `tcpPort`.
   * @throws EpmdError EPMD_NAME_TAKEN, EPMD_NAME_INVALID, EPMD_UNREACHABLE, EPMD_TIMEOUT,
   * EPMD_REFUSED, EPMD_BAD_REPLY, EPMD_ABORTED
   */
  async register(
    name: string,
    tcpPort: number,
    options: RegisterOptions = {},
  ): Promise<Registration> {
    const host = options.host ?? EPMD_LOCAL_HOST;
    const node: NodeEntry = {
      name,
      tcpPort,
      nodeType: options.hidden === true ? NODE_TYPE.HIDDEN : NODE_TYPE.NORMAL,
      protocol: options.protocol ?? 0,
      highestVersion: options.highestVersion ?? 6,
      lowestVersion: options.lowestVersion ?? 5,
      extra: options.extra ?? new Uint8Array(),
    };
    const exchange = await this.#ask(host, { type: "alive2", node }, options, (bytes, ended) => {
      const response = parseAlive2Response(bytes);
      if (response === undefined && ended) throw this.#refused(host, "the registration");
      return response;
    });
    const { result, creation } = exchange.answer;
    if (result !== 0) {
      exchange.transport.destroy();
      throw new EpmdError(
        "EPMD_NAME_TAKEN",
        `The name "${name}" is taken: a node of that name is registered on this host. End that node, or choose another name.`,
      );
    }
    return holdRegistration(exchange.transport, { name, tcpPort, creation });
  }

  /**
   * What the EPMD of `host` knows of the node `name` (the part before the `@`).
   * @throws EpmdError EPMD_NAME_UNKNOWN, EPMD_NAME_INVALID, EPMD_UNREACHABLE, EPMD_HOST_UNKNOWN,
   * EPMD_TIMEOUT, EPMD_REFUSED, EPMD_BAD_REPLY, EPMD_ABORTED
   */
  async portPlease(name: string, host: string, options: EpmdCallOptions = {}): Promise<NodeEntry> {
    const { answer, transport } = await this.#ask(
      host,
      { type: "portPlease2", name },
      options,
      (bytes, ended) => {
        const response = parsePort2Response(bytes);
        if (response === undefined && ended) throw this.#refused(host, "the look-up");
        return response;
      },
    );
    transport.destroy();
    if (answer !== "unknown") return answer;
    throw new EpmdError(
      "EPMD_NAME_UNKNOWN",
      `No node named "${name}" is registered with the EPMD of ${host}. It may not run, or run under another name: ask that EPMD for its names.`,
    );
  }

  /**
   * The names registered on `host`, as `epmd -names` lists them.
   * @throws EpmdError EPMD_UNREACHABLE, EPMD_HOST_UNKNOWN, EPMD_TIMEOUT, EPMD_BAD_REPLY, EPMD_ABORTED
   */
  names(host = EPMD_LOCAL_HOST, options: EpmdCallOptions = {}): Promise<RegisteredName[]> {
    return this.#askForText(host, { type: "names" }, options, parseNamesResponse);
  }

  /** Everything the EPMD of this host knows, as text for people. Codes as `names`, EPMD_REFUSED. */
  dump(host = EPMD_LOCAL_HOST, options: EpmdCallOptions = {}): Promise<string> {
    return this.#askForText(host, { type: "dump" }, options, parseTextResponse);
  }

  /** Ends the EPMD of this host; false when it has nodes and therefore does not. Codes as `dump`. */
  async kill(host = EPMD_LOCAL_HOST, options: EpmdCallOptions = {}): Promise<boolean> {
    const answer = await this.#askForText(host, { type: "kill" }, options, latin1);
    return answer === "OK";
  }

  /**
   * Takes a name away from its node, which EPMD permits only when started with
   * `-relaxed_command_check`; false when nobody has the name. Codes as `dump`.
   */
  async stop(
    name: string,
    host = EPMD_LOCAL_HOST,
    options: EpmdCallOptions = {},
  ): Promise<boolean> {
    const answer = await this.#askForText(host, { type: "stop", name }, options, latin1);
    return answer === "STOPPED";
  }

  /** An exchange whose answer ends with the connection. */
  async #askForText<T>(
    host: string,
    request: EpmdRequest,
    options: EpmdCallOptions,
    parse: (bytes: Uint8Array) => T,
  ): Promise<T> {
    const { answer, transport } = await this.#ask(host, request, options, (bytes, ended) => {
      if (!ended) return undefined;
      if (bytes.length === 0) throw this.#refused(host, `the request "${request.type}"`);
      return { parsed: parse(bytes) };
    });
    transport.destroy();
    return answer.parsed;
  }

  #ask<T extends object | string>(
    host: string,
    request: EpmdRequest,
    options: EpmdCallOptions,
    parse: (bytes: Buffer, ended: boolean) => T | undefined,
  ): Promise<{ answer: T; transport: Transport }> {
    const { network, clock } = this.#options;
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const { signal } = options;
    return ask({ network, clock, timeoutMs, signal, host, tcpPort: this.tcpPort, request, parse });
  }

  #refused(host: string, what: string): EpmdError {
    return new EpmdError(
      "EPMD_REFUSED",
      `The EPMD of ${host} did not answer ${what}: it takes commands and registrations only from its own host, and some only with -relaxed_command_check.`,
    );
  }
}

function holdRegistration(
  transport: Transport,
  facts: { name: string; tcpPort: number; creation: number },
): Registration {
  let closing = false;
  let report!: (error: EpmdError) => void;
  let closed!: () => void;
  const lost = new Promise<EpmdError>((resolve) => {
    report = resolve;
  });
  const over = new Promise<void>((resolve) => {
    closed = resolve;
  });
  transport.start({
    data() {},
    drain() {},
    close(cause) {
      closed();
      if (closing) return;
      report(
        new EpmdError(
          "EPMD_CLOSED",
          `EPMD ended the registration of "${facts.name}": it has probably been stopped.`,
          cause === undefined ? undefined : { cause },
        ),
      );
    },
  });
  const close = (): Promise<void> => {
    closing = true;
    transport.destroy();
    return over;
  };
  return { ...facts, lost, close, [Symbol.asyncDispose]: close };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
