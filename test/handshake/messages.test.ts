import { describe, expect, test } from "vitest";
import {
  type AcceptorMessage,
  encodeMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
  parseInitiatorMessage,
} from "../../src/handshake/messages.ts";

const digest = Buffer.from("00112233445566778899aabbccddeeff", "hex");

/** Bytes as OTP 25 put them on the wire, or as dist_util.erl builds them. */
const fromInitiator: [string, InitiatorMessage, string][] = [
  [
    "send_name",
    { type: "sendName", flags: 0xd07df7fbdn, creation: 0x6b03dcff, name: "peer@vm" },
    "4e 0000000d07df7fbd 6b03dcff 0007 7065657240766d",
  ],
  [
    "the old send_name",
    { type: "oldSendName", version: 5, flags: 0x7df7fbdn, name: "peer@vm" },
    "6e 0005 07df7fbd 7065657240766d",
  ],
  ["the answer true", { type: "status", status: "true" }, "73 74727565"],
  ["the answer false", { type: "status", status: "false" }, "73 66616c7365"],
  [
    "send_complement",
    { type: "sendComplement", flags: 0xd00000000n, creation: 77 },
    "63 0000000d 0000004d",
  ],
  [
    "challenge_reply",
    { type: "challengeReply", challenge: 0xffffffff, digest },
    "72 ffffffff 00112233445566778899aabbccddeeff",
  ],
];

const fromAcceptor: [string, AcceptorMessage, string][] = [
  ["ok", { type: "status", status: "ok" }, "73 6f6b"],
  [
    "ok_simultaneous",
    { type: "status", status: "ok_simultaneous" },
    "73 6f6b5f73696d756c74616e656f7573",
  ],
  ["nok", { type: "status", status: "nok" }, "73 6e6f6b"],
  ["not_allowed", { type: "status", status: "not_allowed" }, "73 6e6f745f616c6c6f776564"],
  ["alive", { type: "status", status: "alive" }, "73 616c697665"],
  [
    "named",
    { type: "named", name: "XRLS1WQ49JI@vm", creation: 4242 },
    "73 6e616d65643a 000e 58524c53315751 34394a4940766d 00001092",
  ],
  [
    "send_challenge",
    { type: "challenge", flags: 0xf07df7fbcn, challenge: 1, creation: 2, name: "peer@vm" },
    "4e 0000000f07df7fbc 00000001 00000002 0007 7065657240766d",
  ],
  [
    "the old send_challenge",
    { type: "oldChallenge", version: 5, flags: 0x7df7fbdn, challenge: 1, name: "peer@vm" },
    "6e 0005 07df7fbd 00000001 7065657240766d",
  ],
  ["challenge_ack", { type: "challengeAck", digest }, "61 00112233445566778899aabbccddeeff"],
];

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

describe.each([
  ["initiator", fromInitiator, parseInitiatorMessage],
  ["acceptor", fromAcceptor, parseAcceptorMessage],
] as [
  string,
  [string, InitiatorMessage | AcceptorMessage, string][],
  (b: Uint8Array) => unknown,
][])("what the %s sends", (_role, cases, parse) => {
  test.each(cases)("%s", (_name, message, hex) => {
    expect(encodeMessage(message).toString("hex")).toBe(bytes(hex).toString("hex"));
    expect(parse(bytes(hex))).toEqual(message);
  });

  test.each(cases)("%s cut short is malformed, or names less", (_name, message, hex) => {
    const whole = bytes(hex);
    for (let length = 0; length < whole.length; length++) {
      let parsed: unknown;
      try {
        parsed = parse(whole.subarray(0, length));
      } catch (error) {
        expect(error).toMatchObject({ name: "HandshakeError", code: "HS_MALFORMED" });
        continue;
      }
      // Only what has no length of its own can be cut and still be a message.
      expect(["oldSendName", "oldChallenge", "status"]).toContain(message.type);
      expect(parsed).not.toEqual(message);
    }
  });
});

test("extra bytes behind a counted name are tolerated", () => {
  const more = Buffer.from("later releases may say more");
  const [, name] = fromInitiator[0]!;
  expect(parseInitiatorMessage(Buffer.concat([encodeMessage(name), more]))).toEqual(name);
  for (const message of [fromAcceptor[5]![1], fromAcceptor[6]![1]]) {
    expect(parseAcceptorMessage(Buffer.concat([encodeMessage(message), more]))).toEqual(message);
  }
});

test.each(["r", "a", "c"])("extra bytes behind %s are malformed", (tag) => {
  const message = [...fromInitiator, ...fromAcceptor].find(
    ([, each]) => encodeMessage(each)[0] === tag.charCodeAt(0),
  )![1];
  const long = Buffer.concat([encodeMessage(message), Buffer.from([0])]);
  const parse = tag === "a" ? parseAcceptorMessage : parseInitiatorMessage;
  expect(() => parse(long)).toThrow(expect.objectContaining({ code: "HS_MALFORMED" }));
});

test("names are Latin-1, and other letters are refused before anything is sent", () => {
  const named = encodeMessage({ type: "sendName", flags: 0n, creation: 1, name: "blåbär@vm" });
  expect(parseInitiatorMessage(named)).toMatchObject({ name: "blåbär@vm" });
  expect(named.readUInt16BE(13)).toBe(9);
  const send = () => encodeMessage({ type: "sendName", flags: 0n, creation: 1, name: "бильбо@vm" });
  expect(send).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
  expect(send).toThrow("бильбо@vm");
});

test("the name in the status named: is UTF-8", () => {
  const named = encodeMessage({ type: "named", name: "\ufeffбильбо@vm", creation: 1 });
  expect(parseAcceptorMessage(named)).toMatchObject({ name: "\ufeffбильбо@vm" });
  named[named.indexOf(0xd0)] = 0xff;
  expect(() => parseAcceptorMessage(named)).toThrow(
    expect.objectContaining({ code: "HS_MALFORMED" }),
  );
});

test.each(["sokay", "x", "strue", ""])("an acceptor's %j is malformed", (text) => {
  expect(() => parseAcceptorMessage(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: "HS_MALFORMED" }),
  );
});

test("random bytes give messages or HS_MALFORMED, and nothing else", () => {
  let seed = 12345;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 16;
  };
  for (let round = 0; round < 20_000; round++) {
    const input = Buffer.from(Array.from({ length: random() % 40 }, () => random() & 0xff));
    if (input.length > 0) input[0] = "NnscraX".charCodeAt(random() % 7);
    for (const parse of [parseInitiatorMessage, parseAcceptorMessage]) {
      try {
        parse(input);
      } catch (error) {
        expect(error).toMatchObject({ code: "HS_MALFORMED" });
      }
    }
  }
});
