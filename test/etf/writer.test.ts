import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atom,
  decode,
  encode,
  Pid,
  Reference,
  type TermInput,
  TermMap,
  TermWriter,
  tuple,
  tupleFrom,
} from "../../etf/index.ts";

const hex = (chunks: Uint8Array[]): string => Buffer.concat(chunks).toString("hex");

describe("TermWriter", () => {
  test("a term piece by piece is the term at once", () => {
    const pid = new Pid("a@b", 1, 2, 3);
    const ref = new Reference("a@b", 3, [1, 2, 3]);
    const whole = new TermWriter();
    whole.writeTerm(tuple(22, atom("é"), pid, ref, -5, 70_000, 2 ** 40));
    const pieces = new TermWriter();
    pieces.writeTupleHeader(7);
    pieces.writeInteger(22);
    pieces.writeAtom(atom("é"));
    pieces.writePid(pid);
    pieces.writeRef(ref);
    pieces.writeInteger(-5);
    pieces.writeInteger(70_000);
    pieces.writeInteger(2 ** 40);
    expect(hex(pieces.take())).toBe(hex(whole.take()));
  });

  test("tuples around the size of one byte", () => {
    for (const size of [0, 1, 254, 255, 256, 257]) {
      const writer = new TermWriter();
      writer.writeTupleHeader(size);
      for (let i = 0; i < size; i++) writer.writeInteger(i);
      const term = tupleFrom(Array.from({ length: size }, (_, i) => i));
      expect(hex(writer.take())).toBe(Buffer.from(encode(term)).subarray(1).toString("hex"));
    }
  });

  test("a term at every place in a buffer", () => {
    const term = [
      atom("an_atom"),
      1.5,
      "text",
      -(2 ** 33),
      2n ** 63n,
      new Pid("a@b", 1, 2, 3),
      true,
    ];
    const alone = Buffer.from(encode(term)).subarray(1).toString("hex");
    for (let before = 0; before < 80; before++) {
      const writer = new TermWriter({ initialBytes: 64 });
      for (let i = 0; i < before; i++) writer.writeUint8(0);
      writer.writeTerm(term);
      expect(hex(writer.take()).slice(2 * before)).toBe(alone);
    }
  });
});

test("what was handed over stays as it is, however it was taken and whatever comes next", () => {
  const size = fc.oneof(fc.nat(100), fc.nat(3000), fc.integer({ min: 15_000, max: 70_000 }));
  const steps = fc.array(fc.record({ size, how: fc.constantFrom("take", "takeOne", "drop") }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (given) => {
      const writer = new TermWriter();
      const taken: { bytes: Uint8Array; value: number; length: number }[] = [];
      given.forEach(({ size: length, how }, value) => {
        writer.writeBytes(Buffer.alloc(length, value));
        if (how === "drop") writer.truncate(0);
        const chunks = how === "take" ? writer.take() : how === "takeOne" ? [writer.takeOne()] : [];
        if (how !== "drop") taken.push({ bytes: Buffer.concat(chunks), value, length });
        for (const bytes of chunks) taken.push({ bytes, value, length: bytes.length });
      });
      for (const { bytes, value, length } of taken) {
        expect(bytes.length).toBe(length);
        expect(bytes.every((byte) => byte === value)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

describe("what encode gives", () => {
  test("stays as it is while more is encoded", () => {
    const next = (i: number): TermInput => [i, "x".repeat((i * 37) % 5000), atom(`a${i % 10}`)];
    const results: { bytes: Uint8Array; copy: Uint8Array }[] = [];
    for (let i = 0; i < 500; i++) {
      const bytes = encode(next(i));
      results.push({ bytes, copy: bytes.slice() });
      if (i % 50 === 0) encode("large".repeat(100_000));
      if (i % 7 === 0) expect(() => encode([next(i), Number.NaN])).toThrow();
    }
    for (const { bytes, copy } of results) expect(Buffer.compare(bytes, copy)).toBe(0);
  });

  test("large binaries among small terms", () => {
    const large = Buffer.alloc(100_000, 7);
    const term = tuple(atom("a"), large, [1, large, 2], large.subarray(0, 10));
    expect(Buffer.from(encode(term)).toString("hex")).toBe(
      Buffer.concat([
        Buffer.from([131, 104, 4, 119, 1, 97, 109, 0, 1, 134, 160]),
        large,
        Buffer.from([108, 0, 0, 0, 3, 97, 1, 109, 0, 1, 134, 160]),
        large,
        Buffer.from([97, 2, 106, 109, 0, 0, 0, 10]),
        large.subarray(0, 10),
      ]).toString("hex"),
    );
  });
});

describe("keys that are binaries", () => {
  test("a key written into does not change what is decoded later", () => {
    const bytes = encode(new TermMap([["a key", 1]]));
    const [first] = (decode(bytes) as TermMap).keys();
    (first as Uint8Array).fill(0);
    expect((decode(bytes) as TermMap).get("a key")).toBe(1);
  });

  test("found in any order, and twice is refused in any order", () => {
    const keys: TermInput[] = ["b", "a", 3, atom("x"), 1, true, "aa", tuple(1), 1.5, 2n ** 70n];
    for (let i = 0; i < keys.length; i++) {
      const order = [...keys.slice(i), ...keys.slice(0, i)];
      const map = decode(encode(new Map(order.map((key, at) => [key, at])))) as TermMap;
      expect(order.map((key) => map.get(key))).toEqual(order.map((_, at) => at));
      const twice = new TermWriter();
      twice.writeUint8(131);
      twice.writeUint8(116);
      twice.writeUint32(keys.length + 1);
      for (const key of [...order, order[i % 3]!]) {
        twice.writeTerm(key);
        twice.writeTerm(0);
      }
      expect(() => decode(Buffer.concat(twice.take()))).toThrow(/same key twice/);
    }
  });
});
