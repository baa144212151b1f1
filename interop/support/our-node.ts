/** Erldist nodes for the interop tests: in this process, or as the built command. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Node, type NodeOptions } from "../../src/index.ts";
import { interopRun, waitUntil } from "../index.ts";

/** The command as `npm run build` makes it. */
const COMMAND = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const TRUSTED_PROGRAM = fileURLToPath(new URL("./trusted-program.js", import.meta.url));
const NODE_PROGRAM = fileURLToPath(new URL("./node-program.js", import.meta.url));

/** An erldist node with the run's EPMD port and cookie; `printed` returns what its callees printed. */
export async function startOurNode(
  options: Partial<NodeOptions> = {},
): Promise<Node & { printed: () => string }> {
  const run = await interopRun();
  let text = "";
  const node = await Node.start({
    name: run.uniqueName("ours"),
    cookie: run.cookie,
    env: run.env,
    // Seven seconds, the default, a busy machine may need for a handshake now and then.
    netSetupTimeMs: 60_000,
    output: (more) => {
      text += more;
    },
    ...options,
  });
  return Object.assign(node, { printed: () => text });
}

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command, running. */
export interface RunningCommand extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<CommandEnd>;
  signal(name: NodeJS.Signals): void;
}

export interface CommandOptions {
  /** Over the run's environment. */
  env?: Readonly<Record<string, string>>;
  /** The command line it is put into, as `NetworkHost.command`. */
  within?: (argv: readonly string[]) => string[];
  /** What it reads from standard input. Default: nothing. */
  stdin?: string;
}

/** Starts `erldist ARGS`. */
export function startCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<RunningCommand> {
  return startProgram(COMMAND, args, options);
}

/** Starts a JavaScript program that is an erldist node. */
export async function startProgram(
  file: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<RunningCommand> {
  const run = await interopRun();
  const argv = [process.execPath, file, ...args];
  const [executable = "", ...rest] = options.within?.(argv) ?? argv;
  const child = spawn(executable, rest, {
    env: { ...run.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Whoever ends without reading does not mind.
  child.stdin.on("error", () => {}).end(options.stdin ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  const signal = (name: NodeJS.Signals): void => {
    child.kill(name);
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    signal,
    async [Symbol.asyncDispose]() {
      signal("SIGKILL");
      await ended;
    },
  };
}

/** Runs `erldist ARGS` to its end. */
export async function runCommand(
  args: readonly string[],
  options?: CommandOptions,
): Promise<CommandEnd> {
  return (await startCommand(args, options)).ended;
}

/** A node in a program of its own, when it can be called. */
export interface RunningNode extends RunningCommand {
  readonly name: string;
  readonly tcpPort: number;
}

/** Starts `erldist kvs ARGS` and waits for its line. */
export async function startKvsCommand(
  args: readonly string[],
  options?: CommandOptions,
): Promise<RunningNode> {
  return untilReady(await startCommand(["kvs", ...args], options));
}

/** Starts `node-program.js`, a node in a program of its own. */
export async function startNodeProgram(
  options: Partial<NodeOptions> & { connectTo?: string } = {},
  commandOptions?: CommandOptions,
): Promise<RunningNode> {
  const run = await interopRun();
  const given = { name: run.uniqueName("ours"), ...options };
  return untilReady(await startProgram(NODE_PROGRAM, [JSON.stringify(given)], commandOptions));
}

/** Starts `trusted-program.js`, a node in a program of its own. */
export async function startTrustedProgram(): Promise<RunningNode> {
  const run = await interopRun();
  const options = JSON.stringify({ name: run.uniqueName("ours"), cookie: run.cookie });
  return untilReady(await startProgram(TRUSTED_PROGRAM, [options]));
}

async function untilReady(command: RunningCommand): Promise<RunningNode> {
  let end: CommandEnd | undefined;
  void command.ended.then((ended) => {
    end = ended;
  });
  const line = () => /^(\S+@\S+) ready, port (\d+)\n$/.exec(command.stdout());
  await waitUntil(() => line() !== null || end !== undefined, {
    description: "the line of a node that is ready",
  });
  const ready = line();
  if (ready === null) throw new Error(`the node ended with ${end?.code}: ${end?.stderr}`);
  return Object.assign(command, { name: ready[1] ?? "", tcpPort: Number(ready[2]) });
}
