/**
 * The acceptor's side of the handshake, as a state machine without input or output of its own.
 *
 * Spec: erl_dist_protocol, "Distribution Handshake"; handshake_other_started of dist_util.erl.
 * Whether the peer may connect is decided outside, when its name is known.
 *
 *     awaitName         <- send_name: decide
 *     decide            ok | ok_simultaneous | named: status, send_challenge -> awaitReply
 *                       alive: status ->  awaitAliveReply
 *                       nok | not_allowed: status -> failed
 *     awaitAliveReply   <- true: send_challenge -> awaitReply;  <- false: failed
 *     awaitComplement   <- send_complement -> awaitReply      (after the old send_name only)
 *     awaitReply        <- challenge_reply: challenge_ack -> connected
 *     awaitOldConnection  the older connection is gone: challenge_ack -> connected   (after alive)
 */
import { DFLAG, expandDigest, REQUIRED_OF_PEER } from "../distribution/flags.ts";
import { cookieDigest, sameDigest } from "./digest.ts";
import { checkFlags, HandshakeError } from "./errors.ts";
import {
  type AcceptorMessage,
  type AcceptStatus,
  encodeMessage,
  type InitiatorMessage,
  parseInitiatorMessage,
} from "./messages.ts";
import { isHostName, splitNodeName } from "./names.ts";
import { type Agreement, agreement } from "./peer.ts";

export interface AcceptorParams {
  readonly ownName: string;
  readonly flags: bigint;
  readonly creation: number;
  /** The cookie to use with this peer. */
  readonly cookieFor: (peerName: string) => string;
  /** What the peer must offer. Default `REQUIRED_OF_PEER`. */
  readonly requiredFlags?: bigint;
  /** A new random number of 32 bits. */
  readonly randomChallenge: () => number;
}

/** The node that asks to be connected. */
export interface Applicant {
  /** Its node name; when `dynamic`, its host: it asks for a name (NAME_ME). */
  readonly name: string;
  readonly dynamic: boolean;
  /** As offered; of an old send_name the low 32 only, until its complement has come. */
  readonly flags: bigint;
  /** Undefined until its complement has come. */
  readonly creation: number | undefined;
}

/** The answer to an applicant; a dynamic one is given a name, or refused. */
export type Decision =
  | { readonly status: AcceptStatus }
  | { readonly status: "named"; readonly name: string; readonly creation: number };

export type Acceptor =
  | { readonly at: "awaitName" }
  | { readonly at: "decide"; readonly applicant: Applicant }
  | { readonly at: "awaitAliveReply"; readonly applicant: Applicant }
  | ({ readonly at: "awaitComplement" } & Challenged)
  | ({ readonly at: "awaitReply" } & Challenged)
  | { readonly at: "awaitOldConnection"; readonly ack: Uint8Array; readonly agreement: Agreement }
  | { readonly at: "connected"; readonly agreement: Agreement }
  | { readonly at: "failed"; readonly error: HandshakeError };

interface Challenged {
  readonly applicant: Applicant;
  readonly challenge: number;
  readonly offered: bigint;
  /** The peer was told `alive`: the older connection must go before this one comes. */
  readonly afterAlive: boolean;
}

export type AcceptorInput =
  | { readonly message: Uint8Array }
  | { readonly decision: Decision }
  | { readonly oldConnection: "gone" };

export interface AcceptorStep {
  readonly state: Acceptor;
  /** Messages to send before anything else happens, without their lengths. */
  readonly send: readonly Uint8Array[];
}

export const acceptorStart: Acceptor = { at: "awaitName" };

/**
 * Moves on by a message of the peer, the decision about it, or the end of the older connection.
 * @throws HandshakeError HS_WRONG_NAME, HS_BAD_DIGEST, HS_COOKIE_INVALID, HS_ALIVE, HS_MALFORMED
 */
export function moveAcceptor(
  params: AcceptorParams,
  state: Acceptor,
  input: AcceptorInput,
): AcceptorStep {
  if ("decision" in input) {
    if (state.at !== "decide") throw new TypeError(`no decision is due in state ${state.at}`);
    return onDecision(params, state.applicant, input.decision);
  }
  if ("oldConnection" in input) {
    if (state.at !== "awaitOldConnection") return { state, send: [] };
    return { state: { at: "connected", agreement: state.agreement }, send: [state.ack] };
  }
  const message = parseInitiatorMessage(input.message);
  switch (state.at) {
    case "awaitName":
      return onName(params, message);
    case "awaitAliveReply":
      return onAliveReply(params, state.applicant, message);
    case "awaitComplement":
      return onComplement(params, state, message);
    case "awaitReply":
      return onReply(params, state, message);
    default:
      throw outOfTurn(message, "nothing more");
  }
}

