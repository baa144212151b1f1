#!/usr/bin/env node
/**
 * Starts the command `erldist`. `--version` is answered here, before anything else is loaded; the
 * rest is compiled once and then taken from Node.js's compile cache, where it has one (from 22.8 on).
 */
import module from "node:module";
import { VERSION } from "../version.ts";

// A reader may close the pipe early, as in `erldist names | head -1`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const args = process.argv.slice(2);
if (args.length === 1 && args[0] === "--version") {
  process.stdout.write(`${VERSION}\n`);
} else {
  (module as { enableCompileCache?(): void }).enableCompileCache?.();
  const { main } = await import("./main.ts");
  await main(args);
}
