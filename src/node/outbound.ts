/**
 * The control message of a message or an exit signal to a process of another node, in the form that its
 * peer takes.
 */
import { type Atom, atom, type Pid, type Reference, type Term, tuple } from "../../etf/index.ts";
import type { Connection } from "../distribution/connection.ts";
import { ALTACT_FLAG, CONTROL } from "../distribution/control.ts";
import type { EncodedTerm } from "../distribution/encoded-term.ts";
import { DFLAG } from "../distribution/flags.ts";
import { hasSmallLabel, type TraceToken } from "../distribution/trace-token.ts";

/** The cookie's place in sends: the runtime ignores what stands there. */
const UNUSED: Atom<""> = atom("");

/** As the runtime does: a token whose label the peer cannot read stays here, its message does not. */
function readable(connection: Connection, token: TraceToken | undefined): TraceToken | undefined {
  if (token === undefined || connection.has(DFLAG.BIG_SEQTRACE_LABELS)) return token;
  return hasSmallLabel(token) ? token : undefined;
}

export function messageToPid(
  connection: Connection,
  from: Pid,
  to: Pid,
  given: TraceToken | undefined,
): Term {
  const token = readable(connection, given);
  if (connection.has(DFLAG.SEND_SENDER)) {
    if (token === undefined) return tuple(CONTROL.SEND_SENDER.op, from, to);
    return tuple(CONTROL.SEND_SENDER_TT.op, from, to, token) as Term;
  }
  if (token === undefined) return tuple(CONTROL.SEND.op, UNUSED, to);
  return tuple(CONTROL.SEND_TT.op, UNUSED, to, token) as Term;
}

export function messageToName(
  connection: Connection,
  from: Pid,
  to: Atom,
  given: TraceToken | undefined,
): Term {
  const token = readable(connection, given);
  if (token === undefined) return tuple(CONTROL.REG_SEND.op, from, UNUSED, to);
  return tuple(CONTROL.REG_SEND_TT.op, from, UNUSED, to, token) as Term;
}

/** Undefined for a peer without aliases: it has made none, and would take this for a protocol error. */
export function messageToAlias(
  connection: Connection,
  from: Pid,
  to: Reference,
  given: TraceToken | undefined,
): Term | undefined {
  if (!connection.has(DFLAG.ALIAS)) return undefined;
  const token = readable(connection, given);
  const { ALIAS, TOKEN } = ALTACT_FLAG;
  // ALIAS_SEND is deprecated where there is ALTACT_SIG_SEND, and will go with OTP 30.
  if (connection.has(DFLAG.ALTACT_SIG)) {
    const { op } = CONTROL.ALTACT_SIG_SEND;
    if (token === undefined) return tuple(op, ALIAS, from, to);
    return tuple(op, ALIAS | TOKEN, from, to, token) as Term;
  }
  if (token === undefined) return tuple(CONTROL.ALIAS_SEND.op, from, to);
  return tuple(CONTROL.ALIAS_SEND_TT.op, from, to, token) as Term;
}

/** Sends the signal of `exit/2`; the reason stands where the peer expects it. */
export function sendExit2(
  connection: Connection,
  from: Pid,
  to: Pid,
  reason: { readonly term: Term; readonly encoded: EncodedTerm },
  given: TraceToken | undefined,
): void {
  const token = readable(connection, given);
  if (connection.has(DFLAG.EXIT_PAYLOAD)) {
    const control =
      token === undefined
        ? tuple(CONTROL.PAYLOAD_EXIT2.op, from, to)
        : tuple(CONTROL.PAYLOAD_EXIT2_TT.op, from, to, token);
    connection.send(control as Term, reason.encoded);
  } else if (token === undefined) {
    connection.send(tuple(CONTROL.EXIT2.op, from, to, reason.term));
  } else connection.send(tuple(CONTROL.EXIT2_TT.op, from, to, token, reason.term) as Term);
}
