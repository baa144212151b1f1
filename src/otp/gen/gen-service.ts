/**
 * The node's own servers (`rex`, `net_kernel` and others): what a row of services.ts starts, and
 * `genService`, which makes the ones that speak gen's protocol.
 *
 *   {'$gen_call', From, Request}   `call`, which replies with `caller.reply`
 *   {'$gen_cast', Request}         `cast`
 *   any other message              `info`
 * A server ignores messages that it has no handler for. A call whose handler does not reply stays
 * unanswered, as OTP's servers leave requests that they do not know.
 */
import type { Pid, Term, TermInput } from "../../../etf/index.ts";
import type { Behaviour, Process } from "../../node/process/process.ts";
import { genCallIn, genCastIn, genReply } from "./gen.ts";

/** A server that a row of services.ts starts under its name, and starts again whenever it ends. */
export interface ServiceProcess {
  /** Makes the behaviour of one process of the server. */
  make(): Behaviour;
  /** Called with each process of the server before it takes a message. */
  started?(self: Process): void;
}

/** The process that made a call. */
export interface GenCaller {
  readonly pid: Pid;
  /** Replies to the call, at once or later. */
  reply(result: TermInput): void;
}

/** The handlers of a server. The next message waits while a promise that a handler returned is pending. */
export interface GenHandlers {
  call?(request: Term, caller: GenCaller, self: Process): void | Promise<void>;
  cast?(request: Term, self: Process): void | Promise<void>;
  info?(message: Term, self: Process): void | Promise<void>;
}

/** Makes the behaviour of a server with these handlers. */
export function genService(handlers: GenHandlers): Behaviour {
  return {
    message(message, self) {
      const call = genCallIn(message);
      if (call !== undefined) {
        const { from, request } = call;
        const reply = (result: TermInput): void => genReply(self, from, result);
        return handlers.call?.(request, { pid: from[0], reply }, self);
      }
      const cast = genCastIn(message);
      if (cast !== undefined) return handlers.cast?.(cast, self);
      return handlers.info?.(message, self);
    },
  };
}
