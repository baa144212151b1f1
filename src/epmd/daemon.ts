/**
 * Starts the system's `epmd`, as `erl` does: the one importer of node:child_process.
 *
 * `epmd -daemon` puts itself into the background and outlives this program; one that finds another
 * EPMD on its port ends at once. It is looked for on PATH and where Erlang is usually installed.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface DaemonRequest {
  tcpPort: number;
  /** Addresses to listen on, loopback added; undefined for all interfaces. */
  addresses?: readonly string[] | undefined;
  relaxedCommandCheck?: boolean | undefined;
}

/** Starts an EPMD that outlives the program. Resolves to false when there is none to start. */
export type DaemonStarter = (request: DaemonRequest) => Promise<boolean>;

const USUAL_PLACES = [
  "/usr/bin",
  "/usr/local/bin",
  "/usr/lib/erlang/bin",
  "/usr/local/lib/erlang/bin",
  "/opt/homebrew/bin",
];

/** It forks and leaves at once; one that stays this long is none that daemonizes. */
const START_LIMIT_MS = 5000;

export function systemEpmd(
  env: Readonly<Record<string, string | undefined>> = process.env,
): DaemonStarter {
  return async (request) => {
    const file = findEpmd(env);
    return file === undefined ? false : run(file, daemonArguments(request));
  };
}

export function daemonArguments(request: DaemonRequest): string[] {
  const { tcpPort, addresses = [], relaxedCommandCheck } = request;
  return [
    "-daemon",
    "-port",
    String(tcpPort),
    ...(addresses.length === 0 ? [] : ["-address", addresses.join(",")]),
    ...(relaxedCommandCheck === true ? ["-relaxed_command_check"] : []),
  ];
}

function findEpmd(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { PATH: path = "" } = env as { PATH?: string };
  const name = process.platform === "win32" ? "epmd.exe" : "epmd";
  const folders = [...path.split(delimiter).filter((folder) => folder !== ""), ...USUAL_PLACES];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(file: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "ignore", windowsHide: true });
    const limit = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
    const done = (started: boolean) => {
      clearTimeout(limit);
      resolve(started);
    };
    child.once("error", () => done(false));
    child.once("exit", (code) => done(code === 0));
  });
}
