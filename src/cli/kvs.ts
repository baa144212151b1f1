/** `erldist kvs`: a node that serves the name server until it is told to end. */
import { Node, serveKvs } from "../index.ts";
import { type ServerArguments, serverNodeOptions } from "./options.ts";
import { report } from "./report.ts";
import { untilInterrupted } from "./signals.ts";

export async function kvs(args: ServerArguments): Promise<void> {
  await using node = await Node.start(serverNodeOptions(args, "kvs"));
  serveKvs(node);
  node.on("rejected", ({ error }) => report(error));
  process.stdout.write(`${node.name} ready, port ${node.tcpPort}\n`);
  await untilInterrupted();
}
