/**
 * The first and the last value of each range, in terms small and large: terms of some kilobytes are
 * read and written by faster code than small ones. The bytes are compared with those of a slow and
 * obvious encoder.
 */
import { describe, expect, test } from "vitest";
import {
  Atom,
  BitString,
  decode,
  EtfDecodeError,
  EtfEncodeError,
  ExternalFun,
  encode,
  equals,
  Float,
  format,
  ImproperList,
  namedAtom,
  Pid,
  Port,
  parse,
  Reference,
  type Term,
  type TermInput,
  TermMap,
  Tuple,
  tuple,
  tupleFrom,
  utf8Text,
} from "../../etf/index.ts";

const be = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, at) =>
    Number((BigInt(value) >> BigInt(8 * (bytes - 1 - at))) & 255n),
  );

const PADDING = Buffer.alloc(2100, 0xff);
const PADDED = [109, ...be(PADDING.length, 4), ...PADDING];

/** A term without its version byte, as erl_ext_dist describes it. */
function slowly(term: unknown): number[] {
  if (
    typeof term === "bigint" ||
    (typeof term === "number" && Number.isInteger(term) && !Object.is(term, -0))
  ) {
    const value = BigInt(term);
    if (value >= 0n && value <= 255n) return [97, Number(value)];
    if (value >= -(2n ** 31n) && value < 2n ** 31n)
      return [98, ...be(BigInt.asUintN(32, value), 4)];
    const magnitude = value < 0n ? -value : value;
    const size = Math.ceil(magnitude.toString(16).length / 2);
    const head = size < 256 ? [110, size] : [111, ...be(size, 4)];
    return [...head, value < 0n ? 1 : 0, ...be(magnitude, size).reverse()];
  }
  if (typeof term === "number" || term instanceof Float) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(Number(term instanceof Float ? term.value : term));
    return [70, ...bytes];
  }
  if (typeof term === "boolean") return slowly(new Atom(String(term)));
  if (term instanceof Atom) {
    const name = Buffer.from(term.name);
    return name.length < 256 ? [119, name.length, ...name] : [118, ...be(name.length, 2), ...name];
  }
  if (typeof term === "string") return slowly(Buffer.from(term));
  if (term === PADDING) return PADDED;
  if (term instanceof Uint8Array) return [109, ...be(term.length, 4), ...term];
  if (term instanceof BitString)
    return [77, ...be(term.bytes.length, 4), term.lastBits, ...term.bytes];
  if (term instanceof Pid)
    return [
      88,
      ...slowly(term.node),
      ...be(term.id, 4),
      ...be(term.serial, 4),
      ...be(term.creation, 4),
    ];
  if (term instanceof Port)
    return [120, ...slowly(term.node), ...be(term.id, 8), ...be(term.creation, 4)];
  if (term instanceof Reference) {
    const { ids, node, creation } = term;
    return [
      90,
      ...be(ids.length, 2),
      ...slowly(node),
      ...be(creation, 4),
      ...ids.flatMap((id) => be(id, 4)),
    ];
  }
  if (term instanceof ExternalFun)
    return [113, ...slowly(term.module), ...slowly(term.function), ...slowly(term.arity)];
  if (term instanceof ImproperList)
    return [
      108,
      ...be(term.elements.length, 4),
      ...term.elements.flatMap(slowly),
      ...slowly(term.tail),
    ];
  if (term instanceof TermMap) {
    const entries = [...term.entries()].flat();
    return [116, ...be(entries.length / 2, 4), ...entries.flatMap(slowly)];
  }
  if (term instanceof Tuple) {
    const head = term.length < 256 ? [104, term.length] : [105, ...be(term.length, 4)];
    return [...head, ...([...term] as unknown[]).flatMap(slowly)];
  }
  if (Array.isArray(term)) {
    if (term.length === 0) return [106];
    const bytes = term.every(
      (one) =>
        Number.isInteger(Number(one)) &&
        typeof one !== "object" &&
        Number(one) >= 0 &&
        Number(one) <= 255 &&
        !Object.is(one, -0),
    );
    if (bytes && term.length < 65_536) return [107, ...be(term.length, 2), ...term.map(Number)];
    return [108, ...be(term.length, 4), ...term.flatMap(slowly), 106];
  }
  throw new Error(`a ${typeof term}`);
}

