/**
 * What the nodes of one test run share, and how a run removes everything it made.
 *
 * A run is one process of the test runner, with its own EPMD port and cookie, node names that no other run
 * uses, and temporary folders. Every process it starts carries the run's mark in its environment, and so do
 * their children (above all `epmd -daemon`, which detaches). So a run can find its processes and end them by
 * id, and the next run those that a crashed one left.
 */

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** The environment variable that carries the mark. */
export const RUN_MARK = "ERLDIST_INTEROP_RUN";

/** One run of tests. */
export interface InteropRun {
  /** `<process id>-<its start time>-<random>`. */
  readonly mark: string;
  /** The EPMD port of nodes without one of their own; nobody listened there when the run began. */
  readonly epmdPort: number;
  /** The cookie of nodes without one of their own. */
  readonly cookie: string;
  /** The host part of short names, as `erl -sname` chooses it. */
  readonly shortHost: string;
  /** A folder with `.erlang.cookie` in it: the HOME of programs that use the run's cookie. */
  readonly home: string;
  /** The environment of programs of the run: this process's, with HOME, ERL_EPMD_PORT and the mark. */
  readonly env: Record<string, string>;
  /** Returns a name, the part before the `@`, that no other node on this machine has: `bilbo_4711_1`. */
  uniqueName(prefix: string): string;
  /** Reserves a TCP port that nobody listens on, below the range of outgoing connections. */
  freeTcpPort(): Promise<number>;
  /**
   * Calls `action`, which must not wait, at the end of the run, also when the process exits. Returns a
   * function that cancels that.
   */
  atEnd(action: () => void): () => void;
}

let current: Promise<InteropRun> | undefined;
const endActions = new Set<() => void>();
let hooked = false;

/** Returns the run of this process; the first call begins it. */
export function interopRun(): Promise<InteropRun> {
  current ??= beginRun();
  return current;
}

/**
 * Ends every process of the run that still lives, and removes its folders. The next use begins another run.
 */
export async function endInteropRun(): Promise<void> {
  const run = current;
  if (run === undefined) return;
  current = undefined;
  await run;
  runEndActions();
}

function runEndActions(): void {
  for (const action of [...endActions].reverse()) {
    endActions.delete(action);
    try {
      action();
    } catch (error) {
      process.stderr.write(`interop: cleaning up: ${String(error)}\n`);
    }
  }
}

async function beginRun(): Promise<InteropRun> {
  if (!hooked) {
    hooked = true;
    process.on("exit", runEndActions);
  }
  killProcesses((mark) => !isAlive(mark));
  removeLeftoverHomes(tmpdir());
  removeLeftoverPorts();

  const suffix = randomBytes(4).toString("hex");
  const mark = `${process.pid}-${startTime(process.pid) ?? "0"}-${suffix}`;
  const cookie = `cookie_${randomBytes(12).toString("hex")}`;
  const home = join(tmpdir(), homeName(mark));
  writeCookie(home, cookie);
  const reserveTcpPort = (): Promise<number> => freeTcpPort(mark);
  const epmdPort = await reserveTcpPort();
  let count = 0;

  // Processes first: they may have files open in the folder.
  endActions.add(() => rmSync(home, { recursive: true, force: true }));
  endActions.add(() => killProcesses((other) => other === mark));

  return {
    mark,
    epmdPort,
    cookie,
    shortHost: hostname().split(".")[0] ?? "localhost",
    home,
    env: {
      ...(process.env as Record<string, string>),
      HOME: home,
      ERL_EPMD_PORT: String(epmdPort),
      [RUN_MARK]: mark,
    },
    uniqueName(prefix) {
      count++;
      return `${prefix}_${process.pid}_${count}`;
    },
    freeTcpPort: reserveTcpPort,
    atEnd(action) {
      endActions.add(action);
      return () => endActions.delete(action);
    },
  };
}

/** Returns a name for a HOME folder; the mark in it shows the next run whether the folder is in use. */
export function homeName(mark: string): string {
  return `erldist-home-${mark}-${randomBytes(4).toString("hex")}`;
}

