/**
 * A connected node under the control of a test: it sends any bytes, and keeps the messages it
 * receives. It splits frames and reads terms on its own, without the code under test.
 */
import { decode, type Term, TermDecoder, type TermInput, TermWriter } from "../../etf/index.ts";
import { DFLAG, OFFERED_FLAGS } from "../../src/distribution/flags.ts";
import { accept, initiate } from "../../src/handshake/drive.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { type Cluster, COOKIE } from "./cluster.ts";

/** The flags that such a node offers: all of erldist's, except those that make frames hard to read. */
export const RAW_FLAGS: bigint = OFFERED_FLAGS & ~DFLAG.DIST_HDR_ATOM_CACHE & ~DFLAG.FRAGMENTS;

/** A received message: its control tuple, and its payload if it has one. */
export interface Heard {
  readonly control: Term;
  readonly payload?: Term;
}

export interface RawNodeOptions {
  name?: string;
  flags?: bigint;
  cookie?: string;
  creation?: number;
}

export class RawNode {
  readonly transport: Transport;
  closed = false;
  closeError: Error | undefined;
  ticks = 0;
  readonly heard: Heard[] = [];
  #pending = Buffer.alloc(0);

  constructor(transport: Transport, leftover: Uint8Array = new Uint8Array()) {
    this.transport = transport;
    transport.start({
      data: (chunk) => this.#received(chunk),
      drain() {},
      close: (error) => {
        this.closed = true;
        this.closeError = error;
      },
    });
    this.#received(leftover);
  }

  /** Connects to a node of the cluster, by default as `other@vm`. */
  static async connect(
    cluster: Cluster,
    to: string,
    options: RawNodeOptions = {},
  ): Promise<RawNode> {
    const { name = "other@vm", flags = RAW_FLAGS, cookie = COOKIE, creation = 7 } = options;
    const host = to.slice(to.indexOf("@") + 1);
    const tcpPort = cluster.names.registered.get(to)!.tcpPort;
    const network = cluster.network.host(name.slice(name.indexOf("@") + 1));
    const transport = await cluster.settled(network.connect({ host, tcpPort }));
    const params = { ownName: name, peerName: to, flags, cookie, creation };
    const { clock } = cluster;
    const result = await cluster.settled(initiate(transport, params, { clock }));
    const node = new RawNode(transport, result.leftover);
    await cluster.settle();
    return node;
  }

  /** Listens under a name; passes each node that completes the handshake to `arrived`. */
  static async listen(
    cluster: Cluster,
    name: string,
    arrived: (node: RawNode) => void,
    options: Omit<RawNodeOptions, "name"> = {},
  ): Promise<void> {
    const { flags = RAW_FLAGS, cookie = COOKIE, creation = 7 } = options;
    const [alive, host] = name.split("@") as [string, string];
    const { clock } = cluster;
    const listener = await cluster.network.host(host).listen({ tcpPort: 0 }, (transport) => {
      const params = {
        ownName: name,
        flags,
        creation,
        cookieFor: () => cookie,
        decide: () => "ok" as const,
      };
      accept(transport, params, { clock }).then(
        (result) => arrived(new RawNode(transport, result.leftover)),
        () => {},
      );
    });
    await cluster.names.host(host).register(alive, listener.tcpPort, { hidden: true });
  }

  /** Sends a control message and, if it has one, its payload. */
  send(control: TermInput, payload?: TermInput): void {
    this.frame(messageBytes(control, payload));
  }

  /** Sends these bytes as one frame. */
  frame(body: Uint8Array): void {
    this.bytes(frameOf(body));
  }

  bytes(bytes: Uint8Array): void {
    this.transport.write(bytes);
  }

  /** What was received since the last call. */
  take(): Heard[] {
    return this.heard.splice(0);
  }

  #received(chunk: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (this.#pending.length < 4 + length) return;
      const frame = this.#pending.subarray(4, 4 + length);
      this.#pending = this.#pending.subarray(4 + length);
      if (length === 0) this.ticks++;
      else this.heard.push(heardIn(frame));
    }
  }
}

/** The bytes of a pass-through frame, without the length; OTP 23 does not read 64-bit ports. */
export function messageBytes(control: TermInput, payload?: TermInput, v4Ports = true): Buffer {
  const writer = new TermWriter();
  writer.v4Ports = v4Ports;
  writer.writeUint8(112);
  for (const term of payload === undefined ? [control] : [control, payload]) {
    writer.writeUint8(131);
    writer.writeTerm(term);
  }
  return Buffer.concat(writer.take());
}

export function frameOf(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function heardIn(frame: Buffer): Heard {
  if (frame[0] !== 112 || frame[1] !== 131) throw new Error(`a frame of type ${frame[0]}`);
  const decoder = new TermDecoder();
  const control = decoder.decodeAt(frame, 2, frame.length);
  const rest = frame.subarray(decoder.offset);
  return rest.length === 0 ? { control } : { control, payload: decode(rest) };
}
