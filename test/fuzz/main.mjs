/**
 * npm run fuzz [-- --inputs=N] [--seconds=S] [--seed=N] [--area=NAME ...] [--jobs=N] [FILE...]
 *
 * Feeds the areas of test/fuzz/target.ts with inputs made of those that OTP wrote and of chance,
 * changed at random; those that reach code no other reached are changed further. The inputs (default
 * 1,000,000) are shared out among the areas, each in a process of its own, some at a time (default
 * one for each processor), which ends after S seconds (default 3600) whatever is left. What is found
 * is shrunk, kept in .cache/fuzz and counted, and the run goes on. Ends with code 1 when something
 * was found, else with 0. With FILEs, and one area, repeats those.
 */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { buildTarget } from "./build.mjs";
import { runArea } from "./campaign.mjs";

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    area: { type: "string", multiple: true },
    jobs: { type: "string", default: String(availableParallelism()) },
  },
});
const [inputs, seconds, seed, jobs] = [values.inputs, values.seconds, values.seed, values.jobs].map(
  Number,
);
const bundle = await buildTarget();
const { areas } = createRequire(import.meta.url)(bundle);
const unknown = (values.area ?? []).filter((name) => !areas.some((area) => area.name === name));
if (unknown.length > 0 || (files.length > 0 && values.area?.length !== 1)) {
  console.error(
    `The areas are ${areas.map(({ name }) => name).join(", ")}; a file is of one of them.`,
  );
  process.exit(2);
}
const chosen = areas.filter(({ name }) => values.area === undefined || values.area.includes(name));
const shares = chosen.reduce((sum, { share }) => sum + share, 0);

console.error(`seed ${seed}`);
const waiting = [...chosen];
const ended = [];
await Promise.all(Array.from({ length: jobs }, work));
for (const { name, done, covered, ms, findings } of ended) {
  console.error(
    `${name}: ${done} inputs in ${Math.round(ms / 1000)} s, covered ${covered}, ${findings.length} findings`,
  );
  for (const { kind, file, count } of findings)
    console.error(`  ${count} times ${kind}\n    ${file}`);
}
const total = ended.reduce((sum, { done }) => sum + done, 0);
const found = ended.reduce((sum, { findings }) => sum + findings.length, 0);
console.error(`${total} inputs, ${found} findings, seed ${seed}`);
process.exitCode = found > 0 ? 1 : 0;

async function work() {
  for (let area = waiting.shift(); area !== undefined; area = waiting.shift()) {
    const { name, share } = area;
    const started = performance.now();
    const own = Math.ceil((inputs * share) / shares);
    const run = await runArea({ bundle, area: name, seed, inputs: own, seconds, files, tell });
    ended.push({ name, ms: performance.now() - started, ...run });
  }
}

function tell(text) {
  console.error(text);
}
