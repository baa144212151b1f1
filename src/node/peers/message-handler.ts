/** Who carries out what peers send: the inbound dispatcher of `signals/`, which stands above this folder. */
import type { ControlMessage } from "../../distribution/control.ts";
import type { Payload } from "../../distribution/payload.ts";
import type { Peer } from "./peer.ts";

export interface MessageHandler {
  /**
   * Carries out a control message, in wire order.
   * @param payload to be read or kept before this returns
   * @throws what makes the connection end
   */
  handle(peer: Peer, message: ControlMessage, payload: Payload): void;
}
