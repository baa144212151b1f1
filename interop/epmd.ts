/** OTP's `epmd`: the daemon, and what its tools report. */

import { connect } from "node:net";
import { InteropError } from "./errors.ts";
import type { NetworkHost } from "./namespaces.ts";
import { type Program, runOtp, startProgram } from "./program.ts";
import { type OtpRelease, otpRelease } from "./releases.ts";
import { interopRun } from "./run.ts";
import { waitUntil } from "./wait.ts";

/** Which `epmd` to start, and how. */
export interface EpmdOptions {
  /** The release, or its name. */
  otp: string | OtpRelease;
  /** Default the run's. */
  tcpPort?: number;
  /** More arguments for `epmd`: `["-relaxed_command_check"]`. */
  args?: readonly string[];
  /** `ERL_EPMD_ADDRESS`: the addresses to listen on besides loopback; default all. */
  address?: string;
  /** Start it in one of two network namespaces; see `createNetworkHosts`. */
  namespace?: NetworkHost;
}

/** A running `epmd`. */
export interface Epmd extends AsyncDisposable {
  readonly tcpPort: number;
  /** What it printed. */
  readonly log: string;
  /** Sends SIGKILL, and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts `epmd` in the foreground; resolves when it takes connections.
 * @throws InteropError INTEROP_START_FAILED, for example if the port is taken
 */
export async function startEpmd(options: EpmdOptions): Promise<Epmd> {
  const otp = typeof options.otp === "string" ? otpRelease(options.otp) : options.otp;
  const tcpPort = options.tcpPort ?? (await interopRun()).epmdPort;
  const program = await startProgram({
    otp,
    command: ["epmd", "-d", "-d", "-port", String(tcpPort), ...(options.args ?? [])],
    env: options.address === undefined ? {} : { ERL_EPMD_ADDRESS: options.address },
    namespace: options.namespace,
    label: `OTP ${otp.release} epmd on port ${tcpPort}`,
  });
  try {
    await waitUntil(() => program.end !== undefined || isUp(program, options, tcpPort), {
      description: `${program.label} to take connections`,
    });
    if (program.end !== undefined) {
      throw new InteropError(
        "INTEROP_START_FAILED",
        `${program.label} ended at once; its output:\n${program.log}`,
      );
    }
  } catch (error) {
    await program.kill();
    throw error;
  }
  return {
    tcpPort,
    get log() {
      return program.log;
    },
    stop: () => program.kill(),
    [Symbol.asyncDispose]: () => program.kill(),
  };
}

/** With two `-d` it logs that it listens; a connection alone could reach another EPMD on the port. */
async function isUp(program: Program, options: EpmdOptions, tcpPort: number): Promise<boolean> {
  if (!program.log.includes("entering the main select() loop")) return false;
  return options.namespace !== undefined || (await takesConnections(tcpPort));
}

function takesConnections(tcpPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(tcpPort, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/**
 * Waits until the EPMD on this machine's port no longer lists a name. EPMD notices a moment later that a
 * node is gone; until then no other node gets the name.
 */
export async function untilForgotten(alive: string, tcpPort: number): Promise<void> {
  const listed = new RegExp(`^name ${alive.replaceAll(/[^\w]/g, "\\$&")} at port `, "m");
  await waitUntil(async () => !listed.test(await askNames(tcpPort)), {
    description: `EPMD on port ${tcpPort} to forget ${alive}`,
  });
}

/** The answer to NAMES_REQ; "" when nobody answers within a second. */
function askNames(tcpPort: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(tcpPort, "127.0.0.1", () => socket.write(Buffer.of(0, 1, 110)));
    socket.setEncoding("utf8").setTimeout(1000, () => socket.destroy());
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", () => resolve(""));
  });
}

/** A registered node. */
export interface EpmdName {
  name: string;
  tcpPort: number;
}

/**
 * Returns what OTP's `epmd -names` reads from the EPMD on a port, be it OTP's or erldist's.
 * @throws InteropError INTEROP_START_FAILED if no EPMD answers
 */
export async function epmdNames(options: {
  otp: string | OtpRelease;
  /** Default the run's. */
  tcpPort?: number;
  namespace?: NetworkHost;
}): Promise<EpmdName[]> {
  const otp = typeof options.otp === "string" ? otpRelease(options.otp) : options.otp;
  const tcpPort = options.tcpPort ?? (await interopRun()).epmdPort;
  const { code, output } = await runOtp({
    otp,
    command: ["epmd", "-port", String(tcpPort), "-names"],
    namespace: options.namespace,
  });
  if (code !== 0 || !output.includes("up and running")) {
    throw new InteropError("INTEROP_START_FAILED", `epmd -port ${tcpPort} -names: ${output}`);
  }
  return [...output.matchAll(/^name (.*) at port (\d+)$/gm)].map((match) => ({
    name: match[1]!,
    tcpPort: Number(match[2]),
  }));
}
