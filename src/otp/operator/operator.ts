/**
 * What operators and their tools ask of a node: functions of OTP's modules that tell what the node
 * and its processes are and do, answered over rpc and erpc.
 *
 * They read; what they change, a signal to a process of this node, a peer can do by itself. Not
 * here is whatever runs, loads or stops something: `halt`, `apply`, `code:load_binary`, `os:cmd`.
 */
import type { NodeCore } from "../../node/node.ts";
import { serveCodeModule } from "./code-module.ts";
import { serveErlangModule } from "./erlang-module.ts";
import { serveTime } from "./erlang-time.ts";
import { serveObserverBackend } from "./observer-backend.ts";
import { serveProcessInfo } from "./process-info.ts";
import { serveStatistics } from "./statistics.ts";
import { serveSystemInfo } from "./system-info.ts";

/** Exposes all that operators' tools call. */
export function serveOperator({ core: node }: { core: NodeCore }): undefined {
  serveErlangModule(node);
  serveProcessInfo(node);
  serveSystemInfo(node);
  serveTime(node);
  const statistics = serveStatistics(node);
  serveObserverBackend(node, statistics);
  serveCodeModule(node);
}
