/** Distribution headers, several on one atom cache, against a reader of the fuzzing's own. */
import { TermDecoder } from "../../../etf/index.ts";
import { ReceivingAtomCache } from "../../../src/distribution/atom-cache.ts";
import { DistProtocolError } from "../../../src/distribution/errors.ts";
import { type CachedAtom, readAtomCacheRefs } from "../../../src/distribution/header.ts";
import type { Area } from "../area.ts";
import { type Choices, claim, spoilt } from "../choices.ts";

const decoder = new TermDecoder();
const TEXTS = [
  "ok",
  "true",
  "false",
  "é",
  "日本",
  "",
  "x".repeat(255),
  "é".repeat(255),
  "y".repeat(256),
];

export const header: Area = {
  name: "header",
  share: 200,
  run(choices) {
    const cache = new ReceivingAtomCache();
    const known = new Map<number, string>();
    const refs: (CachedAtom | undefined)[] = [];
    for (let count = choices.below(4); count >= 0; count--) {
      const written = headerBytes(choices, known);
      const bytes = choices.oneIn(3) ? spoilt(written, choices) : written;
      const expected = read(bytes, known);
      let end: number;
      try {
        end = readAtomCacheRefs(bytes, 0, bytes.length, cache, decoder, refs);
      } catch (error) {
        claim(error instanceof DistProtocolError, `${error} is documented`);
        claim(error.code === expected, `${error.code} where ${String(expected)} was due`);
        return;
      }
      claim(typeof expected !== "string", `${String(expected)} was due`);
      claim(end === expected.end, "the references end where they do");
      const names = expected.names.map((_, index) => String(nameOf(refs[index])));
      claim(names.join("\0") === expected.names.join("\0"), "the atoms that were announced");
      claim(refs[names.length] === undefined, "and no others");
    }
  },
};

function nameOf(atom: CachedAtom | undefined): string | undefined {
  return typeof atom === "object" ? atom.name : atom?.toString();
}

function headerBytes(choices: Choices, known: ReadonlyMap<number, string>): Buffer {
  const count = choices.oneIn(8) ? choices.byte() : choices.below(6);
  const entries: { index: number; text: Buffer | undefined }[] = [];
  const here = new Set(known.keys());
  for (let i = 0; i < count; i++) {
    const index = choices.below(4) * 256 + choices.below(8);
    const fresh = !here.has(index) || choices.oneIn(3);
    here.add(index);
    entries.push({ index, text: fresh ? Buffer.from(choices.pick(TEXTS)) : undefined });
  }
  const long = choices.oneIn(3) || entries.some(({ text }) => (text?.length ?? 0) > 255);
  const halves = entries.map(({ index, text }) => (index >> 8) | (text === undefined ? 0 : 8));
  halves.push(long ? 1 : 0);
  if (halves.length % 2 === 1) halves.push(0);
  const parts: Uint8Array[] = [Buffer.of(count)];
  for (let i = 0; count > 0 && i < (count >> 1) + 1; i++) {
    parts.push(Buffer.of(halves[2 * i]! | (halves[2 * i + 1]! << 4)));
  }
  for (const { index, text } of entries) {
    parts.push(Buffer.of(index & 255));
    if (text === undefined) continue;
    const length = long ? [text.length >> 8, text.length & 255] : [text.length];
    parts.push(Buffer.from(length), text);
  }
  return Buffer.concat([...parts, choices.bytes(choices.below(4))]);
}

/** What the bytes announce, or the code of what is wrong with them. */
function read(
  given: Uint8Array,
  known: Map<number, string>,
): { names: string[]; end: number } | "DIST_HEADER_MALFORMED" | "DIST_CACHE_MISS" {
  const bytes = [...given];
  const count = bytes[0];
  if (count === undefined) return "DIST_HEADER_MALFORMED";
  if (count === 0) return { names: [], end: 1 };
  const flagBytes = Math.floor(count / 2) + 1;
  if (bytes.length < 1 + flagBytes) return "DIST_HEADER_MALFORMED";
  const halves = bytes.slice(1, 1 + flagBytes).flatMap((byte) => [byte & 15, byte >> 4]);
  const long = (halves[count]! & 1) === 1;
  const names: string[] = [];
  let at = 1 + flagBytes;
  for (let i = 0; i < count; i++) {
    if (at >= bytes.length) return "DIST_HEADER_MALFORMED";
    const index = (halves[i]! & 7) * 256 + bytes[at++]!;
    if (halves[i]! < 8) {
      const name = known.get(index);
      if (name === undefined) return "DIST_CACHE_MISS";
      names.push(name);
      continue;
    }
    const length = long ? bytes[at]! * 256 + bytes[at + 1]! : bytes[at]!;
    at += long ? 2 : 1;
    if (!(at + length <= bytes.length)) return "DIST_HEADER_MALFORMED";
    const name = utf8(Uint8Array.from(bytes.slice(at, at + length)));
    if (name === undefined || [...name].length > 255) return "DIST_HEADER_MALFORMED";
    at += length;
    known.set(index, name);
    names.push(name);
  }
  return { names, end: at };
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
