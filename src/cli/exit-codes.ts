/**
 * Exit codes of the command, and which error gives which.
 *
 * An error's code decides, so that this file needs none of the library, and a mistake in the
 * command line does not load it.
 */
/** The exit codes, by what they mean. */
export const EXIT_CODE = {
  ok: 0,
  /** The remote side failed or refused: an exception, `badrpc`, `pang`. */
  refused: 1,
  usage: 2,
  /** The node or its EPMD is unreachable. */
  unreachable: 3,
  cookie: 4,
  /** A node refused the other's name, or lacks flags. */
  name: 5,
  timeout: 6,
  protocol: 7,
  internal: 70,
} as const;

/** The end of `--help`. */
export const EXIT_CODE_HELP = `Exit codes: 0 ok; 1 the remote side failed or refused (exception, badrpc, pang); 2 usage error;
3 node or EPMD unreachable; 4 cookie rejected; 5 name refused or flags missing; 6 timeout;
7 protocol error; 70 internal error.`;

/** By the error's code: an exact code, or the part before its first underscore. */
const BY_CODE: Readonly<Record<string, number>> = {
  NODE: EXIT_CODE.usage,
  TERM: EXIT_CODE.usage,
  ETF: EXIT_CODE.usage,
  REMOTE: EXIT_CODE.refused,
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

/** The exit code for whatever ended a command. A failed connection's is that of its cause. */
export function exitCodeOf(error: unknown): number {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code !== "string") return EXIT_CODE.internal;
  if (code === "CALL_NO_CONNECTION") return exitCodeOf(cause);
  return BY_CODE[code] ?? BY_CODE[code.split("_")[0]!] ?? EXIT_CODE.internal;
}
