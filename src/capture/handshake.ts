/**
 * The handshake at the beginning of a captured stream, message by message. Challenges are shown,
 * digests are not: with both, a weak cookie can be guessed.
 */
import { flagNames } from "../distribution/flags.ts";
import {
  type AcceptorMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
  parseInitiatorMessage,
} from "../handshake/messages.ts";
import type { Explained, Side } from "./explained.ts";

type Message = InitiatorMessage | AcceptorMessage;

export interface ExplainedHandshake {
  readonly side: Side;
  /** In wire order, each with the place it has among the messages of both sides. */
  readonly messages: readonly { readonly place: number; readonly explained: Explained }[];
  /** Where the connected protocol begins; undefined when the stream does not get there. */
  readonly end: number | undefined;
  /** The flags this side offered, as far as the stream tells. */
  readonly flags: bigint | undefined;
}

/** The order of the messages; the two status texts of an initiator answer `alive`. */
const PLACE: Readonly<Record<Message["type"], number>> = {
  sendName: 0,
  oldSendName: 0,
  status: 1,
  named: 1,
  challenge: 3,
  oldChallenge: 3,
  sendComplement: 4,
  challengeReply: 5,
  challengeAck: 6,
};
const ALIVE_REPLY_PLACE = 2;
const LAST_PLACE = 7;

/** No handshake message is longer: a name has 255 characters. */
const MAX_MESSAGE_BYTES = 1023;
const NAME_TAGS = "Nn";
const STATUS_TAGS = "s";

/** The width of the lengths if the stream begins with a handshake: 2 bytes on TCP, 4 on TLS. */
function lengthBytesOf(bytes: Uint8Array, tags: string): 2 | 4 | undefined {
  for (const width of [2, 4] as const) {
    if (bytes.length <= width) continue;
    const length = lengthAt(bytes, 0, width);
    if (length < 1 || length > MAX_MESSAGE_BYTES) continue;
    if (tags.includes(String.fromCharCode(bytes[width]!))) return width;
  }
  return undefined;
}

/**
 * The handshake that the stream of this side begins with, or undefined when it does not: then it
 * was captured later. The side is found out where it is unknown.
 */
export function explainHandshake(bytes: Uint8Array, given: Side): ExplainedHandshake | undefined {
  const asInitiator = given === "acceptor" ? undefined : lengthBytesOf(bytes, NAME_TAGS);
  const asAcceptor = given === "initiator" ? undefined : lengthBytesOf(bytes, STATUS_TAGS);
  if (asInitiator !== undefined) return explain(bytes, "initiator", asInitiator);
  if (asAcceptor !== undefined) return explain(bytes, "acceptor", asAcceptor);
  return undefined;
}

function explain(
  bytes: Uint8Array,
  side: "initiator" | "acceptor",
  width: 2 | 4,
): ExplainedHandshake {
  const messages: { place: number; explained: Explained }[] = [];
  const add = (
    place: number,
    offset: number,
    size: number,
    kind: Explained["kind"],
    text: string,
  ) => messages.push({ place, explained: { side, offset, bytes: size, kind, text } });
  let flags: bigint | undefined;
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    const length = left < width ? 0 : lengthAt(bytes, at, width);
    if (left < width || left < width + length) {
      add(LAST_PLACE, at, left, "incomplete", `handshake message, ${left} bytes of it`);
      return { side, messages, end: undefined, flags };
    }
    let message: Message;
    try {
      const body = bytes.subarray(at + width, at + width + length);
      message = side === "initiator" ? parseInitiatorMessage(body) : parseAcceptorMessage(body);
    } catch (error) {
      add(LAST_PLACE, at, left, "error", (error as Error).message);
      return { side, messages, end: undefined, flags };
    }
    const replies = side === "initiator" && message.type === "status";
    add(
      replies ? ALIVE_REPLY_PLACE : PLACE[message.type],
      at,
      width + length,
      "handshake",
      text(message),
    );
    at += width + length;
    if ("flags" in message) flags = (flags ?? 0n) | message.flags;
    if (message.type === (side === "initiator" ? "challengeReply" : "challengeAck")) {
      return { side, messages, end: at, flags };
    }
  }
  return { side, messages, end: undefined, flags };
}

function text(message: Message): string {
  switch (message.type) {
    case "sendName":
      return `send_name ${message.name}, creation ${message.creation}, ${flagsText(message.flags)}`;
    case "oldSendName":
      return `send_name ${message.name} of version ${message.version}, ${flagsText(message.flags)}`;
    case "status":
      return `send_status ${message.status}`;
    case "named":
      return `send_status named: ${message.name}, creation ${message.creation}`;
    case "challenge":
      return `send_challenge ${message.challenge} of ${message.name}, creation ${message.creation}, ${flagsText(message.flags)}`;
    case "oldChallenge":
      return `send_challenge ${message.challenge} of ${message.name} of version ${message.version}, ${flagsText(message.flags)}`;
    case "sendComplement":
      return `send_complement, creation ${message.creation}, ${flagsText(message.flags)}`;
    case "challengeReply":
      return `send_challenge_reply, challenge ${message.challenge} and a digest`;
    case "challengeAck":
      return "send_challenge_ack, a digest";
  }
}

export function flagsText(flags: bigint): string {
  return `flags 0x${flags.toString(16).toUpperCase()} (${flagNames(flags).join(", ")})`;
}

function lengthAt(bytes: Uint8Array, at: number, width: 2 | 4): number {
  let length = 0;
  for (let index = 0; index < width; index++) length = length * 256 + bytes[at + index]!;
  return length;
}
