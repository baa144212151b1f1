/**
 * npm run fuzz [-- --runs=N] [--seconds=S] [--seed=N] [--engine=jazzer|mutator]
 *
 * Feeds test/fuzz/target.ts: by default with jazzer.js, which is fetched by npx and looks for
 * inputs that reach new code; or with a mutator of our own on the same inputs, which is several
 * times faster and needs nothing. Both are one process. Ends with code 0 when N inputs (default
 * 1,000,000) or S seconds went by without a finding; otherwise prints the input.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildTarget } from "./build.mjs";

/** Version 4.0.0 wants a newer C library than Debian 12 has. */
const JAZZER = "@jazzer.js/core@2.1.0";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    engine: { type: "string", default: "jazzer" },
  },
});
const [runs, seconds, seed] = [values.runs, values.seconds, values.seed].map(Number);
const { folder, seeds } = await buildTarget();
if (positionals.length > 0) process.exitCode = repeat(positionals);
else process.exitCode = values.engine === "mutator" ? await mutate() : jazzer();

/** The given files of inputs, once each. */
function repeat(files) {
  const { fuzz } = createRequire(import.meta.url)(`${folder}/target.cjs`);
  for (const file of files) fuzz(readFileSync(file));
  return 0;
}

function jazzer() {
  const found = `${folder}/corpus`;
  mkdirSync(found, { recursive: true });
  const { status } = spawnSync(
    "npx",
    [
      "--yes",
      JAZZER,
      `${folder}/target.cjs`,
      found,
      `${folder}/seeds`,
      "--includes=target.cjs",
      "--sync",
      "--disableBugDetectors=.*",
      "--",
      `-runs=${runs}`,
      `-max_total_time=${seconds}`,
      `-seed=${seed}`,
      "-max_len=2000",
      "-timeout=10",
      "-rss_limit_mb=2048",
      `-artifact_prefix=${folder}/finding-`,
      "-print_final_stats=1",
    ],
    { stdio: "inherit", cwd: folder },
  );
  return status ?? 1;
}

async function mutate() {
  const { fuzz } = createRequire(import.meta.url)(`${folder}/target.cjs`);
  const next = randomNumbers(seed);
  const pool = [...seeds, ...inputsOf(`${folder}/corpus`)];
  const started = performance.now();
  Error.stackTraceLimit = 0; // most of an error's cost
  let slowest = 0;
  let done = 0;
  for (; done < runs; done++) {
    const input = mutant(pool, next);
    const before = performance.now();
    try {
      fuzz(input);
    } catch (error) {
      Error.stackTraceLimit = 20;
      const file = `${folder}/finding-mutator-${done}`;
      writeFileSync(file, input);
      console.error(`seed ${seed}, input ${done}, kept in ${file}:\n${input.toString("hex")}`);
      console.error(error);
      return 1;
    }
    // What weak references lead to is kept until the event loop goes round.
    if (done % 10_000 === 0) await setImmediate();
    const took = performance.now() - before;
    if (took > slowest) {
      slowest = took;
      if (took > 100) writeFileSync(`${folder}/slow`, input);
    }
    if (done % 100_000 === 0) {
      if (performance.now() - started > 1000 * seconds) break;
      const { rss } = process.memoryUsage();
      console.error(
        `#${done} rss ${Math.round(rss / 2 ** 20)} MiB, slowest ${slowest.toFixed(1)} ms`,
      );
    }
  }
  console.error(`${done} inputs without a finding, seed ${seed}, slowest ${slowest.toFixed(1)} ms`);
  return 0;
}

function inputsOf(corpus) {
  try {
    return readdirSync(corpus).map((name) => readFileSync(`${corpus}/${name}`));
  } catch {
    return [];
  }
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
