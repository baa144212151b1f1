import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys } from "../../etf/compare.ts";
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
  isTuple,
  Pid,
  parse,
  phash2,
  Reference,
  type Term,
  TermMap,
  TermSyntaxError,
  toPlain,
  tuple,
  tupleFrom,
} from "../../etf/index.ts";
import { Known } from "../../etf/known.ts";

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
    fc.array(tie("term"), { maxLength: 5 }).map((elements) => tuple(...elements)),
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

/** Terms that are often equal, in value or exactly, or nearly so. */
const few = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 3, depthIdentifier: "few" },
    fc.constantFrom<Term[]>(0, 1, float(0), float(-0), float(1), true, atom("a"), 2n ** 64n),
    fc.constantFrom<Term[]>(Buffer.of(0), Buffer.of(128), new BitString(Buffer.of(128), 1)),
    fc.constantFrom<Term[]>(new Reference("a@b", 1, [1]), new Reference("a@b", 1, [1, 0, 0])),
    fc.constantFrom<Term[]>(new Pid("a@b", 1, 0, 1), new Pid("a@b", 1, 0, 2)),
    fc.array(tie("term"), { maxLength: 2 }),
    fc.array(tie("term"), { maxLength: 2 }).map((elements) => tuple(...elements)),
    fc.tuple(tie("term"), leaf).map(([element, tail]) => new ImproperList([element], tail)),
    fc
      .array(fc.tuple(tie("term"), tie("term")), { maxLength: 3 })
      .map((pairs) => new TermMap(pairs)),
  ),
})).term;

/** The same term made anew, with its maps in another order; written as exactly as it is. */
function rebuilt(value: Term): Term {
  if (value instanceof TermMap) {
    const pairs = [...value].map(([k, v]): [Term, Term] => [rebuilt(k), rebuilt(v)]);
    return new TermMap(pairs.reverse());
  }
  if (isTuple(value)) return tupleFrom((value as readonly Term[]).map(rebuilt));
  if (Array.isArray(value)) return value.map(rebuilt);
  return decode(encode(value));
}

/** By the bytes, which tell 0.0 from -0.0 and 1 from 1.0; it rests on nothing that it checks. */
function canonical(value: Term): string {
  if (value instanceof TermMap) {
    const pairs = [...value].map(([k, v]) => `${canonical(k)}=>${canonical(v)}`);
    return `#{${pairs.sort()}}`;
  }
  if (isTuple(value)) return `{${(value as readonly Term[]).map(canonical)}}`;
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value instanceof ImproperList) {
    return `[${value.elements.map(canonical)}|${canonical(value.tail)}]`;
  }
  if (value instanceof Reference) return `${value}`.replace(/<a@b(\.0)*/, "");
  return Buffer.from(encode(value)).toString("hex");
}

test("=:=, the order of keys, hashes and lookups agree, about -0.0 as well", () => {
  fc.assert(
    fc.property(few, few, (a, b) => {
      const same = canonical(a) === canonical(b);
      expect(exactEquals(a, b)).toBe(same);
      expect(compareKeys(a, b, new Known()) === 0).toBe(same);
      if (same) expect(hashTerm(a)).toBe(hashTerm(b));
      else expect(hashTerm(a)).not.toBe(hashTerm(b));
      if (same) expect(equals(a, b)).toBe(true);
      for (const filler of [0, 20]) {
        const map = new TermMap<Term, number>([[a, -1]]);
        for (let i = 0; i < filler; i++) map.set(tuple(atom("filler"), i), i);
        expect(map.has(b)).toBe(same);
        expect(map.has(rebuilt(a))).toBe(true);
        expect(map.set(b, -2).size).toBe(filler + (same ? 1 : 2));
      }
      expect(exactEquals(a, rebuilt(a))).toBe(true);
      expect(hashTerm(rebuilt(a))).toBe(hashTerm(a));
    }),
    { numRuns: 3000 },
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
