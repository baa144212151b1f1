/**
 * npm run test:addon
 *
 * Our use of bigint-buffer with its addon built (in a copy, never in the project's node_modules),
 * without the addon, and without the package: the same bytes by each, nothing on standard error, and
 * what its functions abort on or get wrong never reaches them. Needs a C compiler, as the addon does.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
// Outside of the project, whose own packages would be found from inside.
const folder = mkdtempSync(join(tmpdir(), "erldist-addon-"));

function run(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 300_000 });
  return { ...result, output: `${result.stdout}${result.stderr}` };
}

try {
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    resolve: { alias: { "#bigint": `${root}etf/bigint.node.ts` } },
    build: {
      ssr: `${root}test/addon/check.ts`,
      target: "node20",
      outDir: folder,
      emptyOutDir: true,
      rollupOptions: { output: { format: "esm", entryFileNames: "check.mjs" } },
    },
  });
  for (const state of ["addon", "plain", "absent"]) {
    const place = join(folder, state);
    mkdirSync(place);
    cpSync(join(folder, "check.mjs"), join(place, "check.mjs"));
    if (state === "absent") continue;
    for (const name of ["bigint-buffer", "bindings", "file-uri-to-path"]) {
      const copy = join(place, "node_modules", name);
      cpSync(join(root, "node_modules", name), copy, { recursive: true });
      rmSync(join(copy, "build"), { recursive: true, force: true });
    }
  }
  const source = join(folder, "addon/node_modules/bigint-buffer");
  const include = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]
    .filter((place) => place !== undefined && existsSync(join(place, "include/node/node_api.h")))
    .at(0);
  const nodedir = include === undefined ? [] : [`--nodedir=${include}`];
  const built = run("npx", ["--yes", "node-gyp@11.4.2", "rebuild", ...nodedir], source);
  if (!existsSync(join(source, "build/Release/bigint_buffer.node"))) {
    console.error(`the addon was not built:\n${built.output.slice(-2000)}`);
    process.exitCode = 1;
  }
  for (const state of ["addon", "plain", "absent"]) {
    const { status, signal, stdout, stderr } = run(
      process.execPath,
      [join(folder, state, "check.mjs"), state],
      folder,
    );
    process.stdout.write(stdout);
    if (status !== 0 || stderr !== "") {
      console.error(`${state}: ended with ${signal ?? status}; on standard error:\n${stderr}`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
