/**
 * Messages to frames: what is to be sent, in the order in which it may be written.
 *
 * Spec: erl_dist_protocol, "Protocol between Connected Nodes". Messages are encoded straight into
 * one growing buffer, in the form that was negotiated; those larger than a fragment go to the
 * fragment queue, and so does what must not overtake them. `take` hands over what is to be written
 * next: everything small, and of the fragments as much as there is room for.
 *
 * A message that cannot be encoded leaves nothing.
 */
import { isPid, type TermInput, TermWriter, Tuple, VERSION_MAGIC } from "../../etf/index.ts";
import { SendingAtomCache } from "./atom-cache.ts";
import { CONTROL } from "./control.ts";
import { EncodedTerm } from "./encoded-term.ts";
import { DFLAG } from "./flags.ts";
import {
  FRAGMENT_BYTES,
  FragmentQueue,
  frame,
  isLarge,
  NO_REFS,
  type OutgoingMessage,
  type SignalEnd,
} from "./fragment-queue.ts";
import type { FrameWriter, RefsWriter } from "./frame-writer.ts";
import { PASS_THROUGH } from "./header.ts";
import { BY_REFERENCE_BYTES, type SharedState, sharedState } from "./shared-state.ts";

export interface OutboxOptions {
  negotiatedFlags: bigint;
  /** Bytes of a message, and of each fragment of a larger one. Default 64 KiB, as the runtime's. */
  fragmentBytes?: number;
  /**
   * Calls back when the operating system has all that was taken so far, called when the last of a
   * message has been taken. Default: never, so that no copy is used again.
   */
  written?: (callback: () => void) => void;
  /** What outboxes share. Default: `sharedState`. */
  shared?: SharedState;
}

/** References of a header that has none. */
const NONE: RefsWriter = {
  bytes: () => 1,
  write: (bytes, at) => {
    bytes[at] = 0;
    return at + 1;
  },
};

