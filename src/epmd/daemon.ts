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

/**
 * Starts an EPMD that outlives the program. Resolves to true when it takes connections, to false
 * when it is not installed or did not come up.
 */
export type DaemonStarter = (request: DaemonRequest) => Promise<boolean>;

const USUAL_PLACES = [
  "/usr/bin",
  "/usr/local/bin",
  "/usr/lib/erlang/bin",
  "/usr/local/lib/erlang/bin",
  "/opt/homebrew/bin",
];

/** It forks and leaves at once; one that stays this long does not daemonize. */
const COMMAND_LIMIT_MS = 5000;
/** How often, at which distance, a daemon that was started is asked whether it is up. */
const UP_ATTEMPTS = 20;
const UP_ATTEMPT_MS = 50;

export interface SystemEpmdOptions {
  /** Whose PATH is searched. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where to look besides. Default: where Erlang is usually installed. */
  places?: readonly string[];
}

export function systemEpmd(options: SystemEpmdOptions = {}): DaemonStarter {
  return async (request) => {
    const file = findEpmd(options.env ?? process.env, options.places ?? USUAL_PLACES);
    if (file === undefined || !(await run(file, daemonArguments(request)))) return false;
    for (let attempt = 0; attempt < UP_ATTEMPTS; attempt++) {
      if (await run(file, ["-port", String(request.tcpPort), "-names"])) return true;
      await new Promise((resolve) => setTimeout(resolve, UP_ATTEMPT_MS));
    }
    return false;
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

function findEpmd(
  env: Readonly<Record<string, string | undefined>>,
  places: readonly string[],
): string | undefined {
  const { PATH: path = "" } = env as { PATH?: string };
  const name = process.platform === "win32" ? "epmd.exe" : "epmd";
  const folders = [...path.split(delimiter).filter((folder) => folder !== ""), ...places];
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

/** Whether the command ended well. */
function run(file: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "ignore", windowsHide: true });
    const limit = setTimeout(() => child.kill("SIGKILL"), COMMAND_LIMIT_MS);
    const done = (well: boolean) => {
      clearTimeout(limit);
      resolve(well);
    };
    child.once("error", () => done(false));
    child.once("exit", (code) => done(code === 0));
  });
}
