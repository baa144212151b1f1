/**
 * One area in a process of its own: `node worker.mjs BUNDLE AREA SEED INPUTS SECONDS SLOT [FILE...]`.
 *
 * Each input is written to the file SLOT before it is run, so that the one that ends the process, or
 * holds it up for ever, is known. What is found goes to the parent; then the search goes on.
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import { seedInputs } from "./build.mjs";
import { Coverage } from "./coverage.mjs";
import { kindOf, Runner } from "./measure.mjs";
import { fresh, mutant, randomNumbers, shrunk } from "./mutate.mjs";

/** Inputs between two looks at the coverage. */
const BATCH = 1000;
const SHRINKING_MS = 10_000;
/** Of the time so much goes into finding out which inputs of a batch reached something new. */
const LOOKING_SHARE = 0.1;
/** And at a time. */
const LOOK_MS = 1500;

const [bundle, name, ...numbers] = process.argv.slice(2);
const [seed, inputs, seconds] = numbers.slice(0, 3).map(Number);
const [slotFile, ...files] = numbers.slice(3);

const coverage = new Coverage(bundle);
const target = createRequire(import.meta.url)(bundle);
const area = target.areas.find((each) => each.name === name);
const runner = new Runner(area, target.Choices);
const slot = openSync(slotFile, "r+");
let noted = Buffer.alloc(4096);
let done = 0;
/** Those of the same input again included. */
let runs = 0;
/** How often each kind was found. */
const kinds = new Map();
/** The inputs since the area last forgot, of an area that does not forget by itself. */
let history = [];

process.once("disconnect", () => process.exit());
try {
  if (files.length > 0) await repeat();
  else await search();
  process.send({ ended: { done, covered: coverage.share } }, () => process.exit());
} catch (error) {
  // A fault of the fuzzing itself, which would be taken for one of the area.
  process.send({ broken: error.stack }, () => process.exit());
}

async function repeat() {
  for (const file of files) {
    await runner.reset();
    let error;
    for (const input of seriesIn(readFileSync(file))) error = await run(input);
    if (error !== undefined) report(error, readFileSync(file), kindOf(error), []);
  }
}

async function search() {
  const next = randomNumbers(seed);
  const pool = seedInputs(name);
  for (let i = 0; i < BATCH; i++) pool.push(fresh(next));
  const since = performance.now();
  const over = () => performance.now() - since > 1000 * seconds;
  let looked = 0;
  for (const input of pool.splice(0)) if (await passes(input)) pool.push(input);
  done = 0;
  coverage.fresh(true);
  Error.stackTraceLimit = 4; // most of an error's cost
  while (done < inputs && !over()) {
    const batch = [];
    for (let i = 0; i < BATCH && done < inputs && !over(); i++) {
      const input = mutant(pool, next);
      if (await passes(input)) batch.push(input);
    }
    const now = performance.now();
    if (looked < LOOKING_SHARE * (now - since) && coverage.fresh(false) > 0) {
      pool.push(...(await firsts(batch, now + LOOK_MS)));
      looked += performance.now() - now;
    }
    process.send({ progress: { done, covered: coverage.share, pool: pool.length } });
    // What weak references lead to is kept until the event loop goes round.
    await setImmediate();
  }
}

/** Whether everything holds for an input; what does not is reported. */
async function passes(input) {
  if (area.reset !== undefined) history.push(input);
  const error = await run(input);
  done++;
  if (error === undefined) {
    if (history.length > 2000) await forget();
    return true;
  }
  const kind = kindOf(error);
  const count = (kinds.get(kind) ?? 0) + 1;
  kinds.set(kind, count);
  if (count === 1) await found(error, input, kind);
  else process.send({ again: kind });
  await forget();
  return false;
}

async function forget() {
  history = [];
  await runner.reset();
}

function run(input) {
  if (noted.length < 8 + input.length) noted = Buffer.alloc(8 + 2 * input.length);
  noted.writeUInt32LE(runs, 0);
  noted.writeUInt32LE(input.length, 4);
  noted.set(input, 8);
  runs++;
  writeSync(slot, noted, 0, 8 + input.length, 0);
  return runner.run(input);
}

/** Shrinks it as far as it stays the same kind, and tells of it. */
async function found(error, input, kind) {
  const since = performance.now();
  const fails = async (tried) => {
    await runner.reset();
    const failure = await run(tried);
    return failure !== undefined && kindOf(failure) === kind;
  };
  if (!(await fails(input))) return report(error, input, kind, history.slice(0, -1));
  const shortest = await shrunk(input, fails, () => performance.now() - since > SHRINKING_MS);
  report(error, shortest, kind, []);
}

/** `before` are the inputs without which it does not fail. */
function report(error, input, kind, before) {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hex = (bytes) => bytes.toString("hex");
  process.send({ found: { kind, stack, input: hex(input), before: before.map(hex) } });
}

/** The inputs of a file: one, or behind `series` lines of hexadecimal digits, to be run one after the other. */
function seriesIn(bytes) {
  if (!bytes.subarray(0, 7).equals(Buffer.from("series\n"))) return [bytes];
  const lines = bytes.toString("latin1").trim().split("\n").slice(1);
  return lines.map((line) => Buffer.from(line, "hex"));
}

/** Of a batch that reached something new those inputs that do, found by halves, as far as time allows. */
async function firsts(batch, until) {
  if (performance.now() > until) return [];
  coverage.restart();
  for (const input of batch) await run(input);
  if (coverage.fresh(false) === 0) return [];
  if (batch.length > 1) {
    const half = batch.length >> 1;
    const first = await firsts(batch.slice(0, half), until);
    return [...first, ...(await firsts(batch.slice(half), until))];
  }
  coverage.restart();
  await run(batch[0]);
  coverage.fresh(true);
  return batch;
}
