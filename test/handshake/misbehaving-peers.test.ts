/** Peers that break the rules of the handshake, and callers that break those of its code. */
import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { DFLAG, MANDATORY_25 } from "../../src/distribution/flags.ts";
import {
  type Acceptor,
  type AcceptorInput,
  type AcceptorParams,
  acceptorClosed,
  acceptorStart,
  acceptorTimeout,
  moveAcceptor,
} from "../../src/handshake/acceptor.ts";
import { cookieDigest } from "../../src/handshake/digest.ts";
import {
  type AcceptParams,
  accept,
  type InitiateParams,
  initiate,
} from "../../src/handshake/drive.ts";
import {
  type InitiatorParams,
  type InitiatorStep,
  initiatorClosed,
  initiatorTimeout,
  moveInitiator,
  startInitiator,
} from "../../src/handshake/initiator.ts";
import {
  type AcceptorMessage,
  encodeMessage,
  type InitiatorMessage,
  parseAcceptorMessage,
} from "../../src/handshake/messages.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type ScriptedPeer, scriptedPeer } from "../support/scripted-peer.ts";

const FLAGS = MANDATORY_25 | DFLAG.PUBLISHED | DFLAG.SPAWN;
const digest = (challenge: number) => cookieDigest("precious", challenge);

const acceptorParams: AcceptorParams = {
  ownName: "gandalf@vm",
  flags: FLAGS,
  creation: 7,
  cookieFor: () => "precious",
  randomChallenge: () => 1234,
};
const say = (message: InitiatorMessage): AcceptorInput => ({ message: encodeMessage(message) });
const sendName = (change: { flags?: bigint; name?: string } = {}) =>
  say({ type: "sendName", flags: FLAGS, creation: 8, name: "bilbo@vm", ...change });
const oldName = say({ type: "oldSendName", version: 5, flags: MANDATORY_25, name: "bilbo@vm" });
const dynamic = sendName({ flags: FLAGS | DFLAG.NAME_ME, name: "vm" });
const ok: AcceptorInput = { decision: { status: "ok" } };
const alive: AcceptorInput = { decision: { status: "alive" } };
const named: AcceptorInput = { decision: { status: "named", name: "NEW@vm", creation: 3 } };
const yes = say({ type: "status", status: "true" });
const reply = say({ type: "challengeReply", challenge: 99, digest: digest(1234) });

function acceptorAfter(...inputs: AcceptorInput[]): Acceptor {
  let state = acceptorStart;
  for (const input of inputs) state = moveAcceptor(acceptorParams, state, input).state;
  return state;
}

