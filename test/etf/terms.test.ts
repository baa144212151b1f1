import { expect, expectTypeOf, test } from "vitest";
import {
  type AnyTuple,
  type Atom,
  atom,
  isTuple,
  type Term,
  type Tuple,
  tuple,
} from "../../etf/index.ts";

test("isTuple with a size types each element", () => {
  const term: Term = tuple(atom("ok"), 1);
  if (!isTuple(term, 2)) throw new Error("not a pair");
  expectTypeOf(term).toEqualTypeOf<Tuple<readonly [Term, Term]>>();
  const [tag, value] = term;
  expectTypeOf(value).toEqualTypeOf<Term>();
  expect([tag, value]).toStrictEqual([atom("ok"), 1]);
});

test("isTuple without a size, or with one the compiler does not know, accepts any elements", () => {
  const term: unknown = tuple(1, 2, 3);
  if (isTuple(term)) expectTypeOf(term).toEqualTypeOf<AnyTuple>();
  const size: number = Number("3");
  if (isTuple(term, size)) expectTypeOf(term).toEqualTypeOf<AnyTuple>();
  expect([isTuple(term), isTuple(term, size), isTuple(term, 2)]).toStrictEqual([true, true, false]);
  expect(isTuple([1, 2, 3], size)).toBe(false);
});

test("a term that is not a tuple of that size may be one of another size", () => {
  const term: Term = tuple(1);
  if (isTuple(term, 2)) throw new Error("a pair");
  expect(isTuple(term, 1)).toBe(true);
});

test("a tuple of terms is a term", () => {
  const inner = tuple(atom("name"), [1, 2]);
  const term: Term = tuple(inner, 3n);
  expectTypeOf(inner).toExtend<Term>();
  expectTypeOf<Tuple<[Atom, Term]>>().toExtend<Term>();
  expect(isTuple(term, 2)).toBe(true);
});
