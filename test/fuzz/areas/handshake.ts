/**
 * Both roles of the handshake against a scripted peer: who keeps to the protocol and knows the cookie
 * is connected, with the flags that both have; anybody else is not, and the error is a documented one.
 *
 * Mostly the state machines are driven directly; now and then they are carried over a stream.
 */
import { createHash } from "node:crypto";
import { MANDATORY_25 } from "../../../src/distribution/flags.ts";
import {
  type Acceptor,
  type AcceptorParams,
  type AcceptorStep,
  type Applicant,
  acceptorStart,
  type Decision,
  moveAcceptor,
} from "../../../src/handshake/acceptor.ts";
import { accept, type HandshakeResult, initiate } from "../../../src/handshake/drive.ts";
import { HandshakeError } from "../../../src/handshake/errors.ts";
import { FrameReader } from "../../../src/handshake/frames.ts";
import { type Initiator, moveInitiator, startInitiator } from "../../../src/handshake/initiator.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { Area } from "../area.ts";
import { type Choices, claim, spoilt } from "../choices.ts";
import { cuts } from "./frames.ts";

const OWN = "gandalf@vm";
const PEER = "other@vm";
const COOKIE = "precious";
const CHALLENGE = 0xdead_beef;
const FLAGS = MANDATORY_25 | 0xd_0700_2000n;

/** The script of a peer, and whether somebody who reads it should be connected. */
interface Script {
  readonly bodies: Buffer[];
  /** Undefined when something was spoilt, so that only the documented errors can be claimed. */
  readonly sound: boolean | undefined;
  readonly offered: bigint;
}

interface Outcome {
  readonly connected: { readonly peerName: string; readonly flags: bigint } | undefined;
  readonly error: unknown;
}

export const initiator: Area = {
  name: "initiator",
  share: 130,
  run(choices) {
    const carried = choices.oneIn(32);
    const script = acceptorScript(choices);
    const stream = streamOf(script);
    return carried
      ? overStream(script, stream, choices, "initiator")
      : check(script, machine(stream, choices, initiatorMachine()));
  },
};

export const acceptor: Area = {
  name: "acceptor",
  share: 130,
  run(choices) {
    const carried = choices.oneIn(32);
    const script = initiatorScript(choices);
    const stream = streamOf(script);
    return carried
      ? overStream(script, stream, choices, "acceptor")
      : check(script, machine(stream, choices, acceptorMachine()));
  },
};

/** What an acceptor says: a status, its challenge, the proof of its cookie. */
function acceptorScript(choices: Choices): Script {
  const status = choices.pick([
    "ok",
    "ok_simultaneous",
    "alive",
    "nok",
    "not_allowed",
    "true",
    "named:",
  ]);
  const offered = offeredFlags(choices);
  const name = choices.oneIn(8) ? choices.pick(["", "x@vm", "other@vm.", "other"]) : PEER;
  const bodies = [
    Buffer.from(`s${status}`),
    challengeBody(offered, name),
    Buffer.concat([Buffer.from("a"), digest(choices.oneIn(8) ? "wrong" : COOKIE, CHALLENGE)]),
  ];
  const sound =
    ["ok", "ok_simultaneous", "alive"].includes(status) &&
    (offered & MANDATORY_25) === MANDATORY_25 &&
    name === PEER &&
    bodies[2]!.subarray(1).equals(digest(COOKIE, CHALLENGE));
  return disturbed({ bodies, sound, offered }, choices);
}

/** What an initiator says: its name, in the old form with a complement, and the proof of its cookie. */
function initiatorScript(choices: Choices): Script {
  const offered = offeredFlags(choices);
  const name = choices.oneIn(8) ? choices.pick(["", "x", "@", "a@b@c", "@vm", "x@"]) : PEER;
  const old = choices.oneIn(4);
  const bodies = old
    ? [oldNameBody(offered, name), complementBody(offered)]
    : [nameBody(offered, name)];
  const proof = digest(choices.oneIn(8) ? "wrong" : COOKIE, CHALLENGE);
  bodies.push(Buffer.concat([Buffer.from("r"), uint32(17), proof]));
  const sound =
    name === PEER &&
    (offered & MANDATORY_25) === MANDATORY_25 &&
    proof.equals(digest(COOKIE, CHALLENGE));
  return disturbed({ bodies, sound, offered }, choices);
}

function offeredFlags(choices: Choices): bigint {
  const offered = MANDATORY_25 | (BigInt(choices.byte() & 0xfd) << 32n);
  return choices.oneIn(8) ? offered & ~(1n << BigInt(choices.below(32))) : offered;
}

/** Now and then a message spoilt, left out, or said twice. */
function disturbed(script: Script, choices: Choices): Script {
  if (!choices.oneIn(3)) return script;
  const bodies = [...script.bodies];
  const at = choices.byte() % bodies.length;
  const how = choices.below(6);
  if (how === 0) bodies.splice(at, 1);
  else if (how === 1) bodies.splice(at, 0, bodies[at]!);
  else bodies[at] = Buffer.from(spoilt(bodies[at]!, choices));
  // What was changed may be sound still, such as a name's text behind its end.
  return { ...script, bodies, sound: undefined };
}

