/**
 * `erldist call`: makes one remote call and prints its result as an Erlang term or as JSON. The
 * function's output appears on this terminal, and its input is read from it.
 */
import type { Command } from "./command.ts";
import {
  type CommonArguments,
  nodeOptions,
  type TimeoutArgument,
  timeoutOption,
} from "./options.ts";

/** What the user may give. */
export interface CallArguments extends CommonArguments, TimeoutArgument {
  node: string;
  module: string;
  function: string;
  args: string;
  json?: boolean | undefined;
}

export const call: Command<CallArguments> = {
  command: "call <node> <module> <function> [args]",
  describe: "Call a function on a node and print what it returns",
  builder: (yargs) =>
    timeoutOption(nodeOptions(yargs))
      .positional("node", { type: "string", demandOption: true, describe: "Node: name@host" })
      .positional("module", { type: "string", demandOption: true, describe: "Module" })
      .positional("function", { type: "string", demandOption: true, describe: "Function" })
      .positional("args", {
        type: "string",
        default: "[]",
        describe: "Arguments: a list in Erlang syntax",
      })
      .option("json", {
        type: "boolean",
        describe:
          'Print the result as lossless JSON, which marks what JSON cannot express: an atom is {"$a":"ok"}',
      })
      .example("$0 call gandalf@host kvs lookup '[weather]'", "prints {ok,fine}"),
  run: async (args) => (await import("./run-call.ts")).run(args),
};
