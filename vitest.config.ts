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
        test: { name: "unit", include: ["test/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        resolve,
        test: {
          name: "interop",
          include: ["interop/**/*.interop.ts"],
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: 0,
        },
      },
    ],
  },
});
