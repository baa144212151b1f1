/** `erldist ping`: prints pong or pang, and on standard error the reason for a pang. */
import type { Command } from "./command.ts";
import {
  type CommonArguments,
  nodeOptions,
  type TimeoutArgument,
  timeoutOption,
} from "./options.ts";

/** What the user may give. */
export interface PingArguments extends CommonArguments, TimeoutArgument {
  node: string;
}

export const ping: Command<PingArguments> = {
  command: "ping <node>",
  describe: "Print pong if the node is up and accepts the connection, otherwise pang",
  builder: (yargs) =>
    timeoutOption(nodeOptions(yargs)).positional("node", {
      type: "string",
      demandOption: true,
      describe: "Node: name@host",
    }),
  run: async (args) => (await import("./run-ping.ts")).run(args),
};
