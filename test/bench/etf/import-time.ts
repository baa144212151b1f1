/** What `import "erldist/etf"` costs a program, beyond starting Node.js. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { median } from "./report.ts";

const ROUNDS = 25;

/** Milliseconds, the median of starts in turns; of the package as it is published. */
export function measureImport(root: string): number {
  const module = pathToFileURL(join(root, "dist/etf.js")).href;
  const bare: number[] = [];
  const importing: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(start("0"));
    importing.push(start(`import ${JSON.stringify(module)}`));
  }
  return median(importing) - median(bare);
}

function start(code: string): number {
  const began = performance.now();
  execFileSync(process.execPath, ["--input-type=module", "-e", code]);
  return performance.now() - began;
}
