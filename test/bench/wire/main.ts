/**
 * The wire benchmark: a genuine node as the load, against a genuine node, ours, a C node and a Java node
 * that serve the same, in turns. `--help` tells the options, issue 4 the goals.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname } from "node:path";
import { endInteropRun } from "../../../interop/index.ts";
import { goalLine, goalsOf } from "./goals.ts";
import { type Load, startLoad } from "./load.ts";
import { HELP, type Options, readOptions, type ServerName } from "./options.ts";
import { type Cell, cellLine, cellOf, HEAD, type Measured } from "./report.ts";
import { chosenRows, ROWS, type Row } from "./rows.ts";
import { type Server, startServer } from "./servers.ts";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return print(HELP);
  if (options.list) return print(ROWS.map((row) => row.name).join("\n"));
  const rows = chosenRows(options.only);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

  const load = await startLoad(options.otp);
  const servers: Server[] = [];
  for (const kind of options.servers) {
    if (rows.some((row) => row.servers.includes(kind))) {
      servers.push(await startServer(kind, options));
    }
  }

  const machine = {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    linux: release(),
    node: process.version,
    otp: load.release,
  };
  print(
    `${machine.cpu}, Linux ${machine.linux}, Node.js ${machine.node}, OTP ${machine.otp}; ` +
      `${options.rounds} rounds${options.quick ? ", quick" : ""}`,
  );
  print(HEAD);
  const cells: Cell[] = [];
  for (const row of rows) {
    const measured = await measureRow(row, servers, load, options);
    const ofRow = [...measured].map(([server, rounds]) => cellOf(row, server, rounds));
    const genuine = ofRow.find((cell) => cell.server === "erl");
    for (const cell of ofRow) print(cellLine(cell, genuine));
    cells.push(...ofRow);
  }
  const goals = goalsOf(cells);
  if (goals.length > 0) print(`\nGoals of issue 4:\n${goals.map(goalLine).join("\n")}`);
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    const { rounds, quick } = options;
    const all = { machine, rounds, quick, goals, cells };
    writeFileSync(options.json, `${JSON.stringify(all, null, 1)}\n`);
  }
  for (const server of servers) await server.end();
  await load.end();
}

/** A warm-up against each server, then the rounds: one server after the other, again and again. */
async function measureRow(
  row: Row,
  servers: readonly Server[],
  load: Load,
  options: Options,
): Promise<Map<ServerName, Measured[]>> {
  const fit = servers.filter((server) => row.servers.includes(server.kind));
  const results = new Map<ServerName, Measured[]>(fit.map((server) => [server.kind, []]));
  const rounds = row.once === true ? 1 : options.rounds + 1;
  for (let round = 0; round < rounds; round++) {
    for (const server of fit) {
      const kept = results.get(server.kind);
      if (kept === undefined) continue;
      try {
        const measured = await measureOnce(row, server, load, options);
        if (round > 0 || row.once === true) kept.push(measured);
      } catch (error) {
        results.delete(server.kind);
        failed(`${row.name} ${server.kind}: ${messageOf(error)}`);
      }
    }
  }
  return results;
}

async function measureOnce(
  row: Row,
  server: Server,
  load: Load,
  options: Options,
): Promise<Measured> {
  const before = server.usage();
  const sample = await row.measure(server, load, options);
  const after = server.usage();
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  return { ...sample, cpuSeconds, rssBytes: after.rssBytes };
}

/** The other rows are measured all the same. */
function failed(text: string): void {
  process.stderr.write(`bench:wire: ${text}\n`);
  process.exitCode = 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  await main();
} catch (error) {
  failed(messageOf(error));
} finally {
  await endInteropRun();
}
process.exit();
