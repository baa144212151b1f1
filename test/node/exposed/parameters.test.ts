import { describe, expect, test } from "vitest";
import {
  functionKind,
  isNative,
  withArity,
  withKindOf,
} from "../../../src/node/exposed/parameters.ts";

type AnyFunction = (...args: never[]) => unknown;

/** A function from its text, so that no compiler changes its parameters. */
function written(source: string): AnyFunction {
  return new Function(`return ${source}`)() as AnyFunction;
}

/** The method of an object literal. */
function method(source: string, name: string): AnyFunction {
  const object = new Function(`return { ${source} }`)() as Record<string, AnyFunction>;
  return object[name]!;
}

describe("the parameters of a function", () => {
  test.each<[string, number, number]>([
    ["() => 1", 0, 0],
    ["x => 1", 1, 1],
    ["async x => 1", 1, 1],
    ["async => 1", 1, 1],
    ["(a, b) => a", 2, 2],
    ["(a, b,) => a", 2, 2],
    ["async (a, b) => a", 2, 2],
    ["function () {}", 0, 0],
    ["function named(a, b, c) {}", 3, 3],
    ["async function (a) {}", 1, 1],
    ["async function named(a) {}", 1, 1],
    ["function (a /* , b */, c // , d\n) {}", 2, 2],
    ["function /* ( */ named /* , */ (a) {}", 1, 1],
    ["(a = 1) => a", 0, 1],
    ["(a, b = 1) => a", 1, 2],
    ["(a, b = 1, c) => a", 1, 3],
    ["(a = 1, b = 2) => a", 0, 2],
    ["(...all) => all", 0, 255],
    ["(a, ...more) => a", 1, 255],
    ["(a, b = 1, ...more) => a", 1, 255],
    ["(a, ...[b, c]) => a", 1, 255],
    ["({ a, b }) => a", 1, 1],
    ["({ a = 1, b: { c } }, [d, e = 2]) => a", 2, 2],
    ["({ a, b } = {}, [c] = [1, 2]) => a", 0, 2],
    ["(a = ',', b = ')', c = \"\\\"=>(\") => a", 0, 3],
    ["(a, f = (x, y) => { return [x, y]; }, c = g(1, 2)) => a", 1, 3],
    ["(a, b = x => x, c = 1 >= 2, d = 1 == 2) => a", 1, 4],
    ["(a, b = function (x, y = 2) {}, c = { d: 1, e() {} }) => a", 1, 3],
    ["(a, b = 1.5, c = p.q) => a", 1, 3],
    ["(a) => `, /x(/`", 1, 1],
    ["(a) => /[(,]/.test(a)", 1, 1],
    ["($, _, \u00e4) => 1", 3, 3],
  ])("%s", (source, from, to) => {
    expect(functionKind(written(source))).toEqual({ from, to });
  });

  test.each<[string, string, number, number]>([
    ["add(a, b) {}", "add", 2, 2],
    ["async add(a, b = 1) {}", "add", 1, 2],
    ["async(a) {}", "async", 1, 1],
    ["get(a) {}", "get", 1, 1],
    ["class(a) {}", "class", 1, 1],
    ["function(a, b) {}", "function", 2, 2],
    ["'a (b, c)'(d) {}", "a (b, c)", 1, 1],
    ["['a' + (1, 'b')](c, ...d) {}", "ab", 1, 255],
    ["1(a) {}", "1", 1, 1],
  ])("of the method %s", (source, name, from, to) => {
    expect(functionKind(method(source, name))).toEqual({ from, to });
  });

  test.each<[string, AnyFunction]>([
    ["a bound function", ((a: number, b: number) => a + b).bind(null)],
    ["a native function", Math.max],
    ["a function seen through a proxy", new Proxy(written("(a) => a"), {})],
    ["a regular expression in a default", written("(a, b = /[,)]/) => a")],
    ["a template in a default", written("(a, b = `,`) => a")],
    ["a division in a default", written("(a, b = 1 / 2) => a")],
    [
      "a length that was set",
      Object.defineProperty(written("(...all) => all"), "length", { value: 2 }),
    ],
  ])("%s is uncounted", (_, run) => {
    expect(functionKind(run)).toBe("uncounted");
  });

  test.each([
    "class {}",
    "class Some { constructor(a) {} }",
    "class{ a() {} }",
    "function* (a) {}",
    "function * named(a) {}",
    "async function* (a) {}",
    "({ *all(a) {} }).all",
    "({ async *['a' + 'b'](a) {} }).ab",
  ])("%s is not callable", (source) => {
    expect(functionKind(written(source))).toBe("not callable");
  });

  test("are as many as withArity says", () => {
    const run = withArity((..._: number[]) => 1, 2);
    expect(functionKind(run)).toEqual({ from: 2, to: 2 });
    expect(functionKind(withKindOf((..._: number[]) => 1, run))).toEqual({ from: 2, to: 2 });
    const later = withKindOf((..._: number[]) => 1, written("(a, b = 1) => a"));
    expect(functionKind(later)).toEqual({ from: 1, to: 2 });
  });

  test("a function without a source is native", () => {
    for (const run of [Map as unknown as AnyFunction, Math.max, written("() => 1").bind(null)]) {
      expect(isNative(run)).toBe(true);
    }
    expect(isNative(written("() => ({ a: ['native code'] })"))).toBe(false);
  });
});
