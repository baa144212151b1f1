/**
 * Carries a handshake over a transport: frames, the time limit, and the end in every case.
 *
 * The limit is that of OTP's `net_setuptime`: it starts anew whenever we have sent something. A
 * transport whose handshake failed is closed; one whose handshake went well is paused and waits for
 * the connection to start it.
 */
import { randomInt } from "node:crypto";
import { type Clock, systemClock, type Timer } from "../transport/clock.ts";
import type { Transport } from "../transport/transport.ts";
import {
  type Acceptor,
  type AcceptorInput,
  type AcceptorParams,
  type Applicant,
  acceptorClosed,
  acceptorStart,
  acceptorTimeout,
  type Decision,
  moveAcceptor,
} from "./acceptor.ts";
import { HandshakeError } from "./errors.ts";
import { encodeFrames, FrameReader } from "./frames.ts";
import {
  type InitiatorParams,
  type InitiatorStep,
  initiatorClosed,
  initiatorTimeout,
  moveInitiator,
  startInitiator,
} from "./initiator.ts";
import type { AcceptStatus } from "./messages.ts";
import type { Agreement } from "./peer.ts";

export type { AcceptStatus, Applicant };

export interface HandshakeOptions {
  /** How long the peer may take for each of its messages. Default 7,000 ms, as net_setuptime. */
  timeoutMs?: number;
  clock?: Clock;
  signal?: AbortSignal;
}

export interface HandshakeResult {
  peerName: string;
  /** What the peer offers, MANDATORY_25_DIGEST replaced by the flags it stands for. */
  peerFlags: bigint;
  negotiatedFlags: bigint;
  peerCreation: number;
  /** Our name and creation: those the peer gave us, if we asked for them. */
  ownName: string;
  ownCreation: number;
  /** Bytes that came after the handshake: the first of the connected protocol. */
  leftover: Uint8Array;
}

export interface InitiateParams extends Omit<InitiatorParams, "randomChallenge"> {
  readonly randomChallenge?: () => number;
  /** Our name is sent: from now on the peer may give up an attempt of its own for this one. */
  readonly nameSent?: () => void;
  /** The peer goes on with this attempt, and with no other. */
  readonly chosen?: () => void;
}

export interface AcceptParams extends Omit<AcceptorParams, "randomChallenge"> {
  readonly randomChallenge?: () => number;
  /** Whether a node of that name may connect; asked once, when its name and flags are known. */
  readonly decide: (peerName: string, applicant: Applicant) => AcceptStatus | Promise<AcceptStatus>;
  /** Names a node that asks for a name; without it, or with undefined, it is not allowed. */
  readonly nameMaker?: (host: string) => GivenName | undefined | Promise<GivenName | undefined>;
  /** After the decision `alive`: resolves when the older connection with the peer is gone. */
  readonly oldConnectionGone?: (peerName: string) => Promise<void>;
  /**
   * Asked when the peer has proved the cookie and does not know yet that it is connected. It may take
   * its time; what it throws ends the handshake.
   */
  readonly mayConnect?: () => void | Promise<void>;
}

export interface GivenName {
  readonly name: string;
  readonly creation: number;
}

const NET_SETUPTIME_MS = 7000;
/** How long a peer may take to read why it was refused before its connection is cut. */
const FAREWELL_MS = 2000;

/** @throws HandshakeError any code but those of the acceptor; the transport is closed then */
export async function initiate(
  transport: Transport,
  given: InitiateParams,
  options: HandshakeOptions = {},
): Promise<HandshakeResult> {
  const params: InitiatorParams = { randomChallenge, ...given };
  let step = startStep(transport, params);
  let { state } = step;
  const carrier = new Carrier(transport, options, {
    closed: (cause) => initiatorClosed(params, state, cause),
    timeout: (timeoutMs) => initiatorTimeout(params, state, timeoutMs),
  });
  return carrier.run(async () => {
    for (;;) {
      state = step.state;
      if (step.send !== undefined) carrier.send(step.send);
      if (state.at === "awaitStatus") given.nameSent?.();
      if (state.at === "awaitChallenge") given.chosen?.();
      if (state.at === "connected") return state.agreement;
      if (state.at === "failed") throw state.error;
      step = moveInitiator(params, state, await carrier.receive());
    }
  });
}

