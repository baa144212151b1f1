/** The functions of `erldist_settle.erl` on an erldist node. */

import type { Atom, Node } from "../../src/index.ts";

const MODULE = "erldist_settle";

/** Exposes the module, so that `erldist_settle:settle/1` on an Erlang node can include this one. */
export function serveSettle(node: Node): void {
  node.expose(MODULE, {
    pass: (to: Atom) => node.rpc.call(to.name, MODULE, "turn", []),
    turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  });
}