describe("the acceptor", () => {
  test.each([
    ["a host instead of a name", { name: "vm" }, '"vm"'],
    ["a name instead of a host", { name: "b@vm", flags: FLAGS | DFLAG.NAME_ME }, '"b@vm"'],
    ["an empty host", { name: "", flags: FLAGS | DFLAG.NAME_ME }, '""'],
  ])("refuses %s", (_, change, shown) => {
    const attempt = () => acceptorAfter(sendName(change));
    expect(attempt).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
    expect(attempt).toThrow(shown);
  });

  test.each([
    ["ok", { decision: { status: "ok" } }],
    ["ok_simultaneous", { decision: { status: "ok_simultaneous" } }],
  ] as const)("does not answer %s to a node that asks for a name", (_, decision) => {
    expect(() => acceptorAfter(dynamic, decision)).toThrow(TypeError);
  });

  test("does not give a name to a node that has one", () => {
    expect(() => acceptorAfter(sendName(), named)).toThrow(TypeError);
  });

  test.each([
    ["before the name", []],
    ["after it was decided", [sendName(), ok]],
    ["once connected", [sendName(), ok, reply]],
  ])("takes no decision %s", (_, inputs) => {
    expect(() => acceptorAfter(...inputs, ok)).toThrow(TypeError);
  });

  test.each([
    ["awaitName", []],
    ["decide", [sendName()]],
    ["awaitReply", [sendName(), ok]],
    ["connected", [sendName(), ok, reply]],
  ] as const)("in the state %s is not moved by the end of an older connection", (at, inputs) => {
    const state = acceptorAfter(...inputs);
    expect(state.at).toBe(at);
    const step = moveAcceptor(acceptorParams, state, { oldConnection: "gone" });
    expect(step).toEqual({ state, send: [] });
  });

  test("asks for the complement of an old send_name that insists on its connection too", () => {
    expect(acceptorAfter(oldName, alive, yes).at).toBe("awaitComplement");
  });

  test.each<[string, string | undefined, AcceptorInput[], string]>([
    ["its name", undefined, [], "its name"],
    ["its answer to alive", "bilbo@vm", [sendName(), alive], 'its answer to "alive"'],
    ["its complement", "bilbo@vm", [oldName, ok], "its complement"],
    ["its challenge_reply", "bilbo@vm", [sendName(), ok], "its challenge_reply"],
    ["its decision", "bilbo@vm", [sendName()], ""],
    ["the name it gives", "NEW@vm", [dynamic, named], "its challenge_reply"],
  ])("that waits for %s reports the end and the time limit with it", (_, name, inputs, due) => {
    const state = acceptorAfter(...inputs);
    const peer = name ?? "192.0.2.1:5";
    const cause = new Error("reset");
    const closed = acceptorClosed(state, "192.0.2.1:5", cause);
    expect(closed).toMatchObject({ code: "HS_CLOSED", peer, cause });
    expect(closed.message.startsWith(peer)).toBe(true);
    expect(closed.message).toContain(due);
    expect(Object.hasOwn(acceptorClosed(state, "192.0.2.1:5"), "cause")).toBe(false);
    const late = acceptorTimeout(state, "192.0.2.1:5", 50);
    expect(late).toMatchObject({ code: "HS_TIMEOUT", peer });
    expect(late.message).toContain(peer);
    expect(late.message).toContain(`${due} within 50 ms`);
  });

  test("says that nobody here decided when the time limit ends its own wait", () => {
    for (const inputs of [[sendName()], [sendName(), alive, yes, reply]]) {
      const { message } = acceptorTimeout(acceptorAfter(...inputs), "192.0.2.1:5", 50);
      expect(message).toContain("was not decided here within 50 ms");
    }
  });

  test("expects a reason of the peer's only after its own challenge", () => {
    const hint = (...inputs: AcceptorInput[]) =>
      acceptorClosed(acceptorAfter(...inputs), "192.0.2.1:5").message.includes("refused");
    expect(hint(sendName(), ok)).toBe(true);
    expect([hint(), hint(sendName()), hint(oldName, ok)]).toEqual([false, false, false]);
  });

  test("names the peer that gave its attempt up, and the one with a different cookie", () => {
    const no = say({ type: "status", status: "false" });
    const wrong = say({ type: "challengeReply", challenge: 99, digest: digest(1) });
    for (const [code, inputs] of [
      ["HS_ALIVE", [sendName(), alive, no]],
      ["HS_BAD_DIGEST", [sendName(), ok, wrong]],
    ] as const) {
      expect(() => acceptorAfter(...inputs)).toThrow(
        expect.objectContaining({ code, peer: "bilbo@vm" }),
      );
    }
  });
});

const initiatorParams: InitiatorParams = {
  ownName: "gandalf@vm",
  flags: FLAGS,
  creation: 7,
  peerName: "bilbo@vm",
  cookie: "precious",
  randomChallenge: () => 1234,
};
const nameless: InitiatorParams = {
  ...initiatorParams,
  ownName: "vm",
  flags: FLAGS | DFLAG.NAME_ME,
};
const status = (text: string) => ({ type: "status", status: text }) as AcceptorMessage;
const challenge: AcceptorMessage = {
  type: "challenge",
  flags: FLAGS,
  challenge: 99,
  creation: 8,
  name: "bilbo@vm",
};

function initiatorAfter(given: InitiatorParams, ...messages: AcceptorMessage[]): InitiatorStep {
  let step = startInitiator(given);
  for (const message of messages) step = moveInitiator(given, step.state, encodeMessage(message));
  return step;
}

