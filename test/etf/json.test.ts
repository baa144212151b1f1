import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  decode,
  ExternalFun,
  exactEquals,
  float,
  format,
  fromJson,
  ImproperList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  parse,
  Reference,
  type Term,
  type TermInput,
  TermMap,
  toJson,
  tuple,
} from "../../etf/index.ts";

describe("toJson", () => {
  test.each([
    ["1", 1],
    ["9007199254740993", { $i: "9007199254740993" }],
    ["1.5", 1.5],
    ["1.0", { $f: 1 }],
    ["ok", { $a: "ok" }],
    ["true", true],
    ['<<"text">>', "text"],
    ["<<255>>", { $b: "/w==" }],
    ["<<5:3>>", { $b: "oA==", bits: 3 }],
    ["[1,[]]", [1, []]],
    ["[1|2]", { $l: [1], tail: 2 }],
    ["{a,{}}", { $t: [{ $a: "a" }, { $t: [] }] }],
    ['#{<<"k">> => 1}', { k: 1 }],
    ['#{<<"$k">> => 1}', { $m: [["$k", 1]] }],
    ["#{k => 1}", { $m: [[{ $a: "k" }, 1]] }],
    [
      '#{k => 1, <<"k">> => 2}',
      {
        $m: [
          [{ $a: "k" }, 1],
          ["k", 2],
        ],
      },
    ],
    ["#{}", {}],
    ["fun lists:map/2", { $fun: "fun lists:map/2" }],
    ["<0.1.2>", { $pid: ["nonode@nohost", 1, 2, 0] }],
    ["#Port<0.5>", { $port: ["nonode@nohost", 5, 0] }],
    ["#Ref<0.3.2.1>", { $ref: ["nonode@nohost", 0, [1, 2, 3]] }],
  ])("%s as JSON", (text, json) => {
    const written = toJson(parse(text));
    expect(JSON.parse(written)).toEqual(json);
    expect(exactEquals(fromJson(JSON.stringify(json)), parse(text))).toBe(true);
  });
});

const pid = new Pid("a@b", 1, 2, 3);
const fun = new LocalFun({
  arity: 1,
  uniq: Buffer.from("0123456789abcdef"),
  index: 3,
  module: atom("m"),
  oldIndex: 4,
  oldUniq: 123,
  pid,
  freeVariables: [pid, [1]],
});

const LEAVES: TermInput[] = [
  ...[0, -1, 2 ** 53 - 1, 2n ** 53n, -(2n ** 100n), 1.5, -0, 5e-324, true, false, pid, fun],
  ...[1, -1, 0, 1e21, 1e22, 1e300, -1e300, Number.MAX_VALUE].map(float),
  ...["ok", "null", "$a", "", "\ufeff", "a\0b", "日本", "a'b"].map((name) => atom(name)),
  ...["", "a", "$i", "\ufeffa", "\u2028\u2029", '"\\\n\0', "__proto__", "\u{10ffff}", "/w=="],
  ...[[0xff], [0xef, 0xbb], [0xed, 0xa0, 0x80], [0, 255, 1]].map((bytes) => Buffer.from(bytes)),
  ...[new BitString(Buffer.from([0xa0]), 3), new BitString(Buffer.from([1, 0x80]), 1)],
  ...[new Pid("a b'@c", 2 ** 32 - 1, 0, 2 ** 32 - 1), new Port("a@b", 2n ** 64n - 1n, 1)],
  ...[
    new Port("a@b", 7, 1),
    new Reference("ü@b", 9, [1, 2, 3, 4, 5]),
    new Reference("a@b", 0, [7]),
  ],
  ...[new ExternalFun("lists", "map", 2), new ExternalFun("x@y", "and", 0)],
  ...[new ExternalFun("日本", "a'\n\\b", 255), new ExternalFun("true", "", 1)],
  new OpaqueTerm(Buffer.from([121, 1, 2, 255])),
  new NativeRecord(atom("m"), atom("r"), false, [atom("f"), atom("日")], [1, [pid]]),
  new NativeRecord(atom("m"), atom("r"), true, [], []),
];