function onName(params: AcceptorParams, message: InitiatorMessage): AcceptorStep {
  if (message.type !== "sendName" && message.type !== "oldSendName") {
    throw outOfTurn(message, "send_name");
  }
  const old = message.type === "oldSendName";
  const dynamic = !old && (message.flags & DFLAG.NAME_ME) !== 0n;
  const { name } = message;
  if (dynamic ? !isHostName(name) : splitNodeName(name) === undefined) {
    throw new HandshakeError(
      "HS_WRONG_NAME",
      `The peer calls itself ${JSON.stringify(name)}, which is not a ${dynamic ? "host name" : "node name"}.`,
    );
  }
  const applicant: Applicant = {
    name,
    dynamic,
    flags: expandDigest(message.flags),
    creation: message.type === "sendName" ? message.creation : undefined,
  };
  return refusingMissingFlags(params, applicant, () => ({
    state: { at: "decide", applicant },
    send: [],
  }));
}

function onDecision(
  params: AcceptorParams,
  applicant: Applicant,
  decision: Decision,
): AcceptorStep {
  const { name } = applicant;
  if (decision.status === "named") {
    if (!applicant.dynamic) throw new TypeError(`${name} has a name and cannot be given one`);
    const named = { ...applicant, name: decision.name, creation: decision.creation };
    const status = { type: "named", name: named.name, creation: named.creation } as const;
    return challenge(params, named, false, [encode(status)]);
  }
  const status = encode({ type: "status", status: decision.status });
  switch (decision.status) {
    case "nok":
      return refuse(status, "HS_NOK", name, nokText(name));
    case "not_allowed":
      return refuse(status, "HS_NOT_ALLOWED", name, notAllowedText(applicant));
    case "alive":
      return { state: { at: "awaitAliveReply", applicant }, send: [status] };
    case "ok":
    case "ok_simultaneous":
      if (applicant.dynamic) throw new TypeError(`a node on ${name} asks for a name`);
      return challenge(params, applicant, false, [status]);
  }
}

function onAliveReply(
  params: AcceptorParams,
  applicant: Applicant,
  message: InitiatorMessage,
): AcceptorStep {
  if (message.type !== "status") throw outOfTurn(message, 'the answer to "alive"');
  if (message.status === "true") return challenge(params, applicant, true, []);
  throw new HandshakeError(
    "HS_ALIVE",
    `${applicant.name} gave up this connection for the one it has with us. Nothing is to be done.`,
    applicant.name,
  );
}

/** Sends our challenge, behind the status if that was not sent before. */
function challenge(
  params: AcceptorParams,
  applicant: Applicant,
  afterAlive: boolean,
  before: readonly Uint8Array[],
): AcceptorStep {
  // A node that has just been named cannot be a visible one; OTP answers its NAME_ME in kind.
  const offered = applicant.dynamic
    ? (params.flags & ~DFLAG.PUBLISHED) | DFLAG.NAME_ME
    : params.flags;
  const number = params.randomChallenge();
  const at = applicant.creation === undefined ? "awaitComplement" : "awaitReply";
  const message = encode({
    type: "challenge",
    flags: offered,
    challenge: number,
    creation: params.creation,
    name: params.ownName,
  });
  return {
    state: { at, applicant, challenge: number, offered, afterAlive },
    send: [...before, message],
  };
}

function onComplement(
  params: AcceptorParams,
  state: Challenged,
  message: InitiatorMessage,
): AcceptorStep {
  if (message.type !== "sendComplement") throw outOfTurn(message, "send_complement");
  const applicant: Applicant = {
    ...state.applicant,
    flags: state.applicant.flags | message.flags,
    creation: message.creation,
  };
  return refusingMissingFlags(params, applicant, () => ({
    state: { ...state, at: "awaitReply", applicant },
    send: [],
  }));
}

