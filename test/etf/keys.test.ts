import { describe, expect, test } from "vitest";
import { compareKeys } from "../../etf/compare.ts";
import {
  atom,
  BitString,
  compare,
  decode,
  ExternalFun,
  encode,
  exactEquals,
  float,
  format,
  hashTerm,
  ImproperList,
  LocalFun,
  type LocalFunFields,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  phash2,
  Reference,
  type Term,
  TermMap,
  TermSet,
  tuple,
} from "../../etf/index.ts";
import { Known } from "../../etf/known.ts";

const pid = (id: number, creation = 1) => new Pid("a@b", id, 0, creation);
const fun = (fields: Partial<LocalFunFields>): LocalFun =>
  new LocalFun({
    arity: 0,
    uniq: new Uint8Array(16),
    index: 1,
    module: atom("m"),
    oldIndex: 1,
    oldUniq: 7,
    pid: pid(1),
    freeVariables: [],
    ...fields,
  });
const from = (i: number) =>
  tuple(pid(1), new ImproperList([atom("alias")], new Reference("a@b", 1, [1, 2, i])));

/** Terms of one kind that differ in one place only. */
const kinds: [string, (i: number) => Term][] = [
  ["From tags with an alias", from],
  ["tails of improper lists", (i) => new ImproperList([atom("a")], i)],
  ["values that funs captured", (i) => fun({ freeVariables: [i] })],
  ["numbers of funs", (i) => fun({ index: i })],
  ["old numbers of funs' code", (i) => fun({ oldUniq: i })],
  ["versions of funs' modules", (i) => fun({ uniq: new Uint8Array(16).fill(i) })],
  ["modules of funs", (i) => fun({ module: atom(`m${i}`) })],
  ["arities", (i) => new ExternalFun("m", "f", i)],
  ["functions", (i) => new ExternalFun("m", `f${i}`, 0)],
  ["modules", (i) => new ExternalFun(`m${i}`, "f", 0)],
  ["first words of references", (i) => new Reference("a@b", 1, [i, 2, 3])],
  ["third words of references", (i) => new Reference("a@b", 1, [1, 2, i])],
  ["fifth words of references", (i) => new Reference("a@b", 1, [1, 2, 3, 4, i])],
  ["creations of references", (i) => new Reference("a@b", i, [1])],
  ["nodes of references", (i) => new Reference(`a${i}@b`, 1, [1])],
  ["creations of pids", (i) => pid(1, i)],
  ["serials of pids", (i) => new Pid("a@b", 1, i, 1)],
  ["creations of ports", (i) => new Port("a@b", 1, i)],
  ["large ports", (i) => new Port("a@b", (1n << 63n) + (BigInt(i) << 40n), 1)],
  ["integers beyond 64 bits", (i) => (1n << 64n) * BigInt(i + 1)],
  ["floats", (i) => float(i / 7)],
  ["bitstrings", (i) => new BitString(Uint8Array.of(i, 0x80), 1 + (i % 7))],
  ["names of records", (i) => new NativeRecord(atom("m"), atom(`r${i}`), true, [], [])],
  ["fields of records", (i) => new NativeRecord(atom("m"), atom("r"), true, [atom(`f${i}`)], [1])],
  ["values of records", (i) => new NativeRecord(atom("m"), atom("r"), true, [atom("f")], [i])],
  ["values of maps", (i) => new TermMap<Term, Term>([[atom("a"), i]])],
  ["keys of maps that are their values", (i) => new TermMap<Term, Term>([[i, i]])],
  ["keys of maps", (i) => new TermMap<Term, Term>([[tuple(i), 1]])],
  ["terms 300 levels down", (i) => deep(300, i)],
];

function deep(levels: number, leaf: Term): Term {
  let term = leaf;
  for (let i = 0; i < levels; i++) term = i % 2 === 0 ? [term] : tuple(term);
  return term;
}

describe("keys that differ in one place only", () => {
  test.each(kinds)("%s", (_, keyOf) => {
    const keys = Array.from({ length: 200 }, (_, i) => keyOf(i));
    const hashes = new Set(keys.map(hashTerm));
    // Two of 200 have the same of 2^32 hashes once in 200,000 runs.
    expect(hashes.size).toBeGreaterThan(198);
    const map = new TermMap<Term, number>();
    for (const [i, key] of keys.entries()) map.set(key, i);
    const again = decode(encode(map)) as TermMap<Term, number>;
    expect(again.size).toBe(200);
    for (const [i, key] of keys.entries()) expect(again.get(key)).toBe(i);
    expect(exactEquals(map, again)).toBe(true);
    for (let i = 1; i < keys.length; i++) {
      expect(exactEquals(keys[i]!, keys[i - 1]!)).toBe(false);
      expect(again.delete(keys[i]!)).toBe(true);
    }
    expect([...again.values()]).toEqual([0]);
  });
});