export class Outbox {
  readonly #shared: SharedState;
  readonly #headers: boolean;
  readonly #atoms: SendingAtomCache | undefined;
  readonly #fragments: FragmentQueue | undefined;
  readonly #fragmentBytes: number;
  readonly #v4Ports: boolean;
  /** Holds what was added since all was taken. */
  #writer: FrameWriter | undefined;
  /** For what is not to be written yet; made when needed. */
  #aside: TermWriter | undefined;
  /** Frames to be written before those in `#out`. */
  #ready: Uint8Array[] = [];
  #readyBytes = 0;
  #frames = 0;
  /** To be called when all that is ready is taken. */
  #taken: (() => void)[] = [];
  /** Holds copies of the message being added. */
  #copies: Uint8Array[] = [];
  readonly #copy = (bytes: Uint8Array): Uint8Array => {
    const { copy, buffer } = this.#shared.copies.copy(bytes);
    this.#copies.push(buffer);
    return copy;
  };
  readonly #written: (callback: () => void) => void;

  constructor(options: OutboxOptions) {
    const has = (flag: bigint): boolean => (options.negotiatedFlags & flag) !== 0n;
    this.#shared = options.shared ?? sharedState;
    this.#written = options.written ?? (() => {});
    this.#headers = has(DFLAG.DIST_HDR_ATOM_CACHE | DFLAG.FRAGMENTS);
    this.#atoms = has(DFLAG.DIST_HDR_ATOM_CACHE)
      ? new SendingAtomCache(this.#shared.atoms)
      : undefined;
    // What OTP 23 can read; a port beyond it is one that OTP 23 cannot hold.
    this.#v4Ports = has(DFLAG.V4_NC);
    this.#fragmentBytes = options.fragmentBytes ?? FRAGMENT_BYTES;
    this.#fragments = has(DFLAG.FRAGMENTS) ? new FragmentQueue(this.#fragmentBytes) : undefined;
  }

  /** Bytes of messages not yet taken. */
  get bytes(): number {
    return this.writtenBytes + (this.#fragments?.bytes ?? 0);
  }

  /** Bytes of those that `take` hands over whatever the room: all but the fragments that wait. */
  get writtenBytes(): number {
    return (this.#writer?.length ?? 0) + this.#readyBytes;
  }

  get #out(): FrameWriter {
    if (this.#writer === undefined) {
      this.#writer = this.#shared.takeWriter();
      this.#writer.v4Ports = this.#v4Ports;
    }
    return this.#writer;
  }

  /** Frames made so far, each fragment one. */
  get frames(): number {
    return this.#frames + (this.#fragments?.frames ?? 0);
  }

  /** Fragments are left to be taken when there is room. */
  get pending(): boolean {
    return this.#fragments !== undefined && !this.#fragments.idle;
  }

  /**
   * Adds a message: a control message, and its payload if the operation has one. With `free`, the
   * payload's large binaries are not copied: they must not change before that is called, when the
   * operating system has them.
   * @throws EtfEncodeError when one of them is not a term; nothing is added then
   */
  add(control: TermInput, payload?: TermInput | EncodedTerm, free?: () => void): void {
    try {
      this.#add(control, payload, free);
    } catch (error) {
      this.#shared.copies.giveBack(this.#copies);
      this.#copies = [];
      throw error;
    }
  }

  #add(
    control: TermInput,
    payload: TermInput | EncodedTerm | undefined,
    free: (() => void) | undefined,
  ): void {
    if (!this.#headers) this.#passThrough(control, payload, free);
    else if (this.#fragments?.idle === false && this.#fragments.mustWait(...endsOf(control))) {
      this.#fragments.wait(this.#setAside(control, payload, free));
    } else this.#write(control, payload, free);
  }

  /** What is to be called when the message that was just encoded has been taken, if anything. */
  #whenTaken(free: (() => void) | undefined): (() => void) | undefined {
    const copies = this.#copies;
    if (copies.length > 0) {
      this.#copies = [];
      return () => this.#written(() => this.#shared.copies.giveBack(copies));
    }
    return free === undefined ? undefined : () => this.#written(free);
  }

  /** The message just encoded is among what `take` hands over next. */
  #readyToTake(free: (() => void) | undefined): void {
    const taken = this.#whenTaken(free);
    if (taken !== undefined) this.#taken.push(taken);
  }

  /** What is to be written next; of fragments `room` bytes, or one more. All of them by default. */
  take(room: number = Number.POSITIVE_INFINITY): Uint8Array[] {
    const rest = this.#takeWritten();
    let out = rest;
    if (this.#ready.length > 0) {
      out = this.#ready;
      for (const chunk of rest) out.push(chunk);
      this.#ready = [];
      this.#readyBytes = 0;
    }
    if (this.#taken.length > 0) {
      const taken = this.#taken;
      this.#taken = [];
      for (const each of taken) each();
    }
    this.#fragments?.take(room, out);
    return out;
  }

  #takeWritten(): Uint8Array[] {
    const writer = this.#writer;
    if (writer === undefined) return [];
    this.#writer = undefined;
    const written = writer.take();
    this.#shared.giveWriterBack(writer);
    return written;
  }

  #passThrough(
    control: TermInput,
    payload: TermInput | EncodedTerm | undefined,
    free: (() => void) | undefined,
  ): void {
    const out = this.#out;
    out.copyChunk = free === undefined ? this.#copy : null;
    const start = out.length;
    try {
      out.writeUint32(0);
      out.writeUint8(PASS_THROUGH);
      out.writeUint8(VERSION_MAGIC);
      out.writeTerm(control);
      if (payload !== undefined) {
        out.writeUint8(VERSION_MAGIC);
        this.#writePayload(payload);
      }
    } catch (error) {
      out.truncate(start);
      throw error;
    }
    out.patchUint32(start, out.length - start - 4);
    this.#frames++;
    this.#readyToTake(free);
  }

  #write(
    control: TermInput,
    payload: TermInput | EncodedTerm | undefined,
    free: (() => void) | undefined,
  ): void {
    const out = this.#out;
    const atoms = this.#atoms?.begin() ? this.#atoms : undefined;
    out.copyChunk = free === undefined ? this.#copy : null;
    out.beginFrame();
    out.atomRefs = atoms ?? null;
    try {
      const controlBytes = this.#writeTerms(control, payload);
      const bodyBytes = out.bodyBytes;
      const fragments = this.#fragments;
      if (fragments !== undefined && isLarge(bodyBytes, controlBytes, this.#fragmentBytes)) {
        this.#large(fragments, control, payload, controlBytes, atoms, free);
        return;
      }
      if (out.inOnePiece) {
        out.finishFrame(atoms ?? NONE);
        this.#frames++;
      } else this.#scattered(bodyBytes, controlBytes, atoms);
      this.#readyToTake(free);
    } finally {
      out.atomRefs = null;
      atoms?.end();
    }
  }

  /** Writes the open frame's terms; returns the bytes of the first. */
  #writeTerms(control: TermInput, payload: TermInput | EncodedTerm | undefined): number {
    const out = this.#out;
    try {
      out.writeTerm(control);
      const controlBytes = out.bodyBytes;
      if (payload !== undefined) this.#writePayload(payload);
      return controlBytes;
    } catch (error) {
      out.abandonFrame();
      throw error;
    }
  }

  #writePayload(payload: TermInput | EncodedTerm): void {
    const out = this.#out;
    if (payload instanceof EncodedTerm) {
      payload.chunks.forEach((chunk, index) => {
        // The version byte in front is the frame's matter.
        out.writeChunk(index === 0 ? chunk.subarray(1) : chunk, BY_REFERENCE_BYTES);
      });
    } else out.writeTerm(payload);
  }

  /** The open frame becomes the first fragment, and further ones that are taken as there is room. */
  #large(
    fragments: FragmentQueue,
    control: TermInput,
    payload: TermInput | EncodedTerm | undefined,
    controlBytes: number,
    atoms: SendingAtomCache | undefined,
    free: (() => void) | undefined,
  ): void {
    if (fragments.full) {
      // Its header would be made now and written later, behind others: without references, then.
      this.#out.abandonFrame();
      this.#shared.copies.giveBack(this.#copies.splice(0));
      fragments.wait(this.#setAside(control, payload, free));
      return;
    }
    const bodyBytes = this.#out.bodyBytes;
    const [from, to] = endsOf(control);
    const body = this.#cut();
    const out: Uint8Array[] = [];
    const message = { from, to, body, bodyBytes, controlBytes, taken: this.#whenTaken(free) };
    fragments.begin(message, refsBytes(atoms), out);
    this.#putReady(out);
  }

  /** The open frame holds bytes that were not copied: its header is made apart. */
  #scattered(bodyBytes: number, controlBytes: number, atoms: SendingAtomCache | undefined): void {
    const body = this.#cut();
    const out: Uint8Array[] = [];
    const message = { from: undefined, to: undefined, body, bodyBytes, controlBytes };
    frame(message, refsBytes(atoms), out);
    this.#putReady(out);
    this.#frames++;
  }

  /** Moves all complete frames to what is ready, and returns the open one's terms. */
  #cut(): Uint8Array[] {
    const { before, body } = this.#out.takeFrame();
    this.#putReady(before);
    return body;
  }

  #putReady(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#ready.push(chunk);
      this.#readyBytes += chunk.length;
    }
  }

  /** Encodes a message that is written after others that are made later. */
  #setAside(
    control: TermInput,
    payload: TermInput | EncodedTerm | undefined,
    free: (() => void) | undefined,
  ): OutgoingMessage {
    this.#aside ??= new TermWriter({ byReferenceBytes: BY_REFERENCE_BYTES });
    const aside = this.#aside;
    aside.v4Ports = this.#v4Ports;
    aside.copyChunk = free === undefined ? this.#copy : null;
    const [from, to] = endsOf(control);
    try {
      aside.writeTerm(control);
      const controlBytes = aside.length;
      if (payload !== undefined && !(payload instanceof EncodedTerm)) aside.writeTerm(payload);
      const body = aside.take();
      if (payload instanceof EncodedTerm) {
        const [first, ...others] = payload.chunks as [Uint8Array, ...Uint8Array[]];
        body.push(first.subarray(1), ...others);
      }
      const bodyBytes = body.reduce((sum, chunk) => sum + chunk.length, 0);
      return { from, to, body, bodyBytes, controlBytes, taken: this.#whenTaken(free) };
    } catch (error) {
      aside.truncate(0);
      throw error;
    }
  }
}

function refsBytes(atoms: SendingAtomCache | undefined): Uint8Array {
  if (atoms === undefined) return NO_REFS;
  const bytes = new Uint8Array(atoms.bytes());
  atoms.write(bytes, 0);
  return bytes;
}

/** Where in a control message of that operation sender and receiver are; 0 for nowhere. */
const FROM_AT: number[] = [];
const TO_AT: number[] = [];
for (const { op, fields } of Object.values(CONTROL)) {
  const place = (...names: readonly string[]): number =>
    fields.findIndex((field) => names.includes(field)) + 1;
  // The pid that GROUP_LEADER calls FromPid is the leader; its sender is not told.
  FROM_AT[op] = op === CONTROL.GROUP_LEADER.op ? 0 : place("fromPid", "fromProc");
  TO_AT[op] = place("toPid", "toProc", "to");
}

function endsOf(control: TermInput): [from: SignalEnd, to: SignalEnd] {
  if (!(control instanceof Tuple)) return [undefined, undefined];
  const op = control[0] as number;
  const from = control[FROM_AT[op] ?? 0];
  const to = control[TO_AT[op] ?? 0];
  return [isPid(from) ? from : undefined, isPid(to) ? to : undefined];
}
