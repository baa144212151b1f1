/** What is published: its files, their size, and what each entry loads. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { installPacked } from "./packed.ts";

const MAX_FILES = 250;
const MAX_BYTES = 2_500_000;

const packed = installPacked();
afterAll(() => packed[Symbol.dispose]());

const read = (file: string): string => readFileSync(join(packed.installed, file), "utf8");
const IMPORT = /^(?:import|export) (?:[^"]*? from )?"([^"]+)";/gm;

/** All that a file imports before it runs, through the package's own files. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
  seen.add(file);
  for (const [, name = ""] of read(file).matchAll(IMPORT)) {
    const target = name.startsWith(".") ? join(dirname(file), name) : name;
    if (seen.has(target)) continue;
    if (name.startsWith(".")) loaded(target, seen);
    else seen.add(target);
  }
  return seen;
}
const own = (file: string): string[] =>
  [...loaded(file)].filter((name) => !name.startsWith("node:")).sort();

describe("the published files", () => {
  it(`are fewer than ${MAX_FILES} and smaller than ${MAX_BYTES} bytes`, () => {
    expect(packed.files.length).toBeLessThan(MAX_FILES);
    expect(packed.unpackedBytes).toBeLessThan(MAX_BYTES);
  });

  it("are texts, the bundles with their maps, declarations, and the harness's Erlang", () => {
    const texts = /^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/;
    const bundles = /^dist\/[\w.-]+\.js(\.map)?$|^dist\/types\/.*\.d\.ts$/;
    const harness = /^interop\/(erlang\/\w+\.erl|otp\/install)$/;
    const others = packed.files
      .map(({ path }) => path)
      .filter((path) => ![texts, bundles, harness].some((kind) => kind.test(path)));
    expect(others).toEqual([]);
  });

  it("contain each source once", () => {
    const sources = new Map<string, number>();
    for (const { path } of packed.files) {
      if (!path.endsWith(".map")) continue;
      const map = JSON.parse(read(path)) as { sources: string[]; sourcesContent?: string[] };
      if (map.sourcesContent === undefined) continue;
      for (const source of map.sources) sources.set(source, (sources.get(source) ?? 0) + 1);
    }
    expect(sources.has("../etf/decode.ts")).toBe(true);
    const twice = [...sources].filter(([, count]) => count > 1).map(([source]) => source);
    // The forms of #bigint are built alone, since only one of them is ever loaded.
    expect(twice.sort()).toEqual(["../etf/bigint.web.ts", "../etf/bytes.ts"]);
  });

  it("declare nothing internal", () => {
    const declarations = packed.files.filter(({ path }) => path.endsWith(".d.ts"));
    expect(declarations.length).toBeGreaterThan(50);
    for (const { path } of declarations) expect(read(path), path).not.toContain("@internal");
  });
});

describe("an import loads no more than it needs", () => {
  it("erldist/etf: the codec", () => {
    expect(own("dist/etf.js")).toEqual(["#bigint", "dist/codec.js", "dist/etf.js"]);
  });
  it("erldist/epmd: EPMD and transports", () => {
    const files = ["#bigint", "dist/codec.js", "dist/epmd.js", "dist/ports.js"];
    expect(own("dist/epmd.js")).toEqual(files);
  });
  it("erldist: never yargs", () => {
    const files = own("dist/index.js");
    expect(files).toContain("dist/node.js");
    expect(files.filter((name) => name.startsWith("yargs"))).toEqual([]);
  });
  it("erldist/interop: nothing of the node", () => {
    expect(own("dist/interop.js")).toEqual(["dist/interop.js"]);
  });
});
