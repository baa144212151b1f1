/**
 * The services of a node, one row each: a server with a name, functions that other nodes can call, or
 * both.
 *
 * To add a service, write a file that exports its `serve` in the folder it belongs to, and a row here.
 */
import { type Atom, atom } from "../../etf/index.ts";
import type { NodeCore } from "../node/node.ts";
import { setAncestry } from "./behaviours/proc-lib.ts";
import { ERPC, GEN_SERVER, INIT, REX } from "./gen/atoms.ts";
import type { GenClient } from "./gen/gen.ts";
import type { ServiceProcess } from "./gen/gen-service.ts";
import type { DeviceOptions } from "./io/io-device.ts";
import { serveUser, USER } from "./io/user.ts";
import { GLOBAL_NAME_SERVER, serveGlobal } from "./kernel/global.ts";
import { NET_KERNEL, serveNetKernel } from "./kernel/net-kernel.ts";
import { serveOperator } from "./operator/operator.ts";
import { type Erpc, serveErpc } from "./rpc/erpc.ts";
import { serveRex } from "./rpc/rex.ts";

/** What a service may need of its node. Each `serve` takes the parts that it uses. */
export interface ServiceParts {
  readonly core: NodeCore;
  readonly erpc: Erpc;
  readonly gen: GenClient;
}

/** Options of a node that its services read. */
export interface ServiceOptions extends Partial<DeviceOptions> {
  /**
   * Whether the node answers operators' tools: `process_info`, `system_info`, `memory` and the like,
   * and `observer_backend`. These only read, but that includes messages waiting in mailboxes.
   * Default: true.
   */
  operator?: boolean;
}

interface Service {
  /** The name under which the server is registered. A service without a server does not register it. */
  readonly name: Atom;
  /** The OTP module that it stands for. */
  readonly module: string;
  /** Exposes the functions, and returns the server if it has one. */
  serve(parts: ServiceParts, options: ServiceOptions): ServiceProcess | undefined;
  /** Whether a node with these options has the service. Default: every node has it. */
  when?(options: ServiceOptions): boolean;
}

/** The services in start order. */
const SERVICES: readonly Service[] = [
  { name: USER, module: "user", serve: serveUser },
  { name: NET_KERNEL, module: "net_kernel", serve: serveNetKernel },
  { name: GLOBAL_NAME_SERVER, module: "global", serve: serveGlobal },
  { name: REX, module: "rpc", serve: serveRex },
  { name: ERPC, module: "erpc", serve: serveErpc },
  {
    name: atom("operator"),
    module: "erlang",
    serve: serveOperator,
    when: ({ operator = true }) => operator,
  },
];

/** Starts the services that a node with these options has. */
export function startServices(parts: ServiceParts, options: ServiceOptions): void {
  for (const { name, module, serve, when } of SERVICES) {
    if (when?.(options) === false) continue;
    const server = serve(parts, options);
    if (server === undefined) continue;
    parts.core.runtime.startService(name, server.make, {
      started: (self) => {
        // To operators it looks like a process of one of OTP's behaviours, started with `proc_lib`.
        setAncestry(self, undefined, [atom(module), INIT, 1], GEN_SERVER);
        server.started?.(self);
      },
    });
  }
}
