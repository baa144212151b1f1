/** The goals of issue 4, each a ratio in one run, and what was measured. */

import type { ServerName } from "./options.ts";
import type { Cell } from "./report.ts";

export interface Goal {
  readonly text: string;
  /** What must be reached, or stayed below. */
  readonly limit: number;
  readonly atMost: boolean;
  readonly measured: number;
  readonly met: boolean;
}

type Measure = "rate" | "p99" | "CPU";

const SEQUENTIAL = ["rpc1", "erpc1", "gen1", "echo1"];
const KINDS = ["rpc", "erpc", "gen", "echo"];
const PARALLEL = KINDS.flatMap((kind) => [16, 64, 256].map((callers) => `${kind}${callers}`));
const BINARIES = ["in", "out", "echo"].flatMap((direction) =>
  ["64K", "1M", "64M"].map((size) => `bin-${direction}-${size}`),
);
const IDLE_BYTES = 30 * 1024;

/** Ratios of ours to another; `atMost` for what is better when it is less. */
const RATIOS: readonly {
  rows: readonly string[];
  measure: Measure;
  to: ServerName;
  limit: number;
}[] = [
  { rows: SEQUENTIAL, measure: "rate", to: "erl", limit: 1 },
  { rows: SEQUENTIAL, measure: "p99", to: "erl", limit: 1.2 },
  { rows: PARALLEL, measure: "rate", to: "erl", limit: 1.2 },
  { rows: PARALLEL, measure: "rate", to: "c", limit: 1 },
  { rows: ["c-echo64", "c-bulk64"], measure: "rate", to: "c", limit: 1 },
  { rows: ["c-flood-in", "c-flood-out"], measure: "rate", to: "erl", limit: 1.5 },
  { rows: BINARIES, measure: "rate", to: "erl", limit: 1 },
  { rows: ["setup"], measure: "rate", to: "erl", limit: 1 },
  {
    rows: ["flood-in", "flood-out", "c-flood-in", "c-flood-out"],
    measure: "CPU",
    to: "erl",
    limit: 1,
  },
];

/** The goals that the measured cells say something about. */
export function goalsOf(cells: readonly Cell[]): Goal[] {
  const cellAt = (row: string, server: ServerName): Cell | undefined =>
    cells.find((cell) => cell.row === row && cell.server === server);
  const goals: Goal[] = [];
  for (const { rows, measure, to, limit } of RATIOS) {
    for (const row of rows) {
      const ours = cellAt(row, "ours");
      const other = cellAt(row, to);
      if (ours === undefined || other === undefined) continue;
      const text = `${row}: ${measure} of ours to ${to}`;
      goals.push(
        goal(text, limit, measure !== "rate", value(ours, measure) / value(other, measure)),
      );
    }
  }
  const idle = cellAt("idle", "ours")?.bytesEach;
  if (idle !== undefined) {
    goals.push(goal("idle: KiB a connection", IDLE_BYTES / 1024, true, idle / 1024));
  }
  return goals;
}

function goal(text: string, limit: number, atMost: boolean, measured: number): Goal {
  return { text, limit, atMost, measured, met: atMost ? measured <= limit : measured >= limit };
}

function value(cell: Cell, measure: Measure): number {
  switch (measure) {
    case "rate":
      return cell.ratePerSecond;
    case "p99":
      return cell.p99Us ?? Number.NaN;
    case "CPU":
      return cell.cpuSecondsPerMillion;
  }
}

export function goalLine({ text, limit, atMost, measured, met }: Goal): string {
  const bound = `${atMost ? "at most" : "at least"} ${limit.toFixed(1)}`;
  return `${met ? "met    " : "NOT MET"}  ${measured.toFixed(2).padStart(6)}  ${bound.padEnd(13)} ${text}`;
}
