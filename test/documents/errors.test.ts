/** docs/errors.md has a heading for every error code, where errors and other pages point to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pageText, ROOT } from "../../interop/support/documents.ts";

/** A member of one of the unions of codes: a line of its own, or the right side of a `type`. */
const CODE_LINE =
  /^\s*\| "((?:ETF|TERM|TRANSPORT|EPMD|HS|DIST|CONN|NODE|PROCESS|FUNCTION|CALL|REMOTE|INTEROP)_[A-Z0-9_]+)"/gm;
const CODE_TYPE = /^export type \w+ErrorCode =\s*([^;]*);/gm;

function files(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"));
}

function codesOf(sources: readonly string[]): string[] {
  const codes = new Set<string>();
  for (const source of sources) {
    for (const [, code = ""] of source.matchAll(CODE_LINE)) codes.add(code);
    for (const [, union = ""] of source.matchAll(CODE_TYPE)) {
      for (const [, code = ""] of union.matchAll(/"([A-Z0-9_]+)"/g)) codes.add(code);
    }
  }
  return [...codes].sort();
}

describe("the error codes of docs/errors.md", () => {
  const documented = [...pageText("docs/errors.md").matchAll(/^### ([A-Z0-9_]+)$/gm)];
  const codes = codesOf([
    ...files("etf", ".ts"),
    ...files("src", ".ts"),
    ...files("interop", ".ts"),
  ]);

  it("are found in the sources", () => {
    expect(codes.length).toBeGreaterThan(60);
  });

  it("have a heading each, and every heading is a code", () => {
    expect(documented.map(([, code = ""]) => code).sort()).toEqual(codes);
  });

  const tests = [...files("test", ".test.ts"), ...files("interop", ".interop.ts")].join("\n");
  it.each(codes)("%s is expected by some test", (code) => {
    expect(tests).toMatch(new RegExp(`\\b${code}\\b`));
  });
});
