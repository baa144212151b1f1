/**
 * Runs a session that a page shows, line by line, and compares what it prints:
 *
 *     $ node sam.js                                  starts an example; what it prints follows, or nothing
 *     $ npx erldist ping sam@HOST    # pong          runs the command; `kvs` goes on in the background
 *     $ erl -sname bilbo -setcookie secret           starts an Erlang node, iex one with Elixir
 *     (bilbo@HOST)1> node().         % bilbo@HOST    evaluates there
 *
 * `...` stands for any text, and HOST for the short name of this host. A line that begins with `...(` continues
 * the expression before it.
 */

import { homedir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { interopRun, type OtpRelease, otpReleases, startOtpNode, waitUntil } from "../index.ts";
import type { ExamplePrograms } from "./documents.ts";
import { startElixirNode } from "./elixir.ts";
import { type RunningCommand, runCommand, startKvsCommand, startProgram } from "./our-node.ts";

/** How long a busy machine may take to start a program. */
const START_TIMEOUT_MS = 60_000;

/** A node at whose prompt the session types. */
interface Shell {
  evaluate(line: string): Promise<string>;
  end(): Promise<void>;
}

interface NodeChoice {
  readonly name: string;
  readonly cookie?: string;
}

export interface SessionOptions {
  readonly programs: ExamplePrograms;
  /** The release whose `erl` is started. Default: the newest. */
  readonly otp?: OtpRelease;
}

/** Runs a session; ends what it started. */
export async function runSession(text: string, options: SessionOptions): Promise<void> {
  const { shortHost } = await interopRun();
  await using session = new Session(options);
  const lines = text
    .replaceAll("HOST", shortHost)
    .replace(/\n\.\.\.\(.*?\)\d+>/g, "\v")
    .split("\n");
  for (const line of lines) await session.take(line.replaceAll("\v", "\n"));
  await session.finish();
}

class Session implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #shells = new Map<string, Shell>();
  readonly #programs: { command: RunningCommand; prints: string[] }[] = [];
  /** Where a line without a prompt belongs: to the output of the last command. */
  #output: string[] = [];
  #checkCommand: () => void = () => {};
  /** The next expression may be too early for a program that is starting. */
  #starting = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async take(line: string): Promise<void> {
    const [, name, expression, shown] =
      /^(?:iex)?\((\w+)@[^)]*\)\d+> ([\s\S]*?)(?:\s+[%#] (.*))?$/.exec(line) ?? [];
    const command = /^\$ (.*?)(?:\s+# (.*))?$/.exec(line);
    if (name !== undefined) await this.#evaluate(name, expression!, shown);
    else if (command !== null) await this.#command(command[1]!, command[2]);
    else if (line !== "") this.#output.push(line);
  }

  /** Waits for what the programs print, ends the shells, and expects the programs to end well. */
  async finish(): Promise<void> {
    this.#checkCommand();
    const talking = this.#programs.filter(({ prints }) => prints.length > 0);
    for (const { command, prints } of talking) {
      const lines = () => command.stdout().split("\n").length > prints.length;
      await Promise.race([waitUntil(lines, { timeoutMs: START_TIMEOUT_MS }), command.ended]);
    }
    for (const shell of this.#shells.values()) await shell.end();
    for (const { command, prints } of talking) {
      const { code, stdout, stderr } = await command.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expectText(stdout, prints);
    }
  }

  async #evaluate(name: string, expression: string, shown: string | undefined): Promise<void> {
    const shell = this.#shells.get(name);
    if (shell === undefined) throw new Error(`The session starts no node ${name}.`);
    if (shown === undefined) {
      await shell.evaluate(expression);
    } else if (this.#starting) {
      this.#starting = false;
      await untilShown(shell, expression, shown);
    } else {
      expectText(await shell.evaluate(expression), [shown], expression);
    }
  }

  async #command(text: string, shown: string | undefined): Promise<void> {
    this.#checkCommand();
    this.#checkCommand = () => {};
    this.#output = shown === undefined ? [] : [shown];
    const [program = "", ...args] = words(text);
    if (program === "node") return this.#startExample(args);
    if (program === "npx") return this.#runErldist(args.slice(1));
    const name = optionOf(args, /^--?sname$/) ?? "";
    const cookie = optionOf(args, /^--?(?:set)?cookie$/);
    const node = cookie === undefined ? { name } : { name, cookie };
    if (program === "erl") this.#shells.set(name, await this.#startErl(node));
    else if (program === "iex") this.#shells.set(name, await startIex(node));
    else throw new Error(`A session cannot run ${text}.`);
  }

  async #startExample(args: readonly string[]): Promise<void> {
    const flags = args.filter((arg) => arg.startsWith("-"));
    const [file = "", ...rest] = args.filter((arg) => !arg.startsWith("-"));
    const program = this.#options.programs.file(file);
    const within = ([node = "", ...argv]: readonly string[]) => [node, ...flags, ...argv];
    // HOME is one of this run; a program that uses the harness finds the installed releases all the same.
    const env = { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME || join(homedir(), ".cache") };
    const command = await startProgram(program, rest, { within, env });
    this.#programs.push({ command, prints: this.#output });
    this.#starting = true;
  }

  async #runErldist(args: readonly string[]): Promise<void> {
    if (args[0] === "kvs") {
      const command = await startKvsCommand(args.slice(1));
      this.#programs.push({ command, prints: [] });
      const prints = this.#output;
      this.#checkCommand = () => expectText(command.stdout(), prints);
      return;
    }
    const { stdout, stderr } = await runCommand(args);
    const prints = this.#output;
    this.#checkCommand = () => expectText(stdout + stderr, prints, args.join(" "));
  }

  async #startErl(node: NodeChoice): Promise<Shell> {
    const otp = this.#options.otp ?? otpReleases().at(-1)!;
    const started = await startOtpNode({ otp, ...node });
    const session = started.session();
    return {
      evaluate: (line) => session.eval(line.replace(/\.$/, ""), { timeoutMs: START_TIMEOUT_MS }),
      end: () => started.kill(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shell of this.#shells.values()) await shell.end();
    for (const { command } of this.#programs) await command[Symbol.asyncDispose]();
  }
}

/** Evaluates until that gives what is shown: a program that has just been started needs a moment. */
async function untilShown(shell: Shell, expression: string, shown: string): Promise<void> {
  let value = "nothing yet";
  const ready = async (): Promise<boolean> => {
    value = await shell.evaluate(expression);
    return matches(value, shown);
  };
  await waitUntil(ready, { timeoutMs: START_TIMEOUT_MS }).catch((cause: unknown) => {
    throw new Error(`${expression} gives ${value}, not ${shown}.`, { cause });
  });
}

async function startIex(options: NodeChoice): Promise<Shell> {
  const { node, elixir } = await startElixirNode(options);
  return { evaluate: elixir, end: () => node.kill() };
}

/** What follows an option of a command line. */
function optionOf(args: readonly string[], option: RegExp): string | undefined {
  const at = args.findIndex((arg) => option.test(arg));
  return at < 0 ? undefined : args[at + 1];
}

/** The words of a command line, of which some are in single quotes. */
export function words(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

export function expectText(text: string, lines: readonly string[], description?: string): void {
  const wanted = lines.join("\n");
  if (!matches(text, wanted)) expect(text.trimEnd(), description).toBe(wanted);
}

/** Whether a text is the one wanted, in which `...` stands for anything. */
export function matches(text: string, wanted: string): boolean {
  const parts = wanted.split("...").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*")}$`).test(text.trimEnd());
}
