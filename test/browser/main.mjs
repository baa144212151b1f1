/**
 * npm run test:browser
 *
 * Bundles `erldist/etf` and test/etf/portable.test.ts for browsers and runs them in headless Chromium:
 * that of CHROMIUM, or on the PATH, or Debian's package, which test/browser/install installs. Exit
 * codes: 0 every test passed, 1 one failed or there is no browser.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.cache/browser`;

/** One classic script, since modules are not loaded from files. */
async function bundle(entry, name) {
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    define: { "process.env.NODE_ENV": '"production"' },
    resolve: {
      conditions: ["browser"],
      alias: {
        "#bigint": `${root}etf/bigint.web.ts`,
        vitest: `${root}test/browser/runner.ts`,
        // Only loaded in Node; a bundle must not need it.
      },
    },
    build: {
      target: "es2022",
      emptyOutDir: false,
      outDir: folder,
      lib: { entry: `${root}${entry}`, formats: ["iife"], name: "erldist", fileName: () => name },
    },
  });
}

mkdirSync(folder, { recursive: true });
await bundle("etf/index.ts", "etf.js");
await bundle("test/etf/portable.test.ts", "tests.js");
const kilobytes = (statSync(`${folder}/etf.js`).size / 1000).toFixed(0);
writeFileSync(
  `${folder}/index.html`,
  '<!doctype html><meta charset="utf-8"><title>erldist/etf</title><body><script src="tests.js"></script>',
);

const chromium = execFileSync(`${root}test/browser/install`, { encoding: "utf8" }).trim();
const profile = mkdtempSync(`${tmpdir()}/erldist-browser-`);
const { stdout, stderr, status } = spawnSync(
  chromium,
  [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    "--virtual-time-budget=120000",
    "--timeout=120000",
    "--dump-dom",
    `file://${folder}/index.html`,
  ],
  { encoding: "utf8", timeout: 180_000 },
);
rmSync(profile, { recursive: true, force: true });

const text = /<body>([\s\S]*?)<\/body>/.exec(stdout ?? "")?.[1] ?? "";
console.log(text.trim());
console.log(`erldist/etf bundled: ${kilobytes} kB`);
const passed = text.match(/^ok /gm)?.length ?? 0;
if (passed === 0 || text.includes("\nfailed ") || !text.includes(`\ndone ${passed}`)) {
  console.error(`failed (exit code ${status})\n${(stderr ?? "").slice(-2000)}`);
  process.exitCode = 1;
}
