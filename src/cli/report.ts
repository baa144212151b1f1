/** Says on standard error what went wrong. */
import { EXIT_CODE, exitCodeOf } from "./exit-codes.ts";

/**
 * One message, with the error's code in brackets for whoever wants to look it up. An error that
 * no command should meet comes with its stack.
 */
export function report(error: unknown): void {
  const expected = error instanceof Error && exitCodeOf(error) !== EXIT_CODE.internal;
  const text = expected
    ? `${error.message} [${(error as { code?: string }).code}]`
    : error instanceof Error
      ? error.stack
      : String(error);
  process.stderr.write(`erldist: ${text}\n`);
}
