import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  atom,
  decode,
  exactEquals,
  format,
  NativeRecord,
  Pid,
  Port,
  parse,
  parseAll,
  Reference,
  TermSyntaxError,
  tuple,
} from "../../etf/index.ts";

const folder = new URL("../vectors/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

/** What `<0.1.2>` and the like do not say, or funs cannot; in names of funs bytes stand for characters. */
const UNREADABLE = /#Fun<|<\d+\.\d+\.\d+>|#Port<|#Ref<|\bfun [^/]*[^\0-\x7f]/;

describe("what erl reads", () => {
  const { texts } = read("parse.json") as { texts: [string, string | null][] };
  // Erlang evaluates the first four; OTP up to 26 prints the next unquoted; a dot may end it here.
  const different = new Set(["1 = 1", "- - 1", "- -1", "-(-1)", "maybe", "1."]);

  test.each(texts.filter(([text]) => !different.has(text)))("%j", (text, hex) => {
    if (hex === null) {
      expect(() => parse(text)).toThrow(TermSyntaxError);
      return;
    }
    const expected = decode(Buffer.from(hex, "hex"));
    const term = parse(text);
    expect(exactEquals(term, expected), `${format(term)} for ${format(expected)}`).toBe(true);
    expect(exactEquals(parse(`${text}\n.`), expected)).toBe(true);
  });
});

describe("what io_lib:format prints is read back", () => {
  const files = readdirSync(folder).filter((name) => /^text-.*\.json$/.test(name));
  test.each(files)("%s", (name) => {
    const { terms } = read(name) as { terms: [string, ...string[]][] };
    let count = 0;
    for (const [hex, ...texts] of terms) {
      if (UNREADABLE.test(texts.join())) continue;
      const expected = decode(Buffer.from(hex, "hex"));
      for (const text of texts) {
        expect(exactEquals(parse(text), expected), text).toBe(true);
        count++;
      }
    }
    expect(count).toBeGreaterThan(100);
  });
});

describe("pids, ports, references and records", () => {
  test("of the node that reads", () => {
    const options = { node: "a@b", creation: 3 };
    const term = parse("{<0.1.2>, #Port<0.5>, #Ref<0.3.2.1>}", options);
    const expected = tuple(
      new Pid("a@b", 1, 2, 3),
      new Port("a@b", 5, 3),
      new Reference("a@b", 3, [1, 2, 3]),
    );
    expect(exactEquals(term, expected)).toBe(true);
  });

  test("with the node's name, as they are printed", () => {
    const pid = new Pid("gandalf@10.0.0.1", 7, 0, 0);
    const ref = new Reference("gandalf@10.0.0.1", 0, [1, 2]);
    expect(format(tuple(pid, ref))).toBe("{<'gandalf@10.0.0.1'.7.0>,#Ref<'gandalf@10.0.0.1'.2.1>}");
    expect(exactEquals(parse(format(tuple(pid, ref))), tuple(pid, ref))).toBe(true);
  });

  test("of a number that only another node knows", () => {
    expect(() => parse("<9156.1.2>")).toThrow(/only the node knows that printed it/);
  });

  test("a native record", () => {
    const record = new NativeRecord(atom("m"), atom("r"), true, [atom("f")], [1]);
    expect(format(record)).toBe("#m:r{f = 1}");
    expect(exactEquals(parse("#m:r{f = 1}"), record)).toBe(true);
    expect(() => parse("#m:r{f = 1, f = 2}")).toThrow(/field twice/);
  });
});

describe("errors", () => {
  function failure(text: string): TermSyntaxError {
    try {
      parse(text);
    } catch (error) {
      if (error instanceof TermSyntaxError) return error;
    }
    throw new Error(`${text} was read`);
  }

  test.each([
    ["[1,\n  {a b}]", 2, 6, "TERM_UNEXPECTED"],
    ["{a,", 1, 4, "TERM_INCOMPLETE"],
    ["[Var]", 1, 2, "TERM_NOT_CONSTANT"],
    ["f(x)", 1, 1, "TERM_NOT_CONSTANT"],
    ["37#1", 1, 1, "TERM_BAD_VALUE"],
    ['{"é", \'x}', 1, 7, "TERM_INCOMPLETE"],
    [`'${"x".repeat(256)}'`, 1, 1, "TERM_BAD_VALUE"],
    ["", 1, 1, "TERM_INCOMPLETE"],
  ])("%j", (text, line, column, code) => {
    expect(failure(text)).toMatchObject({ code, line, column });
  });

  test("show the line with a caret", () => {
    expect(failure("[1,\n\t{a b}]").excerpt).toBe("  \t{a b}]\n  \t   ^");
    const long = failure(`${"x,".repeat(200)}!`).excerpt.split("\n");
    expect(long[0]!.length).toBeLessThan(80);
    expect(failure(`[${"x,".repeat(200)}!]`).excerpt).toMatch(/!\]\n {39,}\^$/);
  });
});

test("a million levels are read and printed", () => {
  const depth = 1_000_000;
  const text = `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const term = parse(text);
  expect(format(term, { mode: "~0tp" }) === text).toBe(true);
  expect(format(term) === text).toBe(true);
  expect(() => parse(text, { maxDepth: 100 })).toThrow(
    expect.objectContaining({ code: "TERM_LIMIT" }),
  );
});

test("several terms, a dot behind each", () => {
  expect(parseAll("{a,1}.\n% comment\nb. ")).toEqual([tuple(atom("a"), 1), atom("b")]);
  expect(() => parseAll("a. b")).toThrow(TermSyntaxError);
});

test.each(["<LONG@vm.1.2>", "#Ref<LONG@vm.1.2.3>", "#Port<LONG@vm.1>"])(
  "a node's name that no atom has is refused: %s",
  (text) => {
    const long = text.replace("LONG", "n".repeat(300));
    expect(() => parse(long)).toThrow(expect.objectContaining({ code: "TERM_BAD_VALUE" }));
    expect(() => parse(text)).not.toThrow();
  },
);
