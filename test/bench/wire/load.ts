/** The loads: a genuine node that runs wire_load.erl. */

import { type OtpNode, startOtpNode } from "../../../interop/index.ts";
import { sourceFile } from "./servers.ts";

/** No measurement takes longer; what does has hung. */
const LIMIT_MS = 120_000;

export interface Load {
  readonly release: string;
  /** Calls a function of wire_load.erl; all arguments and results are numbers, but the atoms first. */
  run(call: string): Promise<number[]>;
  end(): Promise<void>;
}

export async function startLoad(otp: string): Promise<Load> {
  // Nodes that global would otherwise tell of one another are to stay strangers.
  const node: OtpNode = await startOtpNode({ otp, args: ["-kernel", "connect_all", "false"] });
  await node.loadModule(sourceFile("wire_load.erl"));
  return {
    release: node.otp.release,
    async run(call) {
      const text = await node.eval(`tuple_to_list(wire_load:${call})`, { timeoutMs: LIMIT_MS });
      return text.slice(1, -1).split(",").map(Number);
    },
    end: () => node.kill(),
  };
}
