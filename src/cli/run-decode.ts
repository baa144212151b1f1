/** Runs `erldist decode`. */
import { readFile } from "node:fs/promises";
import { type Capture, explainCapture, explainedLine } from "../index.ts";
import type { DecodeArguments } from "./decode.ts";
import { EXIT_CODE } from "./exit-codes.ts";

/** Prints errors in the capture where they occur, and makes them exit code 7. */
export async function run(args: DecodeArguments): Promise<void> {
  let capture: Capture;
  try {
    capture = await readCapture(args);
  } catch (error) {
    process.stderr.write(`erldist: ${(error as Error).message}\n`);
    process.exitCode = EXIT_CODE.usage;
    return;
  }
  const options = {
    payloads: args.payload !== false,
    ...(args.width === undefined ? {} : { maxTermCharacters: args.width }),
  };
  for (const explained of explainCapture(capture, options)) {
    if (explained.kind === "error") process.exitCode = EXIT_CODE.protocol;
    process.stdout.write(`${explainedLine(explained)}\n`);
  }
}

async function readCapture(args: DecodeArguments): Promise<Capture> {
  const { initiator, acceptor } = args;
  if (initiator === undefined && acceptor === undefined) {
    // yargs hands an argument "-" over as an empty text.
    return { unknown: await readBytes(args.file || "-") };
  }
  return {
    ...(initiator === undefined ? {} : { initiator: await readBytes(initiator) }),
    ...(acceptor === undefined ? {} : { acceptor: await readBytes(acceptor) }),
  };
}

/** A file's bytes, or those of standard input for `-`. */
async function readBytes(file: string): Promise<Uint8Array> {
  if (file !== "-") return readFile(file);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
