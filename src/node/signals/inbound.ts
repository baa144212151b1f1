/**
 * Carries out the control messages of peers in the order they arrive: one place, one switch.
 *
 * As in the runtime, a signal to a process that does not exist is dropped or answered with `noproc`, and
 * its payload is not read. A trace token is published before its message is carried out.
 */
import {
  type Atom,
  isPid,
  isReference,
  type Pid,
  type Reference,
  type Term,
} from "../../../etf/index.ts";
import {
  ALTACT_FLAG,
  altactFlags,
  CONTROL,
  type ControlMessage,
} from "../../distribution/control.ts";
import * as forms from "../../distribution/control-forms.ts";
import type { Payload } from "../../distribution/payload.ts";
import type { MessageHandler } from "../peers/message-handler.ts";
import type { Peer } from "../peers/peer.ts";
import type { Process } from "../process/process.ts";
import type { ProcessTable } from "../process/process-table.ts";
import { Ends } from "./ends.ts";
import type { SignalRouter } from "./router.ts";
import type { SpawnMessages } from "./spawn-messages.ts";
import { publishTraced } from "./tracing.ts";

/** Dispatches each control message to what handles it. */
export class InboundSignals implements MessageHandler {
  readonly #table: ProcessTable;
  readonly #router: SignalRouter;
  readonly #spawns: SpawnMessages;
  readonly #ends: Ends;

  constructor(table: ProcessTable, router: SignalRouter, spawns: SpawnMessages) {
    this.#table = table;
    this.#router = router;
    this.#spawns = spawns;
    this.#ends = new Ends(table);
  }

  /** Carries out one control message. @throws DistProtocolError, EtfDecodeError, which end the connection */
  handle(peer: Peer, message: ControlMessage, payload: Payload): void {
    publishTraced(this.#table.node.name, peer.name.name, message);
    const { links, monitors, aliases } = this.#router;
    switch (message[0]) {
      case CONTROL.SEND.op:
      case CONTROL.SEND_TT.op:
      case CONTROL.SEND_SENDER.op:
      case CONTROL.SEND_SENDER_TT.op:
        this.#table.get(message[2])?.arrive(payload);
        return;
      case CONTROL.REG_SEND.op:
      case CONTROL.REG_SEND_TT.op:
        this.#table.whereis(message[3])?.arrive(payload);
        return;
      case CONTROL.ALIAS_SEND.op:
      case CONTROL.ALIAS_SEND_TT.op:
        aliases.arrive(message[2], payload);
        return;
      case CONTROL.ALTACT_SIG_SEND.op: {
        // Aliases here never have the option `priority`, so PRIO is ignored.
        const [, flags, from, to] = message;
        if ((altactFlags(flags) & ALTACT_FLAG.EXIT) !== 0) {
          this.#receiver(to)?.exitSignalFromPeer(from, payload);
        } else if (isReference(to)) aliases.arrive(to, payload);
        else this.#receiver(to)?.arrive(payload);
        return;
      }
      case CONTROL.LINK.op: {
        const [, from, to] = message;
        this.#ends.checkSender(peer, from);
        if (isPid(to)) this.#ends.checkReceiver(peer, to);
        links.askedByPeer(peer, from, to);
        return;
      }
      case CONTROL.UNLINK.op: {
        const [, from, to] = message;
        this.#ends.checkLink(peer, from, to);
        links.takenBackByPeer(from, to);
        return;
      }
      case CONTROL.UNLINK_ID.op: {
        const [, id, from, to] = message;
        this.#ends.checkLink(peer, from, to);
        links.takenBackByPeer(from, to);
        peer.send(() => forms.unlinkAck(id, to, from));
        return;
      }
      case CONTROL.UNLINK_ID_ACK.op: {
        const [, id, from, to] = message;
        this.#ends.checkLink(peer, from, to);
        links.acknowledged(id, from, to);
        return;
      }
      case CONTROL.EXIT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromLink(message[1], message[3]);
        return;
      case CONTROL.EXIT_TT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromLink(message[1], message[4]);
        return;
      case CONTROL.PAYLOAD_EXIT.op:
      case CONTROL.PAYLOAD_EXIT_TT.op:
        this.#linkBroken(peer, message[1], message[2])?.exitFromPeer(message[1], payload);
        return;
      case CONTROL.EXIT2.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignal(message[1], message[3]);
        return;
      case CONTROL.EXIT2_TT.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignal(message[1], message[4]);
        return;
      case CONTROL.PAYLOAD_EXIT2.op:
      case CONTROL.PAYLOAD_EXIT2_TT.op:
        this.#exitReceiver(peer, message[1], message[2])?.exitSignalFromPeer(message[1], payload);
        return;
      case CONTROL.MONITOR_P.op: {
        const [, watcher, to, ref] = message;
        this.#ends.check(peer, watcher, to);
        monitors.askedByPeer(peer, watcher, to, ref);
        return;
      }
      case CONTROL.DEMONITOR_P.op: {
        const [, watcher, to, ref] = message;
        this.#ends.check(peer, watcher, to);
        monitors.takenBackByPeer(peer, to, ref);
        return;
      }
      case CONTROL.MONITOR_P_EXIT.op: {
        const [, from, to, ref, reason] = message;
        this.#ends.checkDown(peer, from, to);
        if (!monitors.endedAtPeer(peer, ref, () => ({ term: reason }))) {
          this.#spawns.ended(peer, ref, () => reason);
        }
        return;
      }
      case CONTROL.PAYLOAD_MONITOR_P_EXIT.op: {
        const [, from, to, ref] = message;
        this.#ends.checkDown(peer, from, to);
        const read = (): { term: Term; heapBytes: number } => {
          const term = payload.read();
          return { term, heapBytes: payload.heapBytes };
        };
        if (!monitors.endedAtPeer(peer, ref, read)) {
          this.#spawns.ended(peer, ref, () => payload.read());
        }
        return;
      }
      case CONTROL.GROUP_LEADER.op: {
        const process = this.#table.get(message[2]);
        if (process !== undefined) process.groupLeader = message[1];
        return;
      }
      case CONTROL.SPAWN_REQUEST.op:
      case CONTROL.SPAWN_REQUEST_TT.op:
        this.#ends.checkRequest(peer, message[2], message[1]);
        this.#spawns.requested(peer, message, payload);
        return;
      case CONTROL.SPAWN_REPLY.op:
      case CONTROL.SPAWN_REPLY_TT.op:
        this.#ends.checkReceiver(peer, message[2]);
        this.#spawns.replied(peer, message[1], message[3], message[4]);
        return;
      default:
        // The compiler refuses a row of the control table without a case.
        message satisfies never;
    }
  }

  #receiver(to: Pid | Atom | Reference): Process | undefined {
    if (isPid(to)) return this.#table.get(to);
    return isReference(to) ? this.#router.aliases.processOf(to) : this.#table.whereis(to);
  }

  /** The process that was linked to a process of the peer that has ended, if the link was in force. */
  #linkBroken(peer: Peer, from: Pid, to: Pid): Process | undefined {
    this.#ends.checkLink(peer, from, to);
    return this.#router.links.brokenByPeer(from, to);
  }

  /** The process that an exit signal is for, after checking that the sender is a process of the peer. */
  #exitReceiver(peer: Peer, from: Pid, to: Pid): Process | undefined {
    this.#ends.check(peer, from, to);
    return this.#table.get(to);
  }
}
