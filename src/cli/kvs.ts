/** `erldist kvs`: a node that serves kvs until it is interrupted. */
import type { Command } from "./command.ts";
import { type ServerArguments, serverOptions } from "./options.ts";

export const kvs: Command<ServerArguments> = {
  command: "kvs",
  describe: "Run a node that serves kvs:store(Key, Value) and kvs:lookup(Key)",
  builder: (yargs) =>
    serverOptions(yargs).example("$0 kvs --sname gandalf", "runs the node gandalf on this host"),
  run: async (args) => (await import("./run-kvs.ts")).run(args),
};
