/** The servers of the benchmark, each a process of its own that serves what wire_server.erl lists. */

import { fileURLToPath } from "node:url";
import { interopRun, startOtpNode } from "../../../interop/index.ts";
import { startChild, type Usage, usageOf } from "./child.ts";
import type { Options, ServerName } from "./options.ts";

export interface Server {
  readonly kind: ServerName;
  readonly name: string;
  readonly usage: () => Usage;
  readonly end: () => Promise<void>;
}

/** A file beside the sources of this program, which runs as dist/test/bench/wire/*.js. */
export function sourceFile(name: string): string {
  return fileURLToPath(new URL(`../../../../test/bench/wire/${name}`, import.meta.url));
}

/** A program of the benchmark, built. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

const STARTERS: Readonly<Record<ServerName, (options: Options) => Promise<Server>>> = {
  erl: startGenuine,
  ours: startOurs,
  c: startGenuine,
  java: startGenuine,
};

export function startServer(kind: ServerName, options: Options): Promise<Server> {
  return STARTERS[kind](options);
}

/** Hidden, as ours, the C node and the Java node are: being set up costs them all the same. */
async function startGenuine(options: Options): Promise<Server> {
  const node = await startOtpNode({ otp: options.otp, hidden: true });
  await node.loadModule("kvs");
  await node.loadModule(sourceFile("wire_server.erl"));
  await node.eval("ok = wire_server:start()");
  return {
    kind: "erl",
    name: node.name,
    usage: () => usageOf(node.osPid),
    end: () => node.kill(),
  };
}

async function startOurs(options: Options): Promise<Server> {
  const run = await interopRun();
  const name = `${run.uniqueName("ours")}@${run.shortHost}`;
  const profile =
    options.prof === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.prof}`];
  const child = await startChild("our node", [
    process.execPath,
    "--expose-gc",
    "--enable-source-maps",
    ...profile,
    ...options.nodeArgs,
    builtFile("our-node.js"),
    name,
  ]);
  await child.line("ready");
  return { kind: "ours", name, usage: () => usageOf(child.pid), end: () => child.end() };
}
