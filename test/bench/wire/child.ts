/** A program of the benchmark, running: its output by lines, what it costs, its end. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { interopRun } from "../../../interop/index.ts";
import { dieWithUs } from "../../../interop/run.ts";

export interface Child {
  /** The process id of the program itself. */
  readonly pid: number;
  /** The first line it prints that begins so, without that beginning. */
  line(beginning: string): Promise<string>;
  /** Asks it to end, and kills it when it does not within ten seconds. */
  end(): Promise<void>;
}

/** Starts a program with the run's environment; it ends when this one does, however that comes. */
export async function startChild(
  label: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const run = await interopRun();
  const [file = "", ...args] = [...dieWithUs(), ...command];
  const child = spawn(file, args, {
    env: { ...run.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await once(child, "spawn");
  const output = collect(child);
  const forget = run.atEnd(() => child.kill("SIGKILL"));
  const ended = once(child, "close").then(forget);
  return {
    pid: child.pid ?? 0,
    async line(beginning) {
      const pattern = new RegExp(`^${beginning} ?(.*)\n`, "m");
      for (;;) {
        const found = pattern.exec(output.text);
        if (found !== null) return found[1] ?? "";
        const { exitCode, signalCode } = child;
        if (exitCode !== null || signalCode !== null) {
          throw new Error(
            `${label} ended (${signalCode ?? exitCode}); its output:\n${output.text}`,
          );
        }
        await Promise.race([once(child.stdout!, "data"), once(child, "close")]);
      }
    },
    async end() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end, at most so long; returns what it wrote to standard output. */
export async function runChild(
  label: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const run = await interopRun();
  const [file = "", ...args] = [...dieWithUs(), ...command];
  const child = spawn(file, args, { env: run.env, stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  let stdout = "";
  child.stdout.on("data", (text: string) => {
    stdout += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(timer);
  if (code !== 0) {
    throw new Error(`${label} ended (${signal ?? code}); its output:\n${output.text}`);
  }
  return stdout;
}

function collect(child: ChildProcess): { readonly text: string } {
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      output.text += text;
    });
  }
  return output;
}

/** What a process has used, as Linux counts it. */
export interface Usage {
  /** User and system time, in steps of 10 ms. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage {
  // Fields 14 and 15, user and system time; the name in field 2 may hold blanks.
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssBytes: Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
  };
}
