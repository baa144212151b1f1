/** What a behaviour needs of the node on which it runs. */
import type { NodeCore } from "../../node/node.ts";
import type { GenClient } from "../gen/gen.ts";
import type { Erpc } from "../rpc/erpc.ts";

/** A node with its clients for `erpc` and `gen`; `Node.start` makes one. */
export interface OtpNode extends NodeCore {
  readonly erpc: Erpc;
  readonly gen: GenClient;
}
