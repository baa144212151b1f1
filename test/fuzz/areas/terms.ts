/**
 * What must hold for the bytes of any term, its text, and compressed streams.
 *
 * The first byte says whether the rest is bytes as they are, or choices for a sound term, and so that
 * most inputs are fast, whether a term goes through everything or only back and forth.
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
  fromJson,
  hashTerm,
  OpaqueTerm,
  parse,
  phash2,
  type Term,
  TermDecoder,
  TermSyntaxError,
  toJson,
  toPlain,
  toTerm,
} from "../../../etf/index.ts";
import { inflateWeb } from "../../../etf/inflate.web.ts";
import type { Area } from "../area.ts";
import { type Choices, claim } from "../choices.ts";
import { makeModel } from "../make.ts";
import { modelOf } from "../model.ts";
import { canonical, write } from "../write.ts";

const MAX_INFLATED = 1 << 20;
const limits = { maxInflatedBytes: MAX_INFLATED };
const decoder = new TermDecoder(limits);
/** Decoded after every error, to see that the decoder still can. */
const PROBE = encode([1, ["probe"], { a: 1.5 }]);
const probe = decode(PROBE);
const VERSION = Uint8Array.of(131);
/** What a compressed term of a few bytes may become. */
const INFLATED = { ms: 250, mebibytes: 160 };

/** Text that says less than the term: of funs, records, pids, ports and references. */
const LOSSY = /#[^{]|\.\d+\.\d+>/;
/** A peer may send a fun of any arity; one that is written has up to 255 arguments. */
const ANY_ARITY = /\bfun .*\/\d{3,}/s;
/** In names of funs bytes stand for characters, as the runtime prints them. */
const BYTES_AS_TEXT = /\bfun .*[^\0-\x7f]/s;

export const terms: Area = {
  name: "terms",
  share: 90,
  allowance: INFLATED,
  run(choices) {
    const mode = choices.byte();
    const everything = (mode & 0x38) === 0;
    if ((mode & 7) === 7) checkSound(choices, everything);
    else checkBytes(choices.rest(), everything);
  },
};

export const text: Area = {
  name: "text",
  share: 40,
  run(choices) {
    const everything = (choices.byte() & 0x38) === 0;
    const text = Buffer.from(choices.rest()).toString();
    let term: Term;
    try {
      term = parse(text, { maxBinaryBytes: 1 << 14 });
    } catch (error) {
      claim(error instanceof TermSyntaxError, `${error} is documented`);
      claim(error.line >= 1 && error.column >= 1 && error.excerpt.includes("^"), "a place");
      return;
    }
    checkTerm(term, everything);
  },
};

/** The inflating of browsers against the platform's. */
export const inflate: Area = {
  name: "inflate",
  share: 20,
  allowance: INFLATED,
  run(choices) {
    choices.byte();
    const bytes = choices.rest();
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
  },
};

/** A term as OTP could send it is read, and as what it is. */
function checkSound(choices: Choices, everything: boolean): void {
  const model = makeModel(choices);
  const bytes = write(model, choices);
  const term = decoder.decodeAt(bytes, 0, bytes.length);
  claim(decoder.offset === bytes.length, "all bytes are read");
  claim(canonical(modelOf(term)!) === canonical(model), "the term is what was written");
  checkTerm(term, everything);
}

function checkBytes(bytes: Uint8Array, everything: boolean): void {
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
  claim(exactEquals(fromJson(toJson(term)), term), "JSON is read back");
  if (LOSSY.test(text) || BYTES_AS_TEXT.test(text) || ANY_ARITY.test(text)) return;
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
