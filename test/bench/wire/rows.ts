/** What is measured, one row each. */

import type { Load } from "./load.ts";
import type { ServerName } from "./options.ts";
import type { Server } from "./servers.ts";

/** What one round of a row has given; the driver adds what the server's process used. */
export interface Sample {
  /** How many calls, messages, mebibytes, ... were done, in how many seconds. */
  readonly operations: number;
  readonly seconds: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
}

export interface Loads {
  readonly erl: Load;
}

export interface Row {
  readonly name: string;
  readonly unit: "calls" | "messages" | "MiB" | "set-ups";
  readonly servers: readonly ServerName[];
  measure(server: Server, loads: Loads, quick: boolean): Promise<Sample>;
}

const ALL: readonly ServerName[] = ["erl", "ours", "c", "java"];
/** C and Java nodes cannot spawn, which is what a caller of today asks for: they answer `notsup`. */
const SPAWNING: readonly ServerName[] = ["erl", "ours"];

const KINDS = [
  { kind: "rpc", servers: SPAWNING },
  { kind: "erpc", servers: SPAWNING },
  { kind: "gen", servers: ALL },
  { kind: "echo", servers: ALL },
] as const;
const CALLERS = [1, 16, 64, 256];

function callRow(kind: string, callers: number, servers: readonly ServerName[]): Row {
  return {
    name: `${kind}${callers}`,
    unit: "calls",
    servers,
    async measure(server, { erl }, quick) {
      const milliseconds = quick ? 200 : 1500;
      const result = await erl.run(`calls(${kind}, '${server.name}', ${callers}, ${milliseconds})`);
      const [calls = 0, nanoseconds = 0, p50 = 0, p99 = 0] = result;
      return {
        operations: calls,
        seconds: nanoseconds / 1e9,
        p50Us: p50 / 1e3,
        p99Us: p99 / 1e3,
      };
    },
  };
}

function floodRow(name: "flood-in" | "flood-out"): Row {
  const call = name.replace("-", "_");
  return {
    name,
    unit: "messages",
    servers: ALL,
    async measure(server, { erl }, quick) {
      return counted(await erl.run(`${call}('${server.name}', ${quick ? 200_000 : 1_000_000})`));
    },
  };
}

const SIZES = [
  { label: "64K", bytes: 64 << 10, quick: 500, full: 4000 },
  { label: "1M", bytes: 1 << 20, quick: 50, full: 500 },
  { label: "64M", bytes: 64 << 20, quick: 2, full: 10 },
];
const DIRECTIONS = ["in", "out", "echo"];

function binaryRow(direction: string, size: (typeof SIZES)[number]): Row {
  return {
    name: `bin-${direction}-${size.label}`,
    unit: "MiB",
    servers: ALL,
    async measure(server, { erl }, quick) {
      const times = quick ? size.quick : size.full;
      const call = `binaries_${direction}('${server.name}', ${size.bytes}, ${times})`;
      const { operations, seconds } = counted(await erl.run(call));
      return { operations: (operations * size.bytes) / (1 << 20), seconds };
    },
  };
}

const SETUP: Row = {
  name: "setup",
  unit: "set-ups",
  servers: ALL,
  async measure(server, { erl }, quick) {
    return counted(await erl.run(`setups('${server.name}', ${quick ? 200 : 2000})`));
  },
};

function counted([operations = 0, nanoseconds = 0]: readonly number[]): Sample {
  return { operations, seconds: nanoseconds / 1e9 };
}

export const ROWS: readonly Row[] = [
  ...KINDS.flatMap(({ kind, servers }) =>
    CALLERS.map((callers) => callRow(kind, callers, servers)),
  ),
  floodRow("flood-in"),
  floodRow("flood-out"),
  ...DIRECTIONS.flatMap((direction) => SIZES.map((size) => binaryRow(direction, size))),
  SETUP,
];

/**
 * The rows of that name, or whose names begin so: `rpc` is all of rpc1, rpc16, rpc64, rpc256.
 * @throws Error for what names none
 */
export function chosenRows(only: readonly string[]): Row[] {
  if (only.length === 0) return [...ROWS];
  const chosen = new Set<Row>();
  for (const word of only) {
    const exact = ROWS.filter((row) => row.name === word);
    const found = exact.length > 0 ? exact : ROWS.filter((row) => row.name.startsWith(word));
    if (found.length === 0) throw new Error(`--only ${word}: no row is called so; see --list.`);
    for (const row of found) chosen.add(row);
  }
  return ROWS.filter((row) => chosen.has(row));
}
