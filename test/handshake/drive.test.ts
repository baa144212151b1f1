import { describe, expect, test } from "vitest";
import { DFLAG, MANDATORY_25 } from "../../src/distribution/flags.ts";
import { cookieDigest } from "../../src/handshake/digest.ts";
import {
  type AcceptParams,
  accept,
  type InitiateParams,
  initiate,
} from "../../src/handshake/drive.ts";
import {
  type AcceptorMessage,
  encodeMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
  parseInitiatorMessage,
} from "../../src/handshake/messages.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type ScriptedPeer, scriptedPeer } from "../support/scripted-peer.ts";

const FLAGS = MANDATORY_25 | DFLAG.SPAWN;

const initiateParams: InitiateParams = {
  ownName: "gandalf@vm",
  flags: FLAGS,
  creation: 7,
  peerName: "bilbo@vm",
  cookie: "precious",
  randomChallenge: () => 1234,
};
const acceptParams: AcceptParams = {
  ownName: "bilbo@vm",
  flags: FLAGS,
  creation: 8,
  cookieFor: () => "precious",
  decide: () => "ok",
};
const challenge: AcceptorMessage = {
  type: "challenge",
  flags: FLAGS,
  challenge: 99,
  creation: 8,
  name: "bilbo@vm",
};
const ack: AcceptorMessage = { type: "challengeAck", digest: cookieDigest("precious", 1234) };
const sendName: InitiatorMessage = {
  type: "sendName",
  flags: FLAGS,
  creation: 7,
  name: "gandalf@vm",
};

const say = (peer: ScriptedPeer, message: InitiatorMessage | AcceptorMessage) =>
  peer.sayFrame(encodeMessage(message));

describe("two nodes over a stream", () => {
  test.each([1, 2, 5, 1000])("agree, whatever the chunks (%i bytes)", async (cut) => {
    const [a, b] = memoryPair({ cut });
    const [ours, theirs] = await Promise.all([
      initiate(a, initiateParams),
      accept(b, acceptParams),
    ]);
    expect(ours).toEqual({
      peerName: "bilbo@vm",
      peerFlags: FLAGS,
      negotiatedFlags: FLAGS,
      peerCreation: 8,
      ownName: "gandalf@vm",
      ownCreation: 7,
      leftover: Buffer.alloc(0),
    });
    expect(theirs).toMatchObject({ peerName: "gandalf@vm", peerCreation: 7, ownName: "bilbo@vm" });
  });

  test.each([1, 3, 1000])("agree on a carrier with 4-byte lengths (%i bytes)", async (cut) => {
    const [a, b] = memoryPair({ cut, handshakeLengthBytes: 4 });
    const [ours, theirs] = await Promise.all([
      initiate(a, initiateParams),
      accept(b, acceptParams),
    ]);
    expect(ours).toMatchObject({ peerName: "bilbo@vm", leftover: Buffer.alloc(0) });
    expect(theirs).toMatchObject({ peerName: "gandalf@vm", leftover: Buffer.alloc(0) });
  });
  test("with different cookies: both say so, and both ends are closed", async () => {
    const [a, b] = memoryPair();
    const [ours, theirs] = await Promise.allSettled([
      initiate(a, initiateParams),
      accept(b, { ...acceptParams, cookieFor: () => "other" }),
    ]);
    expect(ours).toMatchObject({ reason: { code: "HS_COOKIE_REFUSED" } });
    expect(theirs).toMatchObject({ reason: { code: "HS_BAD_DIGEST" } });
  });

  test("a node without a name gets one from the maker, or is refused", async () => {
    const dynamic = { ...initiateParams, ownName: "vm", flags: FLAGS | DFLAG.NAME_ME };
    const [a, b] = memoryPair();
    const [ours, theirs] = await Promise.all([
      initiate(a, dynamic),
      accept(b, {
        ...acceptParams,
        nameMaker: async (host) => ({ name: `NEW@${host}`, creation: 5 }),
      }),
    ]);
    expect(ours).toMatchObject({ ownName: "NEW@vm", ownCreation: 5 });
    expect(theirs).toMatchObject({ peerName: "NEW@vm", peerCreation: 5 });
    const [c, d] = memoryPair();
    const [refused] = await Promise.allSettled([initiate(c, dynamic), accept(d, acceptParams)]);
    expect(refused).toMatchObject({ reason: { code: "HS_NOT_ALLOWED" } });
  });
});

