/** Identifiers that differ in one field are different everywhere, and copies of one are the same. */
import { describe, expect, test } from "vitest";
import {
  atom,
  BitString,
  compare,
  ExternalFun,
  encode,
  equals,
  LocalFun,
  type LocalFunFields,
  NativeRecord,
  Pid,
  Port,
  phash2,
  Reference,
  type Term,
  TermMap,
  TermSet,
  tuple,
} from "../../etf/index.ts";

const pid = (change: { node?: string; id?: number; serial?: number; creation?: number } = {}) => {
  const { node = "a@b", id = 1, serial = 2, creation = 3 } = change;
  return new Pid(node, id, serial, creation);
};
const port = (change: { node?: string; id?: number | bigint; creation?: number } = {}) => {
  const { node = "a@b", id = 1, creation = 3 } = change;
  return new Port(node, id, creation);
};
const ref = (change: { node?: string; ids?: number[]; creation?: number } = {}) => {
  const { node = "a@b", ids = [1, 2, 3, 4, 5], creation = 3 } = change;
  return new Reference(node, creation, ids);
};
const fun = (change: Partial<LocalFunFields> = {}) =>
  new LocalFun({
    arity: 1,
    uniq: new Uint8Array(16).fill(7),
    index: 2,
    module: atom("m"),
    oldIndex: 3,
    oldUniq: 4,
    pid: pid(),
    freeVariables: [5],
    ...change,
  });
const record = (
  change: {
    module?: string;
    name?: string;
    exported?: boolean;
    fields?: string[];
    values?: Term[];
  } = {},
) => {
  const {
    module = "m",
    name = "r",
    exported = true,
    fields = ["f", "g"],
    values = [1, 2],
  } = change;
  return new NativeRecord(
    atom(module),
    atom(name),
    exported,
    fields.map((field) => atom(field)),
    values,
  );
};

/** Copies of one identifier, then those that differ from it in one field each. */
const KINDS: Record<string, { same: () => Term; others: Record<string, Term> }> = {
  pid: {
    same: () => pid(),
    others: {
      node: pid({ node: "a@c" }),
      id: pid({ id: 2 }),
      serial: pid({ serial: 1 }),
      creation: pid({ creation: 2 }),
      "id and serial, exchanged": pid({ id: 2, serial: 1 }),
    },
  },
  port: {
    same: () => port(),
    others: {
      node: port({ node: "a@c" }),
      id: port({ id: 2 }),
      "high word of the id": port({ id: 2n ** 32n + 1n }),
      creation: port({ creation: 2 }),
    },
  },
  reference: {
    same: () => ref(),
    others: {
      node: ref({ node: "a@c" }),
      "first word": ref({ ids: [9, 2, 3, 4, 5] }),
      "second word": ref({ ids: [1, 9, 3, 4, 5] }),
      "third word": ref({ ids: [1, 2, 9, 4, 5] }),
      "fourth word": ref({ ids: [1, 2, 3, 9, 5] }),
      "fifth word": ref({ ids: [1, 2, 3, 4, 9] }),
      "number of words": ref({ ids: [1, 2, 3, 4] }),
      creation: ref({ creation: 2 }),
    },
  },
  "external fun": {
    same: () => new ExternalFun(atom("m"), atom("f"), 1),
    others: {
      module: new ExternalFun(atom("n"), atom("f"), 1),
      function: new ExternalFun(atom("m"), atom("g"), 1),
      arity: new ExternalFun(atom("m"), atom("f"), 2),
    },
  },
  "native record": {
    same: () => record(),
    others: {
      module: record({ module: "n" }),
      name: record({ name: "s" }),
      field: record({ fields: ["f", "h"] }),
      value: record({ values: [1, 3] }),
      "number of fields": record({ fields: ["f"], values: [1] }),
    },
  },
  bitstring: {
    same: () => new BitString(Uint8Array.of(1, 0x80), 3),
    others: {
      bits: new BitString(Uint8Array.of(1, 0x80), 4),
      "last bits": new BitString(Uint8Array.of(1, 0xa0), 3),
      byte: new BitString(Uint8Array.of(2, 0x80), 3),
      length: new BitString(Uint8Array.of(1, 1, 0x80), 3),
    },
  },
};

describe.each(Object.entries(KINDS))("a %s", (_, { same, others }) => {
  test("is the same as its copy", () => {
    const [one, two] = [same(), same()];
    expect(equals(one, two)).toBe(true);
    expect(compare(one, two)).toBe(0);
    if (!(one instanceof NativeRecord)) expect(phash2(one)).toBe(phash2(two));
    expect(encode(one)).toEqual(encode(two));
    expect(new TermMap([[one, 1]]).get(two)).toBe(1);
    expect(new TermSet([one]).has(two)).toBe(true);
    if ("equals" in (one as object)) {
      expect((one as unknown as { equals(other: Term): boolean }).equals(two)).toBe(true);
    }
  });

  test.each(Object.entries(others))("with another %s is another one", (_, other) => {
    const one = same();
    expect([equals(one, other), equals(other, one)]).toEqual([false, false]);
    expect(Math.sign(compare(one, other)) * Math.sign(compare(other, one))).toBe(-1);
    expect(Buffer.compare(encode(one), encode(other))).not.toBe(0);
    const map = new TermMap<Term, number>([
      [one, 1],
      [other, 2],
    ]);
    expect([map.size, map.get(one), map.get(other)]).toEqual([2, 1, 2]);
    expect(new TermMap([[tuple(one), 1]]).has(tuple(other))).toBe(false);
    expect(new TermSet([one]).has(other)).toBe(false);
    if ("equals" in (one as object)) {
      const { equals: own } = one as unknown as { equals(other: Term): boolean };
      expect(own.call(one, other)).toBe(false);
    }
  });
});

const FUNS: Record<string, LocalFun> = {
  module: fun({ module: atom("n") }),
  uniq: fun({ uniq: new Uint8Array(16).fill(8) }),
  index: fun({ index: 3 }),
  "old uniq": fun({ oldUniq: 5 }),
  "free variable": fun({ freeVariables: [6] }),
  "number of free variables": fun({ freeVariables: [5, 6] }),
};

test("a local fun is the same as its copy", () => {
  expect(equals(fun(), fun())).toBe(true);
  expect(compare(fun(), fun())).toBe(0);
  expect(new TermMap([[fun(), 1]]).get(fun())).toBe(1);
});

test.each(Object.entries(FUNS))("a local fun with another %s is another key", (_, other) => {
  expect(new TermMap([[fun(), 1]]).has(other)).toBe(false);
  expect(new TermSet([other]).has(fun())).toBe(false);
  expect(Buffer.compare(encode(fun()), encode(other))).not.toBe(0);
});

test.each(["module", "index", "free variable", "number of free variables"])(
  "a local fun with another %s is not ==",
  (field) => {
    const other = FUNS[field]!;
    expect([equals(fun(), other), equals(other, fun())]).toEqual([false, false]);
    expect(Math.sign(compare(fun(), other)) * Math.sign(compare(other, fun()))).toBe(-1);
  },
);
