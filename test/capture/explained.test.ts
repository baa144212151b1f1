import { describe, expect, test } from "vitest";
import { atom, ImproperList, parse, type Term, tuple } from "../../etf/index.ts";
import { cut, explainedLine, termText } from "../../src/capture/explained.ts";

const MAX_PRINTED_BYTES = 16 * 1024;

describe("termText", () => {
  test.each<[string, string]>([
    ["{ok,[1,2]}", "{ok,[1,2]}"],
    ['"åb\\n"', '"åb\\n"'],
    ["[1234567890]", "[1234567890]"],
  ])("shows %s on one line", (text, shown) => {
    expect(termText(parse(text), 1, {})).toBe(shown);
  });

  test("shows as many characters as it may, and then the size", () => {
    const text = (characters: number) => termText(atom("a".repeat(characters)), 500, {});
    expect(text(200)).toBe("a".repeat(200));
    expect(text(201)).toBe(`${"a".repeat(200)}... (500 bytes encoded)`);
    const short = (characters: number) =>
      termText(atom("a".repeat(characters)), 7, { maxTermCharacters: 5 });
    expect([short(5), short(6)]).toEqual(["aaaaa", "aaaaa... (7 bytes encoded)"]);
  });

  test.each<[string, Term, string]>([
    ["tuple with a tag", tuple(atom("reply"), 1), "a tuple of 2 elements that begins with reply"],
    ["tuple with a boolean", tuple(true, 1), "a tuple of 2 elements that begins with true"],
    ["tuple without a tag", tuple(1, 2, 3), "a tuple of 3 elements"],
    ["empty tuple", tuple(), "a tuple of 0 elements"],
    ["list", [1, 2], "a list of 2 elements"],
    ["binary", Buffer.alloc(3), "a binary of 3 bytes"],
    ["improper list", new ImproperList([1], 2), "a term"],
  ])("only describes a large %s", (_, term, described) => {
    expect(termText(term, MAX_PRINTED_BYTES + 1, {})).toBe(
      `${described}, ${MAX_PRINTED_BYTES + 1} bytes encoded`,
    );
    expect(termText(term, MAX_PRINTED_BYTES, {})).not.toContain("encoded");
  });
});

test("a text is cut between characters, never inside one", () => {
  expect(cut("abc", 3)).toBe("abc");
  expect(cut("abcd", 3)).toBe("abc...");
  expect(cut("ab😀", 3)).toBe("ab...");
  expect(cut("ab😀c", 4)).toBe("ab😀...");
});

test.each([
  ["initiator", "handshake", "->        7      12  text"],
  ["acceptor", "tick", "<-        7      12  text"],
  ["unknown", "message", "--        7      12  text"],
  ["unknown", "fragment", "--        7      12  text"],
  ["acceptor", "error", "<-        7      12  ERROR text"],
  ["initiator", "incomplete", "->        7      12  incomplete text"],
] as const)("the line of the %s's %s is aligned", (side, kind, line) => {
  expect(explainedLine({ side, offset: 7, bytes: 12, kind, text: "text" })).toBe(line);
});

test("a line has room for offsets and sizes of eight and seven digits", () => {
  const large = { side: "unknown", offset: 12_345_678, bytes: 1_234_567 } as const;
  expect(explainedLine({ ...large, kind: "tick", text: "t" })).toBe("-- 12345678 1234567  t");
});
