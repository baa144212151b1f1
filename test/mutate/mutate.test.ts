import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("main.mjs", import.meta.url));
const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

const PROJECT = {
  "tsconfig.json": JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, allowImportingTsExtensions: true, types: [] },
    include: ["src"],
  }),
  "src/numbers/half.ts": [
    "export const larger = (a: number, b: number): number => (a > b ? a : b);",
    "export function half(n: number): number {",
    "  return n / 2;",
    "}",
    "export function never(n: number): number {",
    "  return n * 3;",
    "}",
  ].join("\n"),
  "test/numbers/half.test.ts": [
    'import { expect, test } from "vitest";',
    'import { half, larger } from "../../src/numbers/half.ts";',
    'test("half and larger", () => {',
    "  expect(larger(1, 2)).toBe(2);",
    "  expect(larger(2, 1)).toBe(2);",
    "  expect(half(0)).toBe(0);",
    "});",
  ].join("\n"),
};

interface Fate {
  now: string;
  by?: string;
  test?: string;
  reachedBy?: number;
}

test("reports who notices each mutant, and those that nobody notices", () => {
  mkdirSync(CACHE, { recursive: true });
  const root = mkdtempSync(join(CACHE, "mutate-"));
  try {
    for (const [file, text] of Object.entries(PROJECT)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    const options = [`--root=${root}`, "--seed=1", "--samples=100", "--jobs=1", "--least=90"];
    const run = spawnSync(process.execPath, [PROGRAM, "src/numbers", ...options], {
      encoding: "utf8",
    });
    const report = join(root, ".cache/mutate/report.json");
    const results: Fate[] = JSON.parse(readFileSync(report, "utf8")).results;
    const fateOf = (now: string) => {
      const found = results.find((one) => one.now.includes(now));
      return [found?.by, found?.test ?? found?.reachedBy];
    };
    const own = "test/numbers/half.test.ts";
    expect(fateOf("!(a > b) ? a : b")).toEqual(["tests", own]);
    expect(fateOf("n * 2;")).toEqual([undefined, 1]);
    expect(fateOf("n * 4;")).toEqual([undefined, 0]);
    expect(fateOf("return undefined;")).toEqual(["types", undefined]);
    expect(run.stdout).toContain("src/numbers/half.ts:6 number (no test reaches it)");
    expect(run.stdout).toContain("+ return n * 4;");
    expect(run.status).toBe(1);
    for (const [file, text] of Object.entries(PROJECT)) {
      expect(readFileSync(join(root, file), "utf8")).toBe(text);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
}, 240_000);
