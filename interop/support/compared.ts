/** Three nodes for a comparison: an Erlang node that calls another Erlang node and an erldist node. */
import { type OtpNode, type OtpRelease, startOtpNode } from "../index.ts";
import { startOurNode } from "./our-node.ts";
import { serveSettle } from "./settle.ts";

export interface ComparedNodes extends AsyncDisposable {
  readonly caller: OtpNode;
  readonly genuine: OtpNode;
  readonly ours: Awaited<ReturnType<typeof startOurNode>>;
}

/** Starts them, the Erlang nodes with modules of interop/erlang. */
export async function startCompared(
  otp: OtpRelease,
  modules: readonly string[],
): Promise<ComparedNodes> {
  const caller = await startOtpNode({ otp });
  const genuine = await startOtpNode({ otp });
  const ours = await startOurNode();
  for (const node of [caller, genuine]) {
    for (const module of ["erldist_settle", ...modules]) await node.loadModule(module);
  }
  serveSettle(ours);
  return {
    caller,
    genuine,
    ours,
    async [Symbol.asyncDispose]() {
      await ours.stop();
      await genuine.kill();
      await caller.kill();
    },
  };
}
