/** The loads: a genuine node that runs wire_load.erl, and c_load. */

import { interopRun, startOtpNode } from "../../../interop/index.ts";
import { type Child, runChild, startChild } from "./child.ts";
import { compiledC, sourceFile } from "./native.ts";

/** No measurement takes longer; what does has hung. */
const LIMIT_MS = 120_000;

export interface Load {
  readonly release: string;
  readonly name: string;
  /** Evaluates what returns a tuple of numbers. */
  run(expression: string): Promise<number[]>;
  end(): Promise<void>;
}

/** It serves the same as the servers, to be called by them. */
export async function startLoad(otp: string): Promise<Load> {
  // Nodes that global would otherwise tell of one another are to stay strangers.
  const node = await startOtpNode({ otp, args: ["-kernel", "connect_all", "false"] });
  await node.loadModule("kvs");
  await node.loadModule(sourceFile("wire_load.erl"));
  await node.loadModule(sourceFile("wire_server.erl"));
  await node.eval("ok = wire_server:start()");
  return {
    release: node.otp.release,
    name: node.name,
    async run(expression) {
      const text = await node.eval(`tuple_to_list(${expression})`, { timeoutMs: LIMIT_MS });
      return text.slice(1, -1).split(",").map(Number);
    },
    end: () => node.kill(),
  };
}

/** Runs c_load against a server; see there for what it does and prints. */
export async function runC(server: string, what: string, ...args: number[]): Promise<number[]> {
  const { cookie } = await interopRun();
  const command = [compiledC("c_load"), server, cookie, what, ...args.map(String)];
  const text = await runChild(`c_load ${what} to ${server}`, command, LIMIT_MS);
  return text.trim().split(",").map(Number);
}

/** Connects so many C nodes to a server, until they are ended. */
export async function startIdle(server: string, connections: number): Promise<Child> {
  const { cookie } = await interopRun();
  const command = [compiledC("c_load"), server, cookie, "idle", String(connections)];
  const child = await startChild(`${connections} idle C nodes`, command);
  await child.line("connected");
  return child;
}
