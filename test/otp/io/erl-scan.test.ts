import { describe, expect, test } from "vitest";
import { format, parse, type Term } from "../../../etf/index.ts";
import { cutTokens, type Location, locationOf } from "../../../src/otp/io/erl-scan.ts";

const FROM_LINE = { line: 1, column: undefined };
const FROM_COLUMN = { line: 1, column: 1 };
const shown = (term: Term | undefined) =>
  term === undefined ? undefined : format(term, { mode: "~0tp" });

/** The tokens cut from a text, and the rest. The expected values are those of erl_scan:tokens/3 of OTP 29. */
function scan(
  text: string,
  { ended = false, start = FROM_COLUMN }: { ended?: boolean; start?: Location } = {},
) {
  const taken = cutTokens(start)(text, ended);
  return taken === undefined ? undefined : [shown(taken.value), taken.rest];
}

describe("cutTokens", () => {
  test.each([
    ["a.\nrest", "{ok,[{atom,{1,1},a},{dot,{1,2}}],{2,1}}", "rest"],
    ["a. rest\n", "{ok,[{atom,{1,1},a},{dot,{1,2}}],{1,4}}", "rest\n"],
    ["a.%x\nrest\n", "{ok,[{atom,{1,1},a},{dot,{1,2}}],{1,3}}", "%x\nrest\n"],
    ["\u{1f600}a.\n", "{ok,[{'\u{1f600}',{1,1}},{atom,{1,2},a},{dot,{1,3}}],{2,1}}", ""],
    ["a.b.\n", "{ok,[{atom,{1,1},a},{'.',{1,2}},{atom,{1,3},b},{dot,{1,4}}],{2,1}}", ""],
    ["1.5.\n", "{ok,[{float,{1,1},1.5},{dot,{1,4}}],{2,1}}", ""],
    ["$. 'q a'.\n", "{ok,[{char,{1,1},46},{atom,{1,4},'q a'},{dot,{1,9}}],{2,1}}", ""],
    ["X _.\n", "{ok,[{var,{1,1},'X'},{var,{1,3},'_'},{dot,{1,4}}],{2,1}}", ""],
    ['"s".\n', '{ok,[{string,{1,1},"s"},{dot,{1,4}}],{2,1}}', ""],
    [
      "fun true 'fun'.\n",
      "{ok,[{'fun',{1,1}},{atom,{1,5},true},{atom,{1,10},'fun'},{dot,{1,15}}],{2,1}}",
      "",
    ],
    [
      '~b"s".\n',
      '{ok,[{sigil,{1,1},b},{string,{1,1},"s"},{sigil_suffix,{1,1},[]},{dot,{1,6}}],{2,1}}',
      "",
    ],
    [
      "=:= =/= ... <- <= ?= && ..\n.\n",
      "{ok,[{'=:=',{1,1}},{'=/=',{1,5}},{'...',{1,9}},{'<-',{1,13}},{'<=',{1,16}},{'?=',{1,19}},{'&&',{1,22}},{'..',{1,25}},{dot,{2,1}}],{3,1}}",
      "",
    ],
  ])("cuts from %j the tokens up to the dot", (text, tokens, rest) => {
    expect(scan(text)).toEqual([shown(parse(tokens)), rest]);
  });

  test.each(["", "a", "a.", "a,\nb.", '"abc\n', "'abc\n"])("waits for more after %j", (text) => {
    expect(scan(text)).toBeUndefined();
  });

  test.each([
    ["", "{eof,{1,1}}"],
    [" \n", "{eof,{2,1}}"],
    ["a b", "{ok,[{atom,{1,1},a},{atom,{1,3},b}],{1,4}}"],
    ["a b\n", "{ok,[{atom,{1,1},a},{atom,{1,3},b}],{2,1}}"],
    ["a.", "{ok,[{atom,{1,1},a},{dot,{1,2}}],{1,3}}"],
    ['"abc\n', "{error,{{1,1},erl_scan,{illegal,string}},{2,1}}"],
  ])("takes %j at the end of the input", (text, tokens) => {
    expect(scan(text, { ended: true })).toEqual([shown(parse(tokens)), ""]);
  });

  test("counts only lines if it starts from a line", () => {
    expect(scan("{a,\n1}.\n", { start: { line: 7, column: undefined } })).toEqual([
      "{ok,[{'{',7},{atom,7,a},{',',7},{integer,8,1},{'}',8},{dot,8}],9}",
      "",
    ]);
  });

  test("invalid text is an error, and reading continues after it", () => {
    expect(scan("a 99#1 b.\n")).toEqual([
      "{error,{{1,3},erl_scan,{illegal,character}},{1,7}}",
      " b.\n",
    ]);
  });
});

describe("locationOf", () => {
  test.each<[string, ReturnType<typeof locationOf>]>([
    ["1", FROM_LINE],
    ["{2,3}", { line: 2, column: 3 }],
    ["0", undefined],
    ["{0,1}", undefined],
    ["{1,a}", undefined],
    ["[{location,1}]", undefined],
  ])("of %s", (text, location) => {
    expect(locationOf(parse(text))).toEqual(location);
  });
});
