import { describe, expect, test } from "vitest";
import { Utf8Stream, utf8Text } from "../../etf/index.ts";

/** Not UTF-8: stray and missing continuation bytes, overlong forms, surrogates, beyond 10FFFF. */
const MALFORMED = ["80", "c3", "c328", "c080", "c1bf", "e0809f", "e282", "eda080", "edbfbf"].concat(
  ["f0808080", "f4908080", "f09f98", "f5808080", "ff", "fe", "61ff62", "c3a9c3"],
);
const TEXTS = [
  "",
  "a",
  "\ufeffa",
  "\ufeff",
  "a\0b",
  "é",
  "€",
  "😀",
  "\u{10ffff}",
  "\ufffd",
  "ab\r\n",
];
const LONG = "x".repeat(100);

describe("utf8Text", () => {
  test.each([...TEXTS, LONG, `\ufeff${LONG}`, `${LONG}é`])("%j", (text) => {
    const bytes = Buffer.from(text);
    expect(utf8Text(bytes)).toBe(text);
    expect(
      utf8Text(Buffer.concat([Buffer.of(0xff), bytes, Buffer.of(0xff)]), 1, bytes.length),
    ).toBe(text);
  });

  test.each(MALFORMED)("%s is not text", (hex) => {
    for (const around of ["", "a", LONG]) {
      const bytes = Buffer.concat([Buffer.from(around), Buffer.from(hex, "hex")]);
      expect(utf8Text(bytes)).toBeNull();
      expect(utf8Text(Buffer.concat([bytes, Buffer.from(around)]))).toBeNull();
    }
  });
});

describe("Utf8Stream", () => {
  test("pieces of every size", () => {
    const text = TEXTS.join("").repeat(3);
    const bytes = Buffer.from(text);
    for (let size = 1; size < 12; size++) {
      const stream = new Utf8Stream();
      let read = "";
      for (let at = 0; at < bytes.length; at += size) {
        const piece = stream.decode(bytes.subarray(at, at + size), false);
        expect(piece.malformed).toBe(false);
        read += piece.text;
      }
      expect(read + stream.decode(Buffer.alloc(0), true).text).toBe(text);
    }
  });

  test.each(MALFORMED)("the text before %s, in pieces", (hex) => {
    const valid = hex.startsWith("61") ? "a" : hex.startsWith("c3a9") ? "é" : "";
    const bytes = Buffer.from(hex, "hex");
    for (let size = 1; size <= bytes.length; size++) {
      const stream = new Utf8Stream();
      let read = stream.decode(Buffer.from("é"), false).text;
      let malformed = false;
      for (let at = 0; at < bytes.length && !malformed; at += size) {
        const piece = stream.decode(bytes.subarray(at, at + size), false);
        read += piece.text;
        malformed = piece.malformed;
      }
      if (!malformed) {
        const piece = stream.decode(Buffer.alloc(0), true);
        read += piece.text;
        malformed = piece.malformed;
      }
      expect([read, malformed]).toEqual([`é${valid}`, true]);
    }
  });
});
