/**
 * Makes one file of the codec, `dist/etf/index.js`: part of packing (`prepack`), after the build.
 *
 * To load a module of its own for each concept took most of the time of an import. What the package's
 * other modules import of the codec is its index, so there is one copy of each class; `#bigint` stays
 * a file of its own, since it is another one in browsers. The record of the build stays until the
 * package is packed, or `prepare` would write the modules again; `postpack` removes it.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Writes `index.js` and both forms of `#bigint` into a folder. */
export async function bundleCodec(outDir) {
  for (const name of ["index", "bigint.node", "bigint.web"]) {
    await build({
      configFile: false,
      root,
      logLevel: "warn",
      build: {
        ssr: `${root}etf/${name}.ts`,
        target: "es2022",
        outDir,
        emptyOutDir: false,
        minify: false,
        sourcemap: true,
        rolldownOptions: {
          external: ["#bigint"],
          output: { format: "esm", entryFileNames: `${name}.js`, comments: false },
        },
      },
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, "dist/etf");
  for (const file of readdirSync(folder, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file)) rmSync(join(folder, file));
  }
  await bundleCodec(folder);
}
