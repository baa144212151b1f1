import { expect, test, vi } from "vitest";
import * as node from "../../etf/bigint.node.ts";
import * as web from "../../etf/bigint.web.ts";
import { decode, encode, TermDecoder } from "../../etf/index.ts";

test("loading the package prints nothing, with and without its addon", () => {
  const warn = vi.spyOn(console, "warn");
  const write = vi.spyOn(process.stderr, "write");
  node.bigintFromBytes(new Uint8Array(16).fill(1));
  expect(warn).not.toHaveBeenCalled();
  expect(write).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test("both forms agree at every width", () => {
  for (let width = 1; width <= 1100; width++) {
    for (const value of [
      1n << BigInt(8 * width - 1),
      (1n << BigInt(8 * width)) - 1n,
      (1n << BigInt(8 * (width - 1))) + 1n,
    ]) {
      const bytes = web.bigintToBytes(value);
      expect(Buffer.from(bytes).equals(node.bigintToBytes(value)), `${width}`).toBe(true);
      expect(bytes[bytes.length - 1]).not.toBe(0);
      expect(web.bigintFromBytes(bytes)).toBe(value);
      expect(node.bigintFromBytes(bytes)).toBe(value);
    }
  }
});

test("nothing the package could abort on reaches it", () => {
  expect(node.bigintFromBytes(new Uint8Array(0))).toBe(0n);
  expect(() => node.bigintToBytes(-1n)).toThrow(TypeError);
  expect(() => node.bigintToBytes(5 as unknown as bigint)).toThrow(TypeError);
  // A plain Uint8Array, and one that lies inside a larger buffer.
  const inside = new Uint8Array([9, 9, 16, 0, 0, 0, 0, 0, 0, 0, 1, 9]).subarray(2, 11);
  expect(node.bigintFromBytes(inside)).toBe((1n << 64n) + 16n);
});

test("integers of every width come back", () => {
  for (let bits = 1n; bits < 5000n; bits += 37n) {
    for (const value of [1n << bits, -(1n << bits), (1n << bits) - 1n]) {
      expect(BigInt(decode(encode(value)) as bigint)).toBe(value);
    }
  }
});

test("the size of an integer has a limit", () => {
  const bytes = encode(1n << 8000n);
  const limit = expect.objectContaining({ code: "ETF_LIMIT" });
  expect(() => decode(bytes, { maxIntegerBytes: 1000 })).toThrow(limit);
  expect(decode(bytes, { maxIntegerBytes: 1001 })).toBe(1n << 8000n);
  expect(new TermDecoder().maxIntegerBytes).toBe(4_194_304);
});
