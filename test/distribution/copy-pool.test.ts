import { expect, test } from "vitest";
import { CopyPool } from "../../src/distribution/copy-pool.ts";

test("a copy is of its own, and its buffer serves again once it was given back", () => {
  const pool = new CopyPool();
  const bytes = Buffer.alloc(100_000, 1);
  const first = pool.copy(bytes);
  bytes.fill(2);
  expect(first.copy).toEqual(Buffer.alloc(100_000, 1));
  const second = pool.copy(bytes);
  expect(second.buffer).not.toBe(first.buffer);
  pool.giveBack([first.buffer]);
  const third = pool.copy(bytes.subarray(0, 80_000));
  expect(third.buffer).toBe(first.buffer);
  expect(third.copy).toEqual(Buffer.alloc(80_000, 2));
  expect(second.copy).toEqual(Buffer.alloc(100_000, 2));
});

test.each([0, 1, 32_768, 32_769, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1])("of %i bytes", (size) => {
  const pool = new CopyPool();
  const bytes = Buffer.alloc(size, 7);
  const { copy, buffer } = pool.copy(bytes);
  expect(bytes.equals(copy)).toBe(true);
  pool.giveBack([buffer]);
  expect(bytes.equals(pool.copy(bytes).copy)).toBe(true);
});

test("keeps 16 MiB of idle buffers at most", () => {
  const pool = new CopyPool();
  const bytes = Buffer.alloc(1024 * 1024);
  const copies = Array.from({ length: 40 }, () => pool.copy(bytes).buffer);
  pool.giveBack(copies);
  const again = Array.from({ length: 40 }, () => pool.copy(bytes).buffer);
  expect(again.filter((buffer) => copies.includes(buffer))).toHaveLength(16);
});
