/**
 * A program: workers that encode and decode large integers without a pause, terminated while they do.
 *
 * Prints `alive` once all of them have ended. The argument is their number.
 */
import { createRequire } from "node:module";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { decode, encode } from "../../etf/index.ts";

const integers = Array.from({ length: 200 }, (_, at) => (1n << BigInt(400 + at)) + BigInt(at));

async function terminateAtWork(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  // Called for each round: after the tenth the worker is in the middle of the next ones.
  await new Promise<void>((resolve, reject) => {
    worker.on("message", (round) => round === 10 && resolve());
    worker.once("error", reject);
  });
  await worker.terminate();
}

if (isMainThread) {
  decode(encode(integers));
  for (let round = Number(process.argv[2]); round > 0; round--) await terminateAtWork();
  console.log("alive");
} else {
  decode(encode(integers));
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  if (loaded.some((file) => file.endsWith("bigint_buffer.node"))) {
    throw new Error("the addon is loaded in a worker");
  }
  for (let round = 0; ; round++) {
    decode(encode(integers));
    parentPort?.postMessage(round);
  }
}
