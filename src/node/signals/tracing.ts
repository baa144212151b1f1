/**
 * Sequential tracing, as far as it crosses connections: a token that comes is told on the channel
 * `erldist:traced` of node:diagnostics_channel, one given to a send goes out with the message.
 *
 *   seq_trace:set_token(label, L)     at a peer: what its process sends then carries a token
 *   {seq_trace, L, {'receive', {Previous, Serial}, From, To, Message}}
 *                                     what the system tracer of a peer hears of a token of ours
 *
 * Left out: a process here does not take over the token of what it receives (a program that wants its
 * answers traced gives them the token), and there is no system tracer.
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

/** What the channel `erldist:traced` tells: a token came, and its message is delivered next. */
export interface Traced {
  /** Names of the node that received it, and of the one it came from. */
  readonly node: string;
  readonly peer: string;
  /** The control message that carried it: `SEND_SENDER_TT`, `PAYLOAD_EXIT2_TT`. */
  readonly control: ControlName;
  /** Who sent it, when the control message says. */
  readonly from: Pid | undefined;
  /** A pid, a name or an alias; undefined for SPAWN_REQUEST_TT. */
  readonly to: Term | undefined;
  /** `{Flags, Label, Serial, Sender, Previous}`. */
  readonly token: Term;
}

const traced = channel("erldist:traced");

/** Tells of the token that the message carries, if it does and anybody listens. */
export function publishTraced(node: string, peer: string, message: ControlMessage): void {
  if (!traced.hasSubscribers) return;
  const carried = tokenCarried(message);
  if (carried === undefined) return;
  const event: Traced = { node, peer, ...carried };
  traced.publish(event);
}

/** Serials of the messages that processes here send with a token. */
export class TraceSerials {
  readonly #last = new WeakMap<Process, number>();

  /**
   * The token of the process's next message in that trace: it is the sender, and the serial goes on
   * from the token's or the process's own, whichever is greater.
   * @throws NodeError TRACE_TOKEN_INVALID
   */
  next(sender: Process, token: Term): TraceToken {
    if (!isTraceToken(token)) {
      throw new NodeError(
        "TRACE_TOKEN_INVALID",
        "The option traceToken is no token of seq_trace: a tuple {Flags, Label, Serial, Sender, Previous}.",
      );
    }
    const serial = Math.max(this.#last.get(sender) ?? 0, token[2]) + 1;
    this.#last.set(sender, serial);
    return nextTraceToken(token, sender.pid, serial);
  }
}

/** A token to begin a trace with, as `seq_trace:set_token` makes it. */
export interface TraceTokenOptions {
  /** What the events of the trace are labelled with: any term. */
  label: Term;
  /** Which events system tracers are to hear of. Default: none. */
  send?: boolean;
  receive?: boolean;
  print?: boolean;
  timestamp?: boolean;
}

/** A token whose first message will have the serial 1. */
export function traceToken(sender: Pid, options: TraceTokenOptions): TraceToken {
  const { label, send, receive, print, timestamp } = options;
  const flags = [send, receive, print, timestamp].reduce(
    (sum, on, bit) => (on === true ? sum | (1 << bit) : sum),
    0,
  );
  return tuple(flags, label, 0, sender, 0);
}
