import { describe, expect, test } from "vitest";
import { DFLAG, MANDATORY_25 } from "../../src/distribution/flags.ts";
import { cookieDigest } from "../../src/handshake/digest.ts";
import {
  type Initiator,
  type InitiatorParams,
  initiatorClosed,
  initiatorTimeout,
  moveInitiator,
  startInitiator,
} from "../../src/handshake/initiator.ts";
import {
  type AcceptorMessage,
  encodeMessage,
  parseInitiatorMessage,
} from "../../src/handshake/messages.ts";

const FLAGS = MANDATORY_25 | DFLAG.PUBLISHED | DFLAG.SPAWN | DFLAG.UNLINK_ID;

const params: InitiatorParams = {
  ownName: "gandalf@vm",
  flags: FLAGS,
  creation: 7,
  peerName: "bilbo@vm",
  cookie: "precious",
  randomChallenge: () => 1234,
};

const challenge: AcceptorMessage = {
  type: "challenge",
  flags: FLAGS & ~DFLAG.SPAWN,
  challenge: 99,
  creation: 8,
  name: "bilbo@vm",
};

/** Moves through the peer's messages; returns the last state and everything sent. */
function converse(given: InitiatorParams, messages: AcceptorMessage[]) {
  let step = startInitiator(given);
  const sent = [step.send];
  for (const message of messages) {
    step = moveInitiator(given, step.state, encodeMessage(message));
    sent.push(step.send);
  }
  return {
    state: step.state,
    sent: sent.filter((bytes) => bytes !== undefined).map(parseInitiatorMessage),
  };
}

const failing = (given: InitiatorParams, messages: AcceptorMessage[]) => () =>
  converse(given, messages);
const status = (text: string) => ({ type: "status", status: text }) as AcceptorMessage;
const ack: AcceptorMessage = { type: "challengeAck", digest: cookieDigest("precious", 1234) };

