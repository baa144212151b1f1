import fc from "fast-check";
import { expect, test } from "vitest";
import {
  atom,
  BitString,
  compare,
  decode,
  EtfDecodeError,
  encode,
  equals,
  exactEquals,
  float,
  format,
  fromPlain,
  hashTerm,
  ImproperList,
  Pid,
  parse,
  phash2,
  Reference,
  type Term,
  TermMap,
  TermSyntaxError,
  toPlain,
  tuple,
} from "../../etf/index.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });
const name = fc.string({ unit: "grapheme", maxLength: 20 });
const leaf: fc.Arbitrary<Term> = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(float),
  fc.boolean(),
  name.filter((text) => text !== "true" && text !== "false").map((text) => atom(text)),
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 7 }))
    .map(([bytes, bits]) => new BitString(bytes, bits)),
  fc.tuple(word, word, word).map(([id, serial, creation]) => new Pid("a@b", id, serial, creation)),
  fc.array(word, { minLength: 1, maxLength: 5 }).map((ids) => new Reference("a@b", 1, ids)),
);
const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4, depthIdentifier: "term" },
    leaf,
    fc.array(tie("term"), { maxLength: 5 }),
    fc.array(tie("term"), { maxLength: 5 }).map((elements) => tuple(...elements) as Term),
    fc
      .tuple(fc.array(tie("term"), { minLength: 1, maxLength: 3 }), leaf)
      .map(([elements, tail]) => new ImproperList(elements, tail)),
    fc
      .array(fc.tuple(tie("term"), tie("term")), { maxLength: 12 })
      .map((pairs) => new TermMap(pairs)),
  ),
}));

test("a term comes back =:=, with the same bytes, order and hashes", () => {
  fc.assert(
    fc.property(term, (value) => {
      const bytes = encode(value);
      const again = decode(bytes);
      expect(exactEquals(again, value)).toBe(true);
      expect(Buffer.from(encode(again)).equals(bytes)).toBe(true);
      expect(compare(again, value)).toBe(0);
      expect([hashTerm(again), phash2(again)]).toEqual([hashTerm(value), phash2(value)]);
    }),
    { numRuns: 1000 },
  );
});

test("the order is one: antisymmetric, transitive, and == where neither is less", () => {
  fc.assert(
    fc.property(term, term, term, (a, b, c) => {
      expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0);
      expect(equals(a, b)).toBe(compare(a, b) === 0);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 1000 },
  );
});

test("text is read back, unless it shows what text cannot say", () => {
  fc.assert(
    fc.property(term, (value) => {
      for (const mode of ["~tp", "~0tp", "~tw"] as const) {
        const text = format(value, { mode });
        if (!/#[^{]|\.\d+\.\d+>/.test(text)) expect(exactEquals(parse(text), value)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("values of JSON come back from plain terms", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const options = { unsafeIntegers: "float" } as const;
      const plain = toPlain(decode(encode(fromPlain(value, options))));
      // Erlang's -0.0 is a float, and so comes back.
      expect(plain).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test("any bytes are a term or an EtfDecodeError, any text a term or a TermSyntaxError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.string(), (bytes, text) => {
      try {
        decode(Uint8Array.of(131, ...bytes));
      } catch (error) {
        if (!(error instanceof EtfDecodeError)) throw error;
      }
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof TermSyntaxError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});
