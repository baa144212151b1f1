/**
 * A node of the built package, alone in its program so that it can be killed and frozen. Its one argument is
 * its options as JSON.
 */

import process from "node:process";
import { Node } from "../../dist/src/index.js";

const node = await Node.start(JSON.parse(process.argv[2] ?? "{}"));
node.expose("ts", {
  "echo/1": (term) => term,
  never: () => new Promise(() => {}),
  newProcess: () => node.spawn({ message: () => {} }).pid,
});
process.stdout.write(`${node.name} ready, port ${node.tcpPort}\n`);
