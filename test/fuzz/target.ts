/**
 * What must hold for any bytes, as one function for a fuzzing engine.
 *
 * The first byte chooses what the rest is (the bytes of a term, a compressed stream, or text) and, so
 * that most inputs are fast, whether a term goes through everything or only back and forth.
 * Anything but a documented error, or a term that comes back as it was, is thrown as a plain
 * Error, which the engine reports with its input.
 */
import { isDeepStrictEqual } from "node:util";
import { inflateSync } from "node:zlib";
import {
  compare,
  decode,
  EtfDecodeError,
  encode,
  equals,
  exactEquals,
  format,
  hashTerm,
  OpaqueTerm,
  parse,
  phash2,
  type Term,
  TermDecoder,
  TermSyntaxError,
  toPlain,
  toTerm,
} from "../../etf/index.ts";
import { inflateWeb } from "../../etf/inflate.web.ts";

const MAX_INFLATED = 1 << 20;
const limits = { maxInflatedBytes: MAX_INFLATED };
const decoder = new TermDecoder(limits);
/** Decoded after every error, to see that the decoder still can. */
const PROBE = encode([1, ["probe"], { a: 1.5 }]);
const probe = decode(PROBE);
const VERSION = Uint8Array.of(131);

function claim(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/** Text that says less than the term: of funs, records, pids, ports and references. */
const LOSSY = /#[^{]|\.\d+\.\d+>/;

export function fuzz(data: Uint8Array): void {
  const rest = data.subarray(1);
  const everything = ((data[0] ?? 0) & 0x38) === 0;
  switch ((data[0] ?? 0) & 7) {
    case 6:
      fuzzText(rest, everything);
      break;
    case 7:
      fuzzInflate(rest);
      break;
    default:
      fuzzBytes(rest, everything);
  }
}

function fuzzBytes(bytes: Uint8Array, everything: boolean): void {
  let term: Term;
  try {
    term = decoder.decodeAt(bytes, 0, bytes.length);
  } catch (error) {
    claim(error instanceof EtfDecodeError, `${error} is documented`);
    claim(/^ETF_[A-Z_]+$/.test(error.code), "a code");
    // Inside a compressed term the offset is one of the inflated bytes.
    const end = bytes[0] === 80 ? MAX_INFLATED : bytes.length;
    claim(Number.isInteger(error.offset) && error.offset >= 0, "an offset");
    claim(error.offset <= end, `offset ${error.offset} lies in the ${end} bytes`);
    claim(plainRefused(bytes), "the plain form is refused as well");
    claim(exactEquals(decoder.decodeAt(PROBE, 1, PROBE.length), probe), "decodes after an error");
    return;
  }
  claim(decoder.offset > 0 && decoder.offset <= bytes.length, "the end lies in the bytes");
  checkTerm(term, everything);
}

function checkTerm(term: Term, everything: boolean): void {
  const written = encode(term);
  if (term instanceof OpaqueTerm) return;
  const again = decode(written, limits);
  claim(exactEquals(term, again), "=:= after a round trip");
  claim(Buffer.compare(encode(again), written) === 0, "the same bytes again");
  if (!everything) return;
  claim(hashTerm(term) === hashTerm(again), "the same hash");
  claim(compare(term, again) === 0 && equals(term, again), "== after a round trip");
  claim(toTerm(term) === term, "a term is its own term");
  checkOrdered(term, written);
  claim(
    isDeepStrictEqual(decode(written, { ...limits, plain: true }), toPlain(term)),
    "one-pass plain",
  );
  format(term, { syntax: "elixir" });
  const text = format(term, { mode: "~0tp" });
  format(term);
  if (LOSSY.test(text)) return;
  claim(exactEquals(parse(text), term), `${text} is read back`);
}

/** By its own code, as it may look at what is wrong in another order. */
function plainRefused(bytes: Uint8Array): boolean {
  try {
    decode(Buffer.concat([VERSION, bytes]), { ...limits, plain: true });
    return false;
  } catch (error) {
    if (!(error instanceof EtfDecodeError)) throw error;
    return true;
  }
}

/** What depends on the order or the hash of keys. */
function checkOrdered(term: Term, written: Uint8Array): void {
  try {
    claim(phash2(term) === phash2(decode(written, limits)), "the same phash2");
  } catch (error) {
    if ((error as { code?: string }).code !== "ETF_NOT_A_TERM") throw error; // a native record
  }
  const ordered = encode(term, { deterministic: true });
  claim(exactEquals(decode(ordered, limits), term), "deterministic bytes are the same term");
  const twice = encode(decode(ordered, limits), { deterministic: true });
  claim(Buffer.compare(twice, ordered) === 0, "deterministic bytes stay");
}

function fuzzText(bytes: Uint8Array, everything: boolean): void {
  const text = Buffer.from(bytes).toString();
  let term: Term;
  try {
    term = parse(text, { maxBinaryBytes: 1 << 14 });
  } catch (error) {
    claim(error instanceof TermSyntaxError, `${error} is documented`);
    claim(error.line >= 1 && error.column >= 1 && error.excerpt.includes("^"), "a place");
    return;
  }
  checkTerm(term, everything);
}

/** The inflating of browsers against the platform's. */
function fuzzInflate(bytes: Uint8Array): void {
  let expected: Buffer | null;
  try {
    expected = inflateSync(bytes, { maxOutputLength: MAX_INFLATED });
  } catch {
    expected = null;
  }
  const size = expected?.length ?? 1000;
  try {
    const { bytes: inflated } = inflateWeb(bytes, size, 0);
    claim(expected !== null, "what zlib refuses is refused");
    claim(expected.equals(inflated), "inflated as zlib does");
  } catch (error) {
    if (!(error instanceof EtfDecodeError)) throw error;
    claim(expected === null, `what zlib takes is taken (${error.message})`);
  }
}
