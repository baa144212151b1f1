/** The servers of the benchmark, each a process of its own that serves what wire_server.erl lists. */

import { resolve } from "node:path";
import { interopRun, startOtpNode } from "../../../interop/index.ts";
import { startChild, type Usage, usageOf } from "./child.ts";
import { builtFile, compiledC, compiledJava, sourceFile } from "./native.ts";
import type { Options, ServerName } from "./options.ts";

export interface Server {
  readonly kind: ServerName;
  /** The node's name; of the floor, which has none, `!PORT`. */
  readonly name: string;
  readonly usage: () => Usage;
  readonly end: () => Promise<void>;
}

export function startServer(kind: ServerName, options: Options): Promise<Server> {
  switch (kind) {
    case "erl":
      return startGenuine(options);
    case "ours":
      return startOurs(options);
    case "base":
      return startBase(options);
    case "c":
      return startNode(kind, [compiledC("c_node")]);
    case "java":
      return startNode(kind, compiledJava("JavaNode"));
    case "floor":
      return startFloor();
  }
}

/** Hidden, as ours, the C node and the Java node are: being set up costs them all the same. */
async function startGenuine(options: Options): Promise<Server> {
  const node = await startOtpNode({ otp: options.otp, hidden: true });
  await node.loadModule("kvs");
  await node.loadModule(sourceFile("wire_load.erl"));
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
  const folder = options.prof;
  const profile = folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  return await startNode("ours", [
    process.execPath,
    "--expose-gc",
    ...profile,
    ...options.nodeArgs,
    builtFile("our-node.js"),
  ]);
}

/** Our node as it was built elsewhere, never profiled. */
async function startBase({ base = "", nodeArgs }: Options): Promise<Server> {
  const file = resolve(base, ".cache/bench/test/bench/wire/our-node.js");
  return await startNode("base", [process.execPath, "--expose-gc", ...nodeArgs, file]);
}

/** A program that takes the node's name and the cookie, and says when it is ready. */
async function startNode(
  kind: "ours" | "base" | "c" | "java",
  command: readonly string[],
): Promise<Server> {
  const run = await interopRun();
  const name = `${run.uniqueName(kind)}@${run.shortHost}`;
  const child = await startChild(`the node ${name}`, [...command, name, run.cookie]);
  await child.line("ready");
  return { kind, name, usage: () => usageOf(child.pid), end: () => child.end() };
}

async function startFloor(): Promise<Server> {
  const child = await startChild("the floor", [process.execPath, builtFile("floor.js")]);
  const name = `!${await child.line("ready")}`;
  return { kind: "floor", name, usage: () => usageOf(child.pid), end: () => child.end() };
}
