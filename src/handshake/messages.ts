/**
 * The messages of the distribution handshake, version 6 (OTP 23 and later).
 *
 * Spec: erl_dist_protocol, "Distribution Handshake". Bytes as in kernel/src/dist_util.erl of OTP 23
 * to 29. Each message travels behind its length (frames.ts). Big-endian throughout:
 *
 *     send_name        'N' flags:64 creation:32 nameLength:16 name, then anything
 *     send_name, old   'n' version:16 flags:32 name           (OTP 23 and 24 that did not ask EPMD)
 *     send_status      's' text; 's' "named:" nameLength:16 name creation:32, then anything
 *     send_challenge   'N' flags:64 challenge:32 creation:32 nameLength:16 name, then anything
 *     its old form     'n' version:16 flags:32 challenge:32 name
 *     send_complement  'c' flagsHigh:32 creation:32
 *     challenge_reply  'r' challenge:32 digest:128
 *     challenge_ack    'a' digest:128
 *
 * Names are Latin-1 but for the one in `named:`, which is UTF-8, as the runtime has them.
 */
import { utf8Text } from "../../etf/index.ts";
import { HandshakeError } from "./errors.ts";

/** The status texts an acceptor sends; `named` has fields of its own. */
export const ACCEPT_STATUSES = ["ok", "ok_simultaneous", "nok", "not_allowed", "alive"] as const;
export type AcceptStatus = (typeof ACCEPT_STATUSES)[number];

/** What the initiator answers to `alive`: whether it goes on. */
export type AliveReply = "true" | "false";

export interface SendName {
  readonly type: "sendName";
  readonly flags: bigint;
  readonly creation: number;
  /** The node name; of a node without one (NAME_ME), its host. */
  readonly name: string;
}
export interface OldSendName {
  readonly type: "oldSendName";
  readonly version: number;
  /** The low 32 flags; `SendComplement` brings the rest. */
  readonly flags: bigint;
  readonly name: string;
}
export interface Status<S extends string = string> {
  readonly type: "status";
  readonly status: S;
}
/** The status `named:`: the name and creation given to a node that asked for them. */
export interface NamedStatus {
  readonly type: "named";
  readonly name: string;
  readonly creation: number;
}
export interface Challenge {
  readonly type: "challenge";
  readonly flags: bigint;
  readonly challenge: number;
  readonly creation: number;
  readonly name: string;
}
export interface OldChallenge {
  readonly type: "oldChallenge";
  readonly version: number;
  readonly flags: bigint;
  readonly challenge: number;
  readonly name: string;
}
export interface SendComplement {
  readonly type: "sendComplement";
  /** Flags 32 to 63, in their place. */
  readonly flags: bigint;
  readonly creation: number;
}
export interface ChallengeReply {
  readonly type: "challengeReply";
  readonly challenge: number;
  readonly digest: Uint8Array;
}
export interface ChallengeAck {
  readonly type: "challengeAck";
  readonly digest: Uint8Array;
}

export type InitiatorMessage =
  | SendName
  | OldSendName
  | Status<AliveReply>
  | SendComplement
  | ChallengeReply;
export type AcceptorMessage =
  | Status<AcceptStatus>
  | NamedStatus
  | Challenge
  | OldChallenge
  | ChallengeAck;

const TAG = {
  NEW_NAME: 0x4e, // N: send_name and send_challenge
  OLD_NAME: 0x6e, // n: their old forms
  STATUS: 0x73, // s
  COMPLEMENT: 0x63, // c
  REPLY: 0x72, // r
  ACK: 0x61, // a
} as const;

const DIGEST_BYTES = 16;
const NAMED = "named:";
const LOW_32 = 0xffff_ffffn;

