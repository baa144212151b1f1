import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atom, TermDecoder } from "../../etf/index.ts";
import { ReceivingAtomCache } from "../../src/distribution/atom-cache.ts";
import {
  atomCacheRefsBytes,
  type CachedAtom,
  DIST_FRAG_CONT,
  DIST_FRAG_HEADER,
  readAtomCacheRefs,
  readFragmentId,
  readSequenceId,
  writeAtomCacheRefs,
  writeFragmentHead,
  writeKnownAtomCacheRefs,
} from "../../src/distribution/header.ts";

const decoder = new TermDecoder();

interface Ref {
  cacheIndex: number;
  /** The text of a new entry. */
  text?: string;
}

function written(refs: readonly Ref[]): Buffer {
  const outgoing = {
    count: refs.length,
    cacheIndexes: refs.map(({ cacheIndex }) => cacheIndex),
    texts: refs.map(({ text }) => (text === undefined ? undefined : Buffer.from(text))),
  };
  const size = atomCacheRefsBytes(outgoing);
  // Whatever was in the buffer before must not show through.
  const bytes = Buffer.alloc(size + 4, 0xff);
  expect(writeAtomCacheRefs(outgoing, bytes, 2)).toBe(2 + size);
  expect([...bytes.subarray(0, 2), ...bytes.subarray(2 + size)]).toEqual([255, 255, 255, 255]);
  return bytes.subarray(2, 2 + size);
}

function read(
  bytes: Uint8Array,
  cache = new ReceivingAtomCache(),
  refs: (CachedAtom | undefined)[] = [],
): { refs: (CachedAtom | undefined)[]; end: number } {
  const end = readAtomCacheRefs(bytes, 0, bytes.length, cache, decoder, refs);
  return { refs: refs.slice(0, bytes[0]), end };
}

const malformed = expect.objectContaining({
  name: "DistProtocolError",
  code: "DIST_HEADER_MALFORMED",
});

