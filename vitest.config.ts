import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const resolve = {
  alias: { "#bigint": fileURLToPath(new URL("./etf/bigint.node.ts", import.meta.url)) },
};

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        // Limits end what hangs: a busy machine takes many times as long as an idle one.
        test: { name: "unit", include: ["test/**/*.test.ts"], testTimeout: 300_000 },
      },
      {
        test: { name: "package", include: ["test/package/*.package.ts"], testTimeout: 120_000 },
      },
      {
        resolve,
        test: {
          name: "interop",
          include: ["interop/**/*.interop.ts"],
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
          retry: 0,
        },
      },
    ],
  },
});
