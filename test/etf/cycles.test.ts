import { describe, expect, test } from "vitest";
import {
  atom,
  compare,
  encode,
  equals,
  exactEquals,
  hashTerm,
  ImproperList,
  LocalFun,
  NativeRecord,
  Pid,
  phash2,
  type Term,
  type TermInput,
  TermMap,
  TermSet,
  TermWriter,
  toTerm,
  tuple,
} from "../../etf/index.ts";

/** Values that contain themselves, with the path to where they do so first. */
const cycles: [string, () => unknown, string][] = [
  [
    "a plain object",
    () => {
      const value: Record<string, unknown> = { a: 1 };
      value.self = value;
      return value;
    },
    ".self",
  ],
  [
    "an array",
    () => {
      const value: unknown[] = [1];
      value.push(value);
      return value;
    },
    "[1]",
  ],
  [
    "a tuple in a list",
    () => {
      const list: unknown[] = [];
      list.push(tuple(1, list as Term[]));
      return list;
    },
    "[0][1]",
  ],
  [
    "a Map",
    () => {
      const value = new Map<unknown, unknown>();
      return value.set("k", [value]);
    },
    '.get("k")[0]',
  ],
  [
    "a key of a Map",
    () => {
      const value = new Map<unknown, unknown>();
      return value.set([value], 1);
    },
    ".key(0)[0]",
  ],
  [
    "a TermMap",
    () => {
      const value = new TermMap<Term, unknown>([[1, 2]]);
      return value.set(atom("k"), value);
    },
    ".get(k)",
  ],
  [
    "a tail",
    () => {
      const inner: unknown[] = [1];
      const value = new ImproperList([1], tuple(inner as Term[]));
      inner.push(value);
      return value;
    },
    ".tail[0][1]",
  ],
  [
    "what a fun captured",
    () => {
      const freeVariables: Term[] = [];
      const value = new LocalFun({
        arity: 0,
        uniq: new Uint8Array(16),
        index: 0,
        module: atom("m"),
        oldIndex: 0,
        oldUniq: 0,
        pid: new Pid("a@b", 1, 0, 1),
        freeVariables,
      });
      freeVariables.push(value);
      return value;
    },
    ".freeVariables[0]",
  ],
  [
    "a record",
    () => {
      const values: Term[] = [];
      values.push(values);
      return new NativeRecord(atom("m"), atom("r"), true, [atom("f")], values);
    },
    ".values[0][0]",
  ],
  [
    "a long way round",
    () => {
      const list: unknown[] = [];
      let value: unknown = list;
      for (let i = 0; i < 5000; i++) value = [value];
      list.push(value);
      return list;
    },
    "[0][0][0][0][0][0][0][0]...[0][0][0][0][0][0][0][0]",
  ],
];

const cycle = (path: string) => expect.objectContaining({ code: "ETF_CYCLE", path });

