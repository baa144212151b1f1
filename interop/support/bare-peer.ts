/**
 * Bare peers over TCP: they carry out the handshake as a test says, and then send any bytes. They find nodes, and
 * are found, through the run's EPMD.
 */

import { OFFERED_FLAGS } from "../../src/distribution/flags.ts";
import { EpmdClient, tcpNetwork } from "../../src/epmd/index.ts";
import { accept, type HandshakeResult, initiate } from "../../src/handshake/drive.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { RAW_FLAGS, RawNode } from "../../test/support/raw-node.ts";
import { interopRun, within } from "../index.ts";

export interface BarePeerOptions {
  /** A full node name. Default one that nobody has. */
  name?: string;
  /** Default what our nodes offer. */
  flags?: bigint;
  /** Default the run's. */
  cookie?: string;
}

/** A peer past its handshake. */
export class BarePeer implements AsyncDisposable {
  readonly name: string;
  readonly result: HandshakeResult;
  /** What came since the handshake. */
  received: Buffer;
  /** Resolves when the stream is over. */
  readonly closed: Promise<void>;
  readonly #transport: Transport;

  constructor(name: string, transport: Transport, result: HandshakeResult) {
    this.name = name;
    this.result = result;
    this.received = Buffer.from(result.leftover);
    this.#transport = transport;
    this.closed = new Promise((resolve) => {
      transport.start({
        data: (chunk) => {
          this.received = Buffer.concat([this.received, chunk]);
        },
        drain() {},
        close: () => resolve(),
      });
    });
  }

  say(...bytes: Uint8Array[]): void {
    for (const each of bytes) this.#transport.write(each);
  }

  /** Says one frame: the bytes behind their length. */
  sayFrame(body: Uint8Array): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    this.say(length, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport.destroy();
    await this.closed;
  }
}

async function bareName(): Promise<string> {
  const run = await interopRun();
  return `${run.uniqueName("bare")}@${run.shortHost}`;
}

/**
 * Connects to a node of either kind, with the peer as the initiator.
 * @throws EpmdError, TransportError, HandshakeError
 */
export async function connectBare(
  peerName: string,
  options: BarePeerOptions = {},
): Promise<BarePeer> {
  const { name, transport, result } = await shakeHands(peerName, options);
  return new BarePeer(name, transport, result);
}

/**
 * Connects to a node of either kind, as a peer that sends and receives whole messages.
 * @throws as connectBare
 */
export async function connectRaw(
  peerName: string,
  options: BarePeerOptions = {},
): Promise<RawNode & { readonly name: string }> {
  const given = { flags: RAW_FLAGS, ...options };
  const { name, transport, result } = await shakeHands(peerName, given);
  return Object.assign(new RawNode(transport, result.leftover), { name });
}

async function shakeHands(peerName: string, options: BarePeerOptions) {
  const run = await interopRun();
  const name = options.name ?? (await bareName());
  const network = tcpNetwork();
  const client = new EpmdClient({ network, tcpPort: run.epmdPort });
  const [alive = "", host = ""] = peerName.split("@");
  const { tcpPort } = await client.portPlease(alive, host);
  const transport = await network.connect({ host, tcpPort });
  const result = await initiate(transport, {
    ownName: name,
    peerName,
    flags: options.flags ?? OFFERED_FLAGS,
    cookie: options.cookie ?? run.cookie,
    creation: 7,
  });
  return { name, transport, result };
}

/** A peer that listens, with the peer as the acceptor. */
export interface BareListener extends AsyncDisposable {
  readonly name: string;
  readonly tcpPort: number;
  /** The next that gets through the handshake; rejects with the HandshakeError of one that does not. */
  next(): Promise<BarePeer>;
}

/** Listens, and registers with the run's EPMD. */
export async function listenBare(options: BarePeerOptions = {}): Promise<BareListener> {
  const run = await interopRun();
  const name = options.name ?? (await bareName());
  const network = tcpNetwork();
  const arrived: Promise<BarePeer>[] = [];
  let wake = (): void => {};
  const listener = await network.listen({ tcpPort: 0 }, (transport) => {
    const handshake = accept(transport, {
      ownName: name,
      flags: options.flags ?? OFFERED_FLAGS,
      creation: 7,
      cookieFor: () => options.cookie ?? run.cookie,
      decide: () => "ok",
    }).then((result) => new BarePeer(name, transport, result));
    handshake.catch(() => {});
    arrived.push(handshake);
    wake();
  });
  const client = new EpmdClient({ network, tcpPort: run.epmdPort });
  const registration = await client.register(name.split("@")[0]!, listener.tcpPort);
  return {
    name,
    tcpPort: listener.tcpPort,
    async next() {
      const come = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (arrived.length === 0) await within(come, 60_000, `somebody to connect to ${name}`);
      return arrived.shift()!;
    },
    async [Symbol.asyncDispose]() {
      await registration.close();
      await listener.close();
    },
  };
}
