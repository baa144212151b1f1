/**
 * A node of the built package, alone in its program so that it can be killed, frozen and on another host. Its
 * one argument is its options as JSON; `connectTo` among them is a node to connect to before it is ready.
 */

import process from "node:process";
import { Node } from "../../dist/index.js";

const { connectTo, ...options } = JSON.parse(process.argv[2] ?? "{}");
const node = await Node.start(options);
node.expose("ts", {
  "echo/1": (term) => term,
  "call/4": (peer, module, name, args) => node.rpc.call(peer, module, name, args),
  never: () => new Promise(() => {}),
  newProcess: () => node.spawn({ message: () => {} }).pid,
});
if (connectTo !== undefined) await node.connect(connectTo);
process.stdout.write(`${node.name} ready, port ${node.tcpPort}\n`);