const around = (...edges: bigint[]): bigint[] =>
  edges.flatMap((edge) => [edge - 1n, edge, edge + 1n]).flatMap((value) => [value, -value]);
const BIG = around(
  ...[7, 8, 15, 16, 31, 32, 39, 40, 47, 48, 52, 53, 55, 56, 63, 64, 65, 71, 128, 192, 256].map(
    (bits) => 2n ** BigInt(bits),
  ),
);
const HUGE = around(...[384, 1280, 2032, 2040, 2048].map((bits) => 2n ** BigInt(bits)));
const SAFE = BIG.filter((value) => Number.isSafeInteger(Number(value))).map(Number);
const FLOATS = [0.5, -0.5, 1.5e15 + 0.25, 5e-324, -0, 2 ** 52 + 0.5];
const node = namedAtom("bilbo@shire");
const words = [0, 1, 255, 2 ** 16, 2 ** 31, 2 ** 32 - 1];

const KINDS: Record<string, readonly TermInput[]> = {
  "integers of every width": [0, 1, ...SAFE],
  "bigints of every width": BIG,
  "huge bigints": HUGE,
  floats: [
    ...FLOATS.map((value) => new Float(value)),
    ...[1, 2 ** 53, 1e300].map((value) => new Float(value)),
  ],
  "numbers with a fraction": FLOATS,
  atoms: [
    "",
    "a",
    "ab",
    "abc",
    "\x7f",
    "\x80",
    "é".repeat(127),
    `${"é".repeat(127)}ab`,
    "é".repeat(128),
    "é".repeat(255),
    "😀".repeat(255),
    "a".repeat(255),
  ].map(namedAtom),
  booleans: [true, false],
  binaries: [0, 1, 3, 4, 23, 24, 25, 47, 48, 49, 63, 64, 65, 66, 255, 256, 300].map((size) =>
    Buffer.alloc(size, 0x80 + (size % 100)),
  ),
  bitstrings: [1, 7].map((bits) => new BitString(Uint8Array.of(1, 0x80), bits)),
  pids: words.flatMap((word) => [
    new Pid(node, word, 0, 1),
    new Pid(node, 0, word, 1),
    new Pid(node, 0, 0, word),
  ]),
  ports: [...words, 2 ** 32, 2n ** 64n - 1n].flatMap((id) => [
    new Port(node, id, 1),
    new Port(node, 1, Number(BigInt(id) & 0xffffffffn)),
  ]),
  references: words.flatMap((word) => [
    new Reference(node, word, [1, 2, 3]),
    ...[
      [word],
      [1, word],
      [word, 2, 3],
      [1, word, 3],
      [1, 2, word],
      [1, 2, 3, word],
      [1, 2, 3, 4, word],
    ].map((ids) => new Reference(node, 9, ids)),
  ]),
  funs: [0, 1, 254, 255].map((arity) => new ExternalFun(namedAtom("m"), namedAtom("f"), arity)),
  lists: [
    [],
    [0],
    [255],
    [256],
    [-1],
    [0, 255],
    [0, 256],
    [0n, 255n],
    [1, -0],
    [1, 1.5],
    [[]],
    new ImproperList([1], 2),
  ],
  tuples: [0, 1, 254, 255, 256, 257].map((size) =>
    tupleFrom(Array.from({ length: size }, (_, at) => at)),
  ),
  maps: [
    new TermMap([]),
    new TermMap([["k", 1]]),
    new TermMap([
      [1, 2],
      [node, 300],
    ]),
  ],
};

/** What a value is put into; each makes a small term, or one of several kilobytes. */
const PLACES: Record<string, (value: TermInput) => TermInput> = {
  alone: (value) => value,
  "in a small list": (value) => [node, value, node],
  "in a large list": (value) => [node, PADDING, value, value, node, value],
  "many times in a list": (value) => [node, PADDING, ...Array.from({ length: 20 }, () => value)],
  "in a large tuple": (value) => tuple(PADDING, value, value, node, value),
  "in a large map": (value) =>
    new TermMap([
      ["padding", PADDING],
      [value, 1],
      ["last", value],
    ]),
  "as the tail of a large list": (value) => {
    const list = Array.isArray(value) && !(value instanceof Tuple);
    if (list || value instanceof ImproperList) return [PADDING, value];
    return new ImproperList([node, PADDING, value as Term], value as Term);
  },
};