function onReply(
  params: AcceptorParams,
  state: Challenged,
  message: InitiatorMessage,
): AcceptorStep {
  if (message.type !== "challengeReply") throw outOfTurn(message, "challenge_reply");
  const { name, flags, creation } = state.applicant;
  const cookie = params.cookieFor(name);
  if (!sameDigest(message.digest, cookieDigest(cookie, state.challenge))) {
    throw new HandshakeError(
      "HS_BAD_DIGEST",
      `Refused ${name}: it uses a different cookie. Give both nodes the same cookie (--setcookie, or ~/.erlang.cookie).`,
      name,
    );
  }
  const agreed = agreement(
    { name, flags, creation: creation! },
    { name: params.ownName, creation: params.creation, flags: state.offered },
  );
  const ack = encode({ type: "challengeAck", digest: cookieDigest(cookie, message.challenge) });
  if (state.afterAlive) {
    return { state: { at: "awaitOldConnection", ack, agreement: agreed }, send: [] };
  }
  return { state: { at: "connected", agreement: agreed }, send: [ack] };
}

/** A peer that lacks a flag is told `not_allowed`, as OTP does. */
function refusingMissingFlags(
  params: AcceptorParams,
  applicant: Applicant,
  otherwise: () => AcceptorStep,
): AcceptorStep {
  const required = params.requiredFlags ?? REQUIRED_OF_PEER;
  // The old send_name has the low 32 flags only; the rest is checked with its complement.
  const known = applicant.creation === undefined ? required & 0xffff_ffffn : required;
  try {
    checkFlags(applicant.flags, known, applicant.name);
  } catch (error) {
    const send = [encode({ type: "status", status: "not_allowed" })];
    return { state: { at: "failed", error: error as HandshakeError }, send };
  }
  return otherwise();
}

function refuse(
  status: Uint8Array,
  code: "HS_NOK" | "HS_NOT_ALLOWED",
  name: string,
  text: string,
): AcceptorStep {
  return { state: { at: "failed", error: new HandshakeError(code, text, name) }, send: [status] };
}

function nokText(name: string): string {
  return `${name} and we were connecting to each other at the same time, and our own attempt goes first. Nothing is to be done.`;
}

function notAllowedText({ name, dynamic }: Applicant): string {
  return dynamic
    ? `A node on ${name} asked for a name, and this node gives none. Start that node with a name (-sname or -name).`
    : `${name} is not among the nodes that may connect to this one, and was refused.`;
}

/** What to say when the peer closed the stream in this state. */
export function acceptorClosed(state: Acceptor, address: string, cause?: Error): HandshakeError {
  const peer = peerOf(state) ?? address;
  const hint =
    state.at === "awaitReply"
      ? "It may have refused our name or our flags: its log says why."
      : "It may have been a probe of the port, or be going down.";
  return new HandshakeError(
    "HS_CLOSED",
    `${peer} closed the connection while we waited for its ${awaited(state)}. ${hint}`,
    peer,
    cause === undefined ? undefined : { cause },
  );
}

/** What to say when nothing came in time. */
export function acceptorTimeout(
  state: Acceptor,
  address: string,
  timeoutMs: number,
): HandshakeError {
  const peer = peerOf(state) ?? address;
  const missing =
    state.at === "decide" || state.at === "awaitOldConnection"
      ? `The handshake with ${peer} was not decided here`
      : `${peer} did not send its ${awaited(state)}`;
  return new HandshakeError(
    "HS_TIMEOUT",
    `${missing} within ${timeoutMs} ms. One of the nodes may be overloaded or stopped; try again, or allow more time.`,
    peer,
  );
}

function peerOf(state: Acceptor): string | undefined {
  return "applicant" in state ? state.applicant.name : undefined;
}

function awaited(state: Acceptor): string {
  switch (state.at) {
    case "awaitName":
      return "name";
    case "awaitAliveReply":
      return 'answer to "alive"';
    case "awaitComplement":
      return "complement";
    default:
      return "challenge_reply";
  }
}

function outOfTurn(message: InitiatorMessage, due: string): HandshakeError {
  return new HandshakeError(
    "HS_MALFORMED",
    `The peer sent ${message.type} where ${due} was due. It is not an Erlang node, or a broken one.`,
  );
}

function encode(message: AcceptorMessage): Uint8Array {
  return encodeMessage(message);
}
