/**
 * One end of an in-memory stream in the hands of a test: it says what it is told to say and keeps
 * what it hears.
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

  /** Everything heard and not yet taken by `read`. */
  get received(): Buffer {
    return this.#received;
  }

  say(...bytes: (Uint8Array | string)[]): void {
    for (const each of bytes) {
      this.transport.write(typeof each === "string" ? Buffer.from(each, "latin1") : each);
    }
  }

  /** Says one handshake message: its bytes behind their 2-byte length. */
  sayFrame(body: Uint8Array): void {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    this.say(Buffer.concat([length, body]));
  }

  /** The next `length` bytes; fails when the stream ends before. */
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
    const length = (await this.read(2)).readUInt16BE();
    return this.read(length);
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

/** A transport for the code under test, and the peer that holds its other end. */
export function scriptedPeer(options?: MemoryPairOptions): [Transport, ScriptedPeer] {
  const [ours, theirs] = memoryPair(options);
  return [ours, new ScriptedPeer(theirs)];
}
