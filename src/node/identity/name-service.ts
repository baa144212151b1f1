/** How nodes find each other by name: through EPMD, or without it on one fixed port. */
import { randomInt } from "node:crypto";
import { EpmdAgent, type EpmdMode } from "../../epmd/agent.ts";
import { systemEpmd } from "../../epmd/daemon.ts";
import { epmdAddressesFromEnv, epmdPortFromEnv, epmdRelaxedFromEnv } from "../../epmd/env.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Network } from "../../transport/transport.ts";

/** Registers a node by name and looks up others: EPMD, or a replacement for it. */
export interface NameService {
  /**
   * Registers the node until `close`; returns its creation.
   * @throws EpmdError
   */
  register(alive: string, tcpPort: number, options: { hidden: boolean }): Promise<number>;
  /**
   * The TCP port that a node listens on.
   * @throws EpmdError
   */
  portOf(alive: string, host: string, options: { signal?: AbortSignal }): Promise<number>;
  /** Unregisters the node. */
  close(): Promise<void>;
}

/** The options for EPMD. */
export interface EpmdOptions {
  /**
   * Who serves EPMD if none runs on this host. `auto`: the system's `epmd -daemon` if installed, else
   * this node; `embedded`: this node; `system`: only the system's; `off`: the node does not register,
   * but still looks up others. Default `auto`.
   */
  mode?: EpmdMode;
  /** EPMD's TCP port on every host. Default: ERL_EPMD_PORT, or 4369. */
  port?: number;
  /** The addresses that this node's EPMD listens on. Default: ERL_EPMD_ADDRESS, or all interfaces. */
  addresses?: readonly string[];
  /** The TCP port of every node, as with erl's `-erl_epmd_port`; EPMD is not used at all. */
  nodePort?: number;
}

/**
 * The name service that the options and the environment describe.
 * @throws EpmdError EPMD_CONFIG if ERL_EPMD_PORT is invalid
 */
export function nameService(
  options: EpmdOptions,
  network: Network,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
): NameService {
  const { nodePort } = options;
  if (nodePort !== undefined) {
    return {
      register: async () => randomInt(4, 2 ** 32),
      portOf: async () => nodePort,
      close: async () => {},
    };
  }
  return new EpmdAgent({
    network,
    clock,
    mode: options.mode ?? "auto",
    tcpPort: options.port ?? epmdPortFromEnv(env),
    addresses: options.addresses ?? epmdAddressesFromEnv(env),
    relaxedCommandCheck: epmdRelaxedFromEnv(env),
    startDaemon: systemEpmd(env),
  });
}