describe("the atom cache references of a header", () => {
  test("are read as in the specification's example", () => {
    const cache = new ReceivingAtomCache();
    const nodes = [atom("a@host"), atom("b@host")] as const;
    cache.set(0x40a, nodes[0]);
    cache.set(0x005, nodes[1]);
    const bytes = Buffer.from([
      5, 4, 137, 9, 10, 5, 236, 3, 114, 101, 103, 9, 4, 99, 97, 108, 108, 238, 13, 115, 101, 116,
      95, 103, 101, 116, 95, 115, 116, 97, 116, 101,
    ]);
    const { refs, end } = read(bytes, cache);
    expect(end).toBe(bytes.length);
    expect(refs).toEqual([...nodes, atom("reg"), atom("call"), atom("set_get_state")]);
    expect(cache.get(0x1ec)).toBe(atom("reg"));
    expect(cache.get(0x009)).toBe(atom("call"));
    expect(cache.get(0x1ee)).toBe(atom("set_get_state"));
  });

  test("are written as in the specification's example", () => {
    const refs = [
      { cacheIndex: 0x40a },
      { cacheIndex: 0x005 },
      { cacheIndex: 0x1ec, text: "reg" },
      { cacheIndex: 0x009, text: "call" },
      { cacheIndex: 0x1ee, text: "set_get_state" },
    ];
    expect([...written(refs)].slice(0, 11)).toEqual([5, 4, 137, 9, 10, 5, 236, 3, 114, 101, 103]);
  });

  test("none are one byte, and no flags", () => {
    expect([...written([])]).toEqual([0]);
    expect(read(Buffer.from([0])).end).toBe(1);
  });

  const ref = fc.record(
    {
      cacheIndex: fc.nat(2047),
      text: fc.oneof(
        fc.string({ maxLength: 12, unit: "grapheme" }),
        fc.constantFrom("é".repeat(127), "é".repeat(128), "𝄞".repeat(255), "x".repeat(255), "true"),
      ),
    },
    { requiredKeys: ["cacheIndex"] },
  );

  test("come back as they were written", () => {
    fc.assert(
      fc.property(fc.array(ref, { maxLength: 255, size: "max" }), (given) => {
        const cache = new ReceivingAtomCache();
        const names = new Map<number, string>();
        // What is no new entry must have been one before.
        for (const { cacheIndex, text } of given) {
          if (text !== undefined || names.has(cacheIndex)) continue;
          names.set(cacheIndex, `before_${cacheIndex}`);
          cache.set(cacheIndex, atom(`before_${cacheIndex}`));
        }
        const expected = given.map(({ cacheIndex, text }) => {
          if (text !== undefined) names.set(cacheIndex, text);
          const name = names.get(cacheIndex)!;
          return name === "true" ? true : atom(name);
        });
        const bytes = written(given);
        const { refs, end } = read(bytes, cache);
        expect(end).toBe(bytes.length);
        expect(refs).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test("are the same bytes when all are known, by the shorter way", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2047), { maxLength: 255, size: "max" }), (cacheIndexes) => {
        const bytes = Buffer.alloc(600, 0xff);
        const end = writeKnownAtomCacheRefs(
          cacheIndexes.length,
          Uint16Array.from(cacheIndexes),
          bytes,
          0,
        );
        const expected = written(cacheIndexes.map((cacheIndex) => ({ cacheIndex })));
        expect(bytes.subarray(0, end).equals(expected)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test.each([1, 2, 3, 254, 255])("cut short, of %i references, are malformed", (count) => {
    const refs = Array.from({ length: count }, (_, index) => ({
      cacheIndex: index * 8,
      text: index % 100 === 0 ? "é".repeat(130) : `${index}`,
    }));
    const bytes = written(refs);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => read(bytes.subarray(0, end))).toThrow(malformed);
      // Bytes of the next frame behind the end do not help.
      expect(() => readAtomCacheRefs(bytes, 0, end, new ReceivingAtomCache(), decoder, [])).toThrow(
        malformed,
      );
    }
    expect(read(bytes).refs).toHaveLength(count);
  });

  test("with text that is not an atom are malformed", () => {
    const bad = [
      Buffer.from([0xff]),
      Buffer.from("x".repeat(256)),
      Buffer.from([0xed, 0xa0, 0x80]),
    ];
    for (const text of bad) {
      const outgoing = { count: 1, cacheIndexes: [3], texts: [text] };
      const bytes = Buffer.alloc(atomCacheRefsBytes(outgoing));
      writeAtomCacheRefs(outgoing, bytes, 0);
      expect(() => read(bytes)).toThrow(malformed);
    }
  });

  test("to an entry never filled are a miss, which names it", () => {
    expect(() => read(written([{ cacheIndex: 1500 }]))).toThrow(
      expect.objectContaining({
        name: "DistProtocolError",
        code: "DIST_CACHE_MISS",
        message: expect.stringContaining("entry 1500"),
      }),
    );
  });

  test("replace those of the header before, also where they are fewer", () => {
    const refs: (CachedAtom | undefined)[] = [];
    const cache = new ReceivingAtomCache();
    read(written([0, 1, 2].map((i) => ({ cacheIndex: i, text: `first_${i}` }))), cache, refs);
    read(written([{ cacheIndex: 1 }]), cache, refs);
    expect(refs.filter((each) => each !== undefined)).toEqual([atom("first_1")]);
  });

  test("unused bits beside longAtoms are not looked at", () => {
    const bytes = written([{ cacheIndex: 1, text: "a" }]);
    bytes[1]! |= 0xe0;
    expect(read(bytes).refs).toEqual([atom("a")]);
  });
});

describe("the head of a fragment", () => {
  test.each([1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])(
    "carries sequence id and fragment id %d",
    (id) => {
      const bytes = Buffer.alloc(20);
      writeFragmentHead(bytes, 1, DIST_FRAG_HEADER, id, 7);
      expect([...bytes.subarray(1, 3)]).toEqual([131, DIST_FRAG_HEADER]);
      expect(bytes.readBigUInt64BE(3)).toBe(BigInt(id));
      expect(bytes.readBigUInt64BE(11)).toBe(7n);
      expect(readSequenceId(bytes, 3)).toBe(id);
      expect(readFragmentId(bytes, 1)).toBe(7);
      writeFragmentHead(bytes, 1, DIST_FRAG_CONT, 3, id);
      expect(bytes[2]).toBe(DIST_FRAG_CONT);
      expect(readFragmentId(bytes, 1)).toBe(id);
    },
  );

  test("a sequence id that no number holds exactly is not rounded", () => {
    const bytes = Buffer.alloc(8);
    for (const id of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      bytes.writeBigUInt64BE(id);
      expect(readSequenceId(bytes, 0)).toBe(id);
    }
  });
});
