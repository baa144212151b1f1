/**
 * npm run mutate [-- FOLDER|FILE ...] [--seed=N] [--samples=N] [--jobs=N] [--least=N]
 *
 * Do the unit tests and the type checker notice a slip of the pen? Draws mutants of each folder
 * (default etf and those of src; default 40 of each), the same ones for the same seed, and runs the
 * tests that reach each, until one fails. Prints what nobody noticed, and the share that was noticed,
 * by folder; all of it is in .cache/mutate/report.json too. Ends with code 1 when fewer than N of a
 * hundred (default 0) were noticed. No source is touched.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { randomNumbers } from "../fuzz/mutate.mjs";
import { blockAt, blocksOf } from "./instrument.mjs";
import { applied, mutantsOf } from "./mutants.mjs";
import { filesBelow, reachOf, readJson, testsReaching } from "./reach.mjs";
import { printReport } from "./report.mjs";
import { Runner } from "./runners.mjs";
import { Types } from "./types.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    samples: { type: "string", default: "40" },
    jobs: { type: "string", default: String(availableParallelism()) },
    least: { type: "string", default: "0" },
    // For the test of this program: another project.
    root: { type: "string", default: "." },
  },
});
const [seed, samples, jobs] = [values.seed, values.samples, values.jobs].map(Number);
const root = resolve(values.root);
const folders = positionals.length > 0 ? positionals : allFolders();

const equivalent = new Map(
  (readJson(join(root, "test/mutate/equivalent.json")) ?? []).map((one) => [keyOf(one), one.why]),
);
tell(`seed ${seed}`);
const types = new Types(root);
const reach = await reachOf(root, { jobs, tell });
const results = folders.flatMap(drawn);
const waiting = [...results];
await Promise.all(Array.from({ length: jobs }, work));
const report = { seed, samples, folders, results };
writeFileSync(join(root, ".cache/mutate/report.json"), JSON.stringify(report, undefined, 2));
process.exitCode = printReport(report) < Number(values.least) ? 1 : 0;

function allFolders() {
  const inSource = readdirSync(join(root, "src"), { withFileTypes: true });
  return ["etf", ...inSource.filter((one) => one.isDirectory()).map(({ name }) => `src/${name}`)];
}

/** A sample of a folder's mutants. */
function drawn(folder) {
  const files = folder.endsWith(".ts") ? [folder] : filesBelow(root, folder);
  const mutants = files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => mutantsOf(file, readFileSync(join(root, file), "utf8")));
  const next = randomNumbers(seed);
  const sample = [];
  while (sample.length < samples && mutants.length > 0) {
    const at = next(mutants.length);
    const [mutant] = mutants.splice(at, 1, mutants.at(-1));
    mutants.pop();
    sample.push({ folder, ...mutant });
  }
  return sample;
}

async function work() {
  const runner = new Runner(root);
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    Object.assign(mutant, await fateOf(mutant, runner));
    const left = waiting.length;
    if (mutant.by === undefined) tell(`${mutant.file}:${mutant.line} not noticed; ${left} left`);
  }
  runner.close();
}

/** Who notices: `by` is "types", "tests", "time-out", or nobody, unless it is equivalent. */
async function fateOf(mutant, runner) {
  const why = equivalent.get(keyOf(mutant));
  if (why !== undefined) return { by: "equivalent", why };
  const original = readFileSync(join(root, mutant.file), "utf8");
  const text = applied(original, mutant);
  if (types.refuses(mutant.file, text)) return { by: "types" };
  const block = blockAt(blocksOf(mutant.file, original), mutant.start);
  const tests = testsReaching(reach, mutant.file, block);
  for (const { test, ms } of tests) {
    const source = { file: mutant.file, text };
    const { failed, hung } = await runner.run(test, source, 30_000 + 5 * ms);
    if (failed) return { by: hung ? "time-out" : "tests", test };
  }
  return { reachedBy: tests.length };
}

function keyOf({ file, was, now }) {
  return `${file}: ${was} -> ${now}`;
}

function tell(text) {
  console.error(text);
}
