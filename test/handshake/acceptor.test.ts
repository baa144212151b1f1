import { describe, expect, test } from "vitest";
import { DFLAG, MANDATORY_25 } from "../../src/distribution/flags.ts";
import {
  type AcceptorInput,
  type AcceptorParams,
  acceptorClosed,
  acceptorStart,
  acceptorTimeout,
  moveAcceptor,
} from "../../src/handshake/acceptor.ts";
import { cookieDigest } from "../../src/handshake/digest.ts";
import {
  type AcceptStatus,
  encodeMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
} from "../../src/handshake/messages.ts";

const FLAGS = MANDATORY_25 | DFLAG.PUBLISHED | DFLAG.SPAWN | DFLAG.UNLINK_ID;

const params: AcceptorParams = {
  ownName: "gandalf@vm",
  flags: FLAGS,
  creation: 7,
  cookieFor: (peer) => `cookie of ${peer}`,
  randomChallenge: () => 1234,
};
const cookie = "cookie of bilbo@vm";

const say = (message: InitiatorMessage): AcceptorInput => ({ message: encodeMessage(message) });
const name = say({ type: "sendName", flags: FLAGS, creation: 8, name: "bilbo@vm" });
const decided = (status: AcceptStatus): AcceptorInput => ({ decision: { status } });
const reply = say({
  type: "challengeReply",
  challenge: 99,
  digest: cookieDigest(cookie, 1234),
});
const challenge = {
  type: "challenge",
  flags: FLAGS,
  challenge: 1234,
  creation: 7,
  name: "gandalf@vm",
};
const ack = { type: "challengeAck", digest: Buffer.from(cookieDigest(cookie, 99)) };
const agreement = {
  peer: { name: "bilbo@vm", flags: FLAGS, creation: 8 },
  negotiatedFlags: FLAGS,
  ownName: "gandalf@vm",
  ownCreation: 7,
};

function converse(inputs: AcceptorInput[], given = params) {
  let state = acceptorStart;
  const sent: unknown[] = [];
  for (const input of inputs) {
    const step = moveAcceptor(given, state, input);
    state = step.state;
    sent.push(...step.send.map(parseAcceptorMessage));
  }
  return { state, sent };
}

