/** Runs `erldist ping`. */
import { Node } from "../index.ts";
import { EXIT_CODE } from "./exit-codes.ts";
import { clientNodeOptions, peerName } from "./node-options.ts";
import type { PingArguments } from "./ping.ts";
import { report } from "./report.ts";

const DEFAULT_TIMEOUT_SECONDS = 5;

export async function run(args: PingArguments): Promise<void> {
  const peer = peerName(args.node);
  const timeoutMs = (args.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
  await using node = await Node.start(clientNodeOptions(args, peer));
  let answer: "pong" | "pang" = "pang";
  try {
    await node.connect(peer);
    answer = await node.ping(peer, { timeoutMs });
  } catch (error) {
    report(error);
  }
  process.stdout.write(`${answer}\n`);
  process.exitCode = answer === "pong" ? EXIT_CODE.ok : EXIT_CODE.refused;
}
