/**
 * The connected part of one direction of a captured stream: ticks, messages, fragments.
 *
 * Unlike a connection this goes on after an error, with the next frame, and shows control messages
 * that it does not know.
 */
import {
  EtfDecodeError,
  format,
  type Term,
  TermDecoder,
  Tuple,
  VERSION_MAGIC,
} from "../../etf/index.ts";
import { ReceivingAtomCache } from "../distribution/atom-cache.ts";
import { CONTROL, type ControlMessage } from "../distribution/control.ts";
import { DistProtocolError } from "../distribution/errors.ts";
import { FragmentAssembler, type OpenSequence } from "../distribution/fragment-assembler.ts";
import {
  type CachedAtom,
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  DIST_HEADER,
  FRAGMENT_HEAD_BYTES,
  PASS_THROUGH,
  readAtomCacheRefs,
  readFragmentId,
  readSequenceId,
} from "../distribution/header.ts";
import {
  cut,
  type Explained,
  type ExplainedKind,
  type ExplainOptions,
  type Side,
  termText,
} from "./explained.ts";

const LENGTH_BYTES = 4;
const MAX_FRAME_BYTES = 512 * 1024 * 1024;
/** New atoms named, at most. */
const MAX_ATOMS = 8;
const MAX_ATOM_CHARACTERS = 40;

interface Row {
  readonly name: string;
  readonly fields: readonly string[];
  readonly payload: boolean;
}
const ROWS = new Map<number, Row>(
  Object.entries(CONTROL).map(([name, { op, fields, payload }]) => [op, { name, fields, payload }]),
);
/** Fields that may hold what a program has sent. */
const PRIVATE_FIELDS = ["reason", "result"];

/** The frames of `bytes` from `at` on. */
export function* explainFrames(
  bytes: Uint8Array,
  at: number,
  side: Side,
  options: ExplainOptions,
): Generator<Explained, void, undefined> {
  const limit = options.maxFrameBytes ?? MAX_FRAME_BYTES;
  const frames = new FrameExplainer(bytes, options);
  let offset = at;
  while (offset < bytes.length) {
    const left = bytes.length - offset;
    if (left < LENGTH_BYTES) {
      yield {
        side,
        offset,
        bytes: left,
        kind: "incomplete",
        text: `${left} bytes of a frame's length`,
      };
      break;
    }
    const length = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(0);
    const size = LENGTH_BYTES + length;
    if (length > limit) {
      const text = `a frame of ${length} bytes, more than ${limit}: this is not a frame, or the limit is too small`;
      yield { side, offset, bytes: left, kind: "error", text };
      return;
    }
    if (left < size) {
      const text = `${left - LENGTH_BYTES} of ${length} bytes of a frame`;
      yield { side, offset, bytes: left, kind: "incomplete", text };
      break;
    }
    if (length === 0) yield { side, offset, bytes: size, kind: "tick", text: "tick" };
    else {
      const { kind, text, errorAt } = frames.explain(offset + LENGTH_BYTES, offset + size);
      yield { side, offset: errorAt ?? offset, bytes: size, kind, text };
    }
    offset += size;
  }
  for (const text of frames.unfinished()) {
    yield { side, offset: bytes.length, bytes: 0, kind: "incomplete", text };
  }
}

interface FrameText {
  kind: ExplainedKind;
  text: string;
  errorAt?: number;
}