describe("a carrier with 4-byte lengths", () => {
  const options = { handshakeLengthBytes: 4 } as const;

  test("puts 4 bytes in front of what the initiator says, and reads 4 in front of the answer", async () => {
    const [ours, peer] = scriptedPeer(options);
    const connected = initiate(ours, initiateParams);
    const name = encodeMessage(sendName);
    expect(await peer.read(4 + name.length)).toEqual(
      Buffer.concat([Buffer.from([0, 0, 0, name.length]), name]),
    );
    peer.say(Uint8Array.of(0, 0, 0, 3), "sok");
    say(peer, challenge);
    await peer.readFrame();
    say(peer, ack);
    peer.say("what follows");
    await expect(connected).resolves.toMatchObject({ peerName: "bilbo@vm" });
  });

  test("puts 4 bytes in front of each answer of the acceptor", async () => {
    const [ours, peer] = scriptedPeer(options);
    const connected = accept(ours, { ...acceptParams, randomChallenge: () => 99 });
    say(peer, sendName);
    const said = encodeMessage(challenge);
    expect(await peer.read(7)).toEqual(Buffer.from("\0\0\0\u0003sok", "latin1"));
    expect(await peer.readFrame()).toEqual(said);
    const digest = cookieDigest("precious", 99);
    say(peer, { type: "challengeReply", challenge: 1234, digest });
    await expect(connected).resolves.toMatchObject({ peerName: "gandalf@vm" });
    expect(parseAcceptorMessage(await peer.readFrame())).toEqual(ack);
  });

  test("takes the 2-byte form of a plain peer for a length that no message has", async () => {
    const [ours, peer] = scriptedPeer(options);
    const refused = accept(ours, acceptParams);
    const name = encodeMessage(sendName);
    peer.say(Uint8Array.of(0, name.length), name);
    await expect(refused).rejects.toMatchObject({ code: "HS_MALFORMED" });
  });
});