describe("the initiator", () => {
  test.each([
    ["an empty name", { ...initiatorParams, ownName: "" }],
    ["a host as its name", { ...initiatorParams, ownName: "vm" }],
    ["a name as its host", { ...nameless, ownName: "gandalf@vm" }],
    ["an empty host", { ...nameless, ownName: "" }],
    ["a peer without a host", { ...initiatorParams, peerName: "bilbo@" }],
  ])("does not start with %s", (_, given) => {
    expect(() => startInitiator(given)).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME" }));
  });

  test.each([
    ["ok", "HS_MALFORMED"],
    ["ok_simultaneous", "HS_MALFORMED"],
    ["alive", "HS_MALFORMED"],
    ["nok", "HS_NOK"],
    ["not_allowed", "HS_NOT_ALLOWED"],
  ])("that asks for a name and is answered %s ends with %s", (text, code) => {
    expect(() => initiatorAfter(nameless, status(text))).toThrow(
      expect.objectContaining({ code, peer: "bilbo@vm" }),
    );
  });

  test.each([
    ["a name on a different host", nameless, "NEW@elsewhere"],
    ["a name without a host", nameless, "NEW"],
    ["a name although it has one", initiatorParams, "NEW@gandalf@vm"],
    ["its own name although it has one", { ...initiatorParams }, "x@vm"],
  ])("refuses %s", (_, given, name) => {
    const attempt = () => initiatorAfter(given, { type: "named", name, creation: 3 });
    expect(attempt).toThrow(expect.objectContaining({ code: "HS_WRONG_NAME", peer: "bilbo@vm" }));
  });

  test("asks once whether it goes on beside an older connection", () => {
    const replyToAlive = vi.fn(() => true);
    initiatorAfter({ ...initiatorParams, replyToAlive }, status("alive"), challenge);
    expect(replyToAlive).toHaveBeenCalledOnce();
  });

  test.each<[string, AcceptorMessage[], string, string]>([
    ["the status", [], "HS_CLOSED", "its status"],
    ["the challenge", [status("ok")], "HS_CLOSED", "its challenge"],
    ["the challenge after alive", [status("alive")], "HS_CLOSED", "its challenge"],
    ["the acknowledgement", [status("ok"), challenge], "HS_COOKIE_REFUSED", ""],
  ])("that waits for %s reports the end and the time limit with it", (_, messages, code, due) => {
    const { state } = initiatorAfter(initiatorParams, ...messages);
    const cause = new Error("reset");
    const closed = initiatorClosed(initiatorParams, state, cause);
    expect(closed).toMatchObject({ code, peer: "bilbo@vm", cause });
    expect(closed.message).toContain(due);
    expect(Object.hasOwn(initiatorClosed(initiatorParams, state), "cause")).toBe(false);
    const late = initiatorTimeout(initiatorParams, state, 50);
    expect(late).toMatchObject({ code: "HS_TIMEOUT", peer: "bilbo@vm" });
    expect(late.message).toContain(`${due || "its challenge_ack"} within 50 ms`);
  });

  test.each<[string, AcceptorMessage[], string]>([
    ["an old challenge", [{ ...challenge, type: "oldChallenge", version: 5 }], "HS_OLD_VERSION"],
    ["the challenge of another node", [{ ...challenge, name: "sam@vm" }], "HS_WRONG_NAME"],
    ["too few flags", [{ ...challenge, flags: DFLAG.PUBLISHED }], "HS_MISSING_FLAG"],
    ["a second status", [status("ok")], "HS_MALFORMED"],
    ["a wrong digest", [challenge, { type: "challengeAck", digest: digest(99) }], "HS_BAD_DIGEST"],
  ])("that gets %s names the peer", (_, messages, code) => {
    expect(() => initiatorAfter(initiatorParams, status("ok"), ...messages)).toThrow(
      expect.objectContaining({ code, peer: "bilbo@vm" }),
    );
  });

  test.each([
    ["bilbo@vm", "bilbo@vm.example.org", /long name \(-name\)/],
    ["bilbo@vm.example.org", "bilbo@vm", /short name \(-sname\)/],
    ["bilbo@vm", "bilbo@other", /Use the host/],
    ["bilbo@a.b", "bilbo@c.d", /Use the host/],
    ["bilbo@vm", "frodo@vm.example.org", /epmd -names/],
    ["bilbo@vm.example.org", "frodo@vm", /epmd -names/],
    ["bilbo@vm", "bilbo", /epmd -names/],
  ])("that asked for %s and is answered by %j has a hint for the user", (peerName, name, hint) => {
    const given = { ...initiatorParams, peerName };
    expect(() => initiatorAfter(given, status("ok"), { ...challenge, name })).toThrow(hint);
  });
});

const initiateParams: InitiateParams = { ...initiatorParams };
const acceptParams: AcceptParams = { ...acceptorParams, ownName: "bilbo@vm", decide: () => "ok" };
const sayFrame = (peer: ScriptedPeer, message: InitiatorMessage | AcceptorMessage) =>
  peer.sayFrame(encodeMessage(message));
const gandalf: InitiatorMessage = {
  type: "sendName",
  flags: FLAGS,
  creation: 7,
  name: "gandalf@vm",
};

