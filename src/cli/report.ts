/** Says on standard error what ended a command. */
import { EXIT_CODE } from "./exit-codes.ts";

/**
 * One message with a code in brackets for whoever wants to look it up. An error that no command
 * should meet comes with its stack.
 */
export function report(error: unknown, exitCode: number): void {
  if (!(error instanceof Error) || exitCode === EXIT_CODE.internal) {
    process.stderr.write(`erldist: ${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  const { code } = error as { code?: string };
  process.stderr.write(`erldist: ${error.message} [${code}]\n`);
}
