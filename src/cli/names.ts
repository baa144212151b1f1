/** `erldist names`: lists the names registered with an EPMD, in the words of `epmd -names`. */
import type { Command } from "./command.ts";
import { epmdPortOption } from "./options.ts";

/** What the user may give. */
export interface NamesArguments {
  host: string;
  epmdPort?: number | undefined;
}

export const names: Command<NamesArguments> = {
  command: "names [host]",
  describe: "List the nodes registered with an EPMD, as epmd -names does",
  builder: (yargs) =>
    yargs
      .positional("host", { type: "string", default: "localhost", describe: "EPMD's host" })
      .option("epmd-port", epmdPortOption),
  run: async (args) => (await import("./run-names.ts")).run(args),
};
