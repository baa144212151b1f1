/** What goes wrong with processes of other nodes. Errors of the node itself are in ../errors.ts. */
import type { Atom } from "../../../etf/index.ts";
import { NOCONNECTION } from "../atoms.ts";
import { ErlangError } from "../exceptions.ts";

/** The code of SpawnError. */
export type SpawnErrorCode = "SPAWN_FAILED";

/** The node did not start the process; `reason` says why: `noconnection`, `notsup`, `badopt`, `system_limit`. */
export class SpawnError extends ErlangError {
  readonly code: SpawnErrorCode = "SPAWN_FAILED";
  override readonly reason: Atom;
  constructor(node: Atom, reason: Atom, options?: ErrorOptions) {
    super(reason === NOCONNECTION ? "exit" : "error", reason);
    this.name = "SpawnError";
    this.message = `${node.name} did not start the process: ${reason.name}.`;
    this.reason = reason;
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}
