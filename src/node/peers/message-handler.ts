/** Carries out the messages of peers: implemented by the inbound dispatcher in `signals/`, above this folder. */
import type { ControlMessage } from "../../distribution/control.ts";
import type { Payload } from "../../distribution/payload.ts";
import type { Peer } from "./peer.ts";

export interface MessageHandler {
  /**
   * Carries out a control message, in wire order.
   * @param payload read it or keep it before this returns
   * @throws an error that ends the connection
   */
  handle(peer: Peer, message: ControlMessage, payload: Payload): void;
}
