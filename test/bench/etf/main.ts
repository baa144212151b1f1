/**
 * The codec's benchmark: terms that OTP wrote, encoded and decoded by us, by other packages and by OTP.
 *
 * Every codec is timed on every row once a round, one after the other, and the table shows the
 * medians of the rounds: what disturbs the machine for a while disturbs all of them. (`--fastest` shows the
 * fastest instead.)
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measure } from "mitata";
import { type OtpRelease, otpRelease } from "../../../interop/releases.ts";
import { measureImport } from "./import-time.ts";
import { makeCorpus, OtpTimer } from "./otp.ts";
import { type Goal, goalLine, goals, median, type Op, type Results, table } from "./report.ts";
import { loadRivals, type Rival } from "./rivals.ts";

/** As `corpus.escript` has them. */
const ROWS = [
  "call",
  "map",
  "rows",
  "maps",
  "binary",
  "integers",
  "floats",
  "deep",
  "ids",
  "bigs",
  "atoms",
] as const;

const HELP = `npm run bench -- [options]

  --only ROW,...      of ${ROWS.join(", ")}; all by default
  --codecs NAME,...   of those in the table; all by default
  --op encode|decode  one of them only
  --rounds N          5 by default
  --ms N              milliseconds for each measurement, 30 by default
  --otp NAME,...      "path", or releases that interop/otp/install installed; path,29 by default.
                      The last one makes the corpus; the first one another, for packages that
                      read only the atoms of old
  --fastest           the fastest round of each instead of the median: for a machine that is busy with
                      other work, with short measurements and many rounds
  --markdown FILE     writes the tables
  --json FILE         writes all that was measured
`;

const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const source = join(root, "test/bench/etf");
const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Cell {
  readonly op: Op;
  readonly row: string;
  readonly codec: string;
  readonly run: () => Promise<number>;
  readonly rounds: number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      codecs: { type: "string" },
      op: { type: "string" },
      rounds: { type: "string", default: "5" },
      ms: { type: "string", default: "30" },
      otp: { type: "string", default: "path,29" },
      fastest: { type: "boolean", default: false },
      markdown: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return print(HELP);
  const ms = Number(values.ms);
  const rowNames = values.only?.split(",") ?? [...ROWS];
  const wanted = (codec: string): boolean => values.codecs?.split(",").includes(codec) ?? true;
  const ops = (["encode", "decode"] as const).filter((op) => (values.op ?? op) === op);

  const releases = values.otp.split(",").map(installed);
  const script = join(source, "corpus.escript");
  const corpus = makeCorpus(releases.at(-1)!, script, rowNames);
  const old = makeCorpus(releases[0]!, script, rowNames);
  const { rivals, versions } = loadRivals(source, join(root, ".cache/bench/etf"));
  const timers: OtpTimer[] = [];
  for (const otp of releases) {
    const timer = await OtpTimer.start(otp, join(source, "otp.escript"), corpus);
    if (wanted(`OTP ${timer.release}`)) timers.push(timer);
    else timer.end();
  }

  const chosen = rivals.filter(({ name }) => wanted(name));
  const cells = rowNames.flatMap((row) =>
    cellsOf(row, corpus.get(row)!, old.get(row)!, chosen, timers, ms),
  );
  const measured = cells.filter(({ op }) => ops.includes(op));
  for (const cell of measured) await cell.run(); // compiled, from here on
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const cell of measured) cell.rounds.push(await cell.run());
  }
  for (const timer of timers) timer.end();

  const results: Results = { encode: {}, decode: {} };
  for (const { op, row, codec, rounds } of measured) {
    results[op][row] ??= {};
    results[op][row][codec] = values.fastest ? Math.min(...rounds) : median(rounds);
  }
  const codecs = [
    ...chosen.map(({ name }) => name),
    ...timers.map((timer) => `OTP ${timer.release}`),
  ];
  const etf = chosen.filter(({ kind }) => kind === "etf").map(({ name }) => name);
  const reached = goals(
    results,
    etf,
    timers.map((timer) => `OTP ${timer.release}`),
  );
  const importMs = measureImport(root);
  const machine = {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    linux: release(),
    node: process.version,
    otp: timers.map((timer) => timer.release),
    packages: versions,
  };
  const text = [
    ...ops.map((op) => table(results, op, codecs)),
    `${machine.cpu}, Linux ${machine.linux}, Node.js ${machine.node}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}. ${values.fastest ? "The fastest" : "Medians"} of ${values.rounds} rounds.`,
  ].join("\n\n");
  print(text);
  print(`\nImporting erldist/etf: ${importMs.toFixed(1)} ms over a bare start\n`);
  print([...reached, importGoal(importMs)].map(goalLine).join("\n"));
  if (values.markdown !== undefined) save(values.markdown, `${text}\n`);
  if (values.json !== undefined) {
    const raw = measured.map(({ op, row, codec, rounds }) => ({ op, row, codec, ns: rounds }));
    save(values.json, `${JSON.stringify({ machine, importMs, goals: reached, raw }, null, 1)}\n`);
  }
}

function installed(name: string): OtpRelease {
  return otpRelease(name);
}

function importGoal(ms: number): Goal {
  const text = "importing erldist/etf costs under 15 ms over a bare start";
  return { text, met: ms < 15, short: ms < 15 ? [] : [`${ms.toFixed(1)} ms`] };
}

function cellsOf(
  row: string,
  bytes: Uint8Array,
  old: Uint8Array,
  rivals: readonly Rival[],
  timers: readonly OtpTimer[],
  ms: number,
): Cell[] {
  const cells: Cell[] = [];
  for (const rival of rivals) {
    const calls = rival.calls(bytes, old);
    for (const op of ["encode", "decode"] as const) {
      const call = calls[op];
      if (call === undefined) continue;
      const run = async () => (await measure(call, optionsFor(ms))).avg;
      cells.push({ op, row, codec: rival.name, run, rounds: [] });
    }
  }
  for (const timer of timers) {
    for (const op of ["encode", "decode"] as const) {
      const run = () => timer.time(op, row, ms);
      cells.push({ op, row, codec: `OTP ${timer.release}`, run, rounds: [] });
    }
  }
  return cells;
}

const optionsFor = (ms: number) => ({
  min_cpu_time: ms * 1e6,
  min_samples: 5,
  samples_threshold: 1e9, // the slow samples are the garbage collector's, and count
  batch_samples: 256,
  // No collection before each measurement: with it the engine forgets compiled code that the
  // next codec's turn does not use, and young objects get a small space.
  gc: () => {},
});

function save(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

await main();
