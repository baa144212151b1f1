/**
 * A running program of an Erlang release: keeps its output, waits for its end, and ends with this process.
 *
 * `setpriv`, `ip netns exec`, `chroot` and the `erl` script each replace themselves with the next, so the
 * process id is the emulator's, and signals to it reach the emulator.
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { InteropError } from "./errors.ts";
import type { NetworkHost } from "./namespaces.ts";
import { type OtpRelease, otpCommand, otpPath } from "./releases.ts";
import { dieWithUs, interopRun, RUN_MARK } from "./run.ts";

/** What to run, and how. */
export interface ProgramOptions {
  otp: OtpRelease;
  /** The program and its arguments, as the release sees them. */
  command: readonly string[];
  /** Added to a bare environment: PATH, LANG, HOME "/tmp", the run's EPMD port and its mark. */
  env?: Readonly<Record<string, string>>;
  /** Run it in one of two network namespaces; see `createNetworkHosts`. */
  namespace?: NetworkHost | undefined;
  /** Standard input: nothing, or a pipe. Default nothing. */
  stdin?: "ignore" | "pipe";
  /** Whether file descriptor 3 is a socket to this process. Default false. */
  channel?: boolean;
  /** Whether it runs on its own terminal, wide enough that nothing wraps. Default false. */
  terminal?: boolean;
  /** Its name in messages: "node bilbo@host". */
  label: string;
}

/** How a program ended: one of the two is null. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How long the rest of a program's output may take after its end. */
const OUTPUT_TIMEOUT_MS = 10_000;

/** How much of a program's output is kept; older output is dropped. */
const LOG_CHARACTERS = 1 << 20;

/** A program, running or ended. */
export interface Program {
  readonly child: ChildProcess;
  readonly label: string;
  /** What it wrote to standard output and error, in order of arrival. */
  readonly log: string;
  /** Resolves when it has ended and its output is complete. */
  readonly exited: Promise<ProgramEnd>;
  /** How it ended; undefined while it runs. */
  readonly end: ProgramEnd | undefined;
  /** The socket on file descriptor 3. */
  readonly channel: Duplex | undefined;
  /** Calls back with each piece of output; returns a function that stops this. */
  onOutput(listener: (text: string) => void): () => void;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/**
 * Starts a program. Resolves when it runs, not when it is ready.
 * @throws InteropError INTEROP_START_FAILED
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const run = await interopRun();
  const inRelease = otpCommand(options.otp, options.command);
  const inNamespace = options.namespace?.command(inRelease) ?? inRelease;
  const direct = [...dieWithUs(), ...inNamespace];
  const [file, ...args] = options.terminal === true ? onTerminal(direct) : direct;
  const child = spawn(file!, args, {
    stdio: [
      options.stdin ?? "ignore",
      "pipe",
      "pipe",
      ...(options.channel === true ? (["pipe"] as const) : []),
    ],
    cwd: "/",
    env: {
      PATH: otpPath(options.otp),
      LANG: "C.UTF-8",
      HOME: "/tmp",
      ERL_EPMD_PORT: String(run.epmdPort),
      // A node that is killed on purpose leaves no dump.
      ERL_CRASH_DUMP_SECONDS: "0",
      ...options.env,
      [RUN_MARK]: run.mark,
    },
  });

  let log = "";
  let end: ProgramEnd | undefined;
  const listeners = new Set<(text: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      log += text;
      if (log.length > 2 * LOG_CHARACTERS) log = log.slice(-LOG_CHARACTERS);
      for (const listener of listeners) listener(text);
    });
  }
  // `exited` reports a program that ended before it was written to.
  child.stdin?.on("error", () => {});

  const forget = run.atEnd(() => child.kill("SIGKILL"));
  // Only at "close" has all output arrived. A program that the ended one left behind may hold the pipes
  // open, so that is not waited for without end.
  const exited = new Promise<ProgramEnd>((resolve) => {
    child.once("exit", (code, signal) => {
      forget();
      end = { code, signal };
      const finish = () => resolve({ code, signal });
      child.once("close", finish);
      setTimeout(finish, OUTPUT_TIMEOUT_MS).unref();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      forget();
      reject(
        new InteropError("INTEROP_START_FAILED", `${options.label}: cannot run ${file}`, { cause }),
      );
    });
  });

  const program: Program = {
    child,
    label: options.label,
    get log() {
      return log;
    },
    exited,
    get end() {
      return end;
    },
    channel: options.channel === true ? (child.stdio[3] as Duplex) : undefined,
    onOutput(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal(name) {
      child.kill(name);
    },
    async kill() {
      if (end === undefined) child.kill("SIGKILL");
      await exited;
    },
  };
  remember(program);
  return program;
}

/**
 * `script`, from util-linux, gives the command a terminal and copies between it and the pipes. When `script`
 * ends, so does the terminal, and with it the command.
 */
function onTerminal(command: readonly string[]): string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return [
    ...dieWithUs(),
    "script",
    "--quiet",
    "--flush",
    "--command",
    `stty columns 1000 rows 50; exec ${quoted}`,
    "/dev/null",
  ];
}

const RUN_TIMEOUT_MS = 60_000;

/**
 * Runs a program of the release to its end, and returns its exit code and output. `timeoutMs`: default 60,000.
 * @throws InteropError INTEROP_START_FAILED, INTEROP_TIMEOUT
 */
export async function runOtp(
  options: Omit<ProgramOptions, "label" | "channel" | "stdin"> & { timeoutMs?: number },
): Promise<{ code: number | null; output: string }> {
  const label = options.command.join(" ");
  const program = await startProgram({ ...options, label });
  const timeoutMs = options.timeoutMs ?? RUN_TIMEOUT_MS;
  const timer = setTimeout(() => program.signal("SIGKILL"), timeoutMs);
  const { code, signal } = await program.exited;
  clearTimeout(timer);
  forgetLog(program);
  if (signal === "SIGKILL") {
    throw new InteropError(
      "INTEROP_TIMEOUT",
      `${label} did not end within ${timeoutMs} ms; its output:\n${program.log}`,
    );
  }
  return { code, output: program.log };
}

const remembered = new Set<Program>();

function remember(program: Program): void {
  remembered.add(program);
}

function forgetLog(program: Program): void {
  remembered.delete(program);
}

/** The output of every program that runs or has ended since `clearEndedLogs`; to print when a test fails. */
export function interopLogs(): string {
  const parts: string[] = [];
  for (const { label, log, end } of remembered) {
    const state = end === undefined ? "running" : `ended: ${end.signal ?? end.code}`;
    parts.push(`--- ${label} (${state})\n${log.trimEnd() || "(no output)"}\n`);
  }
  return parts.join("");
}

/** Drops the output of programs that have ended: call it before each test. */
export function clearEndedLogs(): void {
  for (const program of remembered) {
    if (program.end !== undefined) remembered.delete(program);
  }
}
