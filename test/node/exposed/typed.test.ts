import { describe, expect, test } from "vitest";
import {
  atom,
  charlist,
  encode,
  float,
  Pid,
  parse,
  type Term,
  type TermInput,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { type Call, FunctionTable } from "../../../src/node/exposed/functions.ts";
import { type TermType, typed, types } from "../../../src/node/exposed/typed.ts";
import type { Process } from "../../../src/node/process/process.ts";

const call: Call = { self: {} as Process, caller: undefined };
const pid = new Pid("bilbo@vm", 1, 0, 1);
const bytes = (term: TermInput) => encode(term);

/** A table with `m:f/1`, which records its argument and returns it. */
function echo<T>(type: TermType<T>) {
  const table = new FunctionTable();
  const got: unknown[] = [];
  table.expose("m", {
    f: typed([type], type, (value) => {
      got.push(value);
      return value;
    }),
  });
  return { got, apply: (term: Term) => table.apply(call, atom("m"), atom("f"), [term]) };
}

describe("types", () => {
  test.each<[string, TermType<unknown>, string, unknown, TermInput]>([
    ["integer", types.integer, "42", 42, 42],
    ["bigint", types.bigint, "7", 7n, 7],
    ["bigint", types.bigint, "100000000000000000000", 10n ** 20n, 10n ** 20n],
    ["float", types.float, "1.0", 1, float(1)],
    ["number", types.number, "1.5", 1.5, float(1.5)],
    ["number", types.number, "3", 3, 3],
    ["boolean", types.boolean, "false", false, false],
    ["string", types.string, '<<"gr\u00fc\u00df"/utf8>>', "gr\u00fc\u00df", "gr\u00fc\u00df"],
    ["string", types.string, '"text"', "text", "text"],
    ["string", types.string, "[]", "", ""],
    ["string", types.string, "<<239,187,191,97>>", "\ufeffa", "\ufeffa"],
    ["string", types.string, "[16#feff, 16#10ffff]", "\ufeff\u{10ffff}", "\ufeff\u{10ffff}"],
    ["charlist", types.charlist, '"text"', "text", charlist("text")],
    ["atom", types.atom, "'an atom'", "an atom", atom("an atom")],
    ["atom", types.atom, "true", "true", true],
    ["atom", types.atom, "false", "false", false],
    ["bytes", types.bytes, "<<255>>", Buffer.from([255]), Buffer.from([255])],
    ["term", types.term, "{a, 1}", tuple(atom("a"), 1), tuple(atom("a"), 1)],
    [
      "plain",
      types.plain,
      '#{a => [1.5, nil, <<"b">>]}',
      { a: [1.5, null, "b"] },
      { a: [1.5, atom("null"), "b"] },
    ],
    ["list", types.listOf(types.integer), "[1, 2]", [1, 2], [1, 2]],
    [
      "tuple",
      types.tupleOf(types.atom, types.listOf(types.string)),
      '{a, [<<"b">>]}',
      ["a", ["b"]],
      tuple(atom("a"), [toTerm("b")]),
    ],
  ] as [string, TermType<unknown>, string, unknown, TermInput][])(
    "%s: %o reads %s",
    (_, type, text, value, written) => {
      const { got, apply } = echo(type);
      const answer = apply(parse(text)) as TermInput;
      expect(got).toEqual([value]);
      expect(bytes(answer)).toEqual(bytes(written));
    },
  );

  test("a pid is a pid, undefined is ok", () => {
    expect(echo(types.pid).apply(pid)).toBe(pid);
    const table = new FunctionTable();
    table.expose("m", { f: typed([types.integer], types.ok, () => {}) });
    expect(table.apply(call, atom("m"), atom("f"), [1])).toBe(atom("ok"));
  });

  test.each<[string, TermType<unknown>, string[]]>([
    ["integer", types.integer, ["1.0", "a", "100000000000000000000"]],
    ["bigint", types.bigint, ["1.0", "[]"]],
    ["float", types.float, ["1", "a"]],
    ["number", types.number, ["a", "<<1>>"]],
    ["boolean", types.boolean, ["a", "0"]],
    [
      "string",
      types.string,
      ["a", "<<255>>", "<<16#eda080:24>>", "[16#d800]", "[-1]", "[a]", "[true]", "{1}"],
    ],
    ["atom", types.atom, ["1", '"a"']],
    ["bytes", types.bytes, ["[1]", "a"]],
    ["pid", types.pid, ["a"]],
    ["list", types.listOf(types.integer), ["[1, a]", "{1}", "[1|2]"]],
    ["tuple", types.tupleOf(types.integer), ["{}", "{1, 2}", "[1]", "{a}"]],
  ] as [string, TermType<unknown>, string[]][])(
    "%s: %o answers other terms with function_clause",
    (_, type, texts) => {
      const { got, apply } = echo(type);
      for (const text of texts) {
        expect(() => apply(parse(text))).toThrow(
          expect.objectContaining({
            class: "error",
            reason: atom("function_clause"),
            call: tuple(atom("m"), atom("f"), [parse(text)], []),
          }),
        );
      }
      expect(got).toEqual([]);
    },
  );

  test.each<[TermType<never>, unknown]>([
    [types.integer, 1.5],
    [types.bigint, 1],
    [types.number, "1"],
    [types.boolean, 0],
    [types.string, 1],
    [types.atom, null],
    [types.bytes, "a"],
    [types.pid, 1],
    [types.listOf(types.integer), 1],
    [types.tupleOf(types.integer), [1, 2]],
    [types.ok, 1],
  ] as [TermType<never>, unknown][])(
    "a result of another type is a TypeError: %o, %o",
    async (type, value) => {
      const table = new FunctionTable();
      table.expose("m", {
        now: typed([], type, () => value as never),
        later: typed([], type, async () => value as never),
      });
      expect(() => table.apply(call, atom("m"), atom("now"), [])).toThrow(TypeError);
      await expect(table.apply(call, atom("m"), atom("later"), [])).rejects.toThrow(TypeError);
    },
  );
});

test.each<[TermType<never>, unknown, string]>([
  [types.number, 2 ** 53, "ETF_OUT_OF_RANGE"],
  [types.number, -1e300, "ETF_OUT_OF_RANGE"],
  [types.float, Number.POSITIVE_INFINITY, "ETF_NOT_A_TERM"],
  [types.plain, { a: 1e300 }, "ETF_OUT_OF_RANGE"],
] as [TermType<never>, unknown, string][])(
  "a result that is not a term: %o, %o",
  (type, value, code) => {
    const table = new FunctionTable();
    table.expose("m", { f: typed([], type, () => value as never) });
    expect(() => table.apply(call, atom("m"), atom("f"), [])).toThrow(
      expect.objectContaining({ code }),
    );
  },
);

describe("typed", () => {
  test("has the arity of its types, and passes this", async () => {
    const table = new FunctionTable();
    table.expose("m", {
      sum: typed([types.number, types.number, types.number], types.number, (a, b, c) => a + b + c),
      later: typed([types.string], types.string, async (text) => text.toUpperCase()),
      who: typed([], types.boolean, function () {
        return this.self === call.self;
      }),
    });
    const apply = (name: string, ...args: Term[]) => table.apply(call, atom("m"), atom(name), args);
    expect(apply("sum", 1, float(0.5), 2)).toBe(3.5);
    expect(await apply("later", toTerm("abc"))).toBe("ABC");
    expect(apply("who")).toBe(true);
    expect(() => apply("sum", 1, 2)).toThrow(expect.objectContaining({ reason: atom("undef") }));
  });
});
