import { describe, expect, test } from "vitest";
import { atom, encode, TermDecoder, type TermInput, tuple } from "../../etf/index.ts";

import { FramePayload } from "../../src/distribution/payload.ts";

function setUp() {
  const faults: string[] = [];
  const decoder = new TermDecoder({ binaries: "view" });
  const malformed = (error: unknown): void => void faults.push((error as { code: string }).code);
  return { payload: new FramePayload({ decoder, malformed }), faults };
}

/** A frame's buffer with a term in the middle of it. */
function frame(term: TermInput): { bytes: Buffer; at: number; end: number } {
  const body = Buffer.from(encode(term).subarray(1));
  return {
    bytes: Buffer.concat([Buffer.alloc(5, 131), body, Buffer.alloc(7, 106)]),
    at: 5,
    end: 5 + body.length,
  };
}

describe("a payload", () => {
  const term = tuple(atom("hello"), Buffer.alloc(500, 7), [1, 2]);

  test("is read in place, and says what it costs", () => {
    const { payload } = setUp();
    const { bytes, at, end } = frame(term);
    payload.set(bytes, at, end, null, false);
    expect([payload.bytes, payload.heapBytes]).toEqual([end - at, 0]);
    expect(payload.read()).toEqual(term);
    expect(payload.heapBytes).toBeGreaterThan(end - at);
  });

  test("that is kept outlives its frame", () => {
    const { payload } = setUp();
    const { bytes, at, end } = frame(term);
    const kept = payload.set(bytes, at, end, null, false).keep();
    payload.clear();
    bytes.fill(0);
    expect(kept.bytes).toBe(end - at);
    expect(kept.read()?.term).toEqual(term);
  });

  test("that is kept keeps a buffer of its own without a copy, unless most of it is empty", () => {
    const body = Buffer.from(encode(Buffer.alloc(1000, 1)).subarray(1));
    for (const [room, views] of [
      [10, true],
      [5000, false],
    ] as const) {
      const buffer = Buffer.allocUnsafeSlow(body.length + room);
      buffer.set(body);
      const kept = setUp().payload.set(buffer, 0, body.length, null, true).keep();
      const binary = kept.read()!.term as Uint8Array;
      expect(binary.buffer === buffer.buffer).toBe(views);
    }
  });

  test("that is kept refers to the atoms of its own header", () => {
    const { payload } = setUp();
    const refs = [atom("first")];
    const kept = payload.set(Buffer.from([82, 0]), 0, 2, refs, false).keep();
    refs[0] = atom("second") as never;
    expect(kept.read()?.term).toBe(atom("first"));
  });

  test("may be part of the message that is made of it", () => {
    const { payload } = setUp();
    const { bytes, at, end } = frame(term);
    const kept = payload.set(bytes, at, end, null, false).keep((reason) => tuple(1, reason));
    expect(kept.read()?.term).toEqual(tuple(1, term));
  });

  test.each<[string, Buffer, string]>([
    ["missing", Buffer.alloc(0), "DIST_CONTROL_MALFORMED"],
    ["cut short", Buffer.from([104, 2, 97, 1]), "ETF_TRUNCATED"],
    [
      "compressed",
      Buffer.from(encode(["aaaaaaaaaaaa", "aaaaaaaaaaaaa"], { compressed: true }).subarray(1)),
      "DIST_TERM_MALFORMED",
    ],
    ["opaque", Buffer.from([121, 1, 2, 3]), "DIST_TERM_MALFORMED"],
  ])(
    "that is %s throws when it is read, and ends its connection when it was kept",
    (_, bytes, code) => {
      const { payload, faults } = setUp();
      payload.set(bytes, 0, bytes.length, null, false);
      expect(() => payload.read()).toThrow(expect.objectContaining({ code }));
      const kept = payload.keep();
      expect(faults).toEqual([]);
      expect(kept.read()).toBeUndefined();
      expect(faults).toEqual([code]);
    },
  );

  test("ends where its term ends", () => {
    const { payload } = setUp();
    const { bytes, at } = frame(term);
    expect(payload.set(bytes, at, bytes.length, null, false).read()).toEqual(term);
  });
});
