import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  charlist,
  decode,
  EtfDecodeError,
  EtfEncodeError,
  ExternalFun,
  encode,
  exactEquals,
  Float,
  float,
  ImproperList,
  isList,
  isTuple,
  Pid,
  Port,
  Reference,
  type Term,
  TermDecoder,
  type TermInput,
  TermMap,
  TermWriter,
  Tuple,
  toTerm,
  tuple,
} from "../../etf/index.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function roundTrip(term: TermInput): Term {
  return decode(encode(term));
}

describe("encode", () => {
  test.each<[string, TermInput, string]>([
    ["0", 0, "836100"],
    ["255", 255, "8361ff"],
    ["256", 256, "836200000100"],
    ["-1", -1, "8362ffffffff"],
    ["2^31", 2 ** 31, "836e040000000080"],
    ["-2^31", -(2 ** 31), "836280000000"],
    ["2^53", 2n ** 53n, "836e070000000000000020"],
    ["-2^64", -(2n ** 64n), "836e0901000000000000000001"],
    ["1.5", 1.5, "83463ff8000000000000"],
    ["-0.0", -0, "83468000000000000000"],
    ["1.0", float(1), "83463ff0000000000000"],
    ["ok", atom("ok"), "8377026f6b"],
    ["true", true, "83770474727565"],
    ["binary", "é", "836d00000002c3a9"],
    ["[]", [], "836a"],
    ["string", charlist("ab"), "836b00026162"],
    ["list", [1, 256], "836c00000002610162000001006a".replace("0006a", "006a")],
    ["tuple", tuple(1), "8368016101"],
    ["map", { a: 1 }, "8374000000016d00000001616101"],
    ["improper", new ImproperList([1], 2), "836c0000000161016102"],
    ["bits", new BitString(Uint8Array.of(0xff), 3), "834d0000000103e0"],
    ["fun", new ExternalFun("m", "f", 1), "837177016d7701666101"],
    ["pid", new Pid("a@b", 1, 2, 3), "835877036140620000000100000002 00000003".replace(" ", "")],
  ])("%s", (_, term, expected) => {
    expect(hex(encode(term))).toBe(expected);
  });

  test("names the path of what is not a term", () => {
    const bad = [1, { price: [Number.NaN] }] as TermInput;
    expect(() => encode(bad)).toThrow(/^\[1\]\.price\[0\]: NaN is not a term/);
    expect(() => encode({ a: undefined } as unknown as TermInput)).toThrow(EtfEncodeError);
    expect(() => encode(null as unknown as TermInput)).toThrow(/null is not a term/);
  });

  test("a value that contains itself is refused", () => {
    const loop: unknown[] = [];
    loop.push({ loop });
    expect(() => encode(loop as TermInput)).toThrow(expect.objectContaining({ code: "ETF_CYCLE" }));
  });

  test("a failed writeTerm leaves the writer as it was", () => {
    const writer = new TermWriter({ byReferenceBytes: 4 });
    writer.writeUint8(7);
    writer.writeTerm("abcdef");
    const before = writer.length;
    const bad = [1, Uint8Array.of(1, 2, 3, 4, 5), null] as unknown as TermInput;
    expect(() => writer.writeTerm(bad)).toThrow(EtfEncodeError);
    expect(writer.length).toBe(before);
    writer.writeTerm(Uint8Array.of(1, 2, 3, 4, 5));
    writer.patchUint32(2, 6);
    expect(hex(Buffer.concat(writer.take()))).toBe("076d000000066162636465666d000000050102030405");
  });
});

