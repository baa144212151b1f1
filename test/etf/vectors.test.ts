import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  decode,
  EtfDecodeError,
  encode,
  exactEquals,
  format,
  type Term,
  TermDecoder,
} from "../../etf/index.ts";
import { mutant, random } from "../support/mutate.ts";

interface Vectors {
  release: string;
  range: "latin1" | "unicode";
  vectors: [label: string, hex: string, text: string][];
}

const folder = new URL("../vectors/", import.meta.url);
const files = readdirSync(folder).filter((name) => /^codec-.*\.json$/.test(name));

/** Forms that are read and never written. */
const OTHER_FORM = /EXT|compressed|as text|Latin-1/;

const fromHex = (hex: string): Buffer => Buffer.from(hex, "hex");
/** Without the number by which the printing node knows another. */
const nodeless = (text: string): string => text.replace(/(<)\d+(\.\d)/g, "$1N$2");

describe.each(files)("%s", (name) => {
  const { release, range, vectors } = JSON.parse(
    readFileSync(new URL(name, folder), "utf8"),
  ) as Vectors;

  test("the term is the one OTP prints", () => {
    expect(vectors.length).toBeGreaterThan(300);
    for (const [label, hex, textHex] of vectors) {
      const term = decode(fromHex(hex));
      const text = format(term, {
        mode: "~0tp",
        nodeNumber: () => 0,
        release: Number(release),
        printableRange: range,
      });
      expect(nodeless(text), label).toBe(nodeless(fromHex(textHex).toString()));
    }
  });

  test("what is written is what OTP 26 and later write", () => {
    for (const [label, hex] of vectors) {
      const term = decode(fromHex(hex));
      const bytes = Buffer.from(encode(term));
      if (Number(release) >= 26 && !OTHER_FORM.test(label)) {
        expect(bytes.toString("hex"), label).toBe(hex);
      }
      expect(exactEquals(decode(bytes), term), label).toBe(true);
      expect(Buffer.from(encode(decode(bytes))).equals(bytes), label).toBe(true);
    }
  });

  test("each proper prefix is truncated, and nothing else", () => {
    let cuts = 0;
    for (const [label, hex] of vectors) {
      const bytes = fromHex(hex);
      const step = bytes.length > 600 ? 7 : 1;
      for (let i = 0; i < bytes.length; i += step) {
        cuts++;
        let code = "decoded";
        try {
          decode(bytes.subarray(0, i));
        } catch (error) {
          code = error instanceof EtfDecodeError ? error.code : String(error);
        }
        expect(code, `${label} cut to ${i}`).toBe("ETF_TRUNCATED");
      }
    }
    expect(cuts).toBeGreaterThan(10_000);
  });

  test("bytes behind the term are refused, and left where only one term is read", () => {
    const decoder = new TermDecoder();
    for (const [label, hex] of vectors) {
      const bytes = fromHex(`${hex}61`);
      expect(() => decode(bytes), label).toThrow(
        expect.objectContaining({ code: "ETF_TRAILING_BYTES" }),
      );
      decoder.decodeAt(bytes, 1, bytes.length);
      expect(decoder.offset, label).toBe(bytes.length - 1);
    }
  });

  test("mutated bytes give a term or a documented error", () => {
    const next = random(Number(release));
    const decoder = new TermDecoder({ maxInflatedBytes: 1 << 20 });
    const before = process.memoryUsage().heapUsed;
    let terms = 0;
    let errors = 0;
    for (const [, hex] of vectors) {
      const bytes = fromHex(hex);
      for (let i = 0; i < 60; i++) {
        const changed = mutant(bytes, next);
        try {
          const term: Term = decoder.decodeAt(changed, 1, changed.length);
          terms++;
          expect(exactEquals(decode(encode(term)), term)).toBe(true);
        } catch (error) {
          if (!(error instanceof EtfDecodeError)) {
            throw new Error(`${changed.toString("hex")}: ${error}`, { cause: error });
          }
          expect(error.offset).toBeLessThanOrEqual(Math.max(changed.length, 1 << 20));
          errors++;
        }
      }
      expect(exactEquals(decoder.decodeAt(bytes, 1, bytes.length), decode(bytes))).toBe(true);
    }
    expect(terms).toBeGreaterThan(1000);
    expect(errors).toBeGreaterThan(1000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(400e6);
  });
});
