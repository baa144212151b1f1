/**
 * Large messages on their way out, in fragments: several side by side, each a fragment at a time,
 * so that what is small need not wait for what is large.
 *
 * Spec: erl_ext_dist, "Distribution Header for fragmented messages". The runtime suspends a sender
 * until its large message has gone; senders here go on, so a later message waits by itself, if it
 * might be between the same two processes. A name or an alias may be any process; two pids are
 * one process only if they are equal. The page forbids a sender anything else while its fragments
 * are on their way; the runtime as receiver does not mind, as it knows a sequence by its id alone.
 *
 * What waits was encoded without atom cache references: it is written later than the messages
 * that are made after it.
 */
import { type Pid, VERSION_MAGIC } from "../../etf/index.ts";
import {
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  DIST_HEADER,
  FRAGMENT_HEAD_BYTES,
  putUint32,
  writeFragmentHead,
} from "./header.ts";

/** Payload of a fragment, as in the runtime: 64 KiB. */
export const FRAGMENT_BYTES: number = 64 * 1024;
/** A last fragment smaller than this is not worth its frame: the one before it takes it along. */
const TAIL_BYTES = 4096;
/** Messages sent side by side; further large ones wait for their turn. */
const MAX_ACTIVE = 16;
/** Receivers told apart among what waits for one sender's message; beyond, none are. */
const MAX_RECEIVERS = 64;

/** One end of a signal: a process, or undefined for a name, an alias or an unknown one. */
export type SignalEnd = Pid | undefined;

/** An encoded message: control message and payload, without version bytes. */
export interface OutgoingMessage {
  readonly from: SignalEnd;
  readonly to: SignalEnd;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** Bytes of the control message, which must be in the first fragment. */
  readonly controlBytes: number;
  /** Called when its last bytes are in what is to be written. */
  readonly taken?: (() => void) | undefined;
}

/** The header's references as bytes; a header without any is one zero byte. */
export const NO_REFS: Uint8Array = new Uint8Array(1);

/** Messages that must not overtake one another. */
interface Lane {
  /** Undefined where the messages are of several senders, or unknown ones. */
  from: SignalEnd;
  /** Undefined where they are for too many receivers, or unknown ones. */
  to: Pid[] | undefined;
  waiting: OutgoingMessage[];
  /** Messages of this lane that are being sent. */
  active: number;
  /** In the list of those that wait until fewer messages are being sent. */
  delayed: boolean;
}

interface Sequence {
  lane: Lane;
  readonly sequenceId: number;
  readonly taken: (() => void) | undefined;
  readonly body: readonly Uint8Array[];
  /** The next byte to send: chunk of the body, and place in it. */
  chunk: number;
  at: number;
  /** Bytes and fragments still to send. */
  left: number;
  fragments: number;
}

export class FragmentQueue {
  readonly #fragmentBytes: number;
  #lanes: Lane[] = [];
  readonly #delayed: Lane[] = [];
  readonly #active: Sequence[] = [];
  #turn = 0;
  #nextSequenceId = 1;
  #bytes = 0;
  #frames = 0;

  constructor(fragmentBytes: number = FRAGMENT_BYTES) {
    this.#fragmentBytes = fragmentBytes;
  }

  /** Nothing is being sent in fragments, and nothing waits. */
  get idle(): boolean {
    return this.#lanes.length === 0;
  }

  /** Bytes of messages still to be written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames written so far. */
  get frames(): number {
    return this.#frames;
  }

  /** A large message would have to wait, whoever sent it. */
  get full(): boolean {
    return this.#active.length >= MAX_ACTIVE;
  }

  /** Whether a message from there to there might overtake one that is still to be written. */
  mustWait(from: SignalEnd, to: SignalEnd): boolean {
    return this.#lanes.some((lane) => concerns(lane, from, to));
  }

