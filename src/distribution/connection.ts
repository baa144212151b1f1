/**
 * One established connection: messages in and out, ticks, and one write per turn.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". What frames look like is settled by
 * the negotiated flags and left to the reader and the outbox; here the stream is cut into frames,
 * and what goes out leaves in a single write when the turn of the event loop has handled its
 * input. Of large messages, which go in fragments, only some are handed to the transport at a
 * time: what is small and comes later overtakes the others.
 */
import { EtfDecodeError, type TermDecoder, type TermInput } from "../../etf/index.ts";
import type { Clock, Timer } from "../transport/clock.ts";
import type { Deferred } from "../transport/deferred.ts";
import { deferred } from "../transport/deferred.ts";
import type { Transport } from "../transport/transport.ts";
import { type ControlMessage, notNegotiated, unknownControl } from "./control.ts";
import type { EncodedTerm } from "./encoded-term.ts";
import { ConnectionClosedError, DistProtocolError } from "./errors.ts";
import { FrameSplitter } from "./frame.ts";
import { MessageReader } from "./message-reader.ts";
import { Outbox } from "./outbox.ts";
import type { Payload } from "./payload.ts";
import { TickRule } from "./tick.ts";

const TICK = new Uint8Array(4);
/** Bytes in the transport above which no further fragments are handed to it. */
export const FRAGMENT_ROOM_BYTES: number = 256 * 1024;
/** How long a connection we ended waits for the peer to end it too, in milliseconds. */
const LINGER_MS = 1000;

export interface ConnectionHandler {
  /**
   * A checked control message in wire order, with its payload, which is empty if the operation has
   * none; to be read or kept before this returns.
   */
  control(message: ControlMessage, payload: Payload): void;
  /** The connection is over; called exactly once, nothing follows. */
  closed(error: ConnectionClosedError | DistProtocolError): void;
}

export interface ConnectionLimits {
  /** Largest frame taken from the peer, in bytes. */
  maxFrameBytes: number;
  /** Bytes waiting to be written above which `congested` is true. Default 1 MiB, as `+zdbbl`. */
  highWaterMarkBytes: number;
  /**
   * Bytes waiting to be written above which messages are refused, and twice which end the
   * connection: the peer does not read, and memory has a bound. Default 256 MiB.
   */
  maxQueuedBytes: number;
}

export interface ConnectionOptions extends ConnectionLimits {
  transport: Transport;
  clock: Clock;
  peerName: string;
  negotiatedFlags: bigint;
  /** True when either side is a hidden node. */
  hidden: boolean;
  netTickTimeMs: number;
  netTickIntensity: number;
  /** Reads what the peer sends. Default one for all connections, with the default limits. */
  decoder?: TermDecoder;
  /** Fragments of unfinished messages: see FragmentLimits. Default half of the heap, 1 GiB at most. */
  maxFragmentedBytes?: number;
  handler: ConnectionHandler;
}

/** What a connection has done so far. */
export interface ConnectionStats {
  bytesIn: number;
  bytesOut: number;
  /** Frames, ticks included. */
  framesIn: number;
  framesOut: number;
  /** Bytes accepted and not yet written. */
  queuedBytes: number;
}

export class Connection {
  readonly peerName: string;
  readonly negotiatedFlags: bigint;
  readonly hidden: boolean;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #handler: ConnectionHandler;
  readonly #highWaterMarkBytes: number;
  readonly #maxQueuedBytes: number;
  readonly #splitter: FrameSplitter;
  readonly #outbox: Outbox;
  readonly #tickRule: TickRule;
  readonly #tickPartMs: number;
  #tickTimer: Timer | undefined;
  #flushScheduled = false;
  /** Of what was sent by reference: called when the operating system has it, or at the end. */
  readonly #held = new Set<() => void>();
  /** To be called when what has just been taken from the outbox is with the operating system. */
  readonly #leaving: (() => void)[] = [];
  /** The transport is over its mark, and has yet to say that it has room again. */
  #blocked = false;
  /** Why the connection is over. */
  #end: ConnectionClosedError | DistProtocolError | undefined;
  #drain: Deferred<void> | undefined;
  readonly #released: Deferred<void> = deferred();
  #bytesIn = 0;
  #bytesOut = 0;
  #ticksOut = 0;

