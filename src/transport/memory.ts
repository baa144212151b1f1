/**
 * Transports without a network: two ends in one program, for tests and for nodes that share one.
 *
 * Bytes travel in turns of the clock's `defer`, cut wherever `cut` says, so that a test can put the
 * boundaries of chunks anywhere. A paused receiver fills the sender's queue, as a frozen TCP peer does.
 */
import { type Clock, systemClock } from "./clock.ts";
import type { Transport, TransportReceiver } from "./transport.ts";

export interface MemoryPairOptions {
  /**
   * Size of the next chunk to deliver, given how many bytes wait; less than one counts as one.
   * A number delivers chunks of that size at most. Default: what was written, as it was written.
   */
  cut?: number | ((waitingBytes: number) => number);
  /** Default 1 MiB. */
  highWaterMarkBytes?: number;
  /** Default a quarter of the high mark. */
  lowWaterMarkBytes?: number;
  clock?: Clock;
  /** The `handshakeLengthBytes` of both ends. Default 2, as on TCP. */
  handshakeLengthBytes?: 2 | 4;
  /** What each end calls the other. Default `memory:0` and `memory:1`. */
  addresses?: readonly [string, string];
}

/** Two ends of one stream. */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const [firstAddress, secondAddress] = options.addresses ?? ["memory:0", "memory:1"];
  const first = new MemoryTransport(options, firstAddress, secondAddress);
  const second = new MemoryTransport(options, secondAddress, firstAddress);
  first.join(second);
  second.join(first);
  return [first, second];
}

class MemoryTransport implements Transport {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly handshakeLengthBytes: 2 | 4;
  bufferedBytes = 0;
  readonly #clock: Clock;
  readonly #cut: MemoryPairOptions["cut"];
  readonly #highWaterMark: number;
  readonly #lowWaterMark: number;
  /** Written here, not yet delivered there. */
  #queue: Uint8Array[] = [];
  #delivered = 0;
  /** Callbacks that wait until so many bytes have been delivered. */
  readonly #marks: { callback: () => void; after: number }[] = [];
  #peer!: MemoryTransport;
  #receiver: TransportReceiver | undefined;
  #paused = true;
  #over = false;
  #pumping = false;
  /** `end` was called, or the stream is over: nothing more may be queued. */
  #ended = false;
  /** Our end reached the peer: it has had every byte. */
  #endDelivered = false;
  #closed = false;
  #error: Error | undefined;

  constructor(options: MemoryPairOptions, localAddress: string, remoteAddress: string) {
    this.#clock = options.clock ?? systemClock;
    this.#cut = options.cut;
    this.#highWaterMark = options.highWaterMarkBytes ?? 1024 * 1024;
    this.#lowWaterMark = options.lowWaterMarkBytes ?? Math.floor(this.#highWaterMark / 4);
    this.handshakeLengthBytes = options.handshakeLengthBytes ?? 2;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  join(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    if (this.#closed) this.#reportClose();
    else this.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    if (bytes.length > 0) this.#queue.push(bytes);
    this.bufferedBytes += bytes.length;
    this.#pump();
    if (this.bufferedBytes <= this.#highWaterMark) return true;
    this.#over = true;
    return false;
  }

  writeMany(chunks: readonly Uint8Array[]): boolean {
    let below = true;
    for (const chunk of chunks) below = this.write(chunk);
    return below;
  }

  written(callback: () => void): void {
    if (this.#queue.length === 0) callback();
    else this.#marks.push({ callback, after: this.#delivered + this.bufferedBytes });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (this.#receiver === undefined) return;
    this.#paused = false;
    this.#peer.#pump();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pump();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#queue = [];
    this.bufferedBytes = 0;
    this.#close();
    // What the peer had queued for us is lost; what it has yet to hear is that we are gone.
    this.#endDelivered = true;
    this.#clock.defer(() => this.#peer.#close());
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#clock.defer(() => {
      this.#pumping = false;
      this.#deliver();
    });
  }

  /** One chunk a turn, so that the two ends take turns as real ones do. */
  #deliver(): void {
    const peer = this.#peer;
    if (this.#closed || peer.#closed || peer.#paused) return;
    const head = this.#queue[0];
    if (head !== undefined) {
      const size = this.#chunkSize(head.length);
      if (size < head.length) this.#queue[0] = head.subarray(size);
      else this.#queue.shift();
      this.bufferedBytes -= size;
      this.#delivered += size;
      this.#pump();
      peer.#receiver?.data(head.subarray(0, size));
      while ((this.#marks[0]?.after ?? Number.POSITIVE_INFINITY) <= this.#delivered) {
        this.#marks.shift()!.callback();
      }
      if (this.#over && this.bufferedBytes <= this.#lowWaterMark && !this.#closed) {
        this.#over = false;
        this.#receiver?.drain();
      }
    } else if (this.#ended && !this.#endDelivered) {
      this.#endDelivered = true;
      peer.end();
      if (peer.#endDelivered) {
        this.#close();
        peer.#close();
      }
    }
  }

  #chunkSize(waiting: number): number {
    const cut = this.#cut;
    if (cut === undefined) return waiting;
    const size = typeof cut === "number" ? cut : cut(this.bufferedBytes);
    return Math.min(waiting, Math.max(1, Math.floor(size)));
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    if (this.#receiver !== undefined) this.#reportClose();
  }

  #reportClose(): void {
    const receiver = this.#receiver;
    this.#clock.defer(() => {
      if (this.#receiver === receiver) receiver?.close(this.#error);
    });
  }
}
