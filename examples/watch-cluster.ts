/**
 * Watches nodes, and a process registered on each of them: node watch-cluster.ts PROCESS NODE...
 * Ends when all the nodes are gone.
 */
import { format, Node, type Term } from "erldist";

const [service = "kvs", ...peers] = process.argv.slice(2);
await using node = await Node.start({ name: `watch_${process.pid}` });

node.on("nodeup", ({ name }) => console.log(`${name} is up`));
const gone = new Promise<void>((resolve) => {
  node.on("nodedown", ({ name, reason }) => {
    console.log(`${name} is down: ${format(reason)}`);
    if (node.nodes("connected").length === 0) resolve();
  });
});

for (const peer of peers) {
  // Connects to the peer; if that fails, the message says noconnection.
  node.spawn(async (self) => {
    const ref = self.monitor([service, peer]);
    const down = (await self.receive(ref)) as readonly Term[]; // {'DOWN', Ref, process, {Name, Node}, Reason}
    console.log(`${service} on ${peer} ended: ${format(down[4]!)}`);
  });
}
await gone;
