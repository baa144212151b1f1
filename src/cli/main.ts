/**
 * Parses the command line, and runs the command that it names. Results go to standard output,
 * everything else to standard error.
 *
 * A new command is a file that exports a `Command`, the file that its `run` imports, and a place in
 * `COMMANDS`.
 */
import yargs from "yargs";
import { VERSION } from "../version.ts";
import { call } from "./call.ts";
import type { Command } from "./command.ts";
import { decode } from "./decode.ts";
import { epmd } from "./epmd.ts";
import { EXIT_CODE, EXIT_CODE_HELP, exitCodeOf } from "./exit-codes.ts";
import { kvs } from "./kvs.ts";
import { names } from "./names.ts";
import { ping } from "./ping.ts";
import { report } from "./report.ts";

/** In the order in which `--help` lists them. */
const COMMANDS: readonly Command<unknown>[] = [kvs, call, ping, names, epmd, decode];

/** A mistake in the command line, which has been reported. */
class UsageError extends Error {}

/** Runs the command that the arguments name; the exit code is in `process.exitCode`. */
export async function main(args: readonly string[]): Promise<void> {
  const parser = yargs([...args])
    .scriptName("erldist")
    .version(VERSION)
    .parserConfiguration({
      "short-option-groups": false,
      "parse-positional-numbers": false,
      "dot-notation": false,
      "duplicate-arguments-array": false,
      "populate--": true,
    })
    .locale("en")
    .usage("$0 COMMAND\n\nA Node.js program as a node of an Erlang cluster.")
    .demandCommand(1, "Name a command, as in erldist kvs.")
    .strict()
    .recommendCommands()
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .epilogue(EXIT_CODE_HELP)
    .exitProcess(false)
    .fail((message, error, failed) => {
      // yargs reports a mistake that it finds while parsing as a YError.
      if (error && error.name !== "YError") throw error;
      failed.showHelp("error");
      const said = message ?? error.message;
      process.stderr.write(`\n${said}\n`);
      throw new UsageError(said);
    });

  for (const { command, describe, builder, run } of COMMANDS) {
    parser.command(command, describe, builder, run);
  }

  try {
    await parser.parseAsync();
  } catch (error) {
    if (error instanceof UsageError) {
      process.exitCode = EXIT_CODE.usage;
    } else {
      process.exitCode = exitCodeOf(error);
      report(error);
    }
  }
}
