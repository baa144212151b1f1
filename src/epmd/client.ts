/**
 * Asks an EPMD: registers a node's name, looks up a node's TCP port, lists names.
 *
 * Spec: erl_dist_protocol, "EPMD Protocol"; kernel's erl_epmd. A name stays registered for as long
 * as the connection it was registered on; keeping it registered when EPMD restarts is agent.ts.
 */
import { type Clock, systemClock } from "../transport/clock.ts";
import { type Network, type Transport, TransportError } from "../transport/transport.ts";
import { EpmdError } from "./errors.ts";
import {
  type EpmdRequest,
  encodeRequest,
  MAX_NAMES_BYTES,
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
  readonly #network: Network;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(options: EpmdClientOptions) {
    this.#network = options.network;
    this.tcpPort = options.tcpPort ?? EPMD_PORT;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#clock = options.clock ?? systemClock;
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

  /** Connects, asks, and gathers the answer until `parse` makes something of it. */
  async #ask<T extends object | string>(
    host: string,
    request: EpmdRequest,
    options: EpmdCallOptions,
    parse: (bytes: Buffer, ended: boolean) => T | undefined,
  ): Promise<{ answer: T; transport: Transport }> {
    const bytes = encodeRequest(request);
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const { signal } = options;
    const started = this.#clock.now();
    const where = `${host}:${this.tcpPort}`;
    const transport = await this.#connect(host, timeoutMs, signal);
    const left = Math.max(0, timeoutMs - (this.#clock.now() - started));
    return new Promise((resolve, reject) => {
      let received: Buffer = Buffer.alloc(0);
      let settled = false;
      const settle = (end: () => void) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        end();
      };
      const fail = (error: unknown) => {
        settle(() => {
          transport.destroy();
          reject(error);
        });
      };
      const timer = this.#clock.setTimer(left, () => fail(timeoutError(where, timeoutMs)));
      const onAbort = () => fail(abortedError(where, signal?.reason));
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const progress = (ended: boolean) => {
        if (settled) return;
        try {
          const answer = parse(received, ended);
          if (answer !== undefined) {
            settle(() => {
              transport.pause();
              resolve({ answer, transport });
            });
          } else if (received.length > MAX_NAMES_BYTES) {
            throw new EpmdError(
              "EPMD_BAD_REPLY",
              `The answer of ${where} is longer than ${MAX_NAMES_BYTES} bytes; what listens there is no EPMD. Check ERL_EPMD_PORT.`,
            );
          }
        } catch (error) {
          fail(error);
        }
      };
      transport.start({
        data(chunk) {
          received = received.length === 0 ? asBuffer(chunk) : Buffer.concat([received, chunk]);
          progress(false);
        },
        drain() {},
        close(error) {
          if (error === undefined || received.length > 0) progress(true);
          else fail(closedError(where, error));
        },
      });
      transport.write(bytes);
    });
  }

  async #connect(host: string, timeoutMs: number, signal?: AbortSignal): Promise<Transport> {
    const where = { host, tcpPort: this.tcpPort, timeoutMs };
    try {
      return await this.#network.connect(signal === undefined ? where : { ...where, signal });
    } catch (error) {
      throw connectError(error, host, this.tcpPort, timeoutMs);
    }
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

function connectError(error: unknown, host: string, tcpPort: number, timeoutMs: number): unknown {
  if (!(error instanceof TransportError)) return error;
  const where = `${host}:${tcpPort}`;
  const cause = { cause: error };
  switch (error.code) {
    case "TRANSPORT_HOST_UNKNOWN":
      return new EpmdError("EPMD_HOST_UNKNOWN", error.message, cause);
    case "TRANSPORT_TIMEOUT":
      return timeoutError(where, timeoutMs, error);
    case "TRANSPORT_ABORTED":
      return abortedError(where, error.cause);
    case "TRANSPORT_REFUSED":
      return new EpmdError(
        "EPMD_UNREACHABLE",
        `No EPMD answers at ${where}: no Erlang node runs on ${host}, or EPMD has another port. Start a node there, or check ERL_EPMD_PORT.`,
        cause,
      );
    default:
      return new EpmdError(
        "EPMD_UNREACHABLE",
        `The EPMD at ${where} cannot be reached. ${error.message}`,
        cause,
      );
  }
}

function timeoutError(where: string, timeoutMs: number, cause?: Error): EpmdError {
  return new EpmdError(
    "EPMD_TIMEOUT",
    `The EPMD at ${where} did not answer within ${timeoutMs} ms. A firewall may drop the packets, or the host is down.`,
    cause === undefined ? undefined : { cause },
  );
}

function abortedError(where: string, reason: unknown): EpmdError {
  return new EpmdError("EPMD_ABORTED", `Asking the EPMD at ${where} was aborted.`, {
    cause: reason,
  });
}

function closedError(where: string, cause: Error): EpmdError {
  return new EpmdError(
    "EPMD_REFUSED",
    `The EPMD at ${where} broke the connection before it answered. Try again; if it stays so, what listens there is no EPMD.`,
    { cause },
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("latin1");
}