const terms = fc.letrec<{ term: TermInput }>((tie) => {
  const list = fc.array(tie("term"), { maxLength: 4 });
  return {
    term: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom(...LEAVES),
      fc.bigInt(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(float),
      fc.string({ unit: "binary" }),
      fc.uint8Array({ maxLength: 9 }),
      list,
      list.map((items) => tuple(...items)),
      list.map((items) => new ImproperList([1, ...(items as Term[])], atom("tail"))),
      fc
        .array(fc.tuple(tie("term"), tie("term")), { maxLength: 4 })
        .map((pairs) => new TermMap(pairs)),
      fc.dictionary(fc.string({ unit: "binary" }), tie("term"), { maxKeys: 4 }),
      list.map(
        (items) =>
          new NativeRecord(
            atom("m"),
            atom("r"),
            true,
            items.map((_, i) => atom(`f${i}`)),
            items as Term[],
          ),
      ),
      list.map((items) => new LocalFun({ ...fun, freeVariables: items as Term[] })),
    ),
  };
}).term;

describe("there and back", () => {
  test.each(LEAVES.map((term) => [format(term), term] as const))("%s", (_, term) => {
    for (const value of [term, [term], new TermMap([[term, term]]), tuple(1, term)]) {
      expect(exactEquals(fromJson(toJson(value)), value)).toBe(true);
    }
  });

  test("any term, by way of JSON.parse as well", () => {
    fc.assert(
      fc.property(terms, (term) => {
        const text = toJson(term);
        expect(exactEquals(fromJson(text), term), text).toBe(true);
        expect(exactEquals(fromJson(JSON.stringify(JSON.parse(text), null, 2)), term)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const folder = new URL("../vectors/", import.meta.url);
  test.each(readdirSync(folder).filter((name) => /^(codec|text)-.*\.json$/.test(name)))(
    "%s",
    (name) => {
      const hexes = readFileSync(new URL(name, folder), "utf8").match(/"83[0-9a-f]*"/g)!;
      expect(hexes.length).toBeGreaterThan(80);
      for (const hex of hexes) {
        const term = decode(Buffer.from(hex.slice(1, -1), "hex"));
        expect(exactEquals(fromJson(toJson(term)), term), hex).toBe(true);
      }
    },
  );

  test("a million levels", () => {
    const depth = 1_000_000;
    const kinds: [string, (term: Term) => TermInput][] = [
      ["lists", (term) => [term]],
      ["tuples", (term) => tuple(term)],
      ["maps", (term) => new TermMap([["k", term]])],
      ["tails", (term) => new ImproperList([1], tuple(term) as never)],
    ];
    for (const [name, wrap] of kinds) {
      let term: TermInput = 1;
      for (let i = 0; i < (name === "lists" ? depth : depth / 10); i++) term = wrap(term as Term);
      const text = toJson(term);
      expect(exactEquals(fromJson(text), term), name).toBe(true);
      expect(() => fromJson(text, { maxDepth: 1000 })).toThrow(
        expect.objectContaining({ code: "TERM_LIMIT" }),
      );
    }
  });

  test("numbers as others write them", () => {
    expect(fromJson("9007199254740993")).toBe(9007199254740993n);
    expect(fromJson(" [1, 1.0, 1e2, -0, -0.0, -1E-2]\n")).toEqual([
      1,
      float(1),
      float(100),
      float(-0),
      float(-0),
      float(-0.01),
    ]);
    expect(fromJson('{"$f":1.0}')).toEqual(float(1));
    expect(fromJson('{"$a":"true"}')).toBe(true);
  });
});

describe("what is refused", () => {
  test.each([
    ["", "TERM_INCOMPLETE"],
    ["[1", "TERM_INCOMPLETE"],
    ['{"a"', "TERM_INCOMPLETE"],
    ['"a', "TERM_INCOMPLETE"],
    ['"a\\"', "TERM_INCOMPLETE"],
    ["[1,]", "TERM_UNEXPECTED"],
    ["[1 2]", "TERM_UNEXPECTED"],
    ["{1:2}", "TERM_UNEXPECTED"],
    ['{"a":1,}', "TERM_UNEXPECTED"],
    ["[1}", "TERM_UNEXPECTED"],
    ["1 2", "TERM_UNEXPECTED"],
    ["01", "TERM_UNEXPECTED"],
    ["1.", "TERM_UNEXPECTED"],
    ["+1", "TERM_UNEXPECTED"],
    ["NaN", "TERM_UNEXPECTED"],
    ["ok", "TERM_UNEXPECTED"],
    ["'a'", "TERM_UNEXPECTED"],
    ['"\\x41"', "TERM_UNEXPECTED"],
    ['"\n"', "TERM_UNEXPECTED"],
    ["null", "TERM_BAD_VALUE"],
    ['"\\ud800"', "TERM_BAD_VALUE"],
    ['{"\\udc00":1}', "TERM_BAD_VALUE"],
    ["1e999", "TERM_BAD_VALUE"],
    ['{"a":1,"a":2}', "TERM_BAD_VALUE"],
    ['{"$m":[[1,2],[1,3]]}', "TERM_BAD_VALUE"],
    ['{"$m":[[1]]}', "TERM_BAD_VALUE"],
    ['{"$a":1}', "TERM_BAD_VALUE"],
    [`{"$a":"${"x".repeat(256)}"}`, "TERM_BAD_VALUE"],
    ['{"$i":"1.5"}', "TERM_BAD_VALUE"],
    ['{"$i":1}', "TERM_BAD_VALUE"],
    ['{"$f":"1"}', "TERM_BAD_VALUE"],
    ['{"$b":"/w="}', "TERM_BAD_VALUE"],
    ['{"$b":"/w==","bits":8}', "TERM_BAD_VALUE"],
    ['{"$l":[1],"tail":[]}', "TERM_BAD_VALUE"],
    ['{"$l":[],"tail":1}', "TERM_BAD_VALUE"],
    ['{"$t":{"$t":[1]}}', "TERM_BAD_VALUE"],
    ['{"$pid":["a@b",-1,0,0]}', "TERM_BAD_VALUE"],
    ['{"$fun":"lists:map/2"}', "TERM_BAD_VALUE"],
    ['{"$fun":"fun ("}', "TERM_BAD_VALUE"],
    ['{"$fun":{"module":"m"}}', "TERM_BAD_VALUE"],
    ['{"$record":[1]}', "TERM_BAD_VALUE"],
    ['{"$what":1}', "TERM_BAD_VALUE"],
    ['{"a":1,"$t":[]}', "TERM_BAD_VALUE"],
    ['{"$t":[],"a":1}', "TERM_BAD_VALUE"],
  ])("%s", (text, code) => {
    expect(() => fromJson(text)).toThrow(
      expect.objectContaining({ name: "TermSyntaxError", code }),
    );
  });

  test("with the place", () => {
    expect(() => fromJson('[1,\n {"a": nil}]')).toThrow(
      expect.objectContaining({ line: 2, column: 8 }),
    );
  });

  test("any text is a term or a TermSyntaxError", () => {
    const json = fc.oneof(
      fc.json(),
      fc.string({ unit: fc.constantFrom(...'[]{}",:$atmlbpid01.-e\\ ') }),
    );
    fc.assert(
      fc.property(json, (text) => {
        try {
          fromJson(text);
        } catch (error) {
          expect((error as Error).name).toBe("TermSyntaxError");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a cycle, and what is not a term", () => {
    const list: unknown[] = [];
    list.push({ list });
    expect(() => toJson(list as never)).toThrow(
      expect.objectContaining({ code: "ETF_CYCLE", path: '[0].get("list")' }),
    );
    expect(() => toJson([Number.NaN])).toThrow(
      expect.objectContaining({ code: "ETF_NOT_A_TERM", path: "[0]" }),
    );
  });

  test("a reference without words, and a fun of any arity, as a peer may send them", () => {
    for (const hex of ["835a0000640001610000000a", "8371640001616400016262000003e8"]) {
      const term = decode(Buffer.from(hex, "hex"));
      expect(exactEquals(fromJson(toJson(term)), term)).toBe(true);
    }
  });
});
