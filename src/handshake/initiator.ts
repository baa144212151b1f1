/**
 * The initiator's side of the handshake, as a state machine without input or output of its own.
 *
 * Spec: erl_dist_protocol, "Distribution Handshake"; handshake_we_started of dist_util.erl.
 * Only the form of version 6 is sent: every release from OTP 23 on answers it.
 *
 *     send_name ->
 *     awaitStatus     <- ok | ok_simultaneous | named:     -> awaitChallenge
 *                     <- alive: true ->                    -> awaitChallenge
 *                     <- alive: false ->                   -> failed
 *     awaitChallenge  <- send_challenge: challenge_reply -> -> awaitAck
 *     awaitAck        <- challenge_ack                     -> connected
 */
import { DFLAG, expandDigest, REQUIRED_OF_PEER } from "../distribution/flags.ts";
import { cookieDigest, sameDigest } from "./digest.ts";
import { checkFlags, HandshakeError } from "./errors.ts";
import {
  type AcceptorMessage,
  encodeMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
} from "./messages.ts";
import { isHostName, splitNodeName } from "./names.ts";
import { type Agreement, agreement, type PeerIdentity } from "./peer.ts";

export interface InitiatorParams {
  /** Our node name. With NAME_ME among `flags`: our host, and the peer gives us a name on it. */
  readonly ownName: string;
  /** What we offer. With NAME_ME, PUBLISHED is left out, as OTP does. */
  readonly flags: bigint;
  /** Our creation; not sent with NAME_ME. */
  readonly creation: number;
  /** The node that is to answer. */
  readonly peerName: string;
  readonly cookie: string;
  /** What the peer must offer. Default `REQUIRED_OF_PEER`. */
  readonly requiredFlags?: bigint;
  /** A new random number of 32 bits. */
  readonly randomChallenge: () => number;
  /** Asked when the peer has a connection to us already: is ours still being set up? Default yes. */
  readonly replyToAlive?: () => boolean;
}

export type Initiator =
  | { readonly at: "awaitStatus"; readonly own: Own }
  | { readonly at: "awaitChallenge"; readonly own: Own }
  | {
      readonly at: "awaitAck";
      readonly own: Own;
      readonly expected: Uint8Array;
      readonly peer: PeerIdentity;
    }
  | { readonly at: "connected"; readonly agreement: Agreement }
  | { readonly at: "failed"; readonly error: HandshakeError };

interface Own {
  readonly name: string;
  readonly creation: number;
  readonly flags: bigint;
}

export interface InitiatorStep {
  readonly state: Initiator;
  /** A message to send before anything else happens, without its length. */
  readonly send?: Uint8Array;
}

/** @throws HandshakeError HS_WRONG_NAME when a name is not a node name */
export function startInitiator(params: InitiatorParams): InitiatorStep {
  const dynamic = (params.flags & DFLAG.NAME_ME) !== 0n;
  const { ownName: name, peerName } = params;
  if (dynamic ? !isHostName(name) : splitNodeName(name) === undefined) {
    throw new HandshakeError(
      "HS_WRONG_NAME",
      `This node's name "${name}" is not a ${dynamic ? "host name" : "node name"}; one looks like ${dynamic ? "host" : "alive@host"}.`,
    );
  }
  if (splitNodeName(peerName) === undefined) {
    throw new HandshakeError(
      "HS_WRONG_NAME",
      `"${peerName}" is not a node name; one looks like alive@host.`,
    );
  }
  const own: Own = {
    name,
    creation: dynamic ? 0 : params.creation,
    flags: dynamic ? params.flags & ~DFLAG.PUBLISHED : params.flags,
  };
  return { state: { at: "awaitStatus", own }, send: encode({ type: "sendName", ...own }) };
}

/**
 * Moves on by one message of the peer.
 * @throws HandshakeError HS_NOT_ALLOWED, HS_NOK, HS_WRONG_NAME, HS_MISSING_FLAG, HS_OLD_VERSION,
 * HS_BAD_DIGEST, HS_COOKIE_INVALID, HS_MALFORMED
 */
export function moveInitiator(
  params: InitiatorParams,
  state: Initiator,
  bytes: Uint8Array,
): InitiatorStep {
  const message = parseAcceptorMessage(bytes);
  switch (state.at) {
    case "awaitStatus":
      return onStatus(params, state.own, message);
    case "awaitChallenge":
      return onChallenge(params, state.own, message);
    case "awaitAck":
      if (message.type !== "challengeAck") throw outOfTurn(params, message, "challenge_ack");
      if (!sameDigest(message.digest, state.expected)) {
        throw new HandshakeError(
          "HS_BAD_DIGEST",
          `${params.peerName} uses a different cookie. Give both nodes the same cookie (--setcookie, or ~/.erlang.cookie).`,
          params.peerName,
        );
      }
      return { state: { at: "connected", agreement: agreement(state.peer, state.own) } };
    default:
      throw outOfTurn(params, message, "nothing more");
  }
}

