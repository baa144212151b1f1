/**
 * Two hosts on one machine: network namespaces, a cable between them, and a firewall each.
 *
 * Each has its own address and loopback, so two EPMDs can both have port 4369. The firewalls let in what the
 * chapter on distributed programming opens: EPMD's port and a range for the nodes. Needs root, iproute2 and
 * nftables; changes nothing outside the two namespaces.
 */

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { InteropError } from "./errors.ts";
import { dieWithUs, interopRun, isAlive, RUN_MARK } from "./run.ts";

/** One of the two hosts. */
export interface NetworkHost {
  /** The namespace's name. */
  readonly name: string;
  /** Its address, as the other host sees it. */
  readonly address: string;
  /** Returns the command line that runs `argv` on this host. */
  command(argv: readonly string[]): string[];
  /** Runs a program, `node` for example, on this host; it ends with this process. */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /**
   * Lets in TCP to EPMD's port and the range only: no ping, no UDP, no other port. Replaces earlier rules.
   */
  allowOnly(open: OpenPorts): void;
  /** Returns how many packets the firewall has refused. */
  refusedPackets(): number;
}

/** The ports that a firewall lets in: a range, `min` and `max` included, and EPMD's. */
export interface OpenPorts {
  min: number;
  max: number;
  /** Default 4369. */
  epmdPort?: number;
}

/** The two hosts. */
export interface NetworkHosts extends AsyncDisposable {
  readonly a: NetworkHost;
  readonly b: NetworkHost;
  /** Pulls the cable: packets are lost, and no socket is closed. */
  disconnect(): void;
  /** Plugs the cable in again. */
  reconnect(): void;
  /** Removes both. Programs that still run in them go on. */
  remove(): void;
}

/** Whether `ERLDIST_WITHOUT` excludes the tests that need `namespaces`. */
export function isLeftOut(what: "namespaces"): boolean {
  const { ERLDIST_WITHOUT = "" } = process.env;
  return ERLDIST_WITHOUT.split(/[\s,]+/).includes(what);
}

/**
 * Makes two connected hosts; with `open`, each has a firewall.
 * @throws InteropError INTEROP_NO_NAMESPACES, with what is missing
 */
export async function createNetworkHosts(
  options: { open?: OpenPorts } = {},
): Promise<NetworkHosts> {
  const run = await interopRun();
  const id = nextId();
  const names = [`${PREFIX}${run.mark}-${id}a`, `${PREFIX}${run.mark}-${id}b`] as const;
  // Interface names have 15 characters at most; they are unique within their namespaces anyway.
  const cable = "host0";
  const forget = run.atEnd(() => remove());
  function remove(): void {
    forget();
    for (const name of names) {
      try {
        ip("netns", "delete", name);
      } catch {
        // Not made, or removed already.
      }
    }
  }
  try {
    removeLeftovers();
    for (const name of names) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
    }
    ip(
      "-n",
      names[0],
      "link",
      "add",
      cable,
      "type",
      "veth",
      "peer",
      "name",
      cable,
      "netns",
      names[1],
    );
    const addresses = ["10.77.0.1", "10.77.0.2"] as const;
    for (const [index, name] of names.entries()) {
      ip("-n", name, "address", "add", `${addresses[index]}/24`, "dev", cable);
      ip("-n", name, "link", "set", cable, "up");
    }
    const a = host(names[0], addresses[0], run.mark);
    const b = host(names[1], addresses[1], run.mark);
    if (options.open !== undefined) {
      a.allowOnly(options.open);
      b.allowOnly(options.open);
    }
    return {
      a,
      b,
      disconnect: () => ip("-n", names[0], "link", "set", cable, "down"),
      reconnect: () => ip("-n", names[0], "link", "set", cable, "up"),
      remove,
      [Symbol.asyncDispose]: async () => remove(),
    };
  } catch (cause) {
    remove();
    throw new InteropError(
      "INTEROP_NO_NAMESPACES",
      `this machine cannot make two network namespaces as hosts (${firstLine(cause)}): it takes root, ` +
        "and ip and nft from the packages iproute2 and nftables, which interop/otp/install installs. " +
        "To leave such tests out, name them: ERLDIST_WITHOUT=namespaces",
      { cause },
    );
  }
}

function host(name: string, address: string, mark: string): NetworkHost {
  const command = (argv: readonly string[]) => ["ip", "netns", "exec", name, ...argv];
  return {
    name,
    address,
    command,
    spawn(argv, options = {}) {
      const [file, ...args] = [...dieWithUs(), ...command(argv)];
      return spawn(file!, args, {
        ...options,
        env: { ...(options.env ?? process.env), [RUN_MARK]: mark },
      });
    },
    allowOnly({ min, max, epmdPort = 4369 }) {
      const rules = `
        table inet erldist
        delete table inet erldist
        table inet erldist {
          chain input {
            type filter hook input priority 0; policy drop;
            iif "lo" accept
            ct state established,related accept
            tcp dport { ${epmdPort}, ${min === max ? min : `${min}-${max}`} } accept
            counter
          }
        }`;
      exec(command(["nft", "-f", "-"]), rules);
    },
    refusedPackets() {
      const rules = exec(command(["nft", "list", "table", "inet", "erldist"]));
      return Number(/counter packets (\d+)/.exec(rules)?.[1] ?? 0);
    },
  };
}

const PREFIX = "erldist-";
let ids = 0;

function nextId(): number {
  return ++ids;
}

/** Namespaces of runs that crashed; a name carries its run's mark. */
function removeLeftovers(): void {
  let list: string;
  try {
    list = ip("netns", "list");
  } catch {
    return; // No `ip`: what follows will say so.
  }
  for (const line of list.split("\n")) {
    const name = line.split(" ")[0] ?? "";
    if (!name.startsWith(PREFIX) || isAlive(name.slice(PREFIX.length))) continue;
    try {
      ip("netns", "delete", name);
    } catch {
      // Another run was quicker.
    }
  }
}

function ip(...args: string[]): string {
  return exec(["ip", ...args]);
}

function exec([file, ...args]: string[], input = ""): string {
  const { PATH = "" } = process.env;
  return execFileSync(file!, args, {
    input,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    // `ip` and `nft` are in /usr/sbin, which is not on everybody's PATH.
    env: { ...process.env, PATH: `${PATH}:/usr/sbin:/sbin` },
    timeout: 60_000,
  });
}

function firstLine(error: unknown): string {
  const stderr = (error as { stderr?: string }).stderr;
  const text = stderr !== undefined && stderr !== "" ? stderr : String(error);
  return text.trim().split("\n")[0] ?? "";
}
