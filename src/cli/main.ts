#!/usr/bin/env node
/**
 * The command `erldist`. Results go to standard output, everything else to standard error.
 *
 * Command bodies are imported when they run, so that `--help` and mistakes are answered fast.
 */
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { EXIT_CODE, EXIT_CODE_HELP, exitCodeOf } from "./exit-codes.ts";
import { epmdPortOption, nodeOptions, serverOptions } from "./options.ts";

/** A mistake in the command line; yargs has said what is wrong. */
class UsageError extends Error {}

const parser = yargs(hideBin(process.argv))
  .scriptName("erldist")
  .parserConfiguration({
    "short-option-groups": false,
    "parse-numbers": false,
    "parse-positional-numbers": false,
    "dot-notation": false,
    "duplicate-arguments-array": false,
    "populate--": true,
  })
  .locale("en")
  .usage("$0 COMMAND\n\nA Node.js program as a node of an Erlang cluster.")
  .command(
    "kvs",
    "Serve kvs, the name server: kvs:store(Key, Value), kvs:lookup(Key)",
    (args) => serverOptions(args).example("$0 kvs --sname gandalf", "be gandalf on this host"),
    async (args) => (await import("./kvs.ts")).kvs(args),
  )
  .command(
    "call <node> <module> <function> [args]",
    "Call a function on a node and print what it returns",
    (args) =>
      timeoutOption(nodeOptions(args))
        .positional("node", { type: "string", demandOption: true, describe: "Node: name@host" })
        .positional("module", { type: "string", demandOption: true, describe: "Module" })
        .positional("function", { type: "string", demandOption: true, describe: "Function" })
        .positional("args", {
          type: "string",
          default: "[]",
          describe: "The arguments, a list as Erlang writes it",
        })
        .option("json", {
          type: "boolean",
          describe:
            'Print the result as JSON that loses nothing: what JSON has no word for is marked, an atom as {"$a":"ok"}',
        })
        .example("$0 call gandalf@host kvs lookup '[weather]'", "prints {ok,fine}"),
    async (args) => (await import("./call.ts")).call(args),
  )
  .command(
    "ping <node>",
    "Print pong when the node is there and lets us in, else pang",
    (args) =>
      timeoutOption(nodeOptions(args)).positional("node", {
        type: "string",
        demandOption: true,
        describe: "Node: name@host",
      }),
    async (args) => (await import("./ping.ts")).ping(args),
  )
  .command(
    "names [host]",
    "List the nodes that an EPMD knows, as epmd -names",
    (args) =>
      args
        .positional("host", { type: "string", default: "localhost", describe: "EPMD's host" })
        .option("epmd-port", epmdPortOption),
    async (args) => (await import("./names.ts")).names(args),
  )
  .command(
    "epmd",
    "Serve EPMD, the port mapper, until interrupted",
    (args) =>
      args.option("epmd-port", epmdPortOption).option("address", {
        type: "string",
        requiresArg: true,
        describe: "Addresses to listen on, with commas. Default: ERL_EPMD_ADDRESS, or all",
      }),
    async (args) => (await import("./epmd.ts")).epmd(args),
  )
  .command(
    "decode [file]",
    "Explain a captured connection, message by message",
    (args) =>
      args
        .positional("file", {
          type: "string",
          describe: "What one side wrote, as raw bytes; - or nothing for standard input",
        })
        .option("initiator", {
          type: "string",
          requiresArg: true,
          describe: "File with what the side wrote that connected",
        })
        .option("acceptor", {
          type: "string",
          requiresArg: true,
          describe: "File with what the other side wrote",
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
          describe: "Characters shown of one term. Default 200",
        }),
    async (args) => (await import("./decode.ts")).decode(args),
  )
  .demandCommand(1, "Name a command.")
  .strict()
  .recommendCommands()
  .wrap(Math.min(100, process.stdout.columns ?? 100))
  .epilogue(EXIT_CODE_HELP)
  .exitProcess(false)
  .fail((message, error, failed) => {
    // A mistake that yargs finds while parsing comes as an error of its own kind.
    if (error && error.name !== "YError") throw error;
    failed.showHelp("error");
    const said = message ?? error.message;
    process.stderr.write(`\n${said}\n`);
    throw new UsageError(said);
  });

function timeoutOption<T>(
  args: import("yargs").Argv<T>,
): import("yargs").Argv<T & TimeoutArgument> {
  return args.option("timeout", {
    type: "number",
    requiresArg: true,
    describe: "Seconds to wait for the answer. Default: no limit for call, 5 for ping",
  }) as unknown as import("yargs").Argv<T & TimeoutArgument>;
}

export interface TimeoutArgument {
  timeout?: number | undefined;
}

// A reader that has seen enough, as in `erldist names | head -1`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await parser.parseAsync();
} catch (error) {
  if (error instanceof UsageError) {
    process.exitCode = EXIT_CODE.usage;
  } else {
    process.exitCode = exitCodeOf(error);
    const { report } = await import("./report.ts");
    report(error);
  }
}
