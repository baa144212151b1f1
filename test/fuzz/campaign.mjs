/**
 * A run over an area, in a process of its own that is watched from here. One that dies, or is silent
 * for too long, has found something as well: the input it was given last. The area goes on in another.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FOLDER } from "./build.mjs";

const WORKER = fileURLToPath(new URL("./worker.mjs", import.meta.url));
/** An input that takes longer than this is not waited for. */
const SILENCE_MS = 30_000;
/** Heap that a worker may have: what needs more has found something. */
const MAX_HEAP_MEBIBYTES = 512;
/** Times that an area is begun again after its process died. */
const MAX_DEATHS = 20;

/**
 * Runs one area: `bundle`, `area`, `seed`, at most so many `inputs` and `seconds`, or the inputs of
 * `files`. `tell` is called with text, `stop` with each finding: true ends the run.
 * Returns `{ done, covered, findings }`, a finding as `{ kind, stack, file, count }`.
 */
export async function runArea(options) {
  const { seed, inputs, seconds, files = [] } = options;
  const findings = new Map();
  const end = performance.now() + 1000 * seconds;
  let done = 0;
  let covered = "";
  for (let deaths = 0; deaths <= MAX_DEATHS; deaths++) {
    const left = Math.max(0, (end - performance.now()) / 1000);
    const rest = { seed: seed + deaths, inputs: inputs - done, seconds: left };
    const run = await runWorker({ ...options, ...rest, files }, findings);
    done += run.done;
    covered = run.covered || covered;
    if (run.over || files.length > 0) break;
  }
  return { done, covered, findings: [...findings.values()] };
}

async function runWorker(options, findings) {
  const {
    bundle,
    area,
    seed,
    inputs,
    seconds,
    files,
    tell = () => {},
    stop = () => false,
  } = options;
  const slot = `${FOLDER}/input-${area}-${process.pid}`;
  writeFileSync(slot, "");
  const args = [bundle, area, seed, inputs, seconds, slot, ...files].map(String);
  const child = fork(WORKER, args, {
    execArgv: [`--max-old-space-size=${MAX_HEAP_MEBIBYTES}`],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr = (stderr + text).slice(-2000);
  });
  let state = { done: 0, covered: "" };
  let over = false;
  let broken;
  const found = ({ kind, stack, input, before = [] }) => {
    const known = findings.get(kind);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const file = `${FOLDER}/${area}-${options.seed}-${findings.size + 1}`;
    const series = ["series", ...before, input, ""].join("\n");
    writeFileSync(file, before.length > 0 ? series : Buffer.from(input, "hex"));
    const finding = { kind, stack, file, count: 1 };
    findings.set(kind, finding);
    const others = before.length > 0 ? ` after ${before.length} others` : "";
    tell(`${area}: found, kept in ${file}${others}: ${input.slice(0, 400)}\n${stack}`);
    if (!stop(finding)) return;
    over = true;
    child.kill("SIGKILL");
  };
  child.on("message", (message) => {
    if (message.progress !== undefined) state = message.progress;
    else if (message.found !== undefined) found(message.found);
    else if (message.again !== undefined) findings.get(message.again).count++;
    else if (message.broken !== undefined) broken = message.broken;
    else {
      state = message.ended;
      over = true;
    }
  });
  const watched = watch(slot, () => child.kill("SIGKILL"));
  const [code, signal] = await once(child, "close");
  const silent = watched();
  if (broken !== undefined) throw new Error(`the fuzzing of ${area} is broken: ${broken}`);
  if (!over) {
    const kind = silent ? "takes for ever" : `ends the process (${signal ?? code})`;
    found({ kind, stack: `${kind}\n${stderr}`, input: last(slot).input.toString("hex") });
    state = { ...state, done: state.done + 1 };
  }
  rmSync(slot);
  return { ...state, over };
}

/** Calls `stop` when no further input was begun for too long; the function returned ends it, and tells whether. */
function watch(slot, stop) {
  let silent = false;
  let runs = -1;
  const timer = setInterval(() => {
    const now = last(slot).runs;
    if (now === runs) {
      silent = true;
      stop();
    }
    runs = now;
  }, SILENCE_MS);
  return () => {
    clearInterval(timer);
    return silent;
  };
}

/** The input begun last, and how many were begun. */
function last(slot) {
  const bytes = readFileSync(slot);
  if (bytes.length < 8) return { runs: 0, input: Buffer.alloc(0) };
  return { runs: bytes.readUInt32LE(0), input: bytes.subarray(8, 8 + bytes.readUInt32LE(4)) };
}
