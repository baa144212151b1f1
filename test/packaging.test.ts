import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../src/otp/operator/version.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const CODEC = /from "((?:\.\.\/)+etf\/[^"]+)"/g;

// The package has the codec in one file: whatever else imports of it is not there, or a second copy.
test("what is published imports the codec by its index alone", () => {
  const imports = new Map<string, number>();
  for (const folder of ["src", "interop"]) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.endsWith(".interop.ts")) continue;
      const text = readFileSync(join(ROOT, folder, file), "utf8");
      for (const [, path = ""] of text.matchAll(CODEC)) {
        const from = path.replaceAll("../", "");
        imports.set(from, (imports.get(from) ?? 0) + 1);
      }
    }
  }
  expect([...imports.keys()]).toEqual(["etf/index.ts"]);
  expect(imports.get("etf/index.ts")).toBeGreaterThan(30);
});

test("the version that a node tells is the package's", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(VERSION).toBe(manifest.version);
});
