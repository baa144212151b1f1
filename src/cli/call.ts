/**
 * `erldist call`: one remote call, its result printed as an Erlang term or as JSON. What the function
 * prints appears here, and what it reads is read here.
 */
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
import { EXIT_CODE } from "./exit-codes.ts";
import { type CommonArguments, clientNodeOptions, peerName } from "./options.ts";

interface CallArguments extends CommonArguments {
  node: string;
  module: string;
  function: string;
  args: string;
  json?: boolean | undefined;
  timeout?: number | undefined;
}

export async function call(args: CallArguments): Promise<void> {
  const list = parse(args.args);
  if (!isList(list)) {
    throw new TermSyntaxError(
      "TERM_BAD_VALUE",
      "The arguments of the call are a list, as in [weather].",
      1,
      1,
      `${args.args}\n^`,
    );
  }
  const peer = peerName(args.node);
  await using node = await Node.start({
    ...clientNodeOptions(args, peer),
    input: process.stdin,
  });
  const show = (term: Term): string => (args.json === true ? toJson(term) : format(term));
  try {
    // A node that its peer is to name connects on purpose only.
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
    // A terminal that was read from would keep the program alive.
    process.stdin.destroy();
  }
}