function onStatus(params: InitiatorParams, own: Own, message: AcceptorMessage): InitiatorStep {
  const { peerName } = params;
  const dynamic = (own.flags & DFLAG.NAME_ME) !== 0n;
  if (message.type === "named") return onNamed(params, own, dynamic, message);
  if (message.type !== "status") throw outOfTurn(params, message, "a status");
  switch (message.status) {
    case "not_allowed":
      throw new HandshakeError(
        "HS_NOT_ALLOWED",
        `${peerName} does not allow ${own.name} to connect: it has a list of allowed nodes (net_kernel:allow), or misses a distribution flag we do not offer. The peer's log says which.`,
        peerName,
      );
    case "nok":
      throw new HandshakeError(
        "HS_NOK",
        `${peerName} is just connecting to us, and its attempt goes first. Nothing is to be done: the connection comes from there.`,
        peerName,
      );
    case "alive": {
      if (dynamic) break;
      const goOn = params.replyToAlive?.() ?? true;
      const send = encode({ type: "status", status: goOn ? "true" : "false" });
      if (goOn) return { state: { at: "awaitChallenge", own }, send };
      const error = new HandshakeError(
        "HS_ALIVE",
        `${peerName} still has a connection with ${own.name}, and this attempt is no longer wanted. Use the connection there is.`,
        peerName,
      );
      return { state: { at: "failed", error }, send };
    }
    case "ok":
    case "ok_simultaneous":
      if (dynamic) break;
      return { state: { at: "awaitChallenge", own } };
  }
  throw new HandshakeError(
    "HS_MALFORMED",
    `${peerName} answered "${message.status}" to a node that asks for a name. It cannot give names (dynamic node names came with OTP 23); give this node a name.`,
    peerName,
  );
}

function onNamed(
  params: InitiatorParams,
  own: Own,
  dynamic: boolean,
  given: { name: string; creation: number },
): InitiatorStep {
  if (!dynamic || splitNodeName(given.name)?.host !== own.name) {
    throw new HandshakeError(
      "HS_WRONG_NAME",
      `${params.peerName} gave us the name ${JSON.stringify(given.name)}, ${dynamic ? `which is not on our host ${own.name}` : "and we have one"}.`,
      params.peerName,
    );
  }
  const named: Own = { name: given.name, creation: given.creation, flags: own.flags };
  return { state: { at: "awaitChallenge", own: named } };
}

function onChallenge(params: InitiatorParams, own: Own, message: AcceptorMessage): InitiatorStep {
  const { peerName } = params;
  if (message.type === "oldChallenge") {
    throw new HandshakeError(
      "HS_OLD_VERSION",
      `${peerName} answers with version ${message.version} of the handshake, which only OTP 22 and earlier need. Upgrade it to OTP 23 or later.`,
      peerName,
    );
  }
  if (message.type !== "challenge") throw outOfTurn(params, message, "send_challenge");
  if (message.name !== peerName) {
    throw new HandshakeError(
      "HS_WRONG_NAME",
      `The node that answers is ${JSON.stringify(message.name)}, not ${peerName}. ${wrongNameHint(peerName, message.name)}`,
      peerName,
    );
  }
  const flags = expandDigest(message.flags);
  checkFlags(flags, params.requiredFlags ?? REQUIRED_OF_PEER, peerName);
  const challenge = params.randomChallenge();
  const peer: PeerIdentity = { name: peerName, flags, creation: message.creation };
  return {
    state: { at: "awaitAck", own, peer, expected: cookieDigest(params.cookie, challenge) },
    send: encode({
      type: "challengeReply",
      challenge,
      digest: cookieDigest(params.cookie, message.challenge),
    }),
  };
}

function wrongNameHint(asked: string, answered: string): string {
  const [own, theirs] = [splitNodeName(asked), splitNodeName(answered)];
  if (own === undefined || theirs === undefined || own.alive !== theirs.alive) {
    return "EPMD may hold an old entry; ask it for the names (epmd -names) and use one of them.";
  }
  if (theirs.host.includes(".") && !own.host.includes(".")) {
    return "It runs with a long name (-name): use its full name, and a long name for this node too.";
  }
  if (own.host.includes(".") && !theirs.host.includes(".")) {
    return "It runs with a short name (-sname): use its short name, and a short name for this node too.";
  }
  return "Use the host it gives itself.";
}

/** What to say when the peer closed the stream in this state. */
export function initiatorClosed(
  params: InitiatorParams,
  state: Initiator,
  cause?: Error,
): HandshakeError {
  const { peerName } = params;
  const options = cause === undefined ? undefined : { cause };
  if (state.at === "awaitAck") {
    return new HandshakeError(
      "HS_COOKIE_REFUSED",
      `${peerName} rejected our cookie: the two nodes use different cookies. Give both nodes the same cookie (--setcookie, or ~/.erlang.cookie).`,
      peerName,
      options,
    );
  }
  return new HandshakeError(
    "HS_CLOSED",
    `${peerName} closed the connection while we waited for its ${awaited(state)}. It may be going down, or what listens on that port is not an Erlang node.`,
    peerName,
    options,
  );
}

/** What to say when nothing came in time. */
export function initiatorTimeout(
  params: InitiatorParams,
  state: Initiator,
  timeoutMs: number,
): HandshakeError {
  return new HandshakeError(
    "HS_TIMEOUT",
    `${params.peerName} did not send its ${awaited(state)} within ${timeoutMs} ms. It may be overloaded or stopped; try again, or allow more time.`,
    params.peerName,
  );
}

function awaited(state: Initiator): string {
  if (state.at === "awaitStatus") return "status";
  return state.at === "awaitChallenge" ? "challenge" : "challenge_ack";
}

function outOfTurn(params: InitiatorParams, message: AcceptorMessage, due: string): HandshakeError {
  return new HandshakeError(
    "HS_MALFORMED",
    `${params.peerName} sent ${message.type} where ${due} was due. Check that the port is that of an Erlang node.`,
    params.peerName,
  );
}

function encode(message: InitiatorMessage): Uint8Array {
  return encodeMessage(message);
}
