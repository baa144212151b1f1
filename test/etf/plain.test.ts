import { describe, expect, test } from "vitest";
import {
  atom,
  EtfEncodeError,
  ExternalFun,
  exactEquals,
  float,
  fromPlain,
  ImproperList,
  type Plain,
  parse,
  type TermInput,
  TermMap,
  toPlain,
  tuple,
} from "../../etf/index.ts";

describe("toPlain", () => {
  test.each<[TermInput, Plain]>([
    [1, 1],
    [2n ** 60n, 2n ** 60n],
    [float(1.5), 1.5],
    [atom("ok"), "ok"],
    [true, true],
    [atom("nil"), null],
    [atom("null"), null],
    [atom("undefined"), null],
    [Buffer.from("é"), "é"],
    [Buffer.from([0xff]), Buffer.from([0xff])],
    [tuple(atom("ok"), [1, tuple()]), ["ok", [1, []]]],
    [new ImproperList([1], 2), [1, 2]],
    [parse('#{a => 1, <<"b">> => #{1 => []}, {c} => 2}'), { a: 1, b: { 1: [] }, "{c}": 2 }],
    [parse("#m:r{f = ok}"), { f: "ok" }],
    [new ExternalFun("m", "f", 1), "fun m:f/1"],
    [parse("<0.1.2>"), "<0.1.2>"],
  ])("%o", (term, plain) => {
    expect(toPlain(term)).toEqual(plain);
  });

  test("options", () => {
    expect(toPlain([atom("a")], { atoms: "atom" })).toEqual([atom("a")]);
    expect(toPlain(["a"], { binaries: "bytes" })).toEqual([Buffer.from("a")]);
    expect(toPlain(2n ** 60n, { integers: "string" })).toBe("1152921504606846976");
  });

  test("a key __proto__ is a property like others", () => {
    const plain = toPlain(new TermMap([["__proto__", { polluted: true }]])) as object;
    expect(Object.keys(plain)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
  });

  test("a million levels", () => {
    let term: TermInput = 1;
    for (let i = 0; i < 1_000_000; i++) term = tuple(term);
    let plain = toPlain(term);
    for (let i = 0; i < 1_000_000; i++) plain = (plain as Plain[])[0]!;
    expect(plain).toBe(1);
  });
});

describe("fromPlain", () => {
  test.each<[unknown, string]>([
    [{ a: [1, 1.5, null, true], b: undefined }, '#{<<"a">> => [1,1.5,null,true]}'],
    ["text", '<<"text">>'],
    [new Map([[1, "x"]]), '#{1 => <<"x">>}'],
    [new Date(0), '<<"1970-01-01T00:00:00.000Z">>'],
    [[atom("ok"), tuple(1)], "[ok,{1}]"],
  ])("%o", (value, text) => {
    expect(exactEquals(fromPlain(value), parse(text))).toBe(true);
  });

  test("options", () => {
    const term = fromPlain({ a: null }, { null: "nil", keys: "atom" });
    expect(exactEquals(term, parse("#{a => nil}"))).toBe(true);
  });

  test("what is no term is refused", () => {
    for (const value of [Number.NaN, Symbol("x"), [() => 1], "\ud800"]) {
      expect(() => fromPlain(value)).toThrow(EtfEncodeError);
    }
  });

  test("there and back", () => {
    const value = { list: [1, "two", { three: [null, false] }], big: 2n ** 70n };
    expect(toPlain(fromPlain(value))).toEqual(value);
  });
});
