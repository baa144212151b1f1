/** What goes wrong between a node and EPMD: its codes, which docs/errors.md explains. */
import { CodedError } from "../../etf/index.ts";

export type EpmdErrorCode =
  /** Nobody answers on EPMD's port, or the host cannot be reached. */
  | "EPMD_UNREACHABLE"
  | "EPMD_HOST_UNKNOWN"
  | "EPMD_TIMEOUT"
  | "EPMD_ABORTED"
  /** Another node of that name is registered on the host. */
  | "EPMD_NAME_TAKEN"
  /** No node of that name is registered on the host. */
  | "EPMD_NAME_UNKNOWN"
  /** The name cannot be one. */
  | "EPMD_NAME_INVALID"
  /** EPMD closed the connection instead of answering, as it does with what it does not permit. */
  | "EPMD_REFUSED"
  /** The answer is not one of EPMD; another program has that port. */
  | "EPMD_BAD_REPLY"
  /** A request a server cannot read. */
  | "EPMD_BAD_REQUEST"
  /** The connection that kept a name registered ended. */
  | "EPMD_CLOSED"
  /** An EPMD server of this program could not bind its port. */
  | "EPMD_PORT_TAKEN"
  /** A setting of the environment is malformed. */
  | "EPMD_CONFIG";

/** EPMD refused a request, answered with something else, or could not be reached or served. */
export class EpmdError extends CodedError<EpmdErrorCode> {
  override readonly name = "EpmdError";
}