describe.each(Object.entries(KINDS))("%s", (kind, values) => {
  test.each(Object.entries(PLACES))("%s are written and read exactly", (_, put) => {
    for (const value of values) {
      const term = put(value);
      const bytes = encode(term);
      const expected = Buffer.from([131, ...slowly(term)]);
      if (Buffer.compare(bytes, expected) !== 0) {
        expect(Buffer.from(bytes).toString("hex")).toBe(expected.toString("hex"));
      }
      const read = decode(bytes);
      if (kind === "numbers with a fraction") expect(encode(read)).toEqual(bytes);
      else if (!equals(read, term as Term)) expect(read).toEqual(term);
      // In the middle of other bytes, so that nothing is read beyond the end.
      const within = Buffer.concat([Buffer.alloc(5, 97), bytes, Buffer.alloc(20, 97)]);
      const again = decode(within.subarray(5, 5 + bytes.length));
      expect(equals(again, read)).toBe(true);
    }
  });

  test("cut short are refused, in a small term and in a large one", () => {
    for (const value of [values[0]!, values.at(-1)!]) {
      for (const put of [
        PLACES["in a small list"]!,
        PLACES["in a large list"]!,
        PLACES["in a large tuple"]!,
      ]) {
        const bytes = encode(put(value));
        const refusals = new Set<unknown>();
        for (let end = Math.max(1, bytes.length - 150); end < bytes.length; end++) {
          try {
            refusals.add(decode(bytes.subarray(0, end)));
          } catch (error) {
            refusals.add(error instanceof EtfDecodeError ? error.code : error);
          }
        }
        expect([...refusals]).toEqual(["ETF_TRUNCATED"]);
      }
    }
  });
});

/** The first and the last character of each length that UTF-8 has, and those beside the surrogates. */
const CHARACTERS = [
  0, 0x7f, 0x80, 0xff, 0x100, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff,
].map((code) => [code.toString(16).padStart(4, "0"), String.fromCodePoint(code)] as const);
const LENGTHS = [
  0, 1, 2, 7, 8, 15, 16, 22, 23, 24, 46, 47, 48, 49, 61, 62, 63, 64, 65, 254, 255, 256, 2047, 2048,
  20_000,
];

describe.each(CHARACTERS)("U+%s", (_, character) => {
  const texts = LENGTHS.flatMap((length) => [
    character + "x".repeat(length),
    "x".repeat(length) + character,
    `${"x".repeat(length)}${character}y`,
  ]);

  test("is written as UTF-8 in a text of any length, and read again", () => {
    for (const text of texts) {
      const utf8 = Buffer.from(text);
      const bytes = encode(text);
      expect(Buffer.compare(bytes, Buffer.from([131, 109, ...be(utf8.length, 4), ...utf8]))).toBe(
        0,
      );
      expect(utf8Text(bytes, 6)).toBe(text);
      expect(utf8Text(Buffer.concat([utf8, Buffer.alloc(30)]), 0, utf8.length)).toBe(text);
    }
  });

  test("is written as UTF-8 in an atom, read again, printed and parsed", () => {
    for (const text of texts.filter(({ length }) => [...character].length + length <= 255)) {
      const utf8 = Buffer.from(text);
      const head = utf8.length < 256 ? [119, utf8.length] : [118, ...be(utf8.length, 2)];
      const bytes = encode(namedAtom(text));
      expect(Buffer.compare(bytes, Buffer.from([131, ...head, ...utf8]))).toBe(0);
      expect(decode(bytes)).toBe(namedAtom(text));
      expect(parse(format(namedAtom(text)))).toBe(namedAtom(text));
      expect(equals(parse(format(text)), decode(encode(text)))).toBe(true);
    }
  });
});

test.each([0xd800, 0xdbff, 0xdc00, 0xdfff])(
  "U+%i alone is not text, in a text of any length",
  (code) => {
    const half = String.fromCharCode(code);
    for (const length of LENGTHS) {
      for (const text of [half + "x".repeat(length), "x".repeat(length) + half]) {
        expect(() => encode(text)).toThrow(EtfEncodeError);
        expect(() => encode([text])).toThrow(expect.objectContaining({ code: "ETF_BAD_TEXT" }));
      }
    }
  },
);
