import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ROUNDS = 20;

test("terminating a worker that reads and writes large integers leaves the program alive", async () => {
  // Inside the project, whose packages are to be found.
  const folder = mkdtempSync(join(root, "node_modules/.erldist-workers-"));
  try {
    await build({
      configFile: false,
      root,
      logLevel: "warn",
      resolve: { alias: { "#bigint": join(root, "etf/bigint.node.ts") } },
      build: {
        ssr: join(root, "test/support/big-integers-in-workers.ts"),
        target: "node20",
        outDir: folder,
        rollupOptions: { output: { format: "esm", entryFileNames: "workers.mjs" } },
      },
    });
    const ended = spawnSync(process.execPath, [join(folder, "workers.mjs"), String(ROUNDS)], {
      encoding: "utf8",
      timeout: 240_000,
    });
    expect(ended).toMatchObject({ signal: null, status: 0, stdout: "alive\n", stderr: "" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
