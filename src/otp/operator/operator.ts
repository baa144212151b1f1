/**
 * The functions of OTP modules that operators and their tools call over rpc and erpc to inspect a node
 * and its processes.
 *
 * They only read, and send signals to processes of this node, which a peer can also do directly.
 * Functions that run, load or stop something are left out: `halt`, `apply`, `code:load_binary`, `os:cmd`.
 */
import type { NodeCore } from "../../node/node.ts";
import { serveCodeModule } from "./code-module.ts";
import { serveErlangModule } from "./erlang-module.ts";
import { serveTime } from "./erlang-time.ts";
import { serveObserverBackend } from "./observer-backend.ts";
import { serveProcessInfo } from "./process-info.ts";
import { serveStatistics } from "./statistics.ts";
import { serveSystemInfo } from "./system-info.ts";

/** Exposes all functions for operators. */
export function serveOperator({ core: node }: { core: NodeCore }): undefined {
  serveErlangModule(node);
  serveProcessInfo(node);
  serveSystemInfo(node);
  serveTime(node);
  const statistics = serveStatistics(node);
  serveObserverBackend(node, statistics);
  serveCodeModule(node);
}
