/**
 * One established connection: frames in, control messages out, ticks, and one write per turn.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". Every frame is a pass-through
 * frame: 32-bit length, the byte 112, then 131 and the control message, then 131 and the payload
 * if the operation has one. The distribution header (atom cache, fragments) is not spoken: the
 * flags that would allow it are not offered.
 *
 * Messages are encoded straight into one growing buffer and leave in a single write when the
 * turn of the event loop has handled its input. A message that cannot be encoded leaves nothing.
 */
import type { Term, TermInput } from "../../etf/index.ts";
import { EtfDecodeError, TermDecoder, TermWriter, VERSION_MAGIC } from "../../etf/index.ts";
import type { Clock, Timer } from "../transport/clock.ts";
import type { Deferred } from "../transport/deferred.ts";
import { deferred } from "../transport/deferred.ts";
import type { Transport } from "../transport/transport.ts";
import type { ControlMessage } from "./control.ts";
import { checkControl, controlName, hasPayload } from "./control.ts";
import { BY_REFERENCE_BYTES, EncodedTerm } from "./encoded-term.ts";
import { ConnectionClosedError, DistProtocolError } from "./errors.ts";
import { FrameSplitter } from "./frame.ts";
import { TickRule } from "./tick.ts";

const PASS_THROUGH = 112;
const TICK = new Uint8Array(4);
/** How long a connection we ended waits for the peer to end it too, in milliseconds. */
const LINGER_MS = 1000;

export interface ConnectionHandler {
  /** A checked control message in wire order, with its payload if the operation has one. */
  control(message: ControlMessage, payload: Term): void;
  /** The connection is over; called exactly once, nothing follows. */
  closed(error: ConnectionClosedError | DistProtocolError): void;
}

export interface ConnectionLimits {
  /** Largest frame taken from the peer, in bytes. Default 512 MiB. */
  maxFrameBytes: number;
  /** Bytes waiting to be written above which `congested` is true. Default 1 MiB, as `+zdbbl`. */
  highWaterMarkBytes: number;
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
  readonly #splitter: FrameSplitter;
  readonly #decoder = new TermDecoder();
  readonly #out = new TermWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
  readonly #tickRule: TickRule;
  readonly #tickPartMs: number;
  #tickTimer: Timer | undefined;
  #flushScheduled = false;
  #closed = false;
  #drain: Deferred<void> | undefined;
  readonly #released: Deferred<void> = deferred();
  #bytesIn = 0;
  #bytesOut = 0;
  #framesIn = 0;
  #framesOut = 0;

  constructor(options: ConnectionOptions) {
    this.peerName = options.peerName;
    this.negotiatedFlags = options.negotiatedFlags;
    this.hidden = options.hidden;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#handler = options.handler;
    this.#highWaterMarkBytes = options.highWaterMarkBytes;
    this.#splitter = new FrameSplitter(options.maxFrameBytes, (bytes, start, end) =>
      this.#frame(bytes, start, end),
    );
    this.#tickRule = new TickRule(options.netTickIntensity, options.hidden);
    this.#tickPartMs = options.netTickTimeMs / options.netTickIntensity;
  }

  /** Takes over the transport; `leftover` is what came behind the last handshake message. */
  start(leftover: Uint8Array): void {
    this.#scheduleTick();
    this.#transport.start({
      data: (chunk) => this.#received(chunk),
      drain: () => this.#drained(),
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

  get queuedBytes(): number {
    return this.#out.length + this.#transport.bufferedBytes;
  }

  /** Resolves when the connection is no longer congested, or is over. */
  drained(): Promise<void> {
    if (this.#closed || !this.congested) return Promise.resolve();
    this.#drain ??= deferred();
    return this.#drain.promise;
  }

  /** What the connection has carried so far. */
  stats(): ConnectionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      queuedBytes: this.queuedBytes,
    };
  }

  /**
   * Queues one control message, and its payload if the operation has one. After the end it is
   * dropped, as a signal on its way when the connection breaks would be.
   * @throws EtfEncodeError when the payload is no term; nothing is queued then
   */
  send(control: TermInput, payload?: TermInput | EncodedTerm): void {
    if (this.#closed) return;
    const out = this.#out;
    const start = out.length;
    try {
      out.writeUint32(0);
      out.writeUint8(PASS_THROUGH);
      out.writeUint8(VERSION_MAGIC);
      out.writeTerm(control);
      if (payload instanceof EncodedTerm) {
        for (const chunk of payload.chunks) out.writeBytes(chunk);
      } else if (payload !== undefined) {
        out.writeUint8(VERSION_MAGIC);
        out.writeTerm(payload);
      }
    } catch (error) {
      out.truncate(start);
      throw error;
    }
    out.patchUint32(start, out.length - start - 4);
    this.#framesOut++;
    this.#scheduleFlush();
  }

  /** Ends the connection from our side; what is queued is still sent. `closed` is called at once. */
  disconnect(): void {
    if (this.#closed) return;
    this.#flush();
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

  #frame(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed) return;
    this.#framesIn++;
    if (start === end) return;
    if (bytes[start] !== PASS_THROUGH || bytes[start + 1] !== VERSION_MAGIC) {
      throw new DistProtocolError(
        "DIST_FRAME_TYPE",
        `The peer sent a frame that begins with ${bytes[start]}; only pass-through frames (112, 131) were negotiated.`,
      );
    }
    const decoder = this.#decoder;
    const control = checkControl(decoder.decodeAt(bytes, start + 2, end));
    let payload: Term = false;
    if (hasPayload(control)) {
      if (bytes[decoder.offset] !== VERSION_MAGIC || decoder.offset >= end) {
        throw new DistProtocolError(
          "DIST_CONTROL_MALFORMED",
          `The peer sent ${controlName(control[0])} without the payload that belongs to it.`,
        );
      }
      payload = decoder.decodeAt(bytes, decoder.offset + 1, end);
    }
    if (decoder.offset !== end) {
      throw new DistProtocolError(
        "DIST_CONTROL_MALFORMED",
        `The peer sent ${controlName(control[0])} with ${end - decoder.offset} bytes too many behind it.`,
      );
    }
    this.#handler.control(control, payload);
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
    // A fault of ours ends this connection, not the program that hosts the node.
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
    this.#closed = true;
    this.#tickTimer?.cancel();
    this.#drain?.resolve();
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

  #flush(): void {
    if (this.#closed || this.#out.length === 0) return;
    this.#bytesOut += this.#out.length;
    // Only a transport that is over its own mark says later when it has room again.
    if (this.#transport.writeMany(this.#out.take())) this.#drained();
  }

  #drained(): void {
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
      this.#framesOut++;
      this.#bytesOut += TICK.length;
      this.#transport.write(TICK);
    }
    this.#scheduleTick();
  }
}