test("what is =:= has one hash", () => {
  const ref = (...words: number[]) => new Reference("a@b", 1, words);
  expect(hashTerm(ref(1, 0, 0))).toBe(hashTerm(ref(1)));
  expect(hashTerm(new Port("a@b", 5n, 1))).toBe(hashTerm(new Port("a@b", 5, 1)));
  expect(hashTerm(2n ** 40n)).toBe(hashTerm(2 ** 40));
  expect(hashTerm(fun({ oldIndex: 5, pid: pid(9) }))).toBe(hashTerm(fun({})));
  const pairs: [Term, Term][] = [
    [tuple(1), 1],
    [tuple(2), 2],
  ];
  expect(hashTerm(new TermMap(pairs))).toBe(hashTerm(new TermMap(pairs.toReversed())));
});

test("words that cancelled each other under every seed", () => {
  // Bit 18 of one mixed word and bit 31 of the next, as murmur3 mixes them.
  const unmix = (mixed: number): number => {
    const k = Math.imul(mixed, 0x56ed309b); // the inverse of 0x1b873593
    return Math.imul((k >>> 15) | (k << 17), 0xdee13bb1); // and of 0xcc9e2d51
  };
  const words: number[][] = [[]];
  for (let i = 0; i < 12; i++) {
    for (const word of words.splice(0)) {
      words.push([...word, unmix(0), unmix(0)], [...word, unmix(1 << 18), unmix(1 << 31)]);
    }
  }
  const keys = words.map((each) => tuple(...each.map((word) => word >>> 0)));
  expect(new Set(keys.map(hashTerm)).size).toBeGreaterThan(4090);
});

test("a key and its value that change places", () => {
  const map = (key: Term, value: Term) => new TermMap<Term, Term>([[key, value]]);
  expect(hashTerm(map(1, tuple(2)))).not.toBe(hashTerm(map(tuple(2), 1)));
});

/** `#{#{#{...} => 1, X => 1} => 1, Y => 1}` to any depth, as bytes. */
function nestedKeys(levels: number, leaf: number): Uint8Array {
  const head = Buffer.from([116, 0, 0, 0, 2]);
  const rest = Buffer.from([97, 1, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 2, 97, leaf, 97, 1]);
  const parts: Uint8Array[] = [Buffer.from([131])];
  for (let i = 0; i < levels; i++) parts.push(head);
  parts.push(Buffer.from([97, leaf]));
  for (let i = 0; i < levels; i++) parts.push(rest);
  return Buffer.concat(parts);
}

