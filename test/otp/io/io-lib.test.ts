import { describe, expect, test } from "vitest";
import { atom, charlist, parse, type Term, tuple } from "../../../etf/index.ts";
import { ioLibCall, ioLibFormat } from "../../../src/otp/io/io-lib.ts";
import vectors from "../../vectors/io-lib.json" with { type: "json" };

const args = (text: string) => parse(text) as Term[];

describe("io_lib:format/2", () => {
  test.each(vectors.rows as [string, string, string | null][])(
    "%j of %s is what an Erlang node prints",
    (template, text, printed) => {
      expect(ioLibFormat(charlist(template), args(text))).toBe(printed ?? undefined);
    },
  );

  test("takes its format as a charlist, binary or atom", () => {
    expect(ioLibFormat(Buffer.from("€ ~w"), [1])).toBe("€ 1");
    expect(ioLibFormat(atom("x ~w"), [1])).toBe("x 1");
    expect(ioLibFormat(1, [1])).toBeUndefined();
    expect(ioLibFormat(tuple(), [])).toBeUndefined();
  });

  test.each([
    ["~1000001w", "[1]"],
    ["~*w", "[100000000000,1]"],
    ["~.1000001f", "[1.0]"],
    ["~99999999999n", "[]"],
  ])("%s asks for too much and is refused", (template, text) => {
    expect(ioLibFormat(charlist(template), args(text))).toBeUndefined();
  });
});

describe("a function of io_lib", () => {
  const call = (name: string, ...given: Term[]) => ioLibCall(atom("io_lib"), atom(name), given);

  test("prints", () => {
    expect(call("format", charlist("~w"), [1])).toBe("1");
    expect(call("fwrite", charlist("~p"), [charlist("x")])).toBe('"x"');
    expect(call("write", charlist("x"))).toBe("[120]");
    expect(call("print", charlist("x"))).toBe('"x"');
    expect(call("nl")).toBe("\n");
  });

  test.each<[string, Term, Term, Term]>([
    ["another module", atom("os"), atom("cmd"), [charlist("true")]],
    ["a module that is not an atom", Buffer.from("io_lib"), atom("nl"), []],
    ["another function", atom("io_lib"), atom("fread"), [charlist("~d"), charlist("1")]],
    ["another arity", atom("io_lib"), atom("nl"), [1]],
    ["arguments that are not a list", atom("io_lib"), atom("nl"), tuple()],
    ["format's arguments that are not a list", atom("io_lib"), atom("format"), [[], atom("x")]],
  ])("%s is not called", (_, module, name, given) => {
    expect(ioLibCall(module, name, given)).toBeUndefined();
  });
});
