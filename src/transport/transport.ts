/**
 * The one thing the protocol code knows of the outside: an ordered, reliable stream of bytes.
 *
 * TCP, TLS and an in-memory pair are the same to everything above this file. A transport starts
 * paused: no byte is delivered and no close is reported before `start` has named the receiver.
 */

/** What a transport tells its owner. Called one at a time, never from inside `write`. */
export interface TransportReceiver {
  /**
   * Bytes as they came. The transport does not reuse the memory: views on the chunk stay valid.
   */
  data(chunk: Uint8Array): void;
  /** The bytes queued for writing fell to or below the low-water mark after `write` said `false`. */
  drain(): void;
  /**
   * The stream is over, called exactly once: both directions are closed. A peer that ends its
   * direction ends the stream, when what is queued has been sent. `error` is what ended it,
   * undefined after an orderly end by either side.
   */
  close(error?: Error): void;
}

export interface Transport {
  /** The peer's address, for messages to people: `192.0.2.1:4369`, or a name for an in-memory end. */
  readonly remoteAddress: string;
  /** Our own address as the peer sees it. */
  readonly localAddress: string;
  /**
   * How many bytes the length in front of a handshake message has on this carrier: 2 on TCP, 4 on
   * TLS. Once connected, every carrier has lengths of 4 bytes.
   */
  readonly handshakeLengthBytes: 2 | 4;
  /** Bytes accepted by `write` that have not yet been handed to the operating system. */
  readonly bufferedBytes: number;
  /**
   * Names the receiver and lets bytes flow, after a `pause` too. Callable again to hand the stream
   * to another owner: pause it, then let the new owner start it; nothing is lost in between, and an
   * end that came meanwhile is reported to the new owner.
   */
  start(receiver: TransportReceiver): void;
  /**
   * Queues bytes in order; they are not copied, so the caller leaves them unchanged.
   * Returns false when more is queued than the high-water mark: wait for `drain`.
   * A write after the end is dropped.
   */
  write(bytes: Uint8Array): boolean;
  /** Like `write` of each chunk in turn, in one system call where the platform has one. */
  writeMany(chunks: readonly Uint8Array[]): boolean;
  /**
   * Calls back when all bytes queued so far have been handed to the operating system, so that the
   * caller may change them. Never, if the stream ends before.
   */
  written(callback: () => void): void;
  /** Stops delivery of bytes, so that the peer is pushed back, until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then ends our direction; `close` follows when the peer ended too. What it sends until then is still delivered. */
  end(): void;
  /** Ends at once; what is queued is lost. `close` follows. */
  destroy(error?: Error): void;
}

/** Something that hands over accepted transports, not yet started. */
export interface Listener {
  /** The address and TCP port listened on. */
  readonly host: string;
  readonly tcpPort: number;
  /** Stops listening; accepted transports live on. Resolves when the port is free again. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  host: string;
  tcpPort: number;
  /** Gives up after this many milliseconds with a `TransportError` TRANSPORT_TIMEOUT. Default: none. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ListenOptions {
  /** Address to bind; undefined binds all interfaces, as `erl` and `epmd` do. */
  host?: string;
  /** 0 takes any free port. */
  tcpPort: number;
  /** The last port to try when those from `tcpPort` on are taken (inet_dist_listen_max). Default `tcpPort`. */
  tcpPortMax?: number;
}

/** How streams are made: handed to whatever connects or listens. */
export interface Network {
  /** @throws TransportError TRANSPORT_REFUSED, TRANSPORT_HOST_UNKNOWN, TRANSPORT_UNREACHABLE, TRANSPORT_TIMEOUT, TRANSPORT_ABORTED */
  connect(options: ConnectOptions): Promise<Transport>;
  /** @throws TransportError TRANSPORT_ADDRESS_IN_USE, TRANSPORT_ADDRESS_UNAVAILABLE */
  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener>;
}
