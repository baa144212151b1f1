/** Reports errors on standard error. */
import { EXIT_CODE, exitCodeOf } from "./exit-codes.ts";

/**
 * Writes one message, with the error's code in brackets so that the user can look it up. An error
 * that no command should meet comes with its stack.
 */
export function report(error: unknown): void {
  const expected = error instanceof Error && exitCodeOf(error) !== EXIT_CODE.internal;
  const text = expected
    ? `${error.message} [${codesOf(error).join(": ")}]`
    : error instanceof Error
      ? error.stack
      : String(error);
  process.stderr.write(`erldist: ${text}\n`);
}

/** The codes of the error and of its causes, outermost first; foreign codes end the list. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as { code?: unknown };
  const ours =
    typeof code === "string" && /^[A-Z]+_/.test(code) && exitCodeOf(error) !== EXIT_CODE.internal;
  return ours ? [code, ...codesOf(error.cause)] : [];
}
