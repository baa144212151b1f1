/**
 * A TCP network for an erldist node that a test controls: it records handshakes, can delay connecting and
 * accepting, and can break a stream for one side only.
 */

import { tcpNetwork } from "../../src/epmd/index.ts";
import type {
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  Transport,
  TransportReceiver,
} from "../../src/transport/transport.ts";

export class WatchedNetwork implements Network {
  /** Streams with other nodes, in the order they were made. Those with EPMD are not among them. */
  readonly streams: WatchedStream[] = [];
  /** Awaited before our node connects to another. */
  beforeConnect: () => Promise<void> = async () => {};
  /** Awaited between a stream's arrival and our node's taking it. */
  beforeAccept: () => Promise<void> = async () => {};
  readonly #tcp = tcpNetwork();
  readonly #epmdPort: number;

  constructor(epmdPort: number) {
    this.#epmdPort = epmdPort;
  }

  async connect(options: ConnectOptions): Promise<Transport> {
    if (options.tcpPort === this.#epmdPort) return this.#tcp.connect(options);
    await this.beforeConnect();
    const stream = new WatchedStream(await this.#tcp.connect(options));
    this.streams.push(stream);
    return stream;
  }

  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener> {
    return this.#tcp.listen(options, (transport) => {
      const stream = new WatchedStream(transport);
      this.streams.push(stream);
      void this.beforeAccept().then(() => accept(stream));
    });
  }
}

/** Kept of each direction: more than any handshake has. */
const KEPT_BYTES = 4096;

export class WatchedStream implements Transport {
  readonly #inner: Transport;
  #sent: Buffer = Buffer.alloc(0);
  #received: Buffer = Buffer.alloc(0);
  #receiver: TransportReceiver | undefined;
  /** The two sides have nothing to do with each other any more. */
  #cut = false;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** What our node said in the handshake, message by message: `N`, `sok`, `a`. */
  get handshakeSent(): string[] {
    return handshakeMessages(this.#sent);
  }

  /** What it heard. */
  get handshakeReceived(): string[] {
    return handshakeMessages(this.#received);
  }

  /** The far side sees the stream end; our node does not. */
  breakThere(): void {
    this.#cut = true;
    this.#inner.destroy();
  }

  /** Our node sees the stream break; the far side does not, until `release`. */
  breakHere(): void {
    this.#cut = true;
    this.#inner.pause();
    this.#receiver?.close(new Error("broken by the test"));
  }

  release(): void {
    this.#inner.destroy();
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get localAddress(): string {
    return this.#inner.localAddress;
  }

  get handshakeLengthBytes(): 2 | 4 {
    return this.#inner.handshakeLengthBytes;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    this.#inner.start({
      data: (chunk) => {
        if (this.#cut) return;
        this.#received = keep(this.#received, chunk);
        receiver.data(chunk);
      },
      drain: () => receiver.drain(),
      close: (error) => {
        if (!this.#cut) receiver.close(error);
      },
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#cut) return true;
    this.#sent = keep(this.#sent, bytes);
    return this.#inner.write(bytes);
  }

  writeMany(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#sent = keep(this.#sent, chunk);
    return this.#cut ? true : this.#inner.writeMany(chunks);
  }

  written(callback: () => void): void {
    this.#inner.written(callback);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  end(): void {
    if (this.#cut) this.#closeCut();
    else this.#inner.end();
  }

  destroy(error?: Error): void {
    if (this.#cut) this.#closeCut(error);
    else this.#inner.destroy(error);
  }

  /** Our node gives up a stream whose far side it did not see go. */
  #closeCut(error?: Error): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    queueMicrotask(() => receiver?.close(error));
  }
}

function keep(kept: Buffer, chunk: Uint8Array): Buffer {
  return kept.length >= KEPT_BYTES ? kept : Buffer.concat([kept, chunk]);
}

/** The tags of the messages, of a status its text too, up to the last of a handshake. */
function handshakeMessages(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + 3 <= bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    const tag = bytes.toString("latin1", at + 2, at + 3);
    found.push(tag === "s" ? bytes.toString("latin1", at + 2, end) : tag);
    if (tag === "a" || tag === "r") break;
    at = end;
  }
  return found;
}
