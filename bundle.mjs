/**
 * Makes `dist/`, all that is published besides texts, from the sources and from the declarations
 * that `tsc -p tsconfig.build.json` has left in `.cache/types`: the second half of `npm run build`.
 *
 * A module for each concept makes an import slow, so each public entry is a small file that exports
 * from shared ones: `codec.js`, `ports.js` (EPMD and transports) and `node.js`. Each class exists once,
 * whichever entry it is imported from. `#bigint` remains a file of its own, because browsers get
 * another one. Source maps name the sources; only the codec's contain them, for web bundlers.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(ROOT, "dist");
const DECLARATIONS = join(ROOT, ".cache/types");
const DECLARED_ENTRIES = ["etf", "src", "src/epmd", "interop"];

const PROGRAMS = {
  index: "src/index.ts",
  etf: "etf/index.ts",
  epmd: "src/epmd/index.ts",
  interop: "interop/index.ts",
  cli: "src/cli/bin.ts",
};
const SHARED = [
  { name: "version", test: /\/src\/version/ },
  { name: "codec", test: /\/etf\// },
  { name: "ports", test: /\/src\/(epmd|transport)\// },
  { name: "node", test: /\/src\/(?!cli\/)/ },
];

async function bundle(input, groups) {
  await build({
    configFile: false,
    root: ROOT,
    logLevel: "warn",
    build: {
      ssr: true,
      target: "es2022",
      outDir: DIST,
      emptyOutDir: false,
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input,
        external: ["#bigint", /^yargs/],
        output: {
          format: "esm",
          entryFileNames: "[name].js",
          chunkFileNames: "[name].js",
          comments: false,
          codeSplitting: groups && { groups },
        },
      },
    },
  });
}

function dropSources(mapFile) {
  const { sourcesContent, ...map } = JSON.parse(readFileSync(mapFile, "utf8"));
  writeFileSync(mapFile, JSON.stringify(map));
}

/** Copies a declaration file and all that it refers to. */
function copyDeclarations(file) {
  const to = join(DIST, "types", file);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(join(DECLARATIONS, file), to);
  const text = readFileSync(to, "utf8");
  for (const [, path] of text.matchAll(/(?:from |import\(|import )"(\.[^"]+)\.ts"/g)) {
    const target = resolve("/", dirname(file), path).slice(1);
    copyDeclarations(`${target}.d.ts`);
  }
}

rmSync(DIST, { recursive: true, force: true });
await bundle(PROGRAMS, SHARED);
await bundle({ "bigint.node": "etf/bigint.node.ts" });
await bundle({ "bigint.web": "etf/bigint.web.ts" });
for (const file of readdirSync(DIST)) {
  if (file.endsWith(".map") && !/^(codec|bigint)/.test(file)) dropSources(join(DIST, file));
}
for (const entry of DECLARED_ENTRIES) copyDeclarations(`${entry}/index.d.ts`);