describe("decode", () => {
  const samples: [string, TermInput][] = [
    ["numbers", [0, 255, 256, -1, 2 ** 31, -(2 ** 40), 2n ** 64n, -(2n ** 2050n)]],
    ["floats", [float(1), float(-0), float(5e-324)]],
    ["atoms", [atom(""), atom("ok"), atom("é"), atom("日本"), true, false]],
    ["binaries", [new Uint8Array(0), new Uint8Array(100).fill(7), "text"]],
    [
      "nesting",
      [tuple(), tuple(1), tuple(tuple(atom("a")), [[]]), new ImproperList([1], atom("x"))],
    ],
    [
      "identifiers",
      [new Port("a@b", 2n ** 63n, 1), new Port("a@b", 5, 1), new Reference("a@b", 9, [1, 2, 3])],
    ],
    [
      "maps",
      new TermMap<Term, TermInput>([
        [tuple(1, 2), 3],
        [1, 1],
        [float(1), 2],
      ]),
    ],
  ];

  test.each(samples)("%s come back the same", (_, term) => {
    expect(exactEquals(roundTrip(term), term)).toBe(true);
  });

  test.each(samples)("%s: each prefix is truncated", (_, term) => {
    const bytes = encode(term);
    for (let i = 0; i < bytes.length; i++) {
      expect(() => decode(bytes.subarray(0, i))).toThrow(
        expect.objectContaining({ code: "ETF_TRUNCATED" }),
      );
    }
  });

  test("atoms are the same object", () => {
    expect(roundTrip(atom("some_name"))).toBe(atom("some_name"));
  });

  test("a million levels", () => {
    let list: TermInput = [];
    let pairs: TermInput = atom("x");
    for (let i = 0; i < 1_000_000; i++) {
      list = [list];
      pairs = tuple(pairs, i);
    }
    for (const deep of [list, pairs]) {
      const back = roundTrip(deep);
      expect(exactEquals(back, deep)).toBe(true);
    }
  });

  test("claims beyond the bytes are refused before anything is made", () => {
    expect(() => decode(Buffer.from("836cffffffff6a", "hex"))).toThrow(
      expect.objectContaining({ code: "ETF_TRUNCATED" }),
    );
    expect(() => decode(Buffer.from("8369ffffffff6a", "hex"))).toThrow(EtfDecodeError);
    expect(() => decode(Buffer.from("8374ffffffff6a", "hex"))).toThrow(EtfDecodeError);
  });

  test("a key twice is refused", () => {
    const bytes = Buffer.from("83740000000261016101610161 02".replace(" ", ""), "hex");
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: "ETF_DUPLICATE_KEY" }));
  });

  test("atom cache references", () => {
    const decoder = new TermDecoder();
    const bytes = Uint8Array.of(104, 2, 82, 0, 82, 1);
    const term = decoder.decodeAt(bytes, 0, bytes.length, [atom("ok"), true]);
    expect(term).toEqual(tuple(atom("ok"), true));
    expect(decoder.offset).toBe(bytes.length);
  });
});

describe("terms", () => {
  test("a tuple is an array but no list, whatever its one element", () => {
    const one = tuple(5);
    expect(one.length).toBe(1);
    expect(isTuple(one)).toBe(true);
    expect(isList(one)).toBe(false);
    expect(isList(one.map((x) => x))).toBe(true);
    expect(one).toBeInstanceOf(Tuple);
  });

  test("atoms named true and false are refused", () => {
    expect(() => atom("true")).toThrow(expect.objectContaining({ code: "ETF_ATOM_BOOLEAN" }));
    expect(() => atom("x".repeat(256))).toThrow(
      expect.objectContaining({ code: "ETF_ATOM_TOO_LONG" }),
    );
  });

  test("floats", () => {
    expect(float(2).valueOf()).toBe(2);
    expect(() => new Float(Number.NaN)).toThrow(EtfEncodeError);
  });

  test("types of a destructured tuple", () => {
    const [tag, value] = tuple(atom("ok"), 1);
    const name: "ok" = tag.name;
    const number: number = value;
    expect([name, number]).toEqual(["ok", 1]);
  });
});

describe("a number", () => {
  const UNSAFE = [2 ** 53, -(2 ** 53), 2 ** 53 + 2, 1e22, -1e300, Number.MAX_VALUE];

  test.each(UNSAFE)("%d is an integer whose digits may be lost: refused", (value) => {
    const ways: [TermInput, string][] = [
      [value, ""],
      [[1, { price: value }], "[1].price"],
      [tuple("a", new Map([["b", value]])), '[1].get("b")'],
      [new ImproperList([value], 1), "[0]"],
    ];
    for (const convert of [
      encode,
      toTerm,
      (term: TermInput) => encode(term, { deterministic: true }),
    ]) {
      for (const [term, path] of ways) {
        expect(() => convert(term)).toThrow(
          expect.objectContaining({
            name: "EtfEncodeError",
            code: "ETF_OUT_OF_RANGE",
            path,
            message: expect.stringContaining(`write a bigint or float(${value})`),
          }),
        );
      }
    }
    expect(() => new TermMap([[value, 1]])).toThrow(
      expect.objectContaining({ code: "ETF_OUT_OF_RANGE" }),
    );
    expect(decode(encode(float(value)))).toEqual(float(value));
    expect(decode(encode(BigInt(value)))).toBe(BigInt(value));
  });

  test.each([2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 52 + 1])("%d is an integer", (value) => {
    expect(decode(encode(value))).toBe(value);
    expect(decode(encode([value]))).toEqual([value]);
  });

  test.each([0.5, -1e-300, 2 ** 51 + 0.5, -0])("%d is a float", (value) => {
    expect(decode(encode(value))).toEqual(float(value));
    expect(decode(encode([value]))).toEqual([float(value)]);
  });
});
