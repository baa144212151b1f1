/** `erldist ping`: pong or pang, and on standard error why pang. */
import { Node } from "../index.ts";
import { EXIT_CODE } from "./exit-codes.ts";
import { type CommonArguments, clientNodeOptions, peerName } from "./options.ts";
import { report } from "./report.ts";

interface PingArguments extends CommonArguments {
  node: string;
  timeout?: number | undefined;
}

export async function ping(args: PingArguments): Promise<void> {
  const peer = peerName(args.node);
  await using node = await Node.start(clientNodeOptions(args, peer));
  let answer: "pong" | "pang" = "pang";
  try {
    await node.connect(peer);
    answer = await node.ping(peer, { timeoutMs: (args.timeout ?? 5) * 1000 });
  } catch (error) {
    report(error);
  }
  process.stdout.write(`${answer}\n`);
  process.exitCode = answer === "pong" ? EXIT_CODE.ok : EXIT_CODE.refused;
}
