/**
 * The services of a node, a row each: the server that runs under the name, the functions that other
 * nodes can call, or both.
 *
 * A new service is a file in the room that it belongs to, which exports its `serve`, and a row here.
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

/** What a service may need of its node. Each `serve` asks for the parts that it uses. */
export interface ServiceParts {
  readonly core: NodeCore;
  readonly erpc: Erpc;
  readonly gen: GenClient;
}

/** Options of a node that its services read. */
export interface ServiceOptions extends Partial<DeviceOptions> {
  /**
   * Whether operators' tools get answers: `process_info`, `system_info`, `memory` and their like,
   * and `observer_backend`. They only read, but that includes messages that wait in mailboxes.
   * Default true.
   */
  operator?: boolean;
}

interface Service {
  /** The name that the server registers. Functions alone register none. */
  readonly name: Atom;
  /** The module of OTP that it stands for. */
  readonly module: string;
  /** Exposes the functions, and returns the server if there is one. */
  serve(parts: ServiceParts, options: ServiceOptions): ServiceProcess | undefined;
  /** Whether a node with these options has the service. Default: every node. */
  when?(options: ServiceOptions): boolean;
}

/** In the order in which they start. */
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
        // Operators see it as a process that `proc_lib` has started as one of OTP's behaviours.
        setAncestry(self, undefined, [atom(module), INIT, 1], GEN_SERVER);
        server.started?.(self);
      },
    });
  }
}
