/**
 * A process that runs test files one at a time, with sources replaced as they are loaded: nothing is
 * written into the project. Told what to do by messages `{ test, replaced: { file, text }, instrument }`;
 * answers each with `{ failed, ms }`.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createVitest } from "vitest/node";
import { instrumented } from "./instrument.mjs";

const [root, reachDirectory] = process.argv.slice(2);
const instrument = reachDirectory !== undefined;
let replaced;

const sources = {
  name: "mutate",
  enforce: "pre",
  load(id) {
    const file = relative(root, id.split("?", 1)[0]).replaceAll("\\", "/");
    if (!file.endsWith(".ts") || file.startsWith("..") || file.includes("node_modules/")) return;
    if (file === replaced?.file) return replaced.text;
    if (!instrument || file.endsWith(".test.ts")) return;
    return instrumented(file, readFileSync(join(root, file), "utf8"));
  },
};

const vitest = await createVitest(
  "test",
  {
    root,
    config: false,
    watch: false,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    bail: instrument ? 0 : 1,
    testTimeout: instrument ? 120_000 : 15_000,
    reporters: [{}],
    setupFiles: instrument ? [fileURLToPath(new URL("reach-setup.mjs", import.meta.url))] : [],
    env: instrument ? { MUTATE_REACH: reachDirectory } : {},
  },
  {
    plugins: [sources],
    resolve: { alias: { "#bigint": join(root, "etf/bigint.node.ts") } },
    server: { watch: null },
  },
);
await vitest.standalone();
await vitest.globTestSpecifications();

process.on("message", async ({ test, source }) => {
  if (replaced !== undefined) vitest.invalidateFile(join(root, replaced.file));
  replaced = source;
  if (replaced !== undefined) vitest.invalidateFile(join(root, replaced.file));
  const specifications = await vitest.globTestSpecifications([join(root, test)]);
  const started = performance.now();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  // What earlier runs found is among them.
  const module = testModules.find(({ moduleId }) => moduleId === specifications[0]?.moduleId);
  const failed = module === undefined || !module.ok() || unhandledErrors.length > 0;
  process.send({ failed, ms: Math.round(performance.now() - started) });
});
process.on("disconnect", () => process.exit());
process.send({ ready: true });