  /** Queues a message, encoded without references, behind those it must not overtake. */
  wait(message: OutgoingMessage): void {
    const { from, to } = message;
    const concerned = this.#lanes.filter((lane) => concerns(lane, from, to));
    const lane = concerned.length === 0 ? this.#newLane(from, to) : this.#merge(concerned);
    if (lane.from !== undefined && (from === undefined || !lane.from.equals(from))) {
      lane.from = undefined;
    }
    addReceiver(lane, to);
    lane.waiting.push(message);
    this.#bytes += message.bodyBytes;
    if (lane.active === 0 && !lane.delayed) {
      lane.delayed = true;
      this.#delayed.push(lane);
    }
  }

  /**
   * Begins a large message that need not wait, and puts its first fragment into `out`. The
   * references are of a header made just now: what is in `out` must be sent before any other.
   */
  begin(message: OutgoingMessage, refs: Uint8Array, out: Uint8Array[]): void {
    this.#bytes += message.bodyBytes;
    this.#begin(this.#newLane(message.from, message.to), message, refs, out);
  }

  /**
   * Puts fragments, a message's in turn with those of the others, into `out` until they are
   * `room` bytes, and what has waited for them; at least one, if there is any room.
   */
  take(room: number, out: Uint8Array[]): void {
    let left = room;
    while (left > 0 && this.#active.length > 0) {
      if (this.#turn >= this.#active.length) this.#turn = 0;
      const sequence = this.#active[this.#turn]!;
      left -= this.#fragment(sequence, out);
      if (sequence.fragments > 0) this.#turn++;
      else {
        this.#active.splice(this.#turn, 1);
        sequence.taken?.();
        this.#ended(sequence.lane, out);
      }
    }
  }

  #newLane(from: SignalEnd, to: SignalEnd): Lane {
    const receivers = to === undefined ? undefined : [to];
    const lane: Lane = { from, to: receivers, waiting: [], active: 0, delayed: false };
    this.#lanes.push(lane);
    return lane;
  }

  /** Lanes that a message concerns together become one. */
  #merge(lanes: readonly Lane[]): Lane {
    const [lane, ...others] = lanes as [Lane, ...Lane[]];
    if (others.length === 0) return lane;
    for (const other of others) {
      if (lane.from !== undefined && !(other.from?.equals(lane.from) ?? false)) {
        lane.from = undefined;
      }
      if (other.to === undefined) lane.to = undefined;
      else for (const to of other.to) addReceiver(lane, to);
      // Nothing of one lane is in the way of another's, so their order does not matter.
      lane.waiting = [...lane.waiting, ...other.waiting];
      lane.active += other.active;
      for (const sequence of this.#active) if (sequence.lane === other) sequence.lane = lane;
    }
    const delayed = this.#delayed.filter((each) => lanes.includes(each));
    for (const each of delayed) this.#delayed.splice(this.#delayed.indexOf(each), 1);
    lane.delayed = lane.active === 0;
    if (lane.delayed) this.#delayed.push(lane);
    this.#lanes = this.#lanes.filter((each) => !others.includes(each));
    return lane;
  }

