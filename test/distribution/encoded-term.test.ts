import { expect, test } from "vitest";
import { decode, tuple } from "../../etf/index.ts";
import { EncodedTerm } from "../../src/distribution/encoded-term.ts";
import { BY_REFERENCE_BYTES } from "../../src/distribution/shared-state.ts";

test("an encoded term has the version byte in front", () => {
  const { chunks } = new EncodedTerm(tuple(1, "two"));
  expect(decode(Buffer.concat(chunks))).toStrictEqual(tuple(1, Buffer.from("two")));
});

test("what it was made of may change afterwards", () => {
  const list = [1, 2, 3];
  const encoded = new EncodedTerm(list);
  list.push(4);
  expect(decode(Buffer.concat(encoded.chunks))).toEqual([1, 2, 3]);
});

test("a large binary is a chunk of its own, and a copy", () => {
  const large = Buffer.alloc(BY_REFERENCE_BYTES, 7);
  const { chunks } = new EncodedTerm(tuple(1, large, 2));
  expect(chunks.map((chunk) => chunk.length)).toContain(BY_REFERENCE_BYTES);
  large.fill(8);
  expect(decode(Buffer.concat(chunks))).toStrictEqual(
    tuple(1, Buffer.alloc(BY_REFERENCE_BYTES, 7), 2),
  );
  const smaller = Buffer.alloc(BY_REFERENCE_BYTES - 1, 7);
  expect(new EncodedTerm(smaller).chunks).toHaveLength(1);
});

test("what is not a term is refused", () => {
  expect(() => new EncodedTerm([1, Number.NaN])).toThrow(
    expect.objectContaining({ code: "ETF_NOT_A_TERM", path: "[1]" }),
  );
});
