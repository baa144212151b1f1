/** Medians of what was measured, as a table. */

import type { ServerName } from "./options.ts";
import type { Row, Sample } from "./rows.ts";

/** One round of one row against one server. */
export interface Measured extends Sample {
  /** User and system time of the server's process. */
  readonly cpuSeconds: number;
  /** Of the server's process, afterwards. */
  readonly rssBytes: number;
}

/** The medians of all rounds of one row against one server. */
export interface Cell {
  readonly row: string;
  readonly server: ServerName;
  readonly unit: Row["unit"];
  readonly ratePerSecond: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  /** CPU time of the server's process per million operations, in seconds; or each, in microseconds. */
  readonly cpuSecondsPerMillion: number;
  readonly rssBytes: number;
  readonly bytesEach: number | undefined;
  readonly bytesInUseEach: number | undefined;
  readonly rounds: readonly Measured[];
}

export function cellOf(row: Row, server: ServerName, rounds: readonly Measured[]): Cell {
  const medianOf = (key: keyof Measured): number | undefined =>
    rounds[0]?.[key] === undefined ? undefined : median(rounds.map((round) => round[key] ?? 0));
  return {
    row: row.name,
    server,
    unit: row.unit,
    ratePerSecond: median(rounds.map(({ operations, seconds }) => operations / seconds)),
    p50Us: medianOf("p50Us"),
    p99Us: medianOf("p99Us"),
    cpuSecondsPerMillion: median(
      rounds.map(({ operations, cpuSeconds }) => (cpuSeconds / operations) * 1e6),
    ),
    rssBytes: medianOf("rssBytes") ?? 0,
    bytesEach: medianOf("bytesEach"),
    bytesInUseEach: medianOf("bytesInUseEach"),
    rounds,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const COLUMNS = [
  "row",
  "server",
  "rate",
  "",
  "p50 us",
  "p99 us",
  "CPU us each",
  "RSS MiB",
  "to erl",
] as const;

const WIDTHS = [-12, -7, 11, -11, 7, 7, 14, 8, 7];

/** The table's head line. */
export const HEAD: string = line(COLUMNS);

/** A cell as a line of the table; `genuine` is the cell of the same row against the genuine node. */
export function cellLine(cell: Cell, genuine: Cell | undefined): string {
  if (cell.bytesEach !== undefined) {
    const kib = (bytes = 0): string => (bytes / 1024).toFixed(1);
    const text = `KiB a connection, ${kib(cell.bytesInUseEach)} of them in use`;
    return `${line([cell.row, cell.server, kib(cell.bytesEach)])} ${text}`;
  }
  return line([
    cell.row,
    cell.server,
    Math.round(cell.ratePerSecond).toLocaleString("en-US"),
    `${cell.unit}/s`,
    cell.p50Us === undefined ? "" : cell.p50Us.toFixed(0),
    cell.p99Us === undefined ? "" : cell.p99Us.toFixed(0),
    cell.cpuSecondsPerMillion.toFixed(2),
    (cell.rssBytes / (1 << 20)).toFixed(0),
    genuine === undefined || genuine === cell
      ? ""
      : (cell.ratePerSecond / genuine.ratePerSecond).toFixed(2),
  ]);
}

function line(columns: readonly string[]): string {
  return columns
    .map((text, at) => {
      const width = WIDTHS[at] ?? 0;
      return width < 0 ? text.padEnd(-width) : text.padStart(width);
    })
    .join(" ")
    .trimEnd();
}