class FrameExplainer {
  readonly #bytes: Uint8Array;
  readonly #options: ExplainOptions;
  readonly #decoder = new TermDecoder();
  readonly #assembler = new FragmentAssembler({
    maxOpenSequences: Number.POSITIVE_INFINITY,
    maxFragmentedBytes: Number.POSITIVE_INFINITY,
  });
  readonly #open = new Map<OpenSequence["sequenceId"], string>();
  readonly #refs: (CachedAtom | undefined)[] = [];
  readonly #cache = new ReceivingAtomCache();
  /** What the header being read enters into the cache. */
  #newAtoms: CachedAtom[] = [];

  constructor(bytes: Uint8Array, options: ExplainOptions) {
    this.#bytes = bytes;
    this.#options = options;
  }

  /** The frame `bytes[start..end)`. */
  explain(start: number, end: number): FrameText {
    try {
      return this.#frame(start, end);
    } catch (error) {
      if (error instanceof EtfDecodeError) {
        return { kind: "error", text: `${error.message} [${error.code}]`, errorAt: error.offset };
      }
      if (!(error instanceof DistProtocolError)) throw error;
      return { kind: "error", text: `${error.message} [${error.code}]` };
    }
  }

  /** The messages of which fragments are missing. */
  *unfinished(): Generator<string, void, undefined> {
    for (const [sequenceId, control] of this.#open) {
      yield `sequence ${sequenceId}, ${control}: further fragments`;
    }
  }

  #frame(start: number, end: number): FrameText {
    const bytes = this.#bytes;
    if (bytes[start] === PASS_THROUGH && bytes[start + 1] === VERSION_MAGIC) {
      return this.#message(bytes, start + 2, end, null);
    }
    const tag = bytes[start] === VERSION_MAGIC ? bytes[start + 1] : undefined;
    const fragment = tag === DIST_FRAG_HEADER || tag === DIST_FRAG_CONT;
    if (fragment && end - start < FRAGMENT_HEAD_BYTES) {
      return { kind: "error", text: "a fragment that ends within its sequence and fragment id" };
    }
    if (tag === DIST_HEADER) {
      const at = this.#header(start + 2, end);
      const { kind, text } = this.#message(bytes, at, end, this.#refs);
      return { kind, text: `${text}${this.#atomsText()}` };
    }
    if (tag === DIST_FRAG_HEADER) return this.#firstFragment(start, end);
    if (tag === DIST_FRAG_CONT) return this.#furtherFragment(start, end);
    const first = Array.from(bytes.subarray(start, Math.min(end, start + 2))).join(", ");
    return { kind: "error", text: `a frame that begins with ${first} [DIST_FRAME_TYPE]` };
  }

  #header(at: number, end: number): number {
    this.#newAtoms = [];
    const cache = {
      get: (cacheIndex: number) => this.#cache.get(cacheIndex),
      set: (cacheIndex: number, atom: CachedAtom) => {
        this.#newAtoms.push(atom);
        this.#cache.set(cacheIndex, atom);
      },
    };
    return readAtomCacheRefs(this.#bytes, at, end, cache, this.#decoder, this.#refs);
  }

  #atomsText(): string {
    const news = this.#newAtoms;
    if (news.length === 0) return "";
    const named = news.slice(0, MAX_ATOMS).map((atom) => cut(format(atom), MAX_ATOM_CHARACTERS));
    const more = news.length > MAX_ATOMS ? ` and ${news.length - MAX_ATOMS} more` : "";
    return ` [new atoms: ${named.join(", ")}${more}]`;
  }

  #firstFragment(start: number, end: number): FrameText {
    const sequenceId = readSequenceId(this.#bytes, start + 2);
    const fragmentId = readFragmentId(this.#bytes, start);
    const at = this.#header(start + FRAGMENT_HEAD_BYTES, end);
    const head = `fragment ${fragmentId} of sequence ${sequenceId}`;
    if (fragmentId === 1) {
      const { kind, text } = this.#message(this.#bytes, at, end, this.#refs);
      return { kind, text: `${head}, the only one: ${text}${this.#atomsText()}` };
    }
    const control = this.#decoder.decodeAt(this.#bytes, at, end, this.#refs as CachedAtom[]);
    const text = this.#controlText(control);
    const payloadAt = this.#decoder.offset;
    this.#assembler.begin(
      sequenceId,
      fragmentId,
      control as unknown as ControlMessage,
      this.#refs.slice(),
      this.#bytes,
      payloadAt,
      end,
      end - start,
    );
    this.#open.set(sequenceId, text);
    const size = end - payloadAt;
    return {
      kind: "fragment",
      text: `${head}: ${text}, ${size} bytes of payload${this.#atomsText()}`,
    };
  }

  #furtherFragment(start: number, end: number): FrameText {
    const bytes = this.#bytes;
    const at = start + FRAGMENT_HEAD_BYTES;
    const sequenceId = readSequenceId(bytes, start + 2);
    const fragmentId = readFragmentId(bytes, start);
    const sequence = this.#assembler.further(sequenceId, fragmentId, end - at);
    this.#assembler.put(sequence, bytes, at, end);
    const head = `fragment ${fragmentId} of sequence ${sequenceId}`;
    if (!this.#assembler.ended(sequence)) {
      return { kind: "fragment", text: `${head}: ${end - at} bytes of payload` };
    }
    const control = this.#open.get(sequenceId)!;
    this.#open.delete(sequenceId);
    try {
      const payload = this.#payload(sequence.buffer, 0, sequence.bytes, sequence.refs);
      return { kind: payload.kind, text: `${head}, the last: ${control}, ${payload.text}` };
    } catch (error) {
      if (!(error instanceof EtfDecodeError)) throw error;
      const where = `byte ${error.offset} of its payload`;
      const text = `${head}, the last: ${control}, at ${where} ${error.message} [${error.code}]`;
      return { kind: "error", text };
    }
  }

  #message(
    bytes: Uint8Array,
    start: number,
    end: number,
    refs: readonly (CachedAtom | undefined)[] | null,
  ): FrameText {
    const control = this.#decoder.decodeAt(bytes, start, end, refs as readonly CachedAtom[]);
    const text = this.#controlText(control);
    let at = this.#decoder.offset;
    const expected = control instanceof Tuple ? ROWS.get(control[0] as number)?.payload : undefined;
    if (at === end) {
      if (expected !== true) return { kind: "message", text };
      return { kind: "error", text: `${text}, without the payload that belongs to it` };
    }
    if (expected === false)
      return { kind: "error", text: `${text}, and ${end - at} bytes too many` };
    if (refs === null && bytes[at] === VERSION_MAGIC) at++;
    const payload = this.#payload(bytes, at, end, refs);
    return { kind: payload.kind, text: `${text}, ${payload.text}` };
  }

  #payload(
    bytes: Uint8Array,
    at: number,
    end: number,
    refs: readonly (CachedAtom | undefined)[] | null,
  ): FrameText {
    const payload = this.#decoder.decodeAt(bytes, at, end, refs as readonly CachedAtom[]);
    const size = this.#decoder.offset - at;
    const excess = end - this.#decoder.offset;
    const shown = this.#options.payloads === false ? `${size} bytes` : this.#text(payload, size);
    if (excess === 0) return { kind: "message", text: `payload: ${shown}` };
    return { kind: "error", text: `payload: ${shown}, and ${excess} bytes too many` };
  }

  #controlText(control: Term): string {
    const size = this.#decoder.offset;
    if (!(control instanceof Tuple)) return `no control message: ${this.#text(control, size)}`;
    const [op, ...fields] = control as unknown as [Term, ...Term[]];
    const row = typeof op === "number" ? ROWS.get(op) : undefined;
    const shown = fields.map((field, place) => {
      const name = row?.fields[place];
      const hidden = this.#options.payloads === false && PRIVATE_FIELDS.includes(name ?? "");
      const text = hidden ? "..." : this.#text(field, 0);
      return name === undefined ? text : `${name} ${text}`;
    });
    const name = row?.name ?? `operation ${format(op)}`;
    return [name, ...shown].join(", ");
  }

  #text(term: Term, bytes: number): string {
    return termText(term, bytes, this.#options);
  }
}