/** The bytes of a message, without the length in front. */
export function encodeMessage(message: InitiatorMessage | AcceptorMessage): Buffer {
  switch (message.type) {
    case "sendName": {
      const name = latin1Name(message.name);
      const bytes = Buffer.allocUnsafe(15 + name.length);
      bytes[0] = TAG.NEW_NAME;
      bytes.writeBigUInt64BE(message.flags, 1);
      bytes.writeUInt32BE(message.creation, 9);
      bytes.writeUInt16BE(name.length, 13);
      bytes.set(name, 15);
      return bytes;
    }
    case "oldSendName": {
      const head = Buffer.allocUnsafe(7);
      head[0] = TAG.OLD_NAME;
      head.writeUInt16BE(message.version, 1);
      head.writeUInt32BE(Number(message.flags & LOW_32), 3);
      return Buffer.concat([head, latin1Name(message.name)]);
    }
    case "status":
      return Buffer.from(`s${message.status}`, "latin1");
    case "named": {
      const name = Buffer.from(message.name, "utf8");
      const bytes = Buffer.allocUnsafe(1 + NAMED.length + 2 + name.length + 4);
      bytes.write(`s${NAMED}`, "latin1");
      bytes.writeUInt16BE(name.length, 1 + NAMED.length);
      bytes.set(name, 1 + NAMED.length + 2);
      bytes.writeUInt32BE(message.creation, bytes.length - 4);
      return bytes;
    }
    case "challenge": {
      const name = latin1Name(message.name);
      const bytes = Buffer.allocUnsafe(19 + name.length);
      bytes[0] = TAG.NEW_NAME;
      bytes.writeBigUInt64BE(message.flags, 1);
      bytes.writeUInt32BE(message.challenge, 9);
      bytes.writeUInt32BE(message.creation, 13);
      bytes.writeUInt16BE(name.length, 17);
      bytes.set(name, 19);
      return bytes;
    }
    case "oldChallenge": {
      const head = Buffer.allocUnsafe(11);
      head[0] = TAG.OLD_NAME;
      head.writeUInt16BE(message.version, 1);
      head.writeUInt32BE(Number(message.flags & LOW_32), 3);
      head.writeUInt32BE(message.challenge, 7);
      return Buffer.concat([head, latin1Name(message.name)]);
    }
    case "sendComplement": {
      const bytes = Buffer.allocUnsafe(9);
      bytes[0] = TAG.COMPLEMENT;
      bytes.writeUInt32BE(Number((message.flags >> 32n) & LOW_32), 1);
      bytes.writeUInt32BE(message.creation, 5);
      return bytes;
    }
    case "challengeReply": {
      const bytes = Buffer.allocUnsafe(5 + DIGEST_BYTES);
      bytes[0] = TAG.REPLY;
      bytes.writeUInt32BE(message.challenge, 1);
      bytes.set(message.digest, 5);
      return bytes;
    }
    case "challengeAck":
      return Buffer.from([TAG.ACK, ...message.digest]);
  }
}

/** @throws HandshakeError HS_MALFORMED */
export function parseInitiatorMessage(bytes: Uint8Array): InitiatorMessage {
  const body = asBuffer(bytes);
  switch (body[0]) {
    case TAG.NEW_NAME: {
      need(body, 15, "send_name");
      return {
        type: "sendName",
        flags: body.readBigUInt64BE(1),
        creation: body.readUInt32BE(9),
        name: countedName(body, 13, "send_name").toString("latin1"),
      };
    }
    case TAG.OLD_NAME:
      need(body, 7, "the old send_name");
      return {
        type: "oldSendName",
        version: body.readUInt16BE(1),
        flags: BigInt(body.readUInt32BE(3)),
        name: body.toString("latin1", 7),
      };
    case TAG.STATUS: {
      const status = body.toString("latin1", 1);
      if (status === "true" || status === "false") return { type: "status", status };
      throw malformed(`${printable(status)} is not an answer to the status "alive"`);
    }
    case TAG.COMPLEMENT:
      exactly(body, 9, "send_complement");
      return {
        type: "sendComplement",
        flags: BigInt(body.readUInt32BE(1)) << 32n,
        creation: body.readUInt32BE(5),
      };
    case TAG.REPLY:
      exactly(body, 5 + DIGEST_BYTES, "challenge_reply");
      return { type: "challengeReply", challenge: body.readUInt32BE(1), digest: body.subarray(5) };
    default:
      throw unknownTag(body);
  }
}