describe("the acceptor", () => {
  test.each(["ok", "ok_simultaneous"] as const)("takes a peer it decided to be %s", (status) => {
    const { state, sent } = converse([name, decided(status), reply]);
    expect(sent).toEqual([{ type: "status", status }, challenge, ack]);
    expect(state).toEqual({ at: "connected", agreement });
  });

  test("waits for the older connection to go when the peer insists", () => {
    const start = [name, decided("alive")];
    expect(converse(start).sent).toEqual([{ type: "status", status: "alive" }]);
    const insisting = [...start, say({ type: "status", status: "true" }), reply];
    const waiting = converse(insisting);
    expect(waiting.state.at).toBe("awaitOldConnection");
    expect(waiting.sent).not.toContainEqual(ack);
    const done = converse([...insisting, { oldConnection: "gone" }]);
    expect(done.state).toEqual({ at: "connected", agreement });
    expect(done.sent.at(-1)).toEqual(ack);
    expect(() => converse([...start, say({ type: "status", status: "false" })])).toThrow(
      expect.objectContaining({ code: "HS_ALIVE" }),
    );
  });

  test.each([
    ["nok", "HS_NOK"],
    ["not_allowed", "HS_NOT_ALLOWED"],
  ] as const)("tells a peer %s, and ends", (status, code) => {
    const { state, sent } = converse([name, decided(status)]);
    expect(sent).toEqual([{ type: "status", status }]);
    expect(state).toMatchObject({ at: "failed", error: { code, peer: "bilbo@vm" } });
  });

  test("gives a name to a node that asks for one", () => {
    const asking = say({
      type: "sendName",
      flags: (FLAGS & ~DFLAG.PUBLISHED) | DFLAG.NAME_ME,
      creation: 0,
      name: "vm",
    });
    const asked = converse([asking]);
    expect(asked.state).toMatchObject({
      at: "decide",
      applicant: { name: "vm", dynamic: true },
    });
    const named = { status: "named", name: "NEW@vm", creation: 42 } as const;
    const digest = cookieDigest("cookie of NEW@vm", 1234);
    const { state, sent } = converse([
      asking,
      { decision: named },
      say({ type: "challengeReply", challenge: 99, digest }),
    ]);
    expect(sent.slice(0, 2)).toEqual([
      { type: "named", name: "NEW@vm", creation: 42 },
      { ...challenge, flags: (FLAGS & ~DFLAG.PUBLISHED) | DFLAG.NAME_ME },
    ]);
    expect(state).toMatchObject({
      at: "connected",
      agreement: { peer: { name: "NEW@vm", creation: 42 } },
    });
    expect(converse([asking, decided("not_allowed")]).state).toMatchObject({
      error: { code: "HS_NOT_ALLOWED", message: expect.stringContaining("asked for a name") },
    });
  });

  test("understands the old send_name of OTP 23 and 24, and its complement", () => {
    const old = say({
      type: "oldSendName",
      version: 5,
      flags: FLAGS & 0xffff_ffffn,
      name: "bilbo@vm",
    });
    const complement = say({
      type: "sendComplement",
      flags: FLAGS & ~0xffff_ffffn,
      creation: 8,
    });
    const { state, sent } = converse([old, decided("ok"), complement, reply]);
    expect(sent).toEqual([{ type: "status", status: "ok" }, challenge, ack]);
    expect(state).toEqual({ at: "connected", agreement });
    expect(() => converse([old, decided("ok"), reply])).toThrow(
      expect.objectContaining({ code: "HS_MALFORMED" }),
    );
  });

  test("checks the high flags of an old send_name with its complement", () => {
    const demanding = { ...params, requiredFlags: MANDATORY_25 | DFLAG.V4_NC };
    const old = say({ type: "oldSendName", version: 5, flags: MANDATORY_25, name: "bilbo@vm" });
    const complement = say({ type: "sendComplement", flags: 0n, creation: 8 });
    const { state, sent } = converse([old, decided("ok"), complement], demanding);
    expect(sent.at(-1)).toEqual({ type: "status", status: "not_allowed" });
    expect(state).toMatchObject({ error: { code: "HS_MISSING_FLAG" } });
  });

  test("tells a peer that lacks a flag not_allowed, before anything is decided", () => {
    const poor = say({
      type: "sendName",
      flags: FLAGS & ~DFLAG.UTF8_ATOMS,
      creation: 8,
      name: "bilbo@vm",
    });
    const { state, sent } = converse([poor]);
    expect(sent).toEqual([{ type: "status", status: "not_allowed" }]);
    expect(state).toMatchObject({
      at: "failed",
      error: { code: "HS_MISSING_FLAG", message: expect.stringContaining("UTF8_ATOMS") },
    });
  });

  test("takes the shorthand for the mandatory flags", () => {
    const short = say({
      type: "sendName",
      flags: DFLAG.MANDATORY_25_DIGEST,
      creation: 8,
      name: "bilbo@vm",
    });
    expect(converse([short]).state.at).toBe("decide");
  });

  test("refuses another cookie without a word", () => {
    const wrong = say({
      type: "challengeReply",
      challenge: 99,
      digest: cookieDigest("cookie of gandalf@vm", 1234),
    });
    const attempt = () => converse([name, decided("ok"), wrong]);
    expect(attempt).toThrow(expect.objectContaining({ code: "HS_BAD_DIGEST", peer: "bilbo@vm" }));
    expect(attempt).not.toThrow("cookie of");
  });

  test.each(["bilbo", "@vm", "a@b@c", ""])("refuses the name %j", (wrong) => {
    const attempt = say({ type: "sendName", flags: FLAGS, creation: 8, name: wrong });
    expect(() => converse([attempt])).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
  });

  test("every message out of its turn is malformed", () => {
    const yes = say({ type: "status", status: "true" });
    const complement = say({ type: "sendComplement", flags: 0n, creation: 8 });
    const wrong: AcceptorInput[][] = [
      [reply],
      [yes],
      [complement],
      [name, name],
      [name, decided("ok"), name],
      [name, decided("ok"), yes],
      [name, decided("ok"), complement],
      [name, decided("alive"), reply],
      [name, decided("ok"), reply, reply],
    ];
    for (const inputs of wrong) {
      expect(() => converse(inputs)).toThrow(expect.objectContaining({ code: "HS_MALFORMED" }));
    }
  });

  test("an end or a time-out is told by where it came", () => {
    expect(acceptorClosed(acceptorStart, "192.0.2.1:5")).toMatchObject({
      code: "HS_CLOSED",
      peer: "192.0.2.1:5",
    });
    const { state } = converse([name, decided("ok")]);
    expect(acceptorClosed(state, "192.0.2.1:5").message).toMatch(/^bilbo@vm closed.*refused our/);
    expect(acceptorTimeout(state, "192.0.2.1:5", 7000)).toMatchObject({
      code: "HS_TIMEOUT",
      message: expect.stringContaining("challenge_reply within 7000 ms"),
    });
  });
});
