/**
 * What the environment says of EPMD: ERL_EPMD_PORT and ERL_EPMD_ADDRESS, as `erl` and `epmd` read
 * them.
 */
import { EPMD_PORT } from "./client.ts";
import { EpmdError } from "./errors.ts";

/** The part of `process.env` that is about EPMD. */
export interface EpmdEnvironment {
  readonly ERL_EPMD_PORT?: string | undefined;
  readonly ERL_EPMD_ADDRESS?: string | undefined;
  readonly ERL_EPMD_RELAXED_COMMAND_CHECK?: string | undefined;
}

/** ERL_EPMD_PORT, or 4369. @throws EpmdError EPMD_CONFIG */
export function epmdPortFromEnv(env: EpmdEnvironment): number {
  const text = env.ERL_EPMD_PORT;
  if (text === undefined || text.trim() === "") return EPMD_PORT;
  const port = Number(text);
  if (/^\s*\d+\s*$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new EpmdError(
    "EPMD_CONFIG",
    `ERL_EPMD_PORT is ${JSON.stringify(text)}, which is not a TCP port; give a number from 1 to 65535.`,
  );
}

/** The addresses of ERL_EPMD_ADDRESS, separated by commas or blanks; undefined for all interfaces. */
export function epmdAddressesFromEnv(env: EpmdEnvironment): string[] | undefined {
  const addresses = (env.ERL_EPMD_ADDRESS ?? "").split(/[\s,]+/).filter((part) => part !== "");
  return addresses.length === 0 ? undefined : addresses;
}

/** Whether ERL_EPMD_RELAXED_COMMAND_CHECK is set, which permits KILL_REQ and STOP_REQ. */
export function epmdRelaxedFromEnv(env: EpmdEnvironment): boolean {
  return env.ERL_EPMD_RELAXED_COMMAND_CHECK !== undefined;
}
