import { describe, expect, test } from "vitest";
import {
  atom,
  decode,
  EtfEncodeError,
  ExternalFun,
  encode,
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

  test("a setter of Object.prototype is not run", () => {
    const names = ["planted", "valueOf", "toString", "frozen"];
    const term = new TermMap(names.map((name) => [name, 1]));
    const many = new TermMap(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i]));
    for (const name of names) many.set(name, 1);
    const original = Object.getOwnPropertyDescriptors(Object.prototype);
    const before = { toString: original.toString, valueOf: original.valueOf };
    let calls = 0;
    const plains: object[] = [];
    for (const name of names) {
      const planted =
        name === "frozen"
          ? { value: 0, writable: false }
          : { get: () => before.toString.value, set: () => calls++ };
      Object.defineProperty(Object.prototype, name, { ...planted, configurable: true });
    }
    try {
      for (const map of [term, many]) {
        plains.push(toPlain(map) as object, decode(encode(map), { plain: true }) as object);
      }
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name);
      Object.defineProperties(Object.prototype, before);
    }
    for (const plain of plains) {
      for (const name of names) {
        expect(Object.getOwnPropertyDescriptor(plain, name)).toEqual({
          value: 1,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
    expect(plains.map((plain) => Object.keys(plain).length)).toEqual([4, 4, 104, 104]);
    expect(calls).toBe(0);
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

  test("an integer beyond 2^53", () => {
    for (const value of [2 ** 53, -(2 ** 53), 1e300]) {
      expect(() => fromPlain({ a: [value] })).toThrow(
        expect.objectContaining({ code: "ETF_OUT_OF_RANGE", path: ".a[0]" }),
      );
      expect(() => fromPlain(new Map([[value, 1]]))).toThrow(
        expect.objectContaining({ code: "ETF_OUT_OF_RANGE" }),
      );
      expect(fromPlain(value, { unsafeIntegers: "float" })).toEqual(float(value));
    }
    for (const options of [{}, { unsafeIntegers: "float" }] as const) {
      expect(fromPlain([2 ** 53 - 1, 1.5, -0], options)).toEqual([
        2 ** 53 - 1,
        float(1.5),
        float(-0),
      ]);
    }
  });

  test("keys as atoms", () => {
    const map = fromPlain({ true: 1, ok: 2 }, { keys: "atom" }) as TermMap;
    expect([...map.keys()]).toEqual([true, atom("ok")]);
    expect(() => fromPlain({ ["x".repeat(256)]: 1 }, { keys: "atom" })).toThrow(
      expect.objectContaining({ code: "ETF_ATOM_TOO_LONG" }),
    );
  });

  test("what is not a term is refused", () => {
    for (const value of [Number.NaN, Symbol("x"), [() => 1], "\ud800"]) {
      expect(() => fromPlain(value)).toThrow(EtfEncodeError);
    }
  });

  test("there and back", () => {
    const value = { list: [1, "two", { three: [null, false] }], big: 2n ** 70n };
    expect(toPlain(fromPlain(value))).toEqual(value);
  });
});
