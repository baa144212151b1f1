/** What is measured, one row each. */

import { type Load, runC, startIdle } from "./load.ts";
import type { Options, ServerName } from "./options.ts";
import { type Server, startServer } from "./servers.ts";

/** What one round of a row has given; the driver adds what the server's process used. */
export interface Sample {
  /** How many calls, messages, mebibytes, ... were done, in how many seconds. */
  readonly operations: number;
  readonly seconds: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
  /** Idle connections: what the process has grown by for each, and of that what is in use. */
  readonly bytesEach?: number;
  readonly bytesInUseEach?: number;
}

export interface Row {
  readonly name: string;
  readonly unit: "calls" | "messages" | "MiB" | "set-ups" | "connections";
  /** Those that can: C and Java nodes, say, cannot spawn. */
  readonly servers: readonly ServerName[];
  measure(server: Server, load: Load, options: Options): Promise<Sample>;
  /** Measured once, without warming up. */
  readonly once?: boolean;
}

const NODES: readonly ServerName[] = ["erl", "ours", "base", "c", "java"];
const ALL: readonly ServerName[] = [...NODES, "floor"];
/** `rpc` and `erpc` spawn the callee; a node that offers no DFLAG_SPAWN answers `notsup`. */
const SPAWNING: readonly ServerName[] = ["erl", "ours", "base"];

function calls([made = 0, nanoseconds = 0, p50 = 0, p99 = 0]: readonly number[]): Sample {
  return { operations: made, seconds: nanoseconds / 1e9, p50Us: p50 / 1e3, p99Us: p99 / 1e3 };
}

function counted([operations = 0, nanoseconds = 0]: readonly number[]): Sample {
  return { operations, seconds: nanoseconds / 1e9 };
}

const milliseconds = (options: Options): number => (options.quick ? 150 : 1500);
const messages = (options: Options): number => (options.quick ? 100_000 : 1_000_000);

const KINDS = [
  { kind: "rpc", servers: SPAWNING },
  { kind: "erpc", servers: SPAWNING },
  { kind: "gen", servers: NODES },
  { kind: "echo", servers: NODES },
  { kind: "kvs", servers: NODES },
] as const;
const CALLERS = [1, 16, 64, 256];

/** Processes of the load that call, each one call after the other. */
const callRows: Row[] = KINDS.flatMap(({ kind, servers }) =>
  CALLERS.map((callers) => ({
    name: `${kind}${callers}`,
    unit: "calls",
    servers,
    measure: async ({ name }, load, options) =>
      calls(
        await load.run(`wire_load:calls(${kind}, '${name}', ${callers}, ${milliseconds(options)})`),
      ),
  })),
);

const floodRows: Row[] = [
  {
    name: "flood-in",
    unit: "messages",
    servers: NODES,
    measure: async ({ name }, load, options) =>
      counted(await load.run(`wire_load:flood_in('${name}', ${messages(options)})`)),
  },
  {
    name: "flood-out",
    unit: "messages",
    servers: NODES,
    measure: async ({ name }, load, options) =>
      counted(await load.run(`wire_load:flood_out('${name}', ${messages(options)})`)),
  },
];

const SIZES = [
  { label: "64K", bytes: 64 << 10, quick: 500, full: 4000 },
  { label: "1M", bytes: 1 << 20, quick: 50, full: 500 },
  { label: "64M", bytes: 64 << 20, quick: 2, full: 10 },
];

const binaryRows: Row[] = ["in", "out", "echo"].flatMap((direction) =>
  SIZES.map(({ label, bytes, quick, full }) => ({
    name: `bin-${direction}-${label}`,
    unit: "MiB",
    servers: NODES,
    async measure({ name }, load, options) {
      const times = options.quick ? quick : full;
      const call = `wire_load:binaries_${direction}('${name}', ${bytes}, ${times})`;
      const { operations, seconds } = counted(await load.run(call));
      return { operations: (operations * bytes) / (1 << 20), seconds };
    },
  })),
);

const setupRow: Row = {
  name: "setup",
  unit: "set-ups",
  servers: NODES,
  measure: async ({ name }, load, options) =>
    counted(await load.run(`wire_load:setups('${name}', ${options.quick ? 200 : 2000})`)),
};

/** So many requests under way on one connection from C: `c-echo` as ei does it, `c-bulk` by the bulk. */
const flightRows: Row[] = [
  { what: "echo", flight: 64, servers: NODES },
  { what: "bulk", flight: 1, servers: ALL },
  { what: "bulk", flight: 64, servers: ALL },
].map(({ what, flight, servers }) => ({
  name: `c-${what}${flight}`,
  unit: "calls",
  servers,
  measure: async ({ name }, _, options) =>
    calls(await runC(name, what, flight, milliseconds(options))),
}));

const cFloodRows: Row[] = ["flood-in", "flood-out"].map((what) => ({
  name: `c-${what}`,
  unit: "messages",
  servers: ALL,
  measure: async ({ name }, _, options) => counted(await runC(name, what, messages(options))),
}));

/** Here the server calls, and the load answers. */
const outRows: Row[] = [
  ...(["rpc", "erpc", "gen"] as const).flatMap((kind) =>
    [1, 64].map(
      (callers): Row => ({
        name: `out-${kind}${callers}`,
        unit: "calls",
        servers: SPAWNING,
        async measure({ name }, load, options) {
          const args = `[${kind}, node(), ${callers}, ${milliseconds(options)}]`;
          return calls(await load.run(`rpc:call('${name}', wire_load, calls, ${args})`));
        },
      }),
    ),
  ),
  {
    name: "out-flood",
    unit: "messages",
    servers: SPAWNING,
    async measure({ name }, load, options) {
      const args = `[node(), ${messages(options)}]`;
      return counted(await load.run(`rpc:call('${name}', wire_load, flood_in, ${args})`));
    },
  },
];

const IDLE_CONNECTIONS = 1000;

/** In a server of its own: what others have left in memory would be taken for what is needed. */
const idleRow: Row = {
  name: "idle",
  unit: "connections",
  servers: SPAWNING,
  once: true,
  async measure({ kind }, load, options) {
    const server = await startServer(kind, { ...options, prof: undefined });
    const inUse = async (): Promise<number> =>
      (await load.run(`wire_load:memory('${server.name}')`))[0] ?? 0;
    // Code is compiled and buffers are made for the first few.
    await (await startIdle(server.name, 50)).end();
    await inUse();
    const inUseBefore = await inUse();
    const rssBefore = server.usage().rssBytes;
    const start = performance.now();
    const idle = await startIdle(server.name, IDLE_CONNECTIONS);
    const seconds = (performance.now() - start) / 1000;
    await inUse();
    const inUseAfter = await inUse();
    const rssAfter = server.usage().rssBytes;
    await idle.end();
    await server.end();
    return {
      operations: IDLE_CONNECTIONS,
      seconds,
      bytesEach: (rssAfter - rssBefore) / IDLE_CONNECTIONS,
      bytesInUseEach: (inUseAfter - inUseBefore) / IDLE_CONNECTIONS,
    };
  },
};

export const ROWS: readonly Row[] = [
  ...callRows,
  ...floodRows,
  ...binaryRows,
  setupRow,
  ...flightRows,
  ...cFloodRows,
  ...outRows,
  idleRow,
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
