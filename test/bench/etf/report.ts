/** What was measured as tables, and held against the goals. */

export type Op = "encode" | "decode";

/** Median nanoseconds a call, by operation, row and codec. */
export type Results = Record<Op, Record<string, Record<string, number>>>;

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, n) => sum + Math.log(n), 0) / numbers.length);
}

function time(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  return ns >= 1e3 ? `${(ns / 1e3).toPrecision(3)} us` : `${ns.toFixed(0)} ns`;
}

function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2);
}

/**
 * A table in Markdown: our time, then of each other codec how many times as long it takes; below 1
 * it is the faster one.
 */
export function table(results: Results, op: Op, codecs: readonly string[]): string {
  const rows = results[op];
  const others = codecs.filter((codec) => codec !== "erldist");
  const cells = [[op, "erldist", ...others]];
  const ratios = new Map<string, number[]>(others.map((codec) => [codec, []]));
  for (const [row, times] of Object.entries(rows)) {
    const own = times.erldist ?? Number.NaN;
    const line = [row, time(own)];
    for (const codec of others) {
      const ns = times[codec];
      if (ns !== undefined) ratios.get(codec)?.push(ns / own);
      line.push(ns === undefined ? "" : ratio(ns / own));
    }
    cells.push(line);
  }
  cells.push([
    "geometric mean",
    "",
    ...others.map((codec) => ratio(geometricMean(ratios.get(codec) ?? []))),
  ]);
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [text(cells[0]!), rule, ...cells.slice(1).map(text)].join("\n");
}

/** Of a codec, on each row it did: how many times as long as ours it takes. */
function ratiosOf(results: Results, op: Op, codec: string): { row: string; times: number }[] {
  return Object.entries(results[op]).flatMap(([row, times]) => {
    const ns = times[codec];
    return ns === undefined ? [] : [{ row, times: ns / (times.erldist ?? Number.NaN) }];
  });
}

export interface Goal {
  readonly text: string;
  readonly met: boolean;
  /** What falls short: row and ratio. */
  readonly short: readonly string[];
}

function eachRow(results: Results, op: Op, codec: string, least: number, text: string): Goal {
  const short = ratiosOf(results, op, codec)
    .filter(({ times }) => times < least)
    .map(({ row, times }) => `${row} ${ratio(times)}`);
  return { text, met: short.length === 0, short };
}

function mean(results: Results, op: Op, codec: string, least: number, text: string): Goal {
  const value = geometricMean(ratiosOf(results, op, codec).map(({ times }) => times));
  return { text, met: value >= least, short: value >= least ? [] : [`it is ${ratio(value)}`] };
}

export function goals(results: Results, etf: readonly string[], otp: readonly string[]): Goal[] {
  return [
    ...["msgpackr", "JSON"].map((codec) =>
      eachRow(results, "encode", codec, 1, `encode: each row faster than ${codec}`),
    ),
    ...etf.map((codec) =>
      eachRow(results, "encode", codec, 4, `encode: 4 times as fast as ${codec} on each row`),
    ),
    ...otp.map((codec) =>
      eachRow(results, "encode", codec, 0.6, `encode: 0.6 of ${codec}'s speed on each row`),
    ),
    ...otp.flatMap((codec) => [
      eachRow(results, "decode", codec, 1, `decode: each row faster than ${codec}`),
      mean(results, "decode", codec, 2, `decode: twice as fast as ${codec} in the mean`),
    ]),
    ...["msgpackr", "JSON"].map((codec) =>
      eachRow(results, "decode", codec, 1, `decode: each row faster than ${codec}`),
    ),
    ...etf.flatMap((codec) => [
      eachRow(results, "decode", codec, 1, `decode: ${codec} faster on no row`),
      mean(results, "decode", codec, 5, `decode: 5 times as fast as ${codec} in the mean`),
    ]),
    plainGoal(results),
  ];
}

function plainGoal(results: Results): Goal {
  const value = geometricMean(ratiosOf(results, "decode", "plain").map(({ times }) => times));
  return {
    text: "decode: the plain form no slower than the exact one, in the mean",
    met: value <= 1,
    short: value <= 1 ? [] : [`it takes ${ratio(value)} times as long`],
  };
}

export function goalLine({ text, met, short }: Goal): string {
  return `${met ? "met    " : "NOT met"}  ${text}${short.length === 0 ? "" : `: ${short.join(", ")}`}`;
}
