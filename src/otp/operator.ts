/**
 * What operators and their tools ask of a node: functions of OTP's modules that tell what the node
 * and its processes are and do, answered over rpc and erpc.
 *
 * They read; what they change, a signal to a process of this node, a peer can do by itself. Not
 * here is whatever runs, loads or stops something: `halt`, `apply`, `code:load_binary`, `os:cmd`.
 */
import { atom } from "../../etf/index.ts";
import type { NodeCore } from "../node/node.ts";
import { serveCodeModule } from "./code-module.ts";
import { serveErlangModule } from "./erlang-module.ts";
import { serveTime } from "./erlang-time.ts";
import { serveObserverBackend } from "./observer-backend.ts";
import { setAncestry } from "./proc-lib.ts";
import { serveProcessInfo } from "./process-info.ts";
import { serveStatistics } from "./statistics.ts";
import { serveSystemInfo } from "./system-info.ts";

/** The node's own servers, and the modules that they are in OTP. */
const SERVERS = {
  global_name_server: "global",
  net_kernel: "net_kernel",
  rex: "rpc",
  user: "user",
} as const;

/** Exposes all that operators' tools call. */
export function serveOperator(node: NodeCore): void {
  serveErlangModule(node);
  serveProcessInfo(node);
  serveSystemInfo(node);
  serveTime(node);
  const statistics = serveStatistics(node);
  serveObserverBackend(node, statistics);
  serveCodeModule(node);
  for (const [name, module] of Object.entries(SERVERS)) {
    const server = node.whereis(name);
    if (server === undefined) continue;
    setAncestry(server, undefined, [atom(module), atom("init"), 1], atom("gen_server"));
  }
}
