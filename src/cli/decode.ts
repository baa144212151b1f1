/** `erldist decode`: explains a captured connection message by message. */
import type { Command } from "./command.ts";

/** What the user may give. */
export interface DecodeArguments {
  file?: string | undefined;
  initiator?: string | undefined;
  acceptor?: string | undefined;
  payload?: boolean | undefined;
  width?: number | undefined;
}

export const decode: Command<DecodeArguments> = {
  command: "decode [file]",
  describe: "Explain a captured connection, message by message",
  builder: (yargs) =>
    yargs
      .positional("file", {
        type: "string",
        describe: "File with the raw bytes that one side wrote. Default: -, standard input",
      })
      .option("initiator", {
        type: "string",
        requiresArg: true,
        describe: "File with the bytes that the connecting side wrote",
      })
      .option("acceptor", {
        type: "string",
        requiresArg: true,
        describe: "File with the bytes that the other side wrote",
      })
      .conflicts("file", ["initiator", "acceptor"])
      .option("payload", {
        type: "boolean",
        default: true,
        describe: "Show payloads and reasons; --no-payload hides them",
      })
      .option("width", {
        type: "number",
        requiresArg: true,
        describe: "Characters shown of each term. Default: 200",
      }),
  run: async (args) => (await import("./run-decode.ts")).run(args),
};
