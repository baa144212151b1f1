/**
 * The wire benchmark: a genuine node as the load, against a genuine node, ours, a C node and a Java node
 * that serve the same, in turns. `--help` tells the options, issue 4 the goals.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname } from "node:path";
import { endInteropRun } from "../../../interop/index.ts";
import { startLoad } from "./load.ts";
import { HELP, type Options, readOptions, type ServerName } from "./options.ts";
import { type Cell, cellLine, cellOf, HEAD, type Measured } from "./report.ts";
import { chosenRows, type Loads, ROWS, type Row } from "./rows.ts";
import { type Server, startServer } from "./servers.ts";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return print(HELP);
  if (options.list) return print(ROWS.map((row) => row.name).join("\n"));
  const rows = chosenRows(options.only);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

  const erl = await startLoad(options.otp);
  const servers: Server[] = [];
  for (const kind of options.servers) servers.push(await startServer(kind, options));

  const machine = {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
    linux: release(),
    node: process.version,
    otp: erl.release,
  };
  print(
    `${machine.cpu}, Linux ${machine.linux}, Node.js ${machine.node}, OTP ${machine.otp}; ` +
      `${options.rounds} rounds${options.quick ? ", quick" : ""}`,
  );
  print(HEAD);
  const cells: Cell[] = [];
  for (const row of rows) {
    const measured = await measureRow(row, servers, { erl }, options);
    const ofRow = [...measured].map(([server, rounds]) => cellOf(row, server, rounds));
    const genuine = ofRow.find((cell) => cell.server === "erl");
    for (const cell of ofRow) print(cellLine(cell, genuine));
    cells.push(...ofRow);
  }
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify({ machine, cells }, null, 1)}\n`);
  }
  for (const server of servers) await server.end();
  await erl.end();
}

/** A warm-up against each server, then the rounds: one server after the other, again and again. */
async function measureRow(
  row: Row,
  servers: readonly Server[],
  loads: Loads,
  options: Options,
): Promise<Map<ServerName, Measured[]>> {
  const fit = servers.filter((server) => row.servers.includes(server.kind));
  const results = new Map<ServerName, Measured[]>(fit.map((server) => [server.kind, []]));
  for (const server of fit) await row.measure(server, loads, true);
  for (let round = 0; round < options.rounds; round++) {
    for (const server of fit) {
      const before = server.usage();
      const sample = await row.measure(server, loads, options.quick);
      const after = server.usage();
      results.get(server.kind)?.push({
        ...sample,
        cpuSeconds: after.cpuSeconds - before.cpuSeconds,
        rssBytes: after.rssBytes,
      });
    }
  }
  return results;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench:wire: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await endInteropRun();
}
process.exit();
