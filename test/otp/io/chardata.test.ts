import { describe, expect, test } from "vitest";
import { atom, charlist, type Term, tuple } from "../../../etf/index.ts";
import { chardataToText } from "../../../src/otp/io/chardata.ts";

describe("chardata", () => {
  test.each<[string, Term, string | undefined, string | undefined]>([
    ["a charlist", charlist("hé"), "hé", "hé"],
    ["code points beyond Latin-1", charlist("€😀"), "€😀", undefined],
    ["UTF-8 bytes", Buffer.from("é"), "é", "Ã©"],
    ["other bytes", Buffer.from([233]), undefined, "é"],
    ["a byte order mark", Buffer.from("\ufeffx"), "\ufeffx", "ï»¿x"],
    ["all of these, nested", [104, [Buffer.from("i")], [], [[33]]], "hi!", "hi!"],
    ["nothing", [], "", ""],
    ["an integer", 104, undefined, undefined],
    ["half a character", [0xd800], undefined, undefined],
    ["a number that is not a code point", [0x110000], undefined, undefined],
    ["a negative number", [-1], undefined, undefined],
    ["an atom in a list", [atom("a")], undefined, undefined],
    ["a tuple", tuple(104), undefined, undefined],
  ])("%s", (_, chars, unicode, latin1) => {
    expect(chardataToText(chars, false)).toBe(unicode);
    expect(chardataToText(chars, true)).toBe(latin1);
  });

  test("may be nested a million levels deep", () => {
    let chars: Term = charlist("x");
    for (let level = 0; level < 1_000_000; level++) chars = [chars];
    expect(chardataToText(chars, false)).toBe("x");
  });
});
