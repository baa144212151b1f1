/** Nodes known by name through EPMD, or all on one port without it. */
import { randomInt } from "node:crypto";
import { EpmdAgent, type EpmdMode } from "../../epmd/agent.ts";
import { systemEpmd } from "../../epmd/daemon.ts";
import { epmdAddressesFromEnv, epmdPortFromEnv, epmdRelaxedFromEnv } from "../../epmd/env.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Network } from "../../transport/transport.ts";

/** How a node is made known by name, and finds others: EPMD, or something in its place. */
export interface NameService {
  /**
   * Makes the node known until `close`; returns its creation.
   * @throws EpmdError
   */
  register(alive: string, tcpPort: number, options: { hidden: boolean }): Promise<number>;
  /**
   * The TCP port a node listens on.
   * @throws EpmdError
   */
  portOf(alive: string, host: string, options: { signal?: AbortSignal }): Promise<number>;
  close(): Promise<void>;
}

export interface EpmdOptions {
  /**
   * Who serves EPMD where none runs. `auto`: the system's `epmd -daemon` if there is one, else this
   * node; `embedded`: this node; `system`: only the system's; `off`: the node is not registered,
   * and still looks others up. Default `auto`.
   */
  mode?: EpmdMode;
  /** EPMD's TCP port on every host. Default: ERL_EPMD_PORT, or 4369. */
  port?: number;
  /** Addresses an EPMD of this node listens on. Default: ERL_EPMD_ADDRESS, or all interfaces. */
  addresses?: readonly string[];
  /** TCP port of every node, as erl's `-erl_epmd_port`: EPMD is neither asked nor told. */
  nodePort?: number;
}

/** @throws EpmdError EPMD_CONFIG for a bad ERL_EPMD_PORT */
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
