/** Bundles what is fuzzed into one CommonJS file, of which V8 tells what was covered. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the bundle and what is found are kept. */
export const FOLDER = `${root}.cache/fuzz`;

/**
 * Writes NAME.cjs; `plant`, `{ file, from, to }`, changes a piece of code that is there once.
 * Returns the bundle's path.
 */
export async function buildTarget(name = "target", plant = undefined) {
  let planted = false;
  const planting = {
    name: "plant",
    enforce: "pre",
    transform(code, id) {
      if (plant === undefined || relative(root, id) !== plant.file) return null;
      if (code.split(plant.from).length !== 2) {
        throw new Error(`${plant.file} does not hold once: ${plant.from}`);
      }
      planted = true;
      return code.replace(plant.from, () => plant.to);
    },
  };
  mkdirSync(FOLDER, { recursive: true });
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    plugins: [planting],
    resolve: { alias: { "#bigint": `${root}etf/bigint.node.ts` } },
    build: {
      ssr: `${root}test/fuzz/target.ts`,
      target: "node20",
      minify: false,
      emptyOutDir: false,
      outDir: FOLDER,
      rolldownOptions: { output: { format: "cjs", entryFileNames: `${name}.cjs` } },
    },
  });
  if (plant !== undefined && !planted) throw new Error(`${plant.file} is not part of the bundle`);
  return `${FOLDER}/${name}.cjs`;
}

/** By area, what OTP wrote: terms, their compressed streams, and text. Other areas begin with chance alone. */
export function seedInputs(area) {
  const vectors = `${root}test/vectors/`;
  const read = (name) => JSON.parse(readFileSync(vectors + name, "utf8"));
  const seeds = [];
  const add = (to, bytes) => {
    if (to === area && bytes.length < 2000) seeds.push(Buffer.concat([Buffer.of(0), bytes]));
  };
  for (const name of readdirSync(vectors)) {
    if (/^codec-.*\.json$/.test(name)) {
      for (const [, hex, text] of read(name).vectors) {
        const bytes = Buffer.from(hex, "hex").subarray(1);
        add("terms", bytes);
        if (bytes[0] === 80) add("inflate", bytes.subarray(5));
        add("text", Buffer.from(text, "hex"));
      }
    }
    if (name === "parse.json") {
      for (const [text] of read(name).texts) add("text", Buffer.from(text));
    }
  }
  return seeds;
}
