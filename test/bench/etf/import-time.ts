/** What `import "erldist/etf"` costs a program, beyond starting Node.js. */
import { execFileSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { median } from "./report.ts";

const ROUNDS = 15;

/** Milliseconds, the median of starts in turns. */
export function measureImport(root: string): number {
  const module = pathToFileURL(`${root}/dist/etf/index.js`).href;
  const start = (code: string): number => {
    const began = performance.now();
    execFileSync(process.execPath, ["--input-type=module", "-e", code]);
    return performance.now() - began;
  };
  const bare: number[] = [];
  const importing: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(start("0"));
    importing.push(start(`import ${JSON.stringify(module)}`));
  }
  return median(importing) - median(bare);
}
