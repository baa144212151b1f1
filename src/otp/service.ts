/** A server of the node's own, as operators see it: started by `proc_lib` as one of OTP's behaviours. */
import { type Atom, atom } from "../../etf/index.ts";
import type { NodeCore } from "../node/node.ts";
import type { Behaviour, Process } from "../node/process/process.ts";
import { setAncestry } from "./behaviours/proc-lib.ts";

/**
 * Starts a server under its name; see node/services.ts.
 * @param module what it is in OTP
 * @param started is told of each of its processes, before that takes a message
 */
export function startServer(
  node: NodeCore,
  name: Atom,
  module: string,
  make: () => Behaviour,
  started?: (self: Process) => void,
): Process {
  return node.startService(name, make, {
    started: (self) => {
      setAncestry(self, undefined, [atom(module), atom("init"), 1], atom("gen_server"));
      started?.(self);
    },
  });
}
