/** Runs `erldist kvs`: a node that serves kvs until it is interrupted. */
import { Node, serveKvs } from "../index.ts";
import { serverNodeOptions } from "./node-options.ts";
import type { ServerArguments } from "./options.ts";
import { report } from "./report.ts";
import { untilInterrupted } from "./signals.ts";

export async function run(args: ServerArguments): Promise<void> {
  await using node = await Node.start(serverNodeOptions(args, "kvs"));
  serveKvs(node);
  node.on("rejected", ({ error }) => report(error));
  process.stdout.write(`${node.name} ready, port ${node.tcpPort}\n`);
  await untilInterrupted();
}