describe("a cycle ends with ETF_CYCLE and the path", () => {
  describe.each(cycles)("%s", (name, make, path) => {
    test.each<[string, (value: TermInput) => unknown]>([
      ["encode", encode],
      ["deterministic encode", (value) => encode(value, { deterministic: true })],
      ["TermWriter", (value) => new TermWriter({ byReferenceBytes: 1 }).writeTerm(value)],
      ["exactEquals", (value) => exactEquals(value, make())],
      ["equals", (value) => equals(value, make() as TermInput)],
      ["compare", (value) => compare(value, make() as TermInput)],
      ["hashTerm", hashTerm],
    ])("%s", (_, walk) => {
      expect(() => walk(make() as TermInput)).toThrow(cycle(path));
    });

    test("phash2", () => {
      // A native record has none at all.
      const code = name === "a record" ? { code: "ETF_NOT_A_TERM" } : { code: "ETF_CYCLE", path };
      expect(() => phash2(make() as TermInput)).toThrow(expect.objectContaining(code));
    });

    test("in a larger value", () => {
      const value = [1, make()] as TermInput;
      expect(() => encode(value)).toThrow(expect.objectContaining({ code: "ETF_CYCLE" }));
      expect(() => hashTerm(value)).toThrow(expect.objectContaining({ code: "ETF_CYCLE" }));
    });

    test("toTerm, of what it goes through", () => {
      // Funs and records are terms as they are.
      if (make() instanceof LocalFun || make() instanceof NativeRecord) return;
      expect(() => toTerm(make() as TermInput)).toThrow(cycle(path));
    });

    test("as a key", () => {
      const code = expect.objectContaining({ code: "ETF_CYCLE" });
      // Only what is long is found late: when the map gets an index.
      const map = new TermMap<TermInput, number>();
      const set = () => {
        map.set(make() as TermInput, 1);
        for (let i = 0; i < 9; i++) map.set(tuple(i), 1);
      };
      expect(set).toThrow(code);
      const many = new TermMap<TermInput, number>(Array.from({ length: 20 }, (_, i) => [i, i]));
      expect(() => many.set(make() as TermInput, 1)).toThrow(code);
      expect(() => many.get(make() as TermInput)).toThrow(code);
      expect(() => many.has(make() as TermInput)).toThrow(code);
      expect(() => many.delete(make() as TermInput)).toThrow(code);
      expect(() => new TermSet<TermInput>([make() as TermInput, ...many.keys()])).toThrow(code);
      expect(many.size).toBe(20);
      many.set(tuple(1), 1);
      expect(many.get(tuple(1))).toBe(1);
    });
  });

  test("two of different lengths", () => {
    const ring = (length: number): unknown[] => {
      const first: unknown[] = [];
      let value: unknown[] = first;
      for (let i = 1; i < length; i++) value = [value];
      first.push(value);
      return first;
    };
    const code = expect.objectContaining({ code: "ETF_CYCLE" });
    expect(() => exactEquals(ring(3), ring(5))).toThrow(code);
    expect(() => compare(ring(3) as TermInput, ring(5) as TermInput)).toThrow(code);
  });

  test("a large one before memory is used up", () => {
    const value: Record<string, unknown> = { data: Buffer.alloc(50_000_000) };
    value.list = Array.from({ length: 100_000 }, (_, i) => `text ${i}`);
    value.self = value;
    expect(() => encode(value as TermInput)).toThrow(cycle(".self"));
    expect(() => toTerm(value as TermInput)).toThrow(cycle(".self"));
  });
});

describe("no cycle", () => {
  test("a value that is there more than once", () => {
    const shared = [tuple(1, "x")];
    const value = { a: shared, b: [shared, shared], c: new Map([[shared, shared]]) };
    const text = encode(value);
    expect(exactEquals(value, toTerm(value))).toBe(true);
    expect(hashTerm(value)).toBe(hashTerm(toTerm(value)));
    expect(encode(toTerm(value))).toEqual(text);
    expect(phash2(value)).toBe(phash2(toTerm(value)));
    expect(compare(value, toTerm(value))).toBe(0);
  });

  test("at 1,000 levels, each of which holds the same value twice", () => {
    const shared = tuple(1);
    let value: Term = 0;
    for (let i = 0; i < 1000; i++) value = [shared, value, shared];
    const again = toTerm(value);
    expect(exactEquals(value, again)).toBe(true);
    expect(hashTerm(value)).toBe(hashTerm(again));
    expect(encode(again)).toEqual(encode(value));
  });

  test("a cycle and a term that differ", () => {
    const value: unknown[] = [1];
    value.push(value);
    expect(exactEquals(value, [1, [1, 2]])).toBe(false);
    expect(compare(value as TermInput, [1, [1, 2]])).toBeGreaterThan(0);
    expect(exactEquals(value, value)).toBe(true);
  });
});

test("funs in funs are written at any depth, and their sizes are right", () => {
  let value: Term = 1;
  for (let i = 0; i < 20_000; i++) {
    value = new LocalFun({
      arity: 0,
      uniq: new Uint8Array(16),
      index: 0,
      module: atom("m"),
      oldIndex: 0,
      oldUniq: 0,
      pid: new Pid("a@b", 1, 0, 1),
      freeVariables: [value],
    });
  }
  const bytes = Buffer.from(encode(value));
  // 131, the funs, each of which begins within the one before, and the integer.
  const step = (bytes.length - 3) / 20_000;
  for (let at = 1; at < bytes.length - 2; at += step) {
    expect([bytes[at], bytes.readUInt32BE(at + 1)]).toEqual([112, bytes.length - at - 1]);
  }
});
