import { describe, expect, test } from "vitest";
import { atom, format, fromPlain, ImproperList, TermMap, toPlain, tuple } from "../../etf/index.ts";

/** What walks a value without writing it. */
const walkers: [string, (value: never) => unknown][] = [
  ["format", (value) => format(value)],
  ["format ~tw", (value) => format(value, { mode: "~tw" })],
  ["format in order", (value) => format(value, { mapOrder: "ordered" })],
  ["format for Elixir", (value) => format(value, { syntax: "elixir" })],
  ["toPlain", (value) => toPlain(value)],
];

const object: Record<string, unknown> = { first: 1 };
object.self = object;
const list: unknown[] = [1];
list.push([2, list]);
const map = new TermMap<never, never>();
map.set("k" as never, [map] as never);
const tail: Record<string, unknown> = {};
const improper = new ImproperList([1], tail as never);
tail.list = improper;
const deep: unknown[] = [];
let inner: unknown[] = deep;
for (let i = 0; i < 40; i++) inner = [inner];
deep.push(inner);
const wide: Record<string, unknown> = { numbers: new Array(200_000).fill(0) };
wide.again = wide;
const keyword: unknown[] = [];
keyword.push(tuple(atom("key"), keyword as never));

describe.each(walkers)("%s", (_, walk) => {
  test.each<[string, unknown, string]>([
    ["an object", object, ".self"],
    ["a list", list, "[1][1]"],
    ["a map", map, '.get("k")[0]'],
    ["an improper list", improper, ".tail.list"],
    ["a Map", new Map([["m", object]]), '.get("m").self'],
    ["a list in many lists", deep, `${"[0]".repeat(8)}...${"[0]".repeat(8)}`],
    ["an object beside much else", wide, ".again"],
    ["a list in its own tuple", keyword, "[0][1]"],
  ])("the path of a cycle: %s", (_name, value, path) => {
    expect(() => walk(value as never)).toThrow(
      expect.objectContaining({ name: "EtfEncodeError", code: "ETF_CYCLE", path }),
    );
  });

  test("a value in several places is not a cycle", () => {
    const shared = [1, { x: [2] }];
    let doubled: unknown = shared;
    for (let i = 0; i < 10; i++) doubled = [doubled, doubled];
    expect(() => walk([shared, { a: shared, b: [shared] }, doubled] as never)).not.toThrow();
  });

  test("the path of what is not a term", () => {
    expect(() => walk({ a: [1, Number.NaN] } as never)).toThrow(
      expect.objectContaining({ code: "ETF_NOT_A_TERM", path: ".a[1]" }),
    );
    expect(() => walk([{ "a b": 2 ** 53 }] as never)).toThrow(
      expect.objectContaining({ code: "ETF_OUT_OF_RANGE", path: '[0]["a b"]' }),
    );
    expect(() => walk(["\ud800"] as never)).toThrow(
      expect.objectContaining({ code: "ETF_BAD_TEXT", path: "[0]" }),
    );
  });
});

describe("fromPlain", () => {
  test.each<[string, unknown, string]>([
    ["an object", object, ".self"],
    ["a list", list, "[1][1]"],
    ["a Map", new Map([["m", object]]), '.get("m").self'],
    ["an object beside much else", wide, ".again"],
    ["a list in its own tuple", keyword, "[0][1]"],
  ])("the path of a cycle: %s", (_name, value, path) => {
    expect(() => fromPlain(value)).toThrow(
      expect.objectContaining({ name: "EtfEncodeError", code: "ETF_CYCLE", path }),
    );
  });

  test("toJSON that returns what holds the object again", () => {
    const one = { toJSON: () => ({ one }) };
    expect(() => fromPlain({ one })).toThrow(
      expect.objectContaining({ code: "ETF_CYCLE", path: ".one.one" }),
    );
    const itself = {
      a: 1,
      toJSON() {
        return this;
      },
    };
    expect(toPlain(fromPlain(itself))).toEqual({ a: 1 });
  });

  test("objects without an end", () => {
    const fresh = (): object => ({ toJSON: () => ({ next: fresh() }) });
    const proxy = (): object =>
      new Proxy(
        {},
        {
          ownKeys: () => ["next"],
          getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
          get: (_target, key) => (key === "next" ? proxy() : undefined),
        },
      );
    for (const endless of [fresh(), proxy(), [fresh(), proxy()]]) {
      expect(() => fromPlain(endless)).toThrow(expect.objectContaining({ code: "ETF_LIMIT" }));
    }
    expect(() => fromPlain([[[1]]], { maxDepth: 2 })).toThrow(
      expect.objectContaining({ code: "ETF_LIMIT", path: "[0][0]" }),
    );
  });

  test("what throws when it is read", () => {
    const cause = new Error("no value yet");
    const getter = {
      get later() {
        throw cause;
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const unreadable of [getter, { toJSON: () => getter.later }]) {
      expect(() => fromPlain({ a: [1, unreadable] })).toThrow(
        expect.objectContaining({
          code: "ETF_NOT_A_TERM",
          path: ".a[1]",
          message: ".a[1]: the value cannot be read: no value yet",
          cause,
        }),
      );
    }
    expect(() => fromPlain([revoked.proxy])).toThrow(
      expect.objectContaining({ code: "ETF_NOT_A_TERM", path: "[0]" }),
    );
  });
});
