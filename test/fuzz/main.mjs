/**
 * npm run fuzz [-- --runs=N] [--seconds=S] [--seed=N] [FILE...]
 *
 * Feeds test/fuzz/target.ts with inputs made of those that OTP wrote, changed at random, and keeps
 * the ones that reach code no other reached, to be changed further. One process. Ends with code 0
 * when N inputs (default 1,000,000) or S seconds (3600) went by without a finding; otherwise prints
 * the input and keeps it in .cache/fuzz; with FILEs, repeats those.
 *
 * jazzer.js would be the engine for this, but its addon wants a C library newer than Debian 12's, and
 * its earlier releases do not install. V8's own coverage serves as well: asked for after every
 * thousand inputs it costs nothing, and a thousand that reached something new is looked at one by one.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildTarget } from "./build.mjs";

/** Inputs between two looks at the coverage. */
const BATCH = 1000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [runs, seconds, seed] = [values.runs, values.seconds, values.seed].map(Number);
const { folder, seeds } = await buildTarget();
const session = new Session();
session.connect();
post("Profiler.enable");
restart();
const { fuzz } = createRequire(import.meta.url)(`${folder}/target.cjs`);

if (positionals.length > 0) for (const file of positionals) fuzz(readFileSync(file));
else process.exitCode = await search();

/** The answer comes within the call. */
function post(method, parameters = {}) {
  let answer;
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw new Error(error.message);
    answer = result;
  });
  return answer;
}

/** Forgets what was covered: V8 tells of each block only once, as counting them is many times slower. */
function restart() {
  post("Profiler.stopPreciseCoverage");
  post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
}

/**
 * Marks the characters of the script that ran for the first time since the restart; returns how many
 * of them were not marked before.
 */
function covered(marks) {
  let fresh = 0;
  for (const script of post("Profiler.takePreciseCoverage").result) {
    if (!script.url.endsWith("/target.cjs")) continue;
    for (const { ranges } of script.functions) {
      // The first range is the whole function, those inside it say what is different there.
      const { startOffset, endOffset } = ranges[0];
      if (startOffset === 0) continue; // the script itself, which runs once
      const ran = new Uint8Array(endOffset - startOffset);
      for (const range of ranges) {
        const [from, to] = [range.startOffset - startOffset, range.endOffset - startOffset];
        ran.fill(Math.min(range.count, 1), from, to);
      }
      for (let i = 0; i < ran.length; i++) {
        if (ran[i] === 1 && marks[startOffset + i] === 0) {
          marks[startOffset + i] = 1;
          fresh++;
        }
      }
    }
  }
  return fresh;
}

async function search() {
  const next = randomNumbers(seed);
  const pool = [...seeds];
  const marks = new Uint8Array(statSync(`${folder}/target.cjs`).size);
  for (const input of pool) fuzz(input);
  covered(marks);
  const started = performance.now();
  Error.stackTraceLimit = 0; // most of an error's cost
  let done = 0;
  while (done < runs && performance.now() - started < 1000 * seconds) {
    const batch = [];
    for (let i = 0; i < BATCH; i++) {
      const input = mutant(pool, next);
      batch.push(input);
      try {
        fuzz(input);
      } catch (error) {
        return found(input, done + i, error);
      }
    }
    if (covered(marks.slice()) > 0) pool.push(...firsts(batch, marks));
    done += BATCH;
    if (done % 100_000 === 0) {
      const mebibytes = Math.round(process.memoryUsage().rss / 2 ** 20);
      console.error(`#${done} covered ${share(marks)} pool ${pool.length} rss ${mebibytes} MiB`);
    }
    // What weak references lead to is kept until the event loop goes round.
    await setImmediate();
  }
  console.error(`${done} inputs without a finding, seed ${seed}, covered ${share(marks)}`);
  return 0;
}

/** Of a batch that reached something new those inputs that do, found by halves. */
function firsts(batch, marks) {
  restart();
  for (const input of batch) fuzz(input);
  if (covered(marks.slice()) === 0) return [];
  if (batch.length > 1) {
    const half = batch.length >> 1;
    return [...firsts(batch.slice(0, half), marks), ...firsts(batch.slice(half), marks)];
  }
  restart();
  fuzz(batch[0]);
  covered(marks);
  return batch;
}

/** Of the script's characters. */
function share(marks) {
  return `${((100 * marks.reduce((sum, mark) => sum + mark, 0)) / marks.length).toFixed(2)} %`;
}

function found(input, place, cause) {
  const file = `${folder}/finding-${place}`;
  writeFileSync(file, input);
  Error.stackTraceLimit = 20;
  console.error(`seed ${seed}, input ${place}, kept in ${file}:\n${input.toString("hex")}`);
  try {
    fuzz(input);
    console.error(cause);
  } catch (error) {
    console.error(error);
  }
  return 1;
}

/** An input with one to four changes, one of which may be a piece of another input. */
function mutant(pool, next) {
  let made = Buffer.from(pool[next(pool.length)]);
  for (let changes = 1 + next(4); changes > 0; changes--) {
    const at = 1 + next(made.length);
    const size = 1 + next(8);
    const other = pool[next(pool.length)];
    const from = next(other.length);
    switch (next(7)) {
      case 0:
        if (at < made.length) made[at] ^= 1 << next(8);
        break;
      case 1:
        if (at < made.length) made[at] = next(256);
        break;
      case 2:
        if (at < made.length) made[at] = [0, 1, 127, 128, 254, 255][next(6)];
        break;
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + size)]);
        break;
      case 4:
        made = Buffer.concat([made.subarray(0, at + size), made.subarray(at)]);
        break;
      case 5:
        made = Buffer.concat([
          made.subarray(0, at),
          other.subarray(from, from + 4 * size),
          made.subarray(at),
        ]);
        break;
      default:
        made = Buffer.concat([
          made.subarray(0, at),
          Buffer.from([67 + next(55)]),
          made.subarray(at),
        ]);
    }
  }
  made[0] = (made[0] & 7) | (next(32) << 3);
  return made.subarray(0, 4000);
}

/** Numbers from 0 to `below` - 1, by mulberry32. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
