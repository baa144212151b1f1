/**
 * One exchange with an EPMD: connect, ask, gather the answer, and the error when no answer comes.
 */
import type { Clock } from "../transport/clock.ts";
import { TransportError } from "../transport/errors.ts";
import type { Network, Transport } from "../transport/transport.ts";
import { EpmdError } from "./errors.ts";
import { type EpmdRequest, encodeRequest, MAX_NAMES_BYTES } from "./messages.ts";

export interface Exchange<T> {
  readonly network: Network;
  readonly clock: Clock;
  /** For all of it, connecting included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly host: string;
  readonly tcpPort: number;
  readonly request: EpmdRequest;
  /** Undefined asks for more bytes; with `ended` no more will come. Throws what is wrong with them. */
  readonly parse: (bytes: Buffer, ended: boolean) => T | undefined;
}

/**
 * The answer, and the connection it came on: paused, and the caller's to close.
 * @throws EpmdError; the connection is closed then
 */
export async function ask<T>(exchange: Exchange<T>): Promise<{ answer: T; transport: Transport }> {
  const { clock, host, tcpPort, timeoutMs, signal, parse } = exchange;
  const bytes = encodeRequest(exchange.request);
  const where = `${host}:${tcpPort}`;
  const started = clock.now();
  const transport = await connect(exchange);
  const left = Math.max(0, timeoutMs - (clock.now() - started));
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
    const timer = clock.setTimer(left, () => fail(timeoutError(where, timeoutMs)));
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
            `The answer of ${where} is longer than ${MAX_NAMES_BYTES} bytes; what listens there is not an EPMD. Check ERL_EPMD_PORT.`,
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

async function connect(exchange: Exchange<unknown>): Promise<Transport> {
  const { network, host, tcpPort, timeoutMs, signal } = exchange;
  const where = { host, tcpPort, timeoutMs };
  try {
    return await network.connect(signal === undefined ? where : { ...where, signal });
  } catch (error) {
    throw connectError(error, host, tcpPort, timeoutMs);
  }
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
    `The EPMD at ${where} broke the connection before it answered. Try again; if it stays so, what listens there is not an EPMD.`,
    { cause },
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
