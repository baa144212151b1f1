/** The command `erldist` in this process: its command line, its standard input, what it printed. */
import { PassThrough } from "node:stream";
import { vi } from "vitest";

export interface CommandEnd {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** What the command reads as its standard input. */
  readonly stdin: PassThrough;
  stdout(): string;
  stderr(): string;
  /** Calls the listeners that the command has added for a signal. */
  signal(signal: NodeJS.Signals): void;
  /** Calls the listeners that the command has added for errors of its standard output. */
  failStdout(error: Error): void;
}

/** Runs the command to its end. One at a time, since it gets the streams of the process. */
export function runCommand(
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<CommandEnd> {
  return startCommand(args, input).ended;
}

/** Starts the command, with modules loaded afresh. */
export function startCommand(
  args: readonly string[],
  input: string | Uint8Array = "",
): RunningCommand {
  const printed = { stdout: "", stderr: "" };
  const keep = (stream: "stdout" | "stderr", end: string) => (text: unknown) => {
    printed[stream] += `${text}${end}`;
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(keep("stdout", "")),
    vi.spyOn(process.stderr, "write").mockImplementation(keep("stderr", "")),
    // yargs prints its help with these.
    vi.spyOn(console, "log").mockImplementation(keep("stdout", "\n")),
    vi.spyOn(console, "error").mockImplementation(keep("stderr", "\n")),
  ];
  const { argv, exitCode } = process;
  const ownStdin = Object.getOwnPropertyDescriptor(process, "stdin")!;
  const stdin = new PassThrough();
  stdin.end(input);
  Object.defineProperty(process, "stdin", { configurable: true, value: stdin });
  process.argv = [argv[0]!, "erldist", ...args];
  process.exitCode = undefined;
  const signals = SIGNALS.map((signal) => addedListeners(process, signal));
  const failures = addedListeners(process.stdout, "error");

  vi.resetModules();
  const ended = import("../../src/cli/bin.ts")
    .then(() => ({ code: Number(process.exitCode ?? 0), ...printed }))
    .finally(() => {
      for (const spy of spies) spy.mockRestore();
      for (const added of [...signals, failures]) added.remove();
      Object.defineProperty(process, "stdin", ownStdin);
      process.argv = argv;
      process.exitCode = exitCode;
    });
  return {
    ended,
    stdin,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    signal: (signal) => signals[SIGNALS.indexOf(signal)]!.call(signal),
    failStdout: (error) => failures.call(error),
  };
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** The listeners for an event that are added from now on. */
function addedListeners(emitter: NodeJS.EventEmitter, event: string) {
  const before = new Set<unknown>(emitter.listeners(event));
  const added = () => emitter.listeners(event).filter((listener) => !before.has(listener));
  return {
    call: (argument: unknown) => {
      for (const listener of added()) listener(argument);
    },
    remove: () => {
      for (const listener of added()) emitter.off(event, listener as () => void);
    },
  };
}