/** What we say first. A name that cannot be said closes the transport too. */
function startStep(transport: Transport, params: InitiatorParams): InitiatorStep {
  try {
    return startInitiator(params);
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

/** @throws HandshakeError any code but those of the initiator; the transport is closed then */
export async function accept(
  transport: Transport,
  given: AcceptParams,
  options: HandshakeOptions = {},
): Promise<HandshakeResult> {
  const params: AcceptorParams = { randomChallenge, ...given };
  let state: Acceptor = acceptorStart;
  const carrier = new Carrier(transport, options, {
    closed: (cause) => acceptorClosed(state, transport.remoteAddress, cause),
    timeout: (timeoutMs) => acceptorTimeout(state, transport.remoteAddress, timeoutMs),
  });
  const input = async (): Promise<AcceptorInput> => {
    switch (state.at) {
      case "decide":
        return { decision: await carrier.unlessOver(decide(given, state.applicant)) };
      case "awaitOldConnection":
        await carrier.unlessOver(given.oldConnectionGone?.(state.agreement.peer.name));
        return { oldConnection: "gone" };
      default:
        return { message: await carrier.receive() };
    }
  };
  return carrier.run(async () => {
    for (;;) {
      const step = moveAcceptor(params, state, await input());
      state = step.state;
      if (state.at === "connected") {
        const ready = given.mayConnect?.();
        if (ready !== undefined) await carrier.unlessOver(ready);
      }
      carrier.send(...step.send);
      if (state.at === "connected") return state.agreement;
      if (state.at === "failed") throw state.error;
    }
  });
}

async function decide(given: AcceptParams, applicant: Applicant): Promise<Decision> {
  if (!applicant.dynamic) return { status: await given.decide(applicant.name, applicant) };
  const named = await given.nameMaker?.(applicant.name);
  return named === undefined
    ? { status: "not_allowed" }
    : { status: "named", name: named.name, creation: named.creation };
}

function randomChallenge(): number {
  return randomInt(2 ** 32);
}

/** The words for what goes wrong around the state machine. */
interface Complaints {
  closed(cause: Error | undefined): HandshakeError;
  timeout(timeoutMs: number): HandshakeError;
}

/** One transport during one handshake. */
class Carrier {
  readonly #transport: Transport;
  readonly #frames: FrameReader;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #complaints: Complaints;
  #timer: Timer | undefined;
  #sent = false;
  #transportClosed = false;
  /** What ended the handshake from outside the state machine. */
  #failure: HandshakeError | undefined;
  #wake: (() => void) | undefined;
  #receiving = false;
  readonly #onAbort = () => {
    const peer = this.#transport.remoteAddress;
    this.#interrupt(
      new HandshakeError("HS_ABORTED", `The handshake with ${peer} was aborted.`, peer, {
        cause: this.#signal?.reason,
      }),
    );
  };

  constructor(transport: Transport, options: HandshakeOptions, complaints: Complaints) {
    this.#transport = transport;
    this.#frames = new FrameReader(transport.handshakeLengthBytes);
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? NET_SETUPTIME_MS;
    this.#signal = options.signal;
    this.#complaints = complaints;
  }

  async run(handshake: () => Promise<Agreement>): Promise<HandshakeResult> {
    this.#begin();
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const { peer, negotiatedFlags, ownName, ownCreation } = await handshake();
      // An interruption may have come in the same turn as the last message.
      if (this.#failure !== undefined) throw this.#failure;
      this.#transport.pause();
      return {
        peerName: peer.name,
        peerFlags: peer.flags,
        negotiatedFlags,
        peerCreation: peer.creation,
        ownName,
        ownCreation,
        leftover: this.#frames.rest(),
      };
    } catch (error) {
      this.#closeTransport();
      throw error;
    } finally {
      this.#timer?.cancel();
      this.#signal?.removeEventListener("abort", this.#onAbort);
    }
  }

  /** Sends messages in one write: each costs the peer a wake-up. */
  send(...bodies: readonly Uint8Array[]): void {
    if (bodies.length === 0) return;
    this.#sent = true;
    this.#transport.write(encodeFrames(bodies, this.#transport.handshakeLengthBytes));
    this.#restartTimer();
  }

  /** The peer's next message. */
  async receive(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#frames.next();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      this.#receiving = true;
      this.#transport.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#receiving = false;
    }
  }

  /** The result of `work`, unless the handshake ends before. */
  async unlessOver<T>(work: T | Promise<T>): Promise<T> {
    const over = new Promise<never>((_resolve, reject) => {
      const check = () => {
        if (this.#failure !== undefined) reject(this.#failure);
        else this.#wake = check;
      };
      check();
    });
    return Promise.race([over, work]);
  }

  #begin(): void {
    if (this.#signal?.aborted) {
      this.#onAbort();
      return;
    }
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#restartTimer();
    this.#transport.start({
      data: (chunk) => {
        this.#frames.push(chunk);
        // Nobody may fill our memory while we think: bytes are read when a message is due.
        if (!this.#receiving) this.#transport.pause();
        this.#woken();
      },
      drain() {},
      close: (cause) => {
        this.#transportClosed = true;
        this.#interrupt(this.#complaints.closed(cause));
      },
    });
  }

  #restartTimer(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#timeoutMs, () =>
      this.#interrupt(this.#complaints.timeout(this.#timeoutMs)),
    );
  }

  #interrupt(failure: HandshakeError): void {
    this.#failure ??= failure;
    this.#woken();
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Lets the peer read the last thing we said, but not for ever. */
  #closeTransport(): void {
    const transport = this.#transport;
    if (this.#transportClosed) return;
    if (!this.#sent || this.#failure !== undefined) {
      transport.destroy();
      return;
    }
    const timer = this.#clock.setTimer(FAREWELL_MS, () => transport.destroy());
    transport.start({ data() {}, drain() {}, close: () => timer.cancel() });
    transport.end();
  }
}
