/** `erldist epmd`: serves EPMD in the foreground. */
import type { Command } from "./command.ts";
import { epmdPortOption } from "./options.ts";

/** What the user may give. */
export interface EpmdArguments {
  epmdPort?: number | undefined;
  address?: string | undefined;
}

export const epmd: Command<EpmdArguments> = {
  command: "epmd",
  describe: "Serve EPMD, the port mapper, until interrupted",
  builder: (yargs) =>
    yargs.option("epmd-port", epmdPortOption).option("address", {
      type: "string",
      requiresArg: true,
      describe: "Addresses to listen on, separated by commas. Default: ERL_EPMD_ADDRESS, or all",
    }),
  run: async (args) => (await import("./run-epmd.ts")).run(args),
};
