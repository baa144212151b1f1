/** What `import "erldist/etf"` costs a program, beyond starting Node.js. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { median } from "./report.ts";

const ROUNDS = 25;

/** Milliseconds, the median of starts in turns; of the package as it is published. */
export async function measureImport(root: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "erldist-import-"));
  try {
    copyFileSync(join(root, "package.json"), join(folder, "package.json"));
    const { bundleCodec } = await import(pathToFileURL(join(root, "bundle.mjs")).href);
    await bundleCodec(join(folder, "dist/etf"));
    const module = pathToFileURL(join(folder, "dist/etf/index.js")).href;
    const bare: number[] = [];
    const importing: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(start("0"));
      importing.push(start(`import ${JSON.stringify(module)}`));
    }
    return median(importing) - median(bare);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function start(code: string): number {
  const began = performance.now();
  execFileSync(process.execPath, ["--input-type=module", "-e", code]);
  return performance.now() - began;
}
