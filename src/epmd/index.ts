/**
 * The public names of `erldist/epmd`: asking an EPMD, and being one.
 *
 * @module erldist/epmd
 */

export type { Clock, Timer } from "../transport/clock.ts";
export { TransportError, type TransportErrorCode } from "../transport/errors.ts";
export { type TcpOptions, tcpNetwork } from "../transport/tcp.ts";
export type {
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  Transport,
  TransportReceiver,
} from "../transport/transport.ts";
export {
  EpmdAgent,
  type EpmdAgentEvent,
  type EpmdAgentOptions,
  type EpmdMode,
  type EpmdPlace,
} from "./agent.ts";
export {
  EPMD_LOCAL_HOST,
  EPMD_PORT,
  type EpmdCallOptions,
  EpmdClient,
  type EpmdClientOptions,
  type RegisterOptions,
  type Registration,
} from "./client.ts";
export {
  type DaemonRequest,
  type DaemonStarter,
  type SystemEpmdOptions,
  systemEpmd,
} from "./daemon.ts";
export {
  type EpmdEnvironment,
  epmdAddressesFromEnv,
  epmdPortFromEnv,
  epmdRelaxedFromEnv,
} from "./env.ts";
export { EpmdError, type EpmdErrorCode } from "./errors.ts";
export { NODE_TYPE, type NodeEntry, type RegisteredName } from "./messages.ts";
export type { RegisteredNode } from "./registry.ts";
export { EpmdServer, type EpmdServerOptions } from "./server.ts";
