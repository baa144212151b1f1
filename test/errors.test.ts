/** Every error that has a code can be imported, with the union of its codes, from a public entry. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = new URL("..", import.meta.url).pathname;

const CODED_CLASS = /^export class (\w+) extends (?:CodedError<(\w+)>|ErlangError|InteropError)/gm;
const CODE_UNION = /^export type (\w+ErrorCode) =/gm;
const EXPORTS = /^export (type )?\{([^}]*)\}/gm;

const text = (file: string): string => readFileSync(join(ROOT, file), "utf8");

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => text(join(folder, file)));
}

const matches = (texts: readonly string[], pattern: RegExp): string[] =>
  texts.flatMap((source) => [...source.matchAll(pattern)].map(([, name]) => name!));

/** The names that an entry exports, those of types apart. The compiler checks that they exist. */
function exported(entry: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const [, isType, list = ""] of text(entry).matchAll(EXPORTS)) {
    for (const name of list.split(",").map((each) => each.trim())) {
      if (isType !== undefined) types.push(name);
      else if (name.startsWith("type ")) types.push(name.slice("type ".length));
      else values.push(name);
    }
  }
  return { values, types };
}

/** Not for programs: they meet it as the ErlangError that it is. */
const INTERNAL = ["FailedCall"];

describe.each<[string, string[]]>([
  ["src/index.ts", ["etf", "src"]],
  ["etf/index.ts", ["etf"]],
  ["src/epmd/index.ts", ["src/epmd", "src/transport"]],
  ["interop/index.ts", ["interop"]],
])("%s exports", (entry, folders) => {
  const { values, types } = exported(entry);
  const texts = folders.flatMap(sources);

  test("every class of errors that its code throws", () => {
    const classes = matches(texts, CODED_CLASS).filter((name) => !INTERNAL.includes(name));
    expect(classes.length).toBeGreaterThan(0);
    expect(values).toEqual(expect.arrayContaining(classes));
  });

  test("every union of their codes", () => {
    const unions = matches(texts, CODE_UNION);
    expect(unions.length).toBeGreaterThan(0);
    expect(types).toEqual(expect.arrayContaining(unions));
  });
});

test("an error that has a code has the one base class", () => {
  const own = ["etf", "src"].flatMap(sources);
  const withCode = own.join("\n").match(/^export class \w+ extends Error \{[^}]*\bcode\b/gm);
  expect(withCode).toBeNull();
});