describe("the carrier", () => {
  test("hands over what came behind the handshake, and waits to be started", async () => {
    const [ours, peer] = scriptedPeer();
    const result = initiate(ours, initiateParams);
    say(peer, { type: "status", status: "ok" });
    say(peer, challenge);
    say(peer, ack);
    peer.say("first of the connection");
    const { leftover } = await result;
    peer.say(", second");
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const rest = new Promise<string>((resolve) => {
      let text = Buffer.from(leftover).toString();
      ours.start({
        data: (chunk) => {
          text += Buffer.from(chunk).toString();
        },
        drain() {},
        close: () => resolve(text),
      });
    });
    peer.transport.end();
    expect(await rest).toBe("first of the connection, second");
  });

  test("a name that cannot be said closes the stream, and nothing is thrown from there", async () => {
    const [transport, other] = memoryPair();
    let closed = false;
    other.start({ data() {}, drain() {}, close: () => (closed = true) });
    const params = { ...initiateParams, ownName: "gandalf" };
    await expect(initiate(transport, params)).rejects.toMatchObject({ code: "HS_WRONG_NAME" });
    await expect.poll(() => closed).toBe(true);
  });

  test("asks once whom to take, and tells the peer", async () => {
    const asked: string[] = [];
    const [ours, peer] = scriptedPeer();
    const outcome = accept(ours, {
      ...acceptParams,
      decide: async (name, applicant) => {
        asked.push(`${name} ${applicant.creation}`);
        return "not_allowed" as const;
      },
    });
    const rejected = expect(outcome).rejects.toMatchObject({ code: "HS_NOT_ALLOWED" });
    say(peer, sendName);
    expect(parseAcceptorMessage(await peer.readFrame())).toEqual({
      type: "status",
      status: "not_allowed",
    });
    await rejected;
    await peer.untilClosed();
    expect(asked).toEqual(["gandalf@vm 7"]);
  });

  test("an error of the decision itself closes the stream", async () => {
    const [ours, peer] = scriptedPeer();
    const outcome = accept(ours, {
      ...acceptParams,
      decide: () => {
        throw new Error("no decision");
      },
    });
    const rejected = expect(outcome).rejects.toThrow("no decision");
    say(peer, sendName);
    await rejected;
    await peer.untilClosed();
  });

  test("acknowledges only when the older connection is gone", async () => {
    let goneNow!: () => void;
    const gone = new Promise<void>((resolve) => {
      goneNow = resolve;
    });
    const waitedFor: string[] = [];
    const [ours, peer] = scriptedPeer();
    const outcome = accept(ours, {
      ...acceptParams,
      randomChallenge: () => 1234,
      decide: () => "alive",
      oldConnectionGone: (name) => {
        waitedFor.push(name);
        return gone;
      },
    });
    say(peer, sendName);
    expect(parseAcceptorMessage(await peer.readFrame())).toMatchObject({ status: "alive" });
    say(peer, { type: "status", status: "true" });
    await peer.readFrame();
    say(peer, {
      type: "challengeReply",
      challenge: 99,
      digest: cookieDigest("precious", 1234),
    });
    while (waitedFor.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(peer.received).toHaveLength(0);
    goneNow();
    expect(parseAcceptorMessage(await peer.readFrame())).toMatchObject({ type: "challengeAck" });
    expect(await outcome).toMatchObject({ peerName: "gandalf@vm" });
    expect(waitedFor).toEqual(["gandalf@vm"]);
  });

  test.each([0, 1, 2])("a peer that closes after %i messages is reported", async (count) => {
    const [ours, peer] = scriptedPeer();
    const outcome = initiate(ours, initiateParams);
    const code = count === 2 ? "HS_COOKIE_REFUSED" : "HS_CLOSED";
    const rejected = expect(outcome).rejects.toMatchObject({ code, peer: "bilbo@vm" });
    const messages: AcceptorMessage[] = [{ type: "status", status: "ok" }, challenge];
    for (const message of messages.slice(0, count)) say(peer, message);
    peer.transport.end();
    await rejected;
  });

  test("a peer that falls silent is given up, each message having its own time", async () => {
    const clock = new FakeClock();
    const [ours, peer] = scriptedPeer({ clock });
    let outcome: unknown = "pending";
    initiate(ours, initiateParams, { clock }).catch((error: unknown) => {
      outcome = error;
    });
    await clock.advance(6999);
    say(peer, { type: "status", status: "ok" });
    say(peer, challenge);
    await clock.advance(6999);
    expect(outcome).toBe("pending");
    expect(parseInitiatorMessage(peer.received.subarray(2, 2 + 15 + 10))).toEqual(sendName);
    await clock.advance(1);
    expect(outcome).toMatchObject({
      code: "HS_TIMEOUT",
      message: expect.stringContaining("challenge_ack within 7000 ms"),
    });
    await clock.settle();
    expect(peer.closed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("an acceptor whose peer never says its name gives up", async () => {
    const clock = new FakeClock();
    const [ours, peer] = scriptedPeer({ clock });
    const outcome = accept(ours, acceptParams, { clock, timeoutMs: 50 });
    const rejected = expect(outcome).rejects.toMatchObject({ code: "HS_TIMEOUT" });
    await clock.advance(50);
    await rejected;
    await clock.settle();
    expect(peer.closed).toBe(true);
  });

  test("a decision that never comes ends with the time limit", async () => {
    const clock = new FakeClock();
    const [ours, peer] = scriptedPeer({ clock });
    const outcome = accept(
      ours,
      { ...acceptParams, decide: () => new Promise<"ok">(() => {}) },
      { clock },
    );
    const rejected = expect(outcome).rejects.toMatchObject({
      code: "HS_TIMEOUT",
      peer: "gandalf@vm",
    });
    say(peer, sendName);
    await clock.advance(7000);
    await rejected;
  });

  test("a peer that does not read its refusal is cut off", async () => {
    const clock = new FakeClock();
    const [ours, theirs] = memoryPair({ clock });
    const outcome = accept(ours, { ...acceptParams, decide: () => "nok" }, { clock });
    const rejected = expect(outcome).rejects.toMatchObject({ code: "HS_NOK" });
    const frame = encodeMessage(sendName);
    theirs.write(Buffer.concat([Buffer.from([0, frame.length]), frame]));
    await clock.advance(0);
    await rejected;
    let heard = 0;
    let closed = false;
    await clock.advance(1999);
    expect(clock.timerCount).toBe(1);
    await clock.advance(1);
    expect(clock.timerCount).toBe(0);
    theirs.start({
      data: (chunk) => {
        heard += chunk.length;
      },
      drain() {},
      close: () => {
        closed = true;
      },
    });
    await clock.settle();
    expect({ heard, closed }).toEqual({ heard: 0, closed: true });
  });

  test("an abort ends it at once, before and during", async () => {
    const reason = new Error("enough");
    const [early, earlyPeer] = scriptedPeer();
    await expect(
      initiate(early, initiateParams, { signal: AbortSignal.abort(reason) }),
    ).rejects.toMatchObject({ code: "HS_ABORTED", cause: reason });
    await earlyPeer.untilClosed();
    expect(earlyPeer.received).toHaveLength(0);
    const abort = new AbortController();
    const [late, latePeer] = scriptedPeer();
    const outcome = initiate(late, initiateParams, { signal: abort.signal });
    await latePeer.readFrame();
    abort.abort(reason);
    await expect(outcome).rejects.toMatchObject({ code: "HS_ABORTED", cause: reason });
    await latePeer.untilClosed();
  });

  test("garbage ends it, and what is no Erlang node is told apart from bad luck", async () => {
    const [ours, peer] = scriptedPeer();
    const outcome = initiate(ours, initiateParams);
    const rejected = expect(outcome).rejects.toMatchObject({
      code: "HS_MALFORMED",
      message: expect.stringContaining("port"),
    });
    peer.say("\0\x04HTTP");
    await rejected;
    await peer.untilClosed();
  });

  test("a flood in front of a decision is pushed back", async () => {
    const [ours, peer] = scriptedPeer({ highWaterMarkBytes: 1000 });
    let release!: (status: "ok") => void;
    const outcome = accept(ours, {
      ...acceptParams,
      decide: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    });
    outcome.catch(() => {});
    say(peer, sendName);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (let block = 0; block < 50; block++) peer.say(Buffer.alloc(1000, 0x41));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(peer.transport.bufferedBytes).toBeGreaterThan(45_000);
    release("ok");
    await expect(outcome).rejects.toMatchObject({ code: "HS_MALFORMED" });
  });
});
