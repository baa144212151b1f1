/** Bundles the target of the fuzzing into one CommonJS file, which an engine can instrument. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Returns the folder with target.cjs, and the inputs to begin with. */
export async function buildTarget() {
  const folder = `${root}.cache/fuzz`;
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    resolve: { alias: { "#bigint": `${root}etf/bigint.node.ts` } },
    build: {
      ssr: `${root}test/fuzz/target.ts`,
      target: "node20",
      minify: false,
      emptyOutDir: false,
      outDir: folder,
      rollupOptions: { output: { format: "cjs", entryFileNames: "target.cjs" } },
    },
  });
  mkdirSync(folder, { recursive: true });
  return { folder, seeds: seedInputs() };
}

/** Terms that OTP wrote, their compressed streams, and text that it reads. */
function seedInputs() {
  const vectors = `${root}test/vectors/`;
  const read = (name) => JSON.parse(readFileSync(vectors + name, "utf8"));
  const seeds = [];
  const add = (mode, bytes) => {
    if (bytes.length < 2000) seeds.push(Buffer.concat([Buffer.from([mode]), bytes]));
  };
  for (const name of readdirSync(vectors)) {
    if (/^codec-.*\.json$/.test(name)) {
      for (const [, hex, text] of read(name).vectors) {
        const bytes = Buffer.from(hex, "hex").subarray(1);
        add(0, bytes);
        if (bytes[0] === 80) add(7, bytes.subarray(5));
        add(6, Buffer.from(text, "hex"));
      }
    }
    if (name === "parse.json") for (const [text] of read(name).texts) add(6, Buffer.from(text));
  }
  return seeds;
}
