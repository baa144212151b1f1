/**
 * The one maker of control messages: each in the form that the flags negotiated with its peer allow.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". Pure, and the only file that asks a peer
 * for EXIT_PAYLOAD, UNLINK_ID, ALTACT_SIG and the other flags that decide which of several messages says
 * the same. `ControlMessage` and the check of what peers send are in control.ts.
 */
import { type Atom, atom, type Pid, type Reference, type Term, tuple } from "../../etf/index.ts";
import { ALTACT_FLAG, CONTROL } from "./control.ts";
import { EncodedTerm } from "./encoded-term.ts";
import { DFLAG } from "./flags.ts";
import { hasSmallLabel, type TraceToken } from "./trace-token.ts";

/** What was agreed with a peer: a `Connection`, or a test's set of flags. */
export interface Negotiated {
  has(flag: bigint): boolean;
}

/** A control message and, where one follows, its payload: the first arguments of `Connection.send`. */
export type Form = readonly [control: Term, payload?: EncodedTerm];

/** An exit reason, encoded when the first peer needs it and once for all peers. */
export class ExitReason {
  readonly term: Term;
  #encoded: EncodedTerm | undefined;

  /** @param encoded the encoding of `term`, where it was made already */
  constructor(term: Term, encoded?: EncodedTerm) {
    this.term = term;
    this.#encoded = encoded;
  }

  /** @throws EtfEncodeError when the reason is not a term */
  get encoded(): EncodedTerm {
    this.#encoded ??= new EncodedTerm(this.term);
    return this.#encoded;
  }
}

/** The cookie's place in sends: the runtime ignores what stands there. */
const UNUSED: Atom<""> = atom("");

/** As in the runtime, a message goes without its token when the peer cannot read the token's label. */
function readable(peer: Negotiated, token: TraceToken | undefined): TraceToken | undefined {
  if (token === undefined || peer.has(DFLAG.BIG_SEQTRACE_LABELS)) return token;
  return hasSmallLabel(token) ? token : undefined;
}

/** The control message of a message to a pid; the message itself is the payload. */
export function sendToPid(
  peer: Negotiated,
  from: Pid,
  to: Pid,
  given: TraceToken | undefined,
): Term {
  const token = readable(peer, given);
  if (peer.has(DFLAG.SEND_SENDER)) {
    if (token === undefined) return tuple(CONTROL.SEND_SENDER.op, from, to);
    return tuple(CONTROL.SEND_SENDER_TT.op, from, to, token) as Term;
  }
  if (token === undefined) return tuple(CONTROL.SEND.op, UNUSED, to);
  return tuple(CONTROL.SEND_TT.op, UNUSED, to, token) as Term;
}

/** The control message of a message to a registered name. */
export function sendToName(
  peer: Negotiated,
  from: Pid,
  to: Atom,
  given: TraceToken | undefined,
): Term {
  const token = readable(peer, given);
  if (token === undefined) return tuple(CONTROL.REG_SEND.op, from, UNUSED, to);
  return tuple(CONTROL.REG_SEND_TT.op, from, UNUSED, to, token) as Term;
}

/**
 * The control message of a message to an alias. Undefined for a peer without aliases: it made none, and
 * would take this for a protocol error.
 */
export function sendToAlias(
  peer: Negotiated,
  from: Pid,
  to: Reference,
  given: TraceToken | undefined,
): Term | undefined {
  if (!peer.has(DFLAG.ALIAS)) return undefined;
  const token = readable(peer, given);
  const { ALIAS, TOKEN } = ALTACT_FLAG;
  // ALIAS_SEND is deprecated where there is ALTACT_SIG_SEND, and will go with OTP 30.
  if (peer.has(DFLAG.ALTACT_SIG)) {
    const { op } = CONTROL.ALTACT_SIG_SEND;
    if (token === undefined) return tuple(op, ALIAS, from, to);
    return tuple(op, ALIAS | TOKEN, from, to, token) as Term;
  }
  if (token === undefined) return tuple(CONTROL.ALIAS_SEND.op, from, to);
  return tuple(CONTROL.ALIAS_SEND_TT.op, from, to, token) as Term;
}

/** LINK. */
export function link(from: Pid, to: Pid): Form {
  return [tuple(CONTROL.LINK.op, from, to)];
}

