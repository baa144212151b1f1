/**
 * Runs a session that a page shows of two hosts, `gandalf` at 10.0.0.1 and `bilbo` at 10.0.0.2, each line on
 * its host:
 *
 *     gandalf# nft -f erlang.nft               loads the block marked `firewall: erlang.nft`
 *     gandalf$ npx erldist kvs …               starts it, and waits for what it prints
 *     gandalf$ node gandalf.js …               likewise, an example of the page
 *     gandalf$ npx erldist ping …              runs it to its end
 *     bilbo$ erl -name bilbo@10.0.0.2 …        starts an Erlang node with these arguments
 *     (bilbo@10.0.0.2)1> net_adm:ping(…).      evaluates there
 *     gandalf: …                               what a program or a node on gandalf prints some time later
 *
 * Lines without a prompt are what the line before them prints; `...` stands for any text.
 */
import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import {
  type NetworkHost,
  type NetworkHosts,
  type OtpNode,
  type OtpSession,
  otpReleases,
  startOtpNode,
  waitUntil,
} from "../index.ts";
import { block, type ExamplePrograms } from "./documents.ts";
import { type RunningCommand, runCommand, startCommand, startProgram } from "./our-node.ts";
import { expectText, matches, words } from "./sessions.ts";

const TIMEOUT_MS = 60_000;
/** EPMD has its usual port: each host is a network namespace of its own. */
const EPMD = { ERL_EPMD_PORT: "4369" };

export interface HostSessionOptions {
  readonly page: string;
  readonly hosts: NetworkHosts;
  readonly programs: ExamplePrograms;
}

/** Runs a session and ends what it started; a firewall stays as it is. */
export async function runHostSession(text: string, options: HostSessionOptions): Promise<void> {
  await using session = new HostSession(options);
  const steps = text.trimEnd().split(/\n(?=(?:gandalf|bilbo)[$#:] |\(\w+@)/);
  for (const step of steps) {
    const [line = "", ...prints] = step.split("\n");
    await session.take(line, prints);
  }
}

class HostSession implements AsyncDisposable {
  readonly #options: HostSessionOptions;
  readonly #programs: { host: string; command: RunningCommand; printed: () => string }[] = [];
  readonly #nodes = new Map<string, { node: OtpNode; session: OtpSession }>();

  constructor(options: HostSessionOptions) {
    this.#options = options;
  }

  async take(line: string, prints: readonly string[]): Promise<void> {
    const [, host = "", mark, text = ""] = /^(gandalf|bilbo)([$#:]) (.*)$/.exec(line) ?? [];
    const [, node = "", expression] = /^\((\w+)@\S+\)\d+> (.*)\.$/.exec(line) ?? [];
    if (expression !== undefined) await this.#evaluate(node, expression, prints);
    else if (mark === "#") this.#loadRules(host, text);
    else if (mark === ":") await this.#printed(host, [text, ...prints]);
    else if (mark === "$") await this.#run(host, this.#placed(text), prints);
    else throw new Error(`A session cannot run ${line}.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { node } of this.#nodes.values()) await node.kill();
    for (const { command } of this.#programs) {
      command.signal("SIGINT");
      await command.ended;
    }
  }

  /** A text with the addresses that the hosts have here. */
  #placed(text: string): string {
    const { a, b } = this.#options.hosts;
    return text.replaceAll("10.0.0.1", a.address).replaceAll("10.0.0.2", b.address);
  }

  #host(name: string): NetworkHost {
    const { a, b } = this.#options.hosts;
    if (name === "gandalf") return a;
    if (name === "bilbo") return b;
    throw new Error(`There is no host ${name}.`);
  }

  #loadRules(host: string, text: string): void {
    const [, file = ""] = /^nft -f (\S+)$/.exec(text) ?? [];
    const [program = "", ...args] = this.#host(host).command(["nft", "-f", "-"]);
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    execFileSync(program, args, { input: block(this.#options.page, "firewall", file), env });
  }

  async #run(host: string, text: string, prints: readonly string[]): Promise<void> {
    const [program = "", ...args] = words(text);
    if (program === "erl") return this.#startErl(host, args);
    const within = (argv: readonly string[]) => this.#host(host).command(argv);
    const options = { env: EPMD, within };
    if (program === "npx" && args[1] !== "kvs") {
      const { stdout, stderr } = await runCommand(args.slice(1), options);
      return this.#expect(stdout + stderr, prints, text);
    }
    const [file = "", ...rest] = args;
    const command = await (program === "npx"
      ? startCommand(rest, options)
      : startProgram(this.#options.programs.file(file), rest, options));
    this.#programs.push({ host, command, printed: () => command.stdout() + command.stderr() });
    const lines = () => command.stdout().split("\n").length > prints.length;
    await Promise.race([waitUntil(lines, { timeoutMs: TIMEOUT_MS }), command.ended]);
    this.#expect(command.stdout() + command.stderr(), prints, text);
  }

  async #startErl(host: string, args: readonly string[]): Promise<void> {
    const [option, name = "", ...rest] = args;
    const [alive = "", address] = name.split("@");
    const node = await startOtpNode({
      otp: otpReleases().at(-1)!,
      name: alive,
      ...(address === undefined ? {} : { host: address }),
      longNames: option === "-name",
      epmdPort: Number(EPMD.ERL_EPMD_PORT),
      namespace: this.#host(host),
      args: rest,
    });
    this.#nodes.set(alive, { node, session: node.session() });
  }

  async #evaluate(name: string, expression: string, prints: readonly string[]): Promise<void> {
    const shell = this.#nodes.get(name);
    if (shell === undefined) throw new Error(`The session starts no node ${name}.`);
    const text = this.#placed(expression);
    this.#expect(await shell.session.eval(text, { timeoutMs: TIMEOUT_MS }), prints, text);
  }

  /** Waits until a program on that host has printed these lines. */
  async #printed(host: string, lines: readonly string[]): Promise<void> {
    const wanted = this.#placed(`...${lines.join("\n")}...`);
    const texts = () => [
      ...this.#programs.filter((each) => each.host === host).map(({ printed }) => printed()),
      ...[...this.#nodes].filter(([name]) => name === host).map(([, { node }]) => node.log),
    ];
    const shown = () => texts().some((text) => matches(text, wanted));
    await waitUntil(shown, { timeoutMs: TIMEOUT_MS }).catch(() => {
      expect(texts().join("\n"), `what ${host} prints`).toBe(wanted);
    });
  }

  #expect(text: string, prints: readonly string[], description: string): void {
    expectText(
      text,
      prints.map((line) => this.#placed(line)),
      description,
    );
  }
}
