/** Runs `erldist call`. */
import {
  format,
  isList,
  Node,
  parse,
  RemoteError,
  type Term,
  TermSyntaxError,
  toJson,
} from "../index.ts";
import type { CallArguments } from "./call.ts";
import { EXIT_CODE } from "./exit-codes.ts";
import { clientNodeOptions, peerName } from "./node-options.ts";

export async function run(args: CallArguments): Promise<void> {
  const list = parsedArguments(args.args);
  const peer = peerName(args.node);
  await using node = await Node.start({
    ...clientNodeOptions(args, peer),
    input: process.stdin,
  });
  const show = (term: Term): string => (args.json === true ? toJson(term) : format(term));
  try {
    // A node that waits for its peer to name it does not connect automatically.
    if (node.name === "nonode@nohost") await node.connect(peer);
    const timeout = args.timeout === undefined ? {} : { timeoutMs: args.timeout * 1000 };
    const result = await node.rpc.call(peer, args.module, args.function, list, timeout);
    process.stdout.write(`${show(result)}\n`);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    // What `rpc:call` in a shell would show; the exit code says that it is a failure.
    process.stdout.write(`${show(error.badrpc)}\n`);
    process.exitCode = EXIT_CODE.refused;
  } finally {
    // Once read from, a terminal keeps the program alive.
    process.stdin.destroy();
  }
}

function parsedArguments(text: string): Term[] {
  const list = parse(text);
  if (isList(list)) return list;
  throw new TermSyntaxError(
    "TERM_BAD_VALUE",
    "The arguments of the call must be a list, as in [weather].",
    1,
    1,
    `${text}\n^`,
  );
}
