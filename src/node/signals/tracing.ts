/**
 * Sequential tracing across connections. A token that arrives with a message is published on the channel
 * `erldist:traced` of node:diagnostics_channel; a token passed to a send goes out with the message.
 *
 *   seq_trace:set_token(label, L)     at a peer: messages of that process carry a token from then on
 *   {seq_trace, L, {'receive', {Previous, Serial}, From, To, Message}}
 *                                     what a peer's system tracer gets for a token from this node
 *
 * Left out: a process here does not adopt the token of a message it receives (to trace its replies, pass
 * the token to their sends), and there is no system tracer.
 */
import { channel } from "node:diagnostics_channel";
import { type Pid, type Term, tuple } from "../../../etf/index.ts";
import type { ControlMessage, ControlName } from "../../distribution/control.ts";
import {
  isTraceToken,
  nextTraceToken,
  type TraceToken,
  tokenCarried,
} from "../../distribution/trace-token.ts";
import { NodeError } from "../errors.ts";
import type { Process } from "../process/process.ts";

/** The event on the channel `erldist:traced`: a token arrived, and its message is delivered next. */
export interface Traced {
  /** The names of the receiving node and of the peer that sent it. */
  readonly node: string;
  readonly peer: string;
  /** The control message that carried it: `SEND_SENDER_TT`, `PAYLOAD_EXIT2_TT`. */
  readonly control: ControlName;
  /** The sender, if the control message names it. */
  readonly from: Pid | undefined;
  /** A pid, a name or an alias; undefined for SPAWN_REQUEST_TT. */
  readonly to: Term | undefined;
  /** `{Flags, Label, Serial, Sender, Previous}`. */
  readonly token: Term;
}

const traced = channel("erldist:traced");

/** Publishes the token that a control message carries, if it carries one and the channel has subscribers. */
export function publishTraced(node: string, peer: string, message: ControlMessage): void {
  if (!traced.hasSubscribers) return;
  const carried = tokenCarried(message);
  if (carried === undefined) return;
  const event: Traced = { node, peer, ...carried };
  traced.publish(event);
}

/** The serials of the messages that each process sends with a token. */
export class TraceSerials {
  readonly #last = new WeakMap<Process, number>();

  /**
   * The token for the next message of a process in a trace. The sender is that process; the serial follows
   * the token's or the process's own, whichever is greater.
   * @throws NodeError TRACE_TOKEN_INVALID
   */
  next(sender: Process, token: Term): TraceToken {
    if (!isTraceToken(token)) {
      throw new NodeError(
        "TRACE_TOKEN_INVALID",
        "The option `traceToken` is not a seq_trace token: a tuple {Flags, Label, Serial, Sender, Previous}.",
      );
    }
    const serial = Math.max(this.#last.get(sender) ?? 0, token[2]) + 1;
    this.#last.set(sender, serial);
    return nextTraceToken(token, sender.pid, serial);
  }
}

/** What a new trace token contains, as in `seq_trace:set_token`. */
export interface TraceTokenOptions {
  /** The label of the trace's events: any term. */
  label: Term;
  /** Which events system tracers get. Default: none. */
  send?: boolean;
  receive?: boolean;
  print?: boolean;
  timestamp?: boolean;
}

/** A token that starts a trace; its first message gets the serial 1. */
export function traceToken(sender: Pid, options: TraceTokenOptions): TraceToken {
  const { label, send, receive, print, timestamp } = options;
  const flags = [send, receive, print, timestamp].reduce(
    (sum, on, bit) => (on === true ? sum | (1 << bit) : sum),
    0,
  );
  return tuple(flags, label, 0, sender, 0);
}