/** Removes the HOME folders of crashed runs from a folder for temporary files. */
export function removeLeftoverHomes(folder: string): void {
  for (const entry of readdirSync(folder)) {
    const mark = /^erldist-home-(\d+-\d+-[0-9a-f]+)-/.exec(entry)?.[1];
    if (mark === undefined || isAlive(mark)) continue;
    try {
      rmSync(join(folder, entry), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

/** Writes a cookie file as Erlang requires it: readable by its owner alone. */
export function writeCookie(home: string, cookie: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, ".erlang.cookie");
  rmSync(file, { force: true });
  writeFileSync(file, cookie, { mode: 0o400 });
}

/** The file that reserves a port for one run among those that run at the same time; it holds the run's mark. */
const portFile = (tcpPort: number | string): string =>
  join(tmpdir(), `erldist-interop-port-${tcpPort}`);

async function freeTcpPort(mark: string): Promise<number> {
  for (;;) {
    const candidate = 20_000 + (randomBytes(2).readUInt16BE() % 10_000);
    const file = portFile(candidate);
    try {
      writeFileSync(file, mark, { flag: "wx" });
    } catch {
      continue; // Reserved already.
    }
    if (await canListen(candidate)) {
      endActions.add(() => rmSync(file, { force: true }));
      return candidate;
    }
    rmSync(file, { force: true });
  }
}

/** Frees the ports of crashed runs. */
function removeLeftoverPorts(): void {
  for (const entry of readdirSync(tmpdir())) {
    const tcpPort = /^erldist-interop-port-(\d+)$/.exec(entry)?.[1];
    if (tcpPort === undefined) continue;
    try {
      const mark = readFileSync(portFile(tcpPort), "latin1");
      // Empty: another run is making it.
      if (mark !== "" && !isAlive(mark)) rmSync(portFile(tcpPort), { force: true });
    } catch {
      // Another run was quicker, or it is another user's.
    }
  }
}

function canListen(tcpPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(tcpPort, () => server.close(() => resolve(true)));
  });
}

/** Ends the processes with the chosen marks, by id. Linux only; elsewhere it finds none. */
function killProcesses(chosen: (mark: string) => boolean): void {
  for (const { pid, mark } of markedProcesses()) {
    if (pid === process.pid || !chosen(mark)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended in the meantime.
    }
  }
}

function markedProcesses(): { pid: number; mark: string }[] {
  const found: { pid: number; mark: string }[] = [];
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    return found;
  }
  for (const entry of entries) {
    if (!/^\d+$/.test(entry)) continue;
    let environment: string;
    try {
      environment = readFileSync(`/proc/${entry}/environ`, "latin1");
    } catch {
      continue;
    }
    for (const variable of environment.split("\0")) {
      if (variable.startsWith(`${RUN_MARK}=`)) {
        found.push({ pid: Number(entry), mark: variable.slice(RUN_MARK.length + 1) });
      }
    }
  }
  return found;
}

/** Whether the test runner of a mark still runs. The process id alone may belong to another process by now. */
export function isAlive(mark: string): boolean {
  const [pid, started] = mark.split("-");
  return pid !== undefined && started !== undefined && startTime(Number(pid)) === started;
}

/**
 * When a process started, in ticks since the machine booted; undefined if it does not run. A process that has
 * ended stays in the table (as Z or X) until its parent collects its status, which a busy parent does late.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // From field 3 on: the name in field 2 may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

let pdeathsig: boolean | undefined;

/**
 * The words to put before a command so that the kernel ends it when this process ends, for whatever reason.
 * Empty on machines without setpriv.
 */
export function dieWithUs(): string[] {
  if (pdeathsig === undefined) {
    try {
      execFileSync("setpriv", ["--pdeathsig", "keep", "true"], { stdio: "ignore" });
      pdeathsig = true;
    } catch {
      pdeathsig = false;
    }
  }
  return pdeathsig ? ["setpriv", "--pdeathsig", "KILL"] : [];
}
