/** Exit codes of the command, and which error gives which. */
import { CallError, RemoteError, TermSyntaxError } from "../index.ts";

export const EXIT_CODE = {
  ok: 0,
  /** The other side said no: an exception, `badrpc`, `pang`. */
  refused: 1,
  usage: 2,
  /** The node or its EPMD cannot be reached. */
  unreachable: 3,
  cookie: 4,
  /** A name refused, or flags missing. */
  name: 5,
  timeout: 6,
  protocol: 7,
  internal: 70,
} as const;

export const EXIT_CODE_HELP = `Exit codes: 0 ok; 1 the remote side said no (exception, badrpc, pang); 2 usage; 3 node or EPMD
not reachable; 4 cookie refused; 5 name refused or flags missing; 6 time-out; 7 protocol error.`;

/** By the error's code: an exact code, or the part before its first underscore. */
const BY_CODE: Readonly<Record<string, number>> = {
  NODE: EXIT_CODE.usage,
  TERM: EXIT_CODE.usage,
  ETF: EXIT_CODE.usage,
  TRANSPORT: EXIT_CODE.unreachable,
  EPMD: EXIT_CODE.unreachable,
  CONN: EXIT_CODE.unreachable,
  DIST: EXIT_CODE.protocol,
  HS: EXIT_CODE.name,
  EPMD_CONFIG: EXIT_CODE.usage,
  EPMD_NAME_INVALID: EXIT_CODE.usage,
  EPMD_NAME_TAKEN: EXIT_CODE.name,
  EPMD_BAD_REPLY: EXIT_CODE.protocol,
  EPMD_TIMEOUT: EXIT_CODE.timeout,
  TRANSPORT_TIMEOUT: EXIT_CODE.timeout,
  CONN_NET_TICK_TIMEOUT: EXIT_CODE.timeout,
  CALL_TIMEOUT: EXIT_CODE.timeout,
  CALL_NOT_SUPPORTED: EXIT_CODE.refused,
  HS_BAD_DIGEST: EXIT_CODE.cookie,
  HS_COOKIE_REFUSED: EXIT_CODE.cookie,
  HS_COOKIE_INVALID: EXIT_CODE.cookie,
  HS_MALFORMED: EXIT_CODE.protocol,
  HS_TIMEOUT: EXIT_CODE.timeout,
  HS_CLOSED: EXIT_CODE.unreachable,
};

/** The exit code for whatever ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof RemoteError) return EXIT_CODE.refused;
  if (error instanceof TermSyntaxError) return EXIT_CODE.usage;
  if (error instanceof CallError && error.code === "CALL_NO_CONNECTION") {
    return exitCodeOf(error.cause);
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string") return EXIT_CODE.internal;
  return BY_CODE[code] ?? BY_CODE[code.split("_", 1)[0]!] ?? EXIT_CODE.internal;
}