  constructor(options: ConnectionOptions) {
    this.peerName = options.peerName;
    this.negotiatedFlags = options.negotiatedFlags;
    this.hidden = options.hidden;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#handler = options.handler;
    this.#highWaterMarkBytes = options.highWaterMarkBytes;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#outbox = new Outbox({
      negotiatedFlags: options.negotiatedFlags,
      written: (callback) => this.#leaving.push(callback),
    });
    const refused = notNegotiated(options.negotiatedFlags);
    // Not at once: who reads what was kept is in the middle of its mailbox.
    const malformed = (error: unknown): void =>
      this.#clock.defer(() => this.#fail(this.#asProtocolError(error)));
    const reader = new MessageReader({ ...options, malformed }, (message, payload) => {
      if (this.#closed) return;
      if (refused.has(message[0])) throw unknownControl(message[0]);
      this.#handler.control(message, payload);
    });
    this.#splitter = new FrameSplitter(
      options.maxFrameBytes,
      (bytes, start, end) => {
        if (this.#closed) return;
        if (start < end) reader.read(bytes, start, end);
      },
      reader,
    );
    this.#tickRule = new TickRule(options.netTickIntensity, options.hidden);
    this.#tickPartMs = options.netTickTimeMs / options.netTickIntensity;
  }

  /** Takes over the transport; `leftover` is what came behind the last handshake message. */
  start(leftover: Uint8Array): void {
    this.#scheduleTick();
    this.#transport.start({
      data: (chunk) => this.#received(chunk),
      drain: () => {
        this.#blocked = false;
        this.#roomAgain();
      },
      close: (error) => this.#transportClosed(error),
    });
    if (leftover.length > 0) this.#received(leftover);
  }

  has(flag: bigint): boolean {
    return (this.negotiatedFlags & flag) !== 0n;
  }

  /** More waits to be written than the high-water mark allows. */
  get congested(): boolean {
    return this.queuedBytes > this.#highWaterMarkBytes;
  }

  /** More waits to be written than there may be: messages are refused. */
  get overloaded(): boolean {
    return this.queuedBytes > this.#maxQueuedBytes;
  }

  get queuedBytes(): number {
    return this.#outbox.bytes + this.#transport.bufferedBytes;
  }

  /**
   * Resolves when the connection is no longer congested; whoever does not wait is not told.
   * @throws what ended the connection, if that comes first: what is queued then may be lost
   */
  drained(): Promise<void> {
    if (this.#drain === undefined) {
      if (this.#end === undefined && !this.congested) return Promise.resolve();
      this.#drain = deferred();
      // One promise for all who send: those that look away must not end the program.
      this.#drain.promise.catch(() => {});
      if (this.#end !== undefined) this.#drain.reject(this.#end);
    }
    return this.#drain.promise;
  }

  get #closed(): boolean {
    return this.#end !== undefined;
  }

  get #framesOut(): number {
    return this.#outbox.frames + this.#ticksOut;
  }

  /** What the connection has carried so far. */
  stats(): ConnectionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#splitter.frames,
      framesOut: this.#framesOut,
      queuedBytes: this.queuedBytes,
    };
  }

  /**
   * Queues one control message, and its payload if the operation has one. After the end it is
   * dropped, as a signal on its way when the connection breaks would be.
   * @param free if given, the payload's large binaries are not copied, and must not change before
   *   it is called: when the operating system has them, or the connection has ended
   * @throws EtfEncodeError when the payload is not a term; nothing is queued then
   */
  send(control: TermInput, payload?: TermInput | EncodedTerm, free?: () => void): void {
    if (this.#closed) {
      free?.();
      return;
    }
    if (free === undefined) this.#outbox.add(control, payload);
    else {
      const once = (): void => {
        if (this.#held.delete(once)) free();
      };
      this.#outbox.add(control, payload, once);
      this.#held.add(once);
    }
    this.#scheduleFlush();
    if (this.queuedBytes > 2 * this.#maxQueuedBytes) this.#fail(overloadedError(this.peerName));
  }

  /** Ends the connection from our side; what is queued is still sent. `closed` is called at once. */
  disconnect(): void {
    if (this.#closed) return;
    this.#flush(Number.POSITIVE_INFINITY);
    this.#transport.end();
    // A peer that does not end its direction too must not hold the socket open.
    const destroy = this.#clock.setTimer(LINGER_MS, () => this.#transport.destroy());
    this.#finish(
      new ConnectionClosedError(
        "CONN_DISCONNECTED",
        `The connection to ${this.peerName} was ended on this side.`,
      ),
    );
    this.#tickTimer = destroy;
  }

  /** Resolves when the transport is closed too, after `disconnect` or the peer's end. */
  released(): Promise<void> {
    return this.#released.promise;
  }

  #received(chunk: Uint8Array): void {
    this.#bytesIn += chunk.length;
    try {
      this.#splitter.push(chunk);
    } catch (error) {
      this.#fail(this.#asProtocolError(error));
    }
  }

  #asProtocolError(error: unknown): DistProtocolError {
    if (error instanceof DistProtocolError) return error;
    if (error instanceof EtfDecodeError) {
      return new DistProtocolError(
        "DIST_TERM_MALFORMED",
        `The peer sent a frame that holds no proper term: ${error.message}`,
        { cause: error },
      );
    }
    // A fault of this code ends the connection, not the program that hosts the node.
    return new DistProtocolError(
      "DIST_INTERNAL",
      `A message from ${this.peerName} could not be handled: ${String(error)}`,
      { cause: error },
    );
  }

  #fail(reason: ConnectionClosedError | DistProtocolError): void {
    if (this.#closed) return;
    this.#transport.destroy();
    this.#finish(reason);
  }

  #transportClosed(error: Error | undefined): void {
    this.#tickTimer?.cancel();
    this.#released.resolve();
    this.#finish(
      new ConnectionClosedError(
        "CONN_CLOSED",
        `The connection to ${this.peerName} was closed by the other side${error === undefined ? "." : `: ${error.message}`}`,
        error === undefined ? undefined : { cause: error },
      ),
    );
  }

  #finish(reason: ConnectionClosedError | DistProtocolError): void {
    if (this.#closed) return;
    this.#end = reason;
    this.#tickTimer?.cancel();
    this.#drain?.reject(reason);
    for (const free of this.#held) free();
    this.#handler.closed(reason);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#clock.defer(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Writes what is small, and of fragments as many bytes as there is room for in the transport. */
  #flush(room: number = FRAGMENT_ROOM_BYTES - this.#transport.bufferedBytes): void {
    const before = this.#outbox.bytes;
    if (this.#closed || before === 0) return;
    // A transport keeps a record of each write: of a peer that does not read they must not pile up.
    const few = this.#outbox.writtenBytes < FRAGMENT_ROOM_BYTES;
    if (this.#blocked && few && room !== Number.POSITIVE_INFINITY) return;
    const goesOn = this.#transport.writeMany(this.#outbox.take(room));
    for (const left of this.#leaving.splice(0)) this.#transport.written(left);
    this.#bytesOut += before - this.#outbox.bytes;
    // Only a transport that is over its own mark says later when it has room again.
    this.#blocked = !goesOn;
    if (goesOn) this.#roomAgain();
  }

  /** The transport has room: what was held back goes on, and so do senders that wait. */
  #roomAgain(): void {
    if (this.#outbox.bytes > 0) this.#scheduleFlush();
    if (this.#outbox.pending && this.congested) return;
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#clock.setTimer(this.#tickPartMs, () => this.#tick());
  }

  #tick(): void {
    if (this.#closed) return;
    const decision = this.#tickRule.check({
      received: this.#bytesIn,
      sent: this.#framesOut,
      sendQueueEmpty: this.queuedBytes === 0,
    });
    if (decision === "timeout") {
      this.#fail(
        new ConnectionClosedError(
          "CONN_NET_TICK_TIMEOUT",
          `Nothing came from ${this.peerName} within the net tick time; it is taken for dead.`,
        ),
      );
      return;
    }
    if (decision === "tick") {
      this.#ticksOut++;
      this.#bytesOut += TICK.length;
      this.#transport.write(TICK);
    }
    this.#scheduleTick();
  }
}

/** What is refused, or ended, when the peer takes nothing while we send on. */
export function overloadedError(peerName: string): ConnectionClosedError {
  return new ConnectionClosedError(
    "CONN_OVERLOADED",
    `More waits to be sent to ${peerName} than the limit (option maxQueuedBytes): it reads too slowly, or not at all. Wait for the promise that send returns.`,
  );
}
