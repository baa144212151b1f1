/**
 * One end of an in-memory stream under the control of a test: it sends what the test says and keeps
 * what it receives.
 */
import { type MemoryPairOptions, memoryPair } from "../../src/transport/memory.ts";
import type { Transport } from "../../src/transport/transport.ts";

export class ScriptedPeer {
  readonly transport: Transport;
  closed = false;
  closeError: Error | undefined;
  #received = Buffer.alloc(0);
  readonly #waiting: { ready: () => boolean; wake: () => void }[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
    transport.start({
      data: (chunk) => {
        this.#received = Buffer.concat([this.#received, chunk]);
        this.#wake();
      },
      drain() {},
      close: (error) => {
        this.closed = true;
        this.closeError = error;
        this.#wake();
      },
    });
  }

  /** Everything received and not yet returned by `read`. */
  get received(): Buffer {
    return this.#received;
  }

  say(...bytes: (Uint8Array | string)[]): void {
    for (const each of bytes) {
      this.transport.write(typeof each === "string" ? Buffer.from(each, "latin1") : each);
    }
  }

  /** Sends one handshake message: its length and its bytes. */
  sayFrame(body: Uint8Array): void {
    const { handshakeLengthBytes } = this.transport;
    const length = Buffer.alloc(handshakeLengthBytes);
    length.writeUIntBE(body.length, 0, handshakeLengthBytes);
    this.say(Buffer.concat([length, body]));
  }

  /** The next `length` bytes; throws if the stream ends first. */
  async read(length: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= length || this.closed);
    if (this.#received.length < length) {
      throw new Error(`the stream ended after ${this.#received.length} of ${length} bytes`);
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  /** The next handshake message, without its length. */
  async readFrame(): Promise<Buffer> {
    const { handshakeLengthBytes } = this.transport;
    const length = await this.read(handshakeLengthBytes);
    return this.read(length.readUIntBE(0, handshakeLengthBytes));
  }

  async untilClosed(): Promise<void> {
    await this.#until(() => this.closed);
  }

  #until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((wake) => this.#waiting.push({ ready, wake }));
  }

  #wake(): void {
    for (const each of this.#waiting.splice(0)) {
      if (each.ready()) each.wake();
      else this.#waiting.push(each);
    }
  }
}

/** A transport for the code under test, and the peer at its other end. */
export function scriptedPeer(options?: MemoryPairOptions): [Transport, ScriptedPeer] {
  const [ours, theirs] = memoryPair(options);
  return [ours, new ScriptedPeer(theirs)];
}
