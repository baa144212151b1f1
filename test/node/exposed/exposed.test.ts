import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { exposedFunctions } from "../../../src/node/exposed/exposed.ts";
import type { CallContext } from "../../../src/node/exposed/functions.ts";
import { typed, types } from "../../../src/node/exposed/typed.ts";

/** `name/arity`, or `name/from-to`. */
function names(functions: object): string[] {
  return exposedFunctions("m", functions)
    .map(({ name, arities: { from, to } }) => `${name}/${from === to ? from : `${from}-${to}`}`)
    .sort();
}

function call(functions: object, name: string, ...args: unknown[]): unknown {
  const found = exposedFunctions("m", functions).find((each) => each.name === name);
  return found?.run.apply({ caller: undefined } as CallContext, args);
}

class Base {
  base(a: number): string {
    return `base ${a} of ${this.constructor.name}`;
  }
  replaced(_: number, __: number): string {
    return "of the base";
  }
  hidden(): void {}
}

class Sums extends Base {
  readonly start: number;
  #secret = 40;
  readonly arrow = (a: number, b = 1): number => this.start + a + b;
  constructor(start: number) {
    super();
    this.start = start;
  }
  static make(start: number): Sums {
    return new Sums(start);
  }
  get size(): number {
    throw new Error("not to be asked");
  }
  set size(_: number) {}
  add(a: number, b = 1, ...more: number[]): number {
    return this.#plus(a, b, ...more);
  }
  async later(): Promise<number> {
    return this.start;
  }
  override replaced(a: number): string {
    return `replaced ${a}`;
  }
  // biome-ignore lint/suspicious/noExplicitAny: hides a method of the base
  override hidden: any = undefined;
  _internal(): void {}
  #plus(...all: number[]): number {
    return all.reduce((sum, each) => sum + each, this.start + this.#secret - 40);
  }
}

describe("an instance of a class", () => {
  test("exposes its methods, inherited ones and those in its properties", () => {
    expect(names(new Sums(1))).toEqual([
      "add/1-255",
      "arrow/1-2",
      "base/1",
      "later/0",
      "replaced/1",
    ]);
  });

  test("is the this of its methods", async () => {
    const sums = new Sums(10);
    expect(call(sums, "add", 1, 2, 3)).toBe(16);
    expect(call(sums, "add", 1)).toBe(12);
    expect(call(sums, "arrow", 1)).toBe(12);
    expect(call(sums, "base", 7)).toBe("base 7 of Sums");
    expect(call(sums, "replaced", 7)).toBe("replaced 7");
    expect(await call(sums, "later")).toBe(10);
  });

  test("exposes nothing of the classes of the engine and of Node", () => {
    class Loud extends EventEmitter {
      say(a: number): number {
        return a;
      }
    }
    class Keeper extends Map {
      keep(_a: number, _b: number): void {}
    }
    class Listens extends EventTarget {
      hear(): void {}
    }
    expect(names(new Loud())).toEqual(["say/1"]);
    expect(names(new Keeper())).toEqual(["keep/2"]);
    expect(names(new Listens())).toEqual(["hear/0"]);
  });

  test("may be behind a proxy, or made without a class", () => {
    expect(names(new Proxy(new Base(), {}))).toEqual(["base/1", "hidden/0", "replaced/2"]);
    expect(names(Object.create({ one: () => 1, two: (a: number) => a }))).toEqual([
      "one/0",
      "two/1",
    ]);
  });

  test("exposes the static methods if it is a class itself", () => {
    expect(names(Sums)).toEqual(["make/1"]);
    expect(call(Sums, "make", 5)).toBeInstanceOf(Sums);
    class Loud extends EventEmitter {
      static say(a: number): number {
        return a;
      }
    }
    expect(names(Loud)).toEqual(["say/1"]);
  });

  test.each<[string, object]>([
    ["an instance without methods", new (class Empty {})()],
    ["a function", () => 1],
    ["a native function", Math.max],
    ["a list", [() => 1].slice(1)],
    ["a map", new Map([["a", () => 1]])],
    ["a date", new Date()],
  ])("%s is refused", (_, functions) => {
    expect(() => exposedFunctions("m", functions)).toThrow(
      expect.objectContaining({ code: "FUNCTION_NAME_INVALID" }),
    );
  });
});

describe("a plain object", () => {
  test("exposes its functions in every possible arity", () => {
    const functions = {
      plain: (a: number, b: number) => a + b,
      optional: (a: number, b = 2) => a + b,
      rest: (...all: number[]) => all.length,
      _name: () => 1,
      typed: typed([types.integer, types.integer], types.integer, (a, b) => a + b),
      nothing: typed([], types.ok, () => {}),
    };
    expect(names(functions)).toEqual([
      "_name/0",
      "nothing/0",
      "optional/1-2",
      "plain/2",
      "rest/0-255",
      "typed/2",
    ]);
    expect(names(Object.assign(Object.create(null), functions))).toEqual(names(functions));
  });

  test("lets functions with an arity in the key replace the others", () => {
    const both = { "sum/2": () => "two", sum: (...all: number[]) => all.length };
    expect(names(both)).toEqual(["sum/0-255", "sum/2"]);
    expect(exposedFunctions("m", both).at(-1)!.arities).toEqual({ from: 2, to: 2 });
  });

  test("needs an arity in the key if the parameters cannot be counted", () => {
    const bound = ((a: number, b: number) => a + b).bind(null);
    expect(names({ "max/2": Math.max, "bound/2": bound })).toEqual(["bound/2", "max/2"]);
    for (const run of [Math.max, bound]) {
      expect(() => exposedFunctions("m", { run })).toThrow(
        expect.objectContaining({
          code: "FUNCTION_ARITY_UNKNOWN",
          message: expect.stringContaining('"run/2"'),
        }),
      );
    }
  });

  test.each<[string, object]>([
    ["a class", { run: class {} }],
    ["a class with an arity", { "run/0": class {} }],
    ["a generator function", { *run() {} }],
    ["a value that is not a function", { run: 1 }],
  ])("with %s is refused", (_, functions) => {
    expect(() => exposedFunctions("m", functions)).toThrow(
      expect.objectContaining({
        code: "FUNCTION_NAME_INVALID",
        message: expect.stringContaining("m:run"),
      }),
    );
  });
});