  /** A message of the lane has gone: those behind it follow, up to the next large one. */
  #ended(lane: Lane, out: Uint8Array[]): void {
    lane.active--;
    if (lane.active === 0) this.#release(lane, out);
    while (this.#delayed.length > 0 && !this.full) {
      const next = this.#delayed.shift()!;
      next.delayed = false;
      this.#release(next, out);
    }
  }

  #release(lane: Lane, out: Uint8Array[]): void {
    let released = 0;
    for (const message of lane.waiting) {
      if (isLarge(message.bodyBytes, message.controlBytes, this.#fragmentBytes)) {
        if (this.full) {
          lane.delayed = true;
          this.#delayed.push(lane);
        } else {
          released++;
          lane.waiting.splice(0, released);
          this.#begin(lane, message, NO_REFS, out);
          return;
        }
        break;
      }
      released++;
      this.#bytes -= message.bodyBytes;
      this.#frames++;
      frame(message, NO_REFS, out);
      message.taken?.();
    }
    lane.waiting.splice(0, released);
    if (lane.waiting.length === 0) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
  }

  #begin(lane: Lane, message: OutgoingMessage, refs: Uint8Array, out: Uint8Array[]): void {
    const { body, bodyBytes, controlBytes, taken } = message;
    const first = Math.max(this.#fragmentBytes, controlBytes);
    const further = bodyBytes - first - tailBytes(this.#fragmentBytes);
    const fragments = 1 + Math.max(1, Math.ceil(further / this.#fragmentBytes));
    const sequenceId = this.#nextSequenceId++;
    const sequence = { lane, sequenceId, taken, body, chunk: 0, at: 0, left: bodyBytes, fragments };
    const head = new Uint8Array(4 + FRAGMENT_HEAD_BYTES + refs.length);
    putUint32(head, 0, FRAGMENT_HEAD_BYTES + refs.length + first);
    writeFragmentHead(head, 4, DIST_FRAG_HEADER, sequenceId, fragments);
    head.set(refs, 4 + FRAGMENT_HEAD_BYTES);
    out.push(head);
    this.#cut(sequence, first, out);
    lane.active++;
    this.#active.push(sequence);
  }

  /** The next fragment of a message; returns its bytes. */
  #fragment(sequence: Sequence, out: Uint8Array[]): number {
    const size = sequence.fragments === 1 ? sequence.left : this.#fragmentBytes;
    const head = new Uint8Array(4 + FRAGMENT_HEAD_BYTES);
    putUint32(head, 0, FRAGMENT_HEAD_BYTES + size);
    writeFragmentHead(head, 4, DIST_FRAG_CONT, sequence.sequenceId, sequence.fragments);
    out.push(head);
    this.#cut(sequence, size, out);
    return head.length + size;
  }

  /** Puts the next bytes of the body into `out`. */
  #cut(sequence: Sequence, size: number, out: Uint8Array[]): void {
    let wanted = size;
    while (wanted > 0) {
      const chunk = sequence.body[sequence.chunk]!;
      const part = Math.min(wanted, chunk.length - sequence.at);
      out.push(chunk.subarray(sequence.at, sequence.at + part));
      wanted -= part;
      sequence.at += part;
      if (sequence.at === chunk.length) {
        sequence.chunk++;
        sequence.at = 0;
      }
    }
    sequence.left -= size;
    sequence.fragments--;
    this.#bytes -= size;
    this.#frames++;
  }
}

/** Whether a message is sent in fragments: the control message itself cannot be cut. */
export function isLarge(bodyBytes: number, controlBytes: number, fragmentBytes: number): boolean {
  return bodyBytes - Math.max(fragmentBytes, controlBytes) > tailBytes(fragmentBytes);
}

function tailBytes(fragmentBytes: number): number {
  return Math.min(TAIL_BYTES, fragmentBytes >> 1);
}

/** Puts a message in one frame into `out`. */
export function frame(message: OutgoingMessage, refs: Uint8Array, out: Uint8Array[]): void {
  const head = new Uint8Array(6 + refs.length);
  putUint32(head, 0, 2 + refs.length + message.bodyBytes);
  head[4] = VERSION_MAGIC;
  head[5] = DIST_HEADER;
  head.set(refs, 6);
  out.push(head, ...message.body);
}

function concerns(lane: Lane, from: SignalEnd, to: SignalEnd): boolean {
  if (lane.from !== undefined && from !== undefined && !lane.from.equals(from)) return false;
  if (lane.to === undefined || to === undefined) return true;
  return lane.to.some((receiver) => receiver.equals(to));
}

function addReceiver(lane: Lane, to: SignalEnd): void {
  if (lane.to === undefined) return;
  if (to === undefined) lane.to = undefined;
  else if (!lane.to.some((receiver) => receiver.equals(to))) {
    if (lane.to.length >= MAX_RECEIVERS) lane.to = undefined;
    else lane.to.push(to);
  }
}
