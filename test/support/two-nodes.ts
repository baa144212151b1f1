/** The usual set-up of a test with two nodes. */
import { Pid } from "../../etf/index.ts";
import { Cluster, inbox } from "./cluster.ts";
import { RAW_FLAGS, RawNode } from "./raw-node.ts";

export async function connected() {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  return { cluster, gandalf, bilbo };
}

/** A process of a node, and a connected raw node with its own process. */
export async function withRaw(flags = RAW_FLAGS) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm", { flags });
  const box = inbox(node, { trapExit: true });
  const theirs = new Pid("other@vm", 1, 2, 7);
  return { cluster, node, raw, box, ours: box.process.pid, theirs };
}