/** Takes a link back. A peer without UNLINK_ID does not acknowledge it. */
export function unlink(
  peer: Negotiated,
  id: number,
  from: Pid,
  to: Pid,
): { readonly form: Form; readonly acknowledged: boolean } {
  return peer.has(DFLAG.UNLINK_ID)
    ? { form: [tuple(CONTROL.UNLINK_ID.op, id, from, to)], acknowledged: true }
    : { form: [tuple(CONTROL.UNLINK.op, from, to)], acknowledged: false };
}

/** Acknowledges a peer's UNLINK_ID. */
export function unlinkAck(id: number | bigint, from: Pid, to: Pid): Form {
  return [tuple(CONTROL.UNLINK_ID_ACK.op, id, from, to)];
}

/**
 * The exit signal of a link that breaks.
 * @param from a pid; in the answer to a LINK to something else, what the peer wanted to link to
 */
export function exit(peer: Negotiated, from: Term, to: Pid, reason: ExitReason): Form {
  return peer.has(DFLAG.EXIT_PAYLOAD)
    ? [tuple(CONTROL.PAYLOAD_EXIT.op, from, to), reason.encoded]
    : [tuple(CONTROL.EXIT.op, from, to, reason.term)];
}

/** The exit signal of `exit/2`. */
export function exit2(
  peer: Negotiated,
  from: Pid,
  to: Pid,
  reason: ExitReason,
  given: TraceToken | undefined,
): Form {
  const token = readable(peer, given);
  if (peer.has(DFLAG.EXIT_PAYLOAD)) {
    const control =
      token === undefined
        ? tuple(CONTROL.PAYLOAD_EXIT2.op, from, to)
        : tuple(CONTROL.PAYLOAD_EXIT2_TT.op, from, to, token);
    return [control as Term, reason.encoded];
  }
  if (token === undefined) return [tuple(CONTROL.EXIT2.op, from, to, reason.term)];
  return [tuple(CONTROL.EXIT2_TT.op, from, to, token, reason.term) as Term];
}

/** MONITOR_P. */
export function monitor(from: Pid, to: Pid | Atom, ref: Reference): Form {
  return [tuple(CONTROL.MONITOR_P.op, from, to, ref)];
}

/** DEMONITOR_P. */
export function demonitor(from: Pid, to: Pid | Atom, ref: Reference): Form {
  return [tuple(CONTROL.DEMONITOR_P.op, from, to, ref)];
}

/** Reports the end of a monitored process; `from` is its pid, or the name the monitor was set on. */
export function monitorExit(
  peer: Negotiated,
  from: Pid | Atom,
  to: Pid,
  ref: Reference,
  reason: ExitReason,
): Form {
  return peer.has(DFLAG.EXIT_PAYLOAD)
    ? [tuple(CONTROL.PAYLOAD_MONITOR_P_EXIT.op, from, to, ref), reason.encoded]
    : [tuple(CONTROL.MONITOR_P_EXIT.op, from, to, ref, reason.term)];
}

/** What a SPAWN_REQUEST says besides its arguments. */
export interface SpawnRequestFields {
  readonly reqId: Reference;
  readonly from: Pid;
  readonly groupLeader: Pid;
  readonly module: Atom;
  readonly function: Atom;
  readonly arity: number;
  readonly optList: Term[];
}

/** Undefined for a peer that cannot spawn by request. */
export function spawnRequest(
  peer: Negotiated,
  fields: SpawnRequestFields,
  args: EncodedTerm,
): Form | undefined {
  if (!peer.has(DFLAG.SPAWN)) return undefined;
  const { reqId, from, groupLeader, module, arity, optList } = fields;
  const mfa = tuple(module, fields.function, arity);
  return [tuple(CONTROL.SPAWN_REQUEST.op, reqId, from, groupLeader, mfa, optList), args];
}

/** Answers a SPAWN_REQUEST: with a pid and SPAWN_REPLY_FLAG bits, or with what went wrong. */
export function spawnReply(reqId: Reference, to: Pid, flags: number, result: Pid | Atom): Form {
  return [tuple(CONTROL.SPAWN_REPLY.op, reqId, to, flags, result)];
}
