/**
 * What the nodes of one test run share, and how nothing of it is left behind.
 *
 * A run is one process of the test runner: an EPMD port and a cookie of its own, node names that no other
 * run uses, temporary folders. Every process it starts carries the run's mark in its environment, and
 * so does what those start in turn (an `epmd -daemon` above all, which detaches from everybody), so a run
 * can end by process id whatever is its own, and the next one what a crashed one left.
 */

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** The environment variable that carries the mark. */
export const RUN_MARK = "ERLDIST_INTEROP_RUN";

export interface InteropRun {
  /** `<process id>-<its start time>-<random>`. */
  readonly mark: string;
  /** The EPMD port for nodes that are not told another; nobody listened there when the run began. */
  readonly epmdPort: number;
  readonly cookie: string;
  /** The host part of short names: what a genuine node takes when it is not told. */
  readonly shortHost: string;
  /** A folder with `.erlang.cookie` in it: the HOME for programs of ours that are to share the cookie. */
  readonly home: string;
  /** The environment for programs of ours: HOME, ERL_EPMD_PORT and the mark over this process's own. */
  readonly env: Record<string, string>;
  /** A name's alive part that no other node of this machine has: `bilbo_4711_1`. */
  uniqueName(prefix: string): string;
  /** A TCP port that nobody listens on, reserved for this run, below the range of outgoing connections. */
  freeTcpPort(): Promise<number>;
  /** Called at the end of the run, also when the process exits; must not wait. Returns the undoing. */
  atEnd(action: () => void): () => void;
}

let current: Promise<InteropRun> | undefined;
const endActions = new Set<() => void>();
let hooked = false;

/** The run of this process, begun at the first call. */
export function interopRun(): Promise<InteropRun> {
  current ??= beginRun();
  return current;
}

/**
 * Ends everything the run started and is still there, and removes its folders. The next use begins another run.
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

/** The name of a HOME folder of a run; it tells the next run whether anybody still needs it. */
export function homeName(mark: string): string {
  return `erldist-home-${mark}-${randomBytes(4).toString("hex")}`;
}

/** Removes what runs that crashed have left in a folder for temporary files. */
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

/** Writes a cookie file as Erlang demands it: readable by its owner alone. */
export function writeCookie(home: string, cookie: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, ".erlang.cookie");
  rmSync(file, { force: true });
  writeFileSync(file, cookie, { mode: 0o400 });
}

/** A file that reserves a port, so that runs side by side do not choose the same: it holds the run's mark. */
const portFile = (tcpPort: number | string): string =>
  join(tmpdir(), `erldist-interop-port-${tcpPort}`);

async function freeTcpPort(mark: string): Promise<number> {
  for (;;) {
    const candidate = 20_000 + (randomBytes(2).readUInt16BE() % 10_000);
    const file = portFile(candidate);
    try {
      writeFileSync(file, mark, { flag: "wx" });
    } catch {
      continue; // Another run's.
    }
    if (await canListen(candidate)) {
      endActions.add(() => rmSync(file, { force: true }));
      return candidate;
    }
    rmSync(file, { force: true });
  }
}

/** Gives up the ports of runs that crashed. */
function removeLeftoverPorts(): void {
  for (const entry of readdirSync(tmpdir())) {
    const tcpPort = /^erldist-interop-port-(\d+)$/.exec(entry)?.[1];
    if (tcpPort === undefined) continue;
    try {
      const mark = readFileSync(portFile(tcpPort), "latin1");
      // One that has just been made is still empty.
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

/** Ends, by id, the processes whose mark is chosen. Linux only; elsewhere nothing is found. */
function killProcesses(chosen: (mark: string) => boolean): void {
  for (const { pid, mark } of markedProcesses()) {
    if (pid === process.pid || !chosen(mark)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone by itself in the meantime.
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

/** Whether the test runner that made a mark still runs: a process id alone may be somebody else's by now. */
export function isAlive(mark: string): boolean {
  const [pid, started] = mark.split("-");
  return pid !== undefined && started !== undefined && startTime(Number(pid)) === started;
}

/**
 * When a process started, in ticks since the machine's start; undefined if it does not run. One that has
 * ended stays in the table (Z, or X on the way out) until its parent asks how, which a busy parent does late.
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
 * Words before a command that have the kernel end it when this process ends, however that happens; none
 * where there is no setpriv.
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
