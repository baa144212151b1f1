/** What a behaviour needs of the node that it runs on. */
import type { NodeCore } from "../../node/node.ts";
import type { GenClient } from "../gen/gen.ts";
import type { Erpc } from "../rpc/erpc.ts";

/** A node with its clients of `erpc` and `gen`, as `Node.start` makes it. */
export interface OtpNode extends NodeCore {
  readonly erpc: Erpc;
  readonly gen: GenClient;
}
