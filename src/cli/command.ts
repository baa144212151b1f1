/** What a command file exports: the row that `main.ts` hands to yargs. */
import type { Argv } from "yargs";

/**
 * One command, in a file of its name. Its body is in the file `run-NAME.ts`, which `run` imports when
 * the command runs, so that `--help`, `--version` and mistakes in the command line load no node.
 */
export interface Command<Arguments> {
  /** Its name and positional arguments, in yargs' notation. */
  readonly command: string;
  /** One line for `--help`. */
  readonly describe: string;
  /** Declares its options. */
  builder(yargs: Argv): Argv<Arguments>;
  /** Sets `process.exitCode` where the outcome is not 0; what it throws, `main.ts` reports. */
  run(args: Arguments): Promise<void>;
}