describe("a handshake on a transport", () => {
  test("that fails before anything was said is cut off at once", async () => {
    const clock = new FakeClock();
    const [ours, peer] = scriptedPeer({ clock });
    const outcome = accept(ours, acceptParams, { clock });
    const rejected = expect(outcome).rejects.toMatchObject({ code: "HS_MALFORMED" });
    sayFrame(peer, { type: "challengeReply", challenge: 1, digest: digest(1) });
    await clock.settle();
    await rejected;
    await clock.settle();
    expect({ closed: peer.closed, timers: clock.timerCount }).toEqual({ closed: true, timers: 0 });
  });

  test("leaves no timer and no listener behind when it went well", async () => {
    const clock = new FakeClock();
    const [a, b] = memoryPair({ clock });
    const abort = new AbortController();
    const options = { clock, signal: abort.signal };
    const both = Promise.all([
      initiate(a, initiateParams, options),
      accept(b, acceptParams, options),
    ]);
    await clock.settle();
    await both;
    expect(clock.timerCount).toBe(0);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("that ends with an error of the carrier has it as its cause", async () => {
    const cause = new Error("reset");
    for (const role of ["initiator", "acceptor"]) {
      const [ours] = scriptedPeer();
      const outcome =
        role === "initiator" ? initiate(ours, initiateParams) : accept(ours, acceptParams);
      ours.destroy(cause);
      await expect(outcome).rejects.toMatchObject({ code: "HS_CLOSED", cause });
    }
  });

  test("reports the first of two ends", async () => {
    const abort = new AbortController();
    const [ours] = scriptedPeer();
    const outcome = initiate(ours, initiateParams, { signal: abort.signal });
    abort.abort(new Error("enough"));
    ours.destroy(new Error("reset"));
    await expect(outcome).rejects.toMatchObject({ code: "HS_ABORTED", peer: "memory:1" });
  });

  test("reports its name as sent, and then the peer's choice of this attempt, once each", async () => {
    for (const answer of ["ok", "alive"] as const) {
      const [a, b] = memoryPair();
      const seen: string[] = [];
      await Promise.all([
        initiate(a, {
          ...initiateParams,
          nameSent: () => seen.push("sent"),
          chosen: () => seen.push("chosen"),
        }),
        accept(b, {
          ...acceptParams,
          decide: () => {
            seen.push("decided");
            return answer;
          },
        }),
      ]);
      expect(seen).toEqual(["sent", "decided", "chosen"]);
    }
  });

  test("acknowledges the peer only when mayConnect has had its time", async () => {
    const [ours, peer] = scriptedPeer();
    let allow!: () => void;
    const mayConnect = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          allow = resolve;
        }),
    );
    const outcome = accept(ours, { ...acceptParams, mayConnect });
    sayFrame(peer, gandalf);
    await peer.readFrame();
    await peer.readFrame();
    expect(mayConnect).not.toHaveBeenCalled();
    sayFrame(peer, { type: "challengeReply", challenge: 99, digest: digest(1234) });
    await vi.waitFor(() => expect(mayConnect).toHaveBeenCalledOnce());
    expect(peer.received).toHaveLength(0);
    allow();
    expect(parseAcceptorMessage(await peer.readFrame())).toMatchObject({ type: "challengeAck" });
    await expect(outcome).resolves.toMatchObject({ peerName: "gandalf@vm" });
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("ends without an acknowledgement when mayConnect %s", async (_, mayConnect) => {
    const [ours, peer] = scriptedPeer();
    const outcome = accept(ours, { ...acceptParams, mayConnect });
    const rejected = expect(outcome).rejects.toThrow("no");
    sayFrame(peer, gandalf);
    sayFrame(peer, { type: "challengeReply", challenge: 99, digest: digest(1234) });
    await rejected;
    await peer.untilClosed();
    expect(peer.received.includes(Buffer.from(digest(99)))).toBe(false);
  });

  test("does not allow a node whose name the maker does not make", async () => {
    const asked: string[] = [];
    const [a, b] = memoryPair();
    const [outcome] = await Promise.allSettled([
      initiate(a, { ...initiateParams, ownName: "vm", flags: FLAGS | DFLAG.NAME_ME }),
      accept(b, {
        ...acceptParams,
        nameMaker: (host) => {
          asked.push(host);
          return undefined;
        },
      }),
    ]);
    expect(outcome).toMatchObject({ reason: { code: "HS_NOT_ALLOWED" } });
    expect(asked).toEqual(["vm"]);
  });

  test("challenges the peer with 32 random bits", async () => {
    const challenges: number[] = [];
    const { randomChallenge: _, ...params } = acceptParams;
    for (let round = 0; round < 40; round++) {
      const [ours, peer] = scriptedPeer();
      const outcome = accept(ours, params);
      outcome.catch(() => {});
      sayFrame(peer, gandalf);
      await peer.readFrame();
      const message = parseAcceptorMessage(await peer.readFrame());
      challenges.push((message as { challenge: number }).challenge);
      peer.transport.destroy();
    }
    expect(new Set(challenges).size).toBe(40);
    expect(Math.max(...challenges)).toBeGreaterThan(2 ** 31);
    expect(Math.min(...challenges)).toBeLessThan(2 ** 31);
  });
});
