/**
 * What goes wrong with a stream, and the platform's socket errors as such errors: what happened, the
 * likely reason, what to try.
 */
import { CodedError } from "../../etf/index.ts";

export type TransportErrorCode =
  | "TRANSPORT_REFUSED"
  | "TRANSPORT_HOST_UNKNOWN"
  | "TRANSPORT_UNREACHABLE"
  | "TRANSPORT_TIMEOUT"
  | "TRANSPORT_ABORTED"
  | "TRANSPORT_ADDRESS_IN_USE"
  | "TRANSPORT_ADDRESS_UNAVAILABLE"
  | "TRANSPORT_FAILED";

/** A stream could not be made, or broke; `cause` is the platform's own error. */
export class TransportError extends CodedError<TransportErrorCode> {
  override readonly name = "TransportError";
}

export function connectError(
  error: NodeJS.ErrnoException,
  host: string,
  tcpPort: number,
): TransportError {
  const target = `${host}:${tcpPort}`;
  const [code, message] = connectCase(platformCode(error), host, target, error);
  return new TransportError(code, message, { cause: error });
}

function connectCase(
  platform: string,
  host: string,
  target: string,
  error: Error,
): [TransportErrorCode, string] {
  switch (platform) {
    case "ECONNREFUSED":
      return [
        "TRANSPORT_REFUSED",
        `${target} refused the connection: nothing listens there, or a firewall rejects it. Check that the program runs and that the port is right.`,
      ];
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_NONAME":
      return [
        "TRANSPORT_HOST_UNKNOWN",
        `The host name "${host}" cannot be resolved (${platform}). Check its spelling, /etc/hosts and the DNS.`,
      ];
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return [
        "TRANSPORT_UNREACHABLE",
        `This machine cannot reach ${target} (${platform}). Check that the host is up and that this machine has a route to it.`,
      ];
    case "ETIMEDOUT":
      return [
        "TRANSPORT_TIMEOUT",
        `${target} did not answer in the time the system allows: a firewall may drop the packets, or the host is down. Check that the port is open there.`,
      ];
    default:
      return ["TRANSPORT_FAILED", `Connecting to ${target} failed: ${error.message}.`];
  }
}

export function listenError(
  error: NodeJS.ErrnoException,
  host: string | undefined,
  tcpPort: number,
  tcpPortMax: number,
): TransportError {
  const where = host ?? "all interfaces";
  const ports = tcpPort === tcpPortMax ? `port ${tcpPort}` : `ports ${tcpPort} to ${tcpPortMax}`;
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new TransportError(
        "TRANSPORT_ADDRESS_IN_USE",
        `Cannot listen on ${ports} of ${where}: another program does already. Choose another port, or a wider range.`,
        cause,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return new TransportError(
        "TRANSPORT_ADDRESS_UNAVAILABLE",
        `Cannot listen on ${where}: this machine has no such address (${error.code}). Check the address to listen on.`,
        cause,
      );
    case "EACCES":
      return new TransportError(
        "TRANSPORT_ADDRESS_UNAVAILABLE",
        `Cannot listen on ${ports} of ${where}: not permitted. Choose a port from 1024 upwards.`,
        cause,
      );
    default:
      return new TransportError(
        "TRANSPORT_FAILED",
        `Cannot listen on ${ports} of ${where}: ${error.message}.`,
        cause,
      );
  }
}

/** An error of a stream that existed. */
export function socketError(error: NodeJS.ErrnoException, remoteAddress: string): TransportError {
  const platform = platformCode(error);
  const reason =
    platform === "ECONNRESET" || platform === "EPIPE"
      ? "the peer closed it without a farewell; it may have been killed"
      : error.message;
  return new TransportError(
    "TRANSPORT_FAILED",
    `The connection with ${remoteAddress} broke (${platform}): ${reason}.`,
    { cause: error },
  );
}

/**
 * A host with several addresses fails with one error for each; the last is the most telling: the
 * addresses before it may be of a protocol (IPv6) that nothing there uses.
 */
function platformCode(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError) {
    const codes = error.errors.map((each: NodeJS.ErrnoException) => each.code);
    return codes.find((code) => code === "ECONNREFUSED") ?? codes.at(-1) ?? "unknown";
  }
  return error.code ?? "unknown";
}
