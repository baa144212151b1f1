/**
 * A transport over a socket of Node.js: what TCP and the carriers on top of it have in common. A peer
 * that ends its direction ends the stream, once what is queued has been sent.
 */
import type { Socket } from "node:net";
import { socketError } from "./errors.ts";
import type { Transport, TransportReceiver } from "./transport.ts";

/** What a carrier chooses for its transports. */
export interface SocketTransportOptions {
  /** See Transport. */
  handshakeLengthBytes: 2 | 4;
  /** `write` returns false while more bytes than this are queued. */
  highWaterMarkBytes: number;
  /** `drain` is called when no more bytes than this are queued. */
  lowWaterMarkBytes: number;
}

const NOTHING = new Uint8Array(0);

/** Carries the bytes of a connected socket. */
export class SocketTransport implements Transport {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly handshakeLengthBytes: 2 | 4;
  readonly #socket: Socket;
  readonly #highWaterMark: number;
  readonly #lowWaterMark: number;
  readonly #written = () => this.#drainWhenLow();
  // Not made in `start`: there it would keep the first receiver for as long as the stream lives.
  readonly #data = (chunk: Buffer) => this.#receiver?.data(chunk);
  #receiver: TransportReceiver | undefined;
  #over = false;
  #closed = false;
  #error: Error | undefined;

  /** @param socket connected, and paused */
  constructor(socket: Socket, options: SocketTransportOptions) {
    this.#socket = socket;
    this.handshakeLengthBytes = options.handshakeLengthBytes;
    this.#highWaterMark = options.highWaterMarkBytes;
    this.#lowWaterMark = options.lowWaterMarkBytes;
    this.remoteAddress = addressText(socket.remoteAddress, socket.remotePort);
    this.localAddress = addressText(socket.localAddress, socket.localPort);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#error ??= socketError(error, this.remoteAddress);
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#receiver?.close(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(receiver: TransportReceiver): void {
    const first = this.#receiver === undefined;
    this.#receiver = receiver;
    if (this.#closed) {
      queueMicrotask(() => {
        if (this.#receiver === receiver) receiver.close(this.#error);
      });
      return;
    }
    if (first) this.#socket.on("data", this.#data);
    this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended()) return true;
    // A callback costs; it is needed only where the queue could come down through the low mark.
    const callback =
      this.#socket.writableLength + bytes.length > this.#lowWaterMark ? this.#written : undefined;
    this.#socket.write(bytes, callback);
    return this.#belowHighMark();
  }

  writeMany(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended()) return true;
    if (chunks.length === 1) return this.write(chunks[0]!);
    this.#socket.cork();
    for (const chunk of chunks) this.write(chunk);
    this.#socket.uncork();
    return this.#belowHighMark();
  }

  written(callback: () => void): void {
    if (this.#socket.writableLength === 0) callback();
    else if (!this.#ended()) this.#socket.write(NOTHING, (error) => error ?? callback());
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#receiver !== undefined) this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#socket.destroy();
  }

  #ended(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  #belowHighMark(): boolean {
    if (this.#socket.writableLength <= this.#highWaterMark) return true;
    this.#over = true;
    return false;
  }

  #drainWhenLow(): void {
    if (!this.#over || this.#socket.writableLength > this.#lowWaterMark) return;
    this.#over = false;
    if (!this.#socket.destroyed) this.#receiver?.drain();
  }
}

/** `192.0.2.1:4369`; an IPv4 address of an IPv6 socket is written as IPv4. */
export function addressText(address: string | undefined, port: number | undefined): string {
  const host = (address ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port ?? 0}`;
}
