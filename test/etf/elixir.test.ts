import { expect, test } from "vitest";
import { ExternalFun, format, Pid, parse, type TermInput, tuple } from "../../etf/index.ts";

const elixir = (term: TermInput) => format(term, { syntax: "elixir" });

// Each as a genuine Elixir prints it; interop/elixir.interop.ts compares thousands.
test.each([
  ['{ok, <<"x">>}', '{:ok, "x"}'],
  ["#{a => 1, 'b c' => nil}", '%{a: 1, "b c": nil}'],
  ['#{<<"a">> => 1, b => 2}', '%{"a" => 1, :b => 2}'],
  ["[{a, 1}, {'Elixir', 2}]", '[a: 1, "Elixir": 2]'],
  ["[{'Elixir.Foo.Bar', 1} | x]", "[{Foo.Bar, 1} | :x]"],
  ['"abc"', '~c"abc"'],
  ["[0, 300]", "[0, 300]"],
  ["#{'__struct__' => 'Elixir.Point', x => 1}", "%Point{x: 1}"],
  ["#{'__struct__' => nope}", "%{__struct__: :nope}"],
  ["<<1, 2, 3:3>>", "<<1, 2, 3::size(3)>>"],
  ["[1.0e15, 1.0e16, 0.1, true]", "[1000000000000000.0, 1.0e16, 0.1, true]"],
  ["<0.1.2>", "#PID<0.1.2>"],
])("%s", (erlang, expected) => {
  expect(elixir(parse(erlang))).toBe(expected);
});

test("charlists in quotes, captures, pids of other nodes", () => {
  expect(format(parse('"ab\'"'), { syntax: "elixir", charlists: "quotes" })).toBe("'ab\\''");
  expect(elixir(new ExternalFun("Elixir.Enum", "map", 2))).toBe("&Enum.map/2");
  expect(elixir(new ExternalFun("lists", "g h", 2))).toBe('&:lists."g h"/2');
  expect(elixir(new Pid("a@b", 1, 2, 3))).toBe("#PID<a@b.1.2>");
});

test("a million levels", () => {
  let term: TermInput = 1;
  for (let i = 0; i < 1_000_000; i++) term = tuple(term);
  expect(elixir(term).length).toBe(2_000_001);
});