describe("maps as keys of maps", () => {
  test.each([300, 20_000])("%i levels deep", (levels) => {
    const a = decode(nestedKeys(levels, 7));
    const b = decode(nestedKeys(levels, 7));
    const other = decode(nestedKeys(levels, 8));
    expect(exactEquals(a, b)).toBe(true);
    expect(exactEquals(a, other)).toBe(false);
    expect(hashTerm(a)).toBe(hashTerm(b));
    expect(phash2(a)).toBe(phash2(b));
    expect(compare(a, b)).toBe(0);
    expect(compare(a, other)).toBeLessThan(0);
    const map = new TermMap<Term, number>([[a, 1]]);
    expect(map.get(b)).toBe(1);
    expect(map.has(other)).toBe(false);
    const ordered = encode(a, { deterministic: true });
    expect(exactEquals(decode(ordered), a)).toBe(true);
  });

  test("100,000 levels deep", () => {
    const [a, b] = [decode(nestedKeys(100_000, 7)), decode(nestedKeys(100_000, 7))];
    expect(exactEquals(a, b)).toBe(true);
    expect(compare(a, b)).toBe(0);
  });

  test("eight keys at each of six levels, 2 MB", () => {
    const nested = (level: number, number: number): Uint8Array[] => {
      if (level === 0) return [Buffer.from([98, number >> 24, number >> 16, number >> 8, number])];
      const parts: Uint8Array[] = [Buffer.from([116, 0, 0, 0, 8])];
      for (let i = 0; i < 8; i++) {
        parts.push(...nested(level - 1, 8 * number + i), Buffer.from([97, 1]));
      }
      return parts;
    };
    const bytes = Buffer.concat([Buffer.from([131]), ...nested(6, 0)]);
    const began = process.cpuUsage();
    const a = decode(bytes);
    const b = decode(bytes);
    expect(exactEquals(a, b)).toBe(true);
    expect(compare(a, b)).toBe(0);
    expect(new TermMap<Term, number>([[a, 1]]).get(b)).toBe(1);
    expect(encode(b, { deterministic: true }).length).toBe(encode(b).length);
    // OTP needs 3.6 s to decode this much; erldist does all of this in about 1 s. Time on the
    // processor, which other programs do not add to.
    const { user, system } = process.cpuUsage(began);
    expect(user + system).toBeLessThan(20_000_000);
  });

  test("the same key twice is refused, however deep it is", () => {
    for (const levels of [1, 300, 20_000]) {
      const key = nestedKeys(levels, 7).subarray(1);
      const one = Buffer.from([97, 1]);
      const twice = Buffer.concat([Buffer.from([131, 116, 0, 0, 0, 2]), key, one, key, one]);
      expect(() => decode(twice)).toThrow(expect.objectContaining({ code: "ETF_DUPLICATE_KEY" }));
    }
  });
});

test("a fun in two versions of its module is one for ==, and two keys", () => {
  const [a, b] = [fun({ uniq: new Uint8Array(16).fill(1) }), fun({ uniq: new Uint8Array(16) })];
  expect(compare(a, b)).toBe(0);
  expect(exactEquals(a, b)).toBe(false);
  expect(compareKeys(a, b, new Known())).toBeGreaterThan(0);
});

describe("keys belong to their map", () => {
  const rows = (): TermMap<Uint8Array, number>[] =>
    decode(encode([{ name: 1, id: 2 }, { name: 3 }, { id: 4, name: 5 }])) as unknown as TermMap<
      Uint8Array,
      number
    >[];

  test.each<[string, (map: TermMap<Uint8Array, number>) => Iterable<Uint8Array>]>([
    ["keys()", (map) => map.keys()],
    ["entries()", (map) => Array.from(map.entries(), ([key]) => key)],
    ["iteration", (map) => Array.from(map, ([key]) => key)],
    [
      "forEach()",
      (map) => {
        const keys: Uint8Array[] = [];
        map.forEach((_, key) => void keys.push(key));
        return keys;
      },
    ],
    ["a TermSet of them", (map) => new TermSet<Uint8Array>(map.keys())],
    ["a copy of the map", (map) => new TermMap(map).keys()],
  ])("writing into what %s gives changes no other map", (_, keysOf) => {
    const [first, ...others] = rows();
    for (const key of keysOf(first!)) key.fill(120);
    for (const map of [...others, ...rows()]) {
      expect(map.has(Buffer.from("name") as Uint8Array)).toBe(true);
      expect(format(map as unknown as Term)).toMatch(/<<"name">> => \d/);
    }
    expect(rows().map((map) => map.size)).toEqual([2, 1, 2]);
  });

  test("the keys that a map gives are the same each time", () => {
    const [map] = rows();
    expect([...map!.keys()][0]).toBe([...map!.keys()][0]);
  });

  test("a binary may be written to after it became a key", () => {
    const bytes = Buffer.from("abc");
    const map = new TermMap<Term, number>([[bytes, 1]]);
    bytes.fill(0);
    expect(map.get("abc")).toBe(1);
    for (const key of new TermMap(map).keys()) (key as Uint8Array).fill(0);
    expect(map.get("abc")).toBe(1);
  });

  test("writing into an atom's bytes changes nothing", () => {
    const name = atom("written_to");
    const before = encode(name);
    name.utf8.fill(0);
    expect(encode(name)).toEqual(before);
    expect(decode(before)).toBe(name);
  });
});

test("opaque terms are told apart by their bytes", () => {
  const opaque = (i: number) => new OpaqueTerm(Uint8Array.of(121, i));
  expect(hashTerm(opaque(1))).toBe(hashTerm(opaque(1)));
  expect(exactEquals(opaque(1), opaque(2))).toBe(false);
});