describe("the initiator", () => {
  test.each(["ok", "ok_simultaneous"])("goes on after %s and ends connected", (text) => {
    const { state, sent } = converse(params, [status(text), challenge, ack]);
    expect(sent).toEqual([
      { type: "sendName", flags: FLAGS, creation: 7, name: "gandalf@vm" },
      {
        type: "challengeReply",
        challenge: 1234,
        digest: Buffer.from(cookieDigest("precious", 99)),
      },
    ]);
    expect(state).toEqual({
      at: "connected",
      agreement: {
        peer: { name: "bilbo@vm", flags: FLAGS & ~DFLAG.SPAWN, creation: 8 },
        negotiatedFlags: FLAGS & ~DFLAG.SPAWN,
        ownName: "gandalf@vm",
        ownCreation: 7,
      },
    });
  });

  test("says whether it goes on when the peer has a connection already", () => {
    const goesOn = converse(params, [status("alive"), challenge, ack]);
    expect(goesOn.sent[1]).toEqual({ type: "status", status: "true" });
    expect(goesOn.state.at).toBe("connected");
    const givesUp = converse({ ...params, replyToAlive: () => false }, [status("alive")]);
    expect(givesUp.sent[1]).toEqual({ type: "status", status: "false" });
    expect(givesUp.state).toMatchObject({ at: "failed", error: { code: "HS_ALIVE" } });
  });

  test("takes the name it asked for, and is hidden with it", () => {
    const dynamic = { ...params, ownName: "vm", flags: FLAGS | DFLAG.NAME_ME };
    const named: AcceptorMessage = { type: "named", name: "1HH28GZIETI9N@vm", creation: 42 };
    const answer = { ...challenge, flags: (FLAGS & ~DFLAG.PUBLISHED) | DFLAG.NAME_ME };
    const { state, sent } = converse(dynamic, [named, answer, ack]);
    expect(sent[0]).toEqual({
      type: "sendName",
      flags: (FLAGS & ~DFLAG.PUBLISHED) | DFLAG.NAME_ME,
      creation: 0,
      name: "vm",
    });
    expect(state).toMatchObject({
      agreement: { ownName: "1HH28GZIETI9N@vm", ownCreation: 42 },
    });
    expect(failing(dynamic, [{ ...named, name: "X@elsewhere" }])).toThrow(
      expect.objectContaining({ code: "HS_WRONG_NAME" }),
    );
    expect(failing(dynamic, [status("ok")])).toThrow(
      expect.objectContaining({ code: "HS_MALFORMED" }),
    );
    expect(failing(params, [named])).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
  });

  test("understands the shorthand for the mandatory flags", () => {
    const { state } = converse(params, [
      status("ok"),
      { ...challenge, flags: DFLAG.MANDATORY_25_DIGEST | DFLAG.UNLINK_ID },
      ack,
    ]);
    expect(state).toMatchObject({
      agreement: { negotiatedFlags: MANDATORY_25 | DFLAG.UNLINK_ID },
    });
  });

  test.each([
    ["not_allowed", "HS_NOT_ALLOWED"],
    ["nok", "HS_NOK"],
  ])("refused with %s is %s", (text, code) => {
    expect(failing(params, [status(text)])).toThrow(
      expect.objectContaining({
        code,
        peer: "bilbo@vm",
        message: expect.stringContaining("bilbo@vm"),
      }),
    );
  });

  test("names what a peer lacks, and the release that has it", () => {
    const flags = FLAGS & ~DFLAG.HANDSHAKE_23 & ~DFLAG.BIG_CREATION;
    expect(failing(params, [status("ok"), { ...challenge, flags }])).toThrow(
      expect.objectContaining({
        code: "HS_MISSING_FLAG",
        message: expect.stringMatching(/BIG_CREATION, HANDSHAKE_23.*OTP 23 on/),
      }),
    );
    const demanding = { ...params, requiredFlags: MANDATORY_25 | DFLAG.V4_NC };
    expect(failing(demanding, [status("ok"), challenge])).toThrow(/requires: V4_NC\..*OTP 24 on/);
  });

  test("a peer with another cookie is refused", () => {
    const wrong: AcceptorMessage = { ...ack, digest: cookieDigest("other", 1234) };
    const attempt = failing(params, [status("ok"), challenge, wrong]);
    expect(attempt).toThrow(expect.objectContaining({ code: "HS_BAD_DIGEST" }));
    expect(attempt).not.toThrow("precious");
  });

  test.each([
    ["frodo@vm", /"frodo@vm", not bilbo@vm.*old entry/],
    ["bilbo@vm.example.org", /long name \(-name\)/],
    ["bilbo@other", /Use the host/],
  ])("another node that answers (%s) is refused", (name, message) => {
    const attempt = failing(params, [status("ok"), { ...challenge, name }]);
    expect(attempt).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
    expect(attempt).toThrow(message);
  });

  test("a short name that answers a long one is refused with the reason", () => {
    const long = { ...params, peerName: "bilbo@vm.example.org" };
    expect(failing(long, [status("ok"), challenge])).toThrow(/short name \(-sname\)/);
  });

  test("a peer that only knows version 5 is too old", () => {
    const old: AcceptorMessage = {
      type: "oldChallenge",
      version: 5,
      flags: 0x7fn,
      challenge: 1,
      name: "bilbo@vm",
    };
    expect(failing(params, [status("ok"), old])).toThrow(
      expect.objectContaining({ code: "HS_OLD_VERSION" }),
    );
  });

  test("every message out of its turn is malformed", () => {
    const all: AcceptorMessage[] = [status("ok"), challenge, ack];
    for (let turn = 0; turn <= 3; turn++) {
      for (const message of all) {
        if (message === all[turn]) continue;
        expect(failing(params, [...all.slice(0, turn), message])).toThrow(
          expect.objectContaining({ code: "HS_MALFORMED" }),
        );
      }
    }
  });

  test("does not start with a name that is none", () => {
    for (const change of [{ ownName: "gandalf" }, { peerName: "bilbo" }]) {
      expect(() => startInitiator({ ...params, ...change })).toThrow(
        expect.objectContaining({ code: "HS_WRONG_NAME" }),
      );
    }
  });

  test("an end or a time-out is told by where it came", () => {
    const { state: awaitChallenge } = converse(params, [status("ok")]);
    const { state: awaitAck } = converse(params, [status("ok"), challenge]);
    const start: Initiator = startInitiator(params).state;
    expect(initiatorClosed(params, start)).toMatchObject({ code: "HS_CLOSED" });
    expect(initiatorClosed(params, awaitChallenge).message).toContain("its challenge");
    expect(initiatorClosed(params, awaitAck)).toMatchObject({ code: "HS_COOKIE_REFUSED" });
    const timeout = initiatorTimeout(params, awaitAck, 7000);
    expect(timeout).toMatchObject({ code: "HS_TIMEOUT", peer: "bilbo@vm" });
    expect(timeout.message).toContain("challenge_ack within 7000 ms");
  });
});
