/** A node's clients of `erpc` and `gen`, one of each, for parts that are given the node alone. */
import type { NodeCore } from "../node/node.ts";
import { GenClient } from "./gen/gen.ts";
import { Erpc } from "./rpc/erpc.ts";

const erpcs = new WeakMap<NodeCore, Erpc>();
const gens = new WeakMap<NodeCore, GenClient>();

export function erpcOf(node: NodeCore): Erpc {
  return madeOnce(erpcs, node, () => new Erpc(node));
}

export function genOf(node: NodeCore): GenClient {
  return madeOnce(gens, node, () => new GenClient(node));
}

function madeOnce<T>(made: WeakMap<NodeCore, T>, node: NodeCore, make: () => T): T {
  const known = made.get(node) ?? make();
  made.set(node, known);
  return known;
}