/** @throws HandshakeError HS_MALFORMED */
export function parseAcceptorMessage(bytes: Uint8Array): AcceptorMessage {
  const body = asBuffer(bytes);
  switch (body[0]) {
    case TAG.STATUS: {
      if (body.toString("latin1", 1, 1 + NAMED.length) === NAMED) return parseNamed(body);
      const text = body.toString("latin1", 1);
      const status = ACCEPT_STATUSES.find((known) => known === text);
      if (status !== undefined) return { type: "status", status };
      throw malformed(`the status ${printable(text)} is not known`);
    }
    case TAG.NEW_NAME:
      need(body, 19, "send_challenge");
      return {
        type: "challenge",
        flags: body.readBigUInt64BE(1),
        challenge: body.readUInt32BE(9),
        creation: body.readUInt32BE(13),
        name: countedName(body, 17, "send_challenge").toString("latin1"),
      };
    case TAG.OLD_NAME:
      need(body, 11, "the old send_challenge");
      return {
        type: "oldChallenge",
        version: body.readUInt16BE(1),
        flags: BigInt(body.readUInt32BE(3)),
        challenge: body.readUInt32BE(7),
        name: body.toString("latin1", 11),
      };
    case TAG.ACK:
      exactly(body, 1 + DIGEST_BYTES, "challenge_ack");
      return { type: "challengeAck", digest: body.subarray(1) };
    default:
      throw unknownTag(body);
  }
}

function parseNamed(body: Buffer): NamedStatus {
  const lengthAt = 1 + NAMED.length;
  need(body, lengthAt + 2, 'the status "named:"');
  const name = countedName(body, lengthAt, 'the status "named:"');
  const creationAt = lengthAt + 2 + name.length;
  need(body, creationAt + 4, 'the status "named:"');
  const text = utf8Text(name);
  if (text === null) throw malformed('the name in the status "named:" is not UTF-8');
  return { type: "named", name: text, creation: body.readUInt32BE(creationAt) };
}

/** The name behind a 16-bit length at `lengthAt`. What follows it is tolerated, as specified. */
function countedName(body: Buffer, lengthAt: number, what: string): Buffer {
  const length = body.readUInt16BE(lengthAt);
  const start = lengthAt + 2;
  if (start + length > body.length) {
    throw malformed(
      `${what} announces a name of ${length} bytes and has ${body.length - start} left`,
    );
  }
  return body.subarray(start, start + length);
}

function latin1Name(name: string): Buffer {
  for (const character of name) {
    if (character.codePointAt(0)! > 0xff) {
      throw new HandshakeError(
        "HS_WRONG_NAME",
        `The node name "${name}" has a character that the handshake cannot carry: "${character}". Use letters of Latin-1 only.`,
      );
    }
  }
  return Buffer.from(name, "latin1");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function need(body: Buffer, length: number, what: string): void {
  if (body.length < length) {
    throw malformed(`${what} has ${body.length} bytes and needs ${length}`);
  }
}

function exactly(body: Buffer, length: number, what: string): void {
  if (body.length !== length) {
    throw malformed(`${what} has ${body.length} bytes instead of ${length}`);
  }
}

function unknownTag(body: Buffer): HandshakeError {
  if (body.length === 0) return malformed("a message is empty");
  return malformed(`a message begins with the unknown byte ${body[0]}`);
}

function malformed(what: string): HandshakeError {
  return new HandshakeError(
    "HS_MALFORMED",
    `The peer does not speak the distribution handshake: ${what}. Check that the port is that of an Erlang node.`,
  );
}

/** Text from the peer, safe to show. */
function printable(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
