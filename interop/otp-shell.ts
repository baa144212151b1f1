/** The interactive `erl` shell on a terminal: tests type sessions into it as a reader of the documentation does. */

import { InteropError } from "./errors.ts";
import { type OtpNodeOptions, prepareNode, START_TIMEOUT_MS } from "./otp-node.ts";
import { startProgram } from "./program.ts";
import type { OtpRelease } from "./releases.ts";
import { waitUntil } from "./wait.ts";

const TYPE_TIMEOUT_MS = 60_000;

/** A running shell. */
export interface OtpShell extends AsyncDisposable {
  /** `bilbo@host`, from the prompt. */
  readonly name: string;
  /** The release it runs. */
  readonly otp: OtpRelease;
  /** Everything on the terminal so far, escape sequences included. */
  readonly log: string;
  /**
   * Types one line, a whole expression with its full stop, and Enter; returns what the shell shows between
   * that line and the next prompt, without the last newline. After `halt().` no prompt follows: use `stop`.
   * @throws InteropError INTEROP_TIMEOUT (default 60,000 ms), INTEROP_NODE_ENDED
   */
  type(line: string, timeoutMs?: number): Promise<string>;
  /** Sends SIGKILL, and waits until the shell is gone. */
  stop(): Promise<void>;
}

/**
 * Starts `erl -sname …` on a terminal; resolves at the first prompt.
 * @throws InteropError INTEROP_OTP_MISSING, INTEROP_START_FAILED, INTEROP_TIMEOUT
 */
export async function startOtpShell(options: OtpNodeOptions): Promise<OtpShell> {
  const prepared = await prepareNode(options);
  const { otp } = prepared;
  const program = await startProgram({
    otp,
    command: ["erl", ...prepared.args, ...(options.args ?? [])],
    env: { TERM: "xterm", ...prepared.env },
    namespace: options.namespace,
    stdin: "pipe",
    terminal: true,
    label: `OTP ${otp.release} shell ${prepared.name}`,
  });
  void program.exited.then(prepared.ended);

  /** Waits for the prompt of this number; returns what the terminal shows from `start` on. */
  async function untilPrompt(start: number, number: number, timeoutMs: number) {
    return waitUntil(
      () => {
        const shown = plain(program.log.slice(start));
        const prompt = PROMPT.exec(shown);
        if (prompt !== null && Number(prompt[2]) === number) {
          return { before: shown.slice(0, prompt.index), node: prompt[1] ?? "nonode@nohost" };
        }
        return program.end !== undefined ? { before: shown, node: undefined } : undefined;
      },
      { timeoutMs, description: `prompt ${number} of ${program.label}; it shows:\n${program.log}` },
    );
  }

  let name: string;
  try {
    const { before, node } = await untilPrompt(0, 1, options.startTimeoutMs ?? START_TIMEOUT_MS);
    if (node === undefined) {
      throw new InteropError(
        "INTEROP_START_FAILED",
        `${program.label} ended before its first prompt; it showed:\n${before}`,
      );
    }
    name = node;
  } catch (error) {
    await program.kill();
    throw error;
  }

  let next = 2;
  return {
    name,
    otp,
    get log() {
      return program.log;
    },
    async type(line, timeoutMs = TYPE_TIMEOUT_MS) {
      const start = program.log.length;
      program.child.stdin!.write(`${line}\n`);
      const { before, node } = await untilPrompt(start, next, timeoutMs);
      if (node === undefined) {
        throw new InteropError(
          "INTEROP_NODE_ENDED",
          `${program.label} ended after ${JSON.stringify(line)}; it showed:\n${before}`,
        );
      }
      next++;
      return withoutEcho(before, line);
    },
    stop: () => program.kill(),
    [Symbol.asyncDispose]: () => program.kill(),
  };
}

/** `(bilbo@host)2> ` or, without distribution, `2> `, at the very end. */
const PROMPT = /(?:^|\n)(?:\(([^()\s]+)\))?(\d+)> $/;

/** Without escape sequences (moving the cursor, clearing) and carriage returns. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences consist of them
  return text.replaceAll(/\u001b\[[0-9;?]*[ -/]*[@-~]|\r/g, "");
}

/**
 * The terminal echoes the line; shells from OTP 26 on then clear it and draw prompt and line anew.
 */
function withoutEcho(shown: string, line: string): string {
  const lines = shown.split("\n");
  let index = 0;
  if (lines[index] === line) index++;
  if (/^(\(\S+\))?\d+> /.test(lines[index] ?? "") && lines[index]!.endsWith(line)) index++;
  return lines.slice(index).join("\n");
}
