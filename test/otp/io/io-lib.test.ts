import { describe, expect, test } from "vitest";
import { atom, charlist, parse, type Term, tuple } from "../../../etf/index.ts";
import { chardataToText, ioLibCall, ioLibFormat } from "../../../src/otp/io/io-lib.ts";
import vectors from "../../vectors/io-lib.json" with { type: "json" };

const args = (text: string) => parse(text) as Term[];

describe("io_lib:format/2", () => {
  test.each(vectors.rows as [string, string, string | null][])(
    "%j of %s is what a genuine node prints",
    (template, text, printed) => {
      expect(ioLibFormat(charlist(template), args(text))).toBe(printed ?? undefined);
    },
  );

  test("takes its format as charlist, binary or atom", () => {
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
  ])("%s asks for more than anybody needs, and is refused", (template, text) => {
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
    ["a module that is no atom", Buffer.from("io_lib"), atom("nl"), []],
    ["another function", atom("io_lib"), atom("fread"), [charlist("~d"), charlist("1")]],
    ["another arity", atom("io_lib"), atom("nl"), [1]],
    ["arguments that are no list", atom("io_lib"), atom("nl"), tuple()],
    ["format's arguments that are no list", atom("io_lib"), atom("format"), [[], atom("x")]],
  ])("%s is not called", (_, module, name, given) => {
    expect(ioLibCall(module, name, given)).toBeUndefined();
  });
});

describe("chardata", () => {
  test.each<[string, Term, string | undefined, string | undefined]>([
    ["a charlist", charlist("hé"), "hé", "hé"],
    ["code points beyond Latin-1", charlist("€😀"), "€😀", undefined],
    ["UTF-8 bytes", Buffer.from("é"), "é", "Ã©"],
    ["other bytes", Buffer.from([233]), undefined, "é"],
    ["a byte order mark", Buffer.from("\ufeffx"), "\ufeffx", "ï»¿x"],
    ["all of them, nested", [104, [Buffer.from("i")], [], [[33]]], "hi!", "hi!"],
    ["nothing", [], "", ""],
    ["an integer", 104, undefined, undefined],
    ["half a character", [0xd800], undefined, undefined],
    ["what is no code point", [0x110000], undefined, undefined],
    ["a negative number", [-1], undefined, undefined],
    ["an atom in a list", [atom("a")], undefined, undefined],
    ["a tuple", tuple(104), undefined, undefined],
  ])("%s", (_, chars, unicode, latin1) => {
    expect(chardataToText(chars, false)).toBe(unicode);
    expect(chardataToText(chars, true)).toBe(latin1);
  });

  test("may be nested a million deep", () => {
    let chars: Term = charlist("x");
    for (let level = 0; level < 1_000_000; level++) chars = [chars];
    expect(chardataToText(chars, false)).toBe("x");
  });
});
