/** The bit syntax at its edges, beside bits that are written down one by one. */
import { describe, expect, test } from "vitest";
import { BitString, parse } from "../../etf/index.ts";

/** The bits of `<<...>>` as a text of 0 and 1. */
function bits(text: string): string {
  const term = parse(`<<${text}>>`);
  const bytes = term instanceof BitString ? term.bytes : (term as Uint8Array);
  const all = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  if (!(term instanceof BitString)) return all;
  const unused = 8 - term.lastBits;
  expect(all.slice(all.length - unused)).toBe("0".repeat(unused));
  return all.slice(0, all.length - unused);
}
const ofBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
const refused = (text: string) => () => parse(`<<${text}>>`);
const error = expect.objectContaining({ name: "TermSyntaxError" });

describe("characters", () => {
  const edges = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff];
  const forms: Record<string, (text: string) => Uint8Array> = {
    utf8: (text) => Buffer.from(text, "utf8"),
    "utf16-little": (text) => Buffer.from(text, "utf16le"),
    utf16: (text) => Buffer.from(text, "utf16le").swap16(),
    "utf16-big": (text) => Buffer.from(text, "utf16le").swap16(),
    "utf32-little": (text) => Buffer.from(Uint32Array.of(text.codePointAt(0)!).buffer),
    utf32: (text) => Buffer.from(Uint32Array.of(text.codePointAt(0)!).buffer).swap32(),
  };

  test.each(Object.entries(forms))(
    "of %s are the first and the last of each range",
    (form, encoded) => {
      for (const code of edges) {
        const expected = ofBytes(encoded(String.fromCodePoint(code)));
        expect(bits(`${code}/${form}`)).toBe(expected);
        // Not on the boundary of a byte.
        expect(bits(`5:3,${code}/${form},1:1`)).toBe(`101${expected}1`);
      }
      expect(bits(`"aé😀"/${form}`)).toBe([..."aé😀"].map((one) => ofBytes(encoded(one))).join(""));
    },
  );

  test.each(["utf8", "utf16", "utf32"])("that %s does not have are refused", (form) => {
    for (const wrong of [
      "-1",
      "16#d800",
      "16#dfff",
      "16#110000",
      "1.0",
      "<<1>>",
      "16#8000000000000000",
    ]) {
      expect(refused(`${wrong}/${form}`)).toThrow(error);
    }
    for (const sized of [`1:8/${form}`, `1/${form}-unit:8`, `"":8/${form}`]) {
      expect(refused(sized)).toThrow(error);
    }
  });
});

describe("integers", () => {
  test("of every size are cut to their bits, at every place in a byte", () => {
    for (const value of [0n, 1n, 255n, 256n, -1n, -128n, 2n ** 63n + 5n, -(2n ** 64n) + 3n]) {
      for (const size of [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129]) {
        const expected =
          size === 0 ? "" : BigInt.asUintN(size, value).toString(2).padStart(size, "0");
        for (const before of [0, 1, 3, 7]) {
          expect(bits(`0:${before},${value}:${size},1:1`)).toBe(
            `${"0".repeat(before)}${expected}1`,
          );
        }
      }
    }
  });

  test("of little endian have their low bytes first, and their last bits last", () => {
    expect(bits("16#1234:16/little")).toBe(ofBytes(Uint8Array.of(0x34, 0x12)));
    expect(bits("16#1234:16/native")).toBe(ofBytes(Uint8Array.of(0x34, 0x12)));
    expect(bits("16#1234:16/big-signed")).toBe(ofBytes(Uint8Array.of(0x12, 0x34)));
    expect(bits("16#123:12/little")).toBe("001000110001");
  });

  test("take 8 bits by default, and units of 1 to 256 bits", () => {
    expect(bits("1")).toBe("00000001");
    expect(bits("1:2/unit:4")).toBe("00000001");
    expect(bits("1:1/unit:1")).toBe("1");
    expect(bits("1:1/unit:256")).toBe("1".padStart(256, "0"));
    for (const wrong of ["1:1/unit:0", "1:1/unit:257", "1/unit:8", "1:-1", "1.0", '"a"/binary']) {
      expect(refused(wrong)).toThrow(error);
    }
  });
});

describe("floats", () => {
  test("take 64 bits by default, or 32", () => {
    const double = Buffer.alloc(8);
    double.writeDoubleBE(-1.5);
    const single = Buffer.alloc(4);
    single.writeFloatBE(-1.5);
    for (const form of ["-1.5/float", "-1.5:64/float", "-1.5:8/float-unit:8"]) {
      expect(bits(form)).toBe(ofBytes(double));
    }
    expect(bits("-1.5/float-little")).toBe(ofBytes(Uint8Array.from(double).reverse()));
    expect(bits("-1.5:32/float")).toBe(ofBytes(single));
    expect(bits("2/float")).toBe(bits("2.0/float"));
    for (const wrong of ["1.5:8/float", "1.5:63/float", "1.5:65/float", "1.5:128/float"]) {
      expect(refused(wrong)).toThrow(error);
    }
  });
});

describe("binaries", () => {
  test("are taken whole, or up to a size, which they must have", () => {
    expect(bits("<<1,2,3>>/binary")).toBe(ofBytes(Uint8Array.of(1, 2, 3)));
    expect(bits("<<1,2,3>>:0/binary")).toBe("");
    expect(bits("<<1,2,3>>:2/binary")).toBe(ofBytes(Uint8Array.of(1, 2)));
    expect(bits("<<1,2,3>>:3/bytes")).toBe(ofBytes(Uint8Array.of(1, 2, 3)));
    expect(bits("<<1,2,3>>:9/bits")).toBe("000000010");
    expect(bits("<<1,2,3>>:24/bitstring")).toBe(ofBytes(Uint8Array.of(1, 2, 3)));
    expect(bits("1:1,<<1,5:3>>/bits,1:1")).toBe("1000000011011");
    for (const wrong of [
      "<<1>>:2/binary",
      "<<1>>:9/bits",
      "<<5:3>>/binary",
      "<<1>>",
      "<<1>>/integer",
    ]) {
      expect(refused(wrong)).toThrow(error);
    }
  });
});

test("what is said twice may be said alike only", () => {
  expect(bits("1:16/little-little-integer-integer")).toBe("0000000100000000");
  for (const wrong of [
    "1/integer-float",
    "1:8/big-little",
    "1/signed-unsigned",
    "1:1/unit:1-unit:2",
    "1/odd",
  ]) {
    expect(refused(wrong)).toThrow(error);
  }
});