function streamOf({ bodies }: Script): Buffer {
  const parts = bodies.flatMap((body) => [Buffer.of(body.length >> 8, body.length), body]);
  return Buffer.concat(parts);
}

/** A state machine that takes messages; undefined until it has come to an end. */
type Machine = (message: Uint8Array) => Outcome | undefined;

function initiatorMachine(): Machine {
  const params = {
    ownName: OWN,
    peerName: PEER,
    flags: FLAGS,
    creation: 7,
    cookie: COOKIE,
    randomChallenge: () => CHALLENGE,
  };
  let state: Initiator = startInitiator(params).state;
  return (message) => {
    state = moveInitiator(params, state, message).state;
    return ended(state);
  };
}

function acceptorMachine(): Machine {
  const params: AcceptorParams = {
    ownName: OWN,
    flags: FLAGS,
    creation: 7,
    cookieFor: () => COOKIE,
    randomChallenge: () => CHALLENGE,
  };
  let state: Acceptor = acceptorStart;
  return (message) => {
    let step: AcceptorStep = moveAcceptor(params, state, { message });
    if (step.state.at === "decide") {
      step = moveAcceptor(params, step.state, { decision: decisionOn(step.state.applicant) });
    }
    state = step.state;
    return ended(state);
  };
}

function decisionOn({ dynamic, name }: Applicant): Decision {
  return dynamic ? { status: "named", name: `X@${name}`, creation: 9 } : { status: "ok" };
}

function ended(state: Initiator | Acceptor): Outcome | undefined {
  if (state.at === "connected") {
    const { peer, negotiatedFlags } = state.agreement;
    return { connected: { peerName: peer.name, flags: negotiatedFlags }, error: undefined };
  }
  return state.at === "failed" ? { connected: undefined, error: state.error } : undefined;
}

function machine(stream: Buffer, choices: Choices, move: Machine): Outcome {
  const reader = new FrameReader(2);
  try {
    for (const chunk of cuts(stream, choices)) {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        const outcome = move(message);
        if (outcome !== undefined) return outcome;
      }
    }
  } catch (error) {
    return { connected: undefined, error };
  }
  return { connected: undefined, error: undefined };
}

async function overStream(
  script: Script,
  stream: Buffer,
  choices: Choices,
  role: "initiator" | "acceptor",
): Promise<void> {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair({ clock });
  theirs.start({ data() {}, drain() {}, close() {} });
  const params = { ownName: OWN, flags: FLAGS, creation: 7, randomChallenge: () => CHALLENGE };
  const handshake: Promise<HandshakeResult> =
    role === "initiator"
      ? initiate(ours, { ...params, peerName: PEER, cookie: COOKIE }, { clock })
      : accept(ours, { ...params, cookieFor: () => COOKIE, decide: () => "ok" }, { clock });
  let outcome: Outcome | undefined;
  handshake.then(
    ({ peerName, negotiatedFlags: flags }) => {
      outcome = { connected: { peerName, flags }, error: undefined };
    },
    (error: unknown) => {
      outcome = { connected: undefined, error };
    },
  );
  for (const chunk of cuts(stream, choices)) theirs.write(chunk);
  await clock.settle();
  if (outcome === undefined) await clock.advance(10_000);
  theirs.destroy();
  ours.destroy();
  await clock.settle();
  claim(outcome !== undefined, "a handshake ends");
  claim(clock.timerCount === 0, "no timer is left");
  check(script, outcome);
}

function check({ sound, offered }: Script, { connected, error }: Outcome): void {
  if (error !== undefined) {
    claim(
      error instanceof HandshakeError && /^HS_[A-Z_]+$/.test(error.code),
      `${error} is documented`,
    );
  }
  if (sound === undefined) return;
  claim(
    sound === (connected !== undefined),
    `${sound ? "who proves the cookie is" : "who does not prove the cookie, or lacks a flag, is not"} connected`,
  );
  if (connected === undefined) return;
  claim(connected.peerName === PEER, "the peer has the name that it gave");
  claim(connected.flags === (FLAGS & offered), "the flags are those that both offer");
}

function digest(cookie: string, challenge: number): Buffer {
  return createHash("md5")
    .update(cookie + challenge)
    .digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function counted(name: string): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name, "latin1")]);
}

function challengeBody(flags: bigint, name: string): Buffer {
  return Buffer.concat([Buffer.from("N"), uint64(flags), uint32(17), uint32(5), counted(name)]);
}

function nameBody(flags: bigint, name: string): Buffer {
  return Buffer.concat([Buffer.from("N"), uint64(flags), uint32(5), counted(name)]);
}

function oldNameBody(flags: bigint, name: string): Buffer {
  const low = uint32(Number(flags & 0xffff_ffffn));
  return Buffer.concat([Buffer.from("n"), Buffer.of(0, 5), low, Buffer.from(name, "latin1")]);
}

function complementBody(flags: bigint): Buffer {
  return Buffer.concat([Buffer.from("c"), uint32(Number(flags >> 32n)), uint32(5)]);
}
