/** The usual beginnings of a test about two nodes. */
import { Pid } from "../../etf/index.ts";
import { Cluster, inbox } from "./cluster.ts";
import { RAW_FLAGS, RawNode } from "./raw-node.ts";

export async function connected() {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  return { cluster, gandalf, bilbo };
}

/** A process of ours, and a node in the hands of the test, connected, with a process of its own. */
export async function withRaw(flags = RAW_FLAGS) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm", { flags });
  const box = inbox(node, { trapExit: true });
  const theirs = new Pid("other@vm", 1, 2, 7);
  return { cluster, node, raw, box, ours: box.process.pid, theirs };
}
