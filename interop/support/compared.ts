/** Three nodes for a comparison: a genuine one that asks, and a genuine one and one of ours to be asked. */
import { type OtpNode, type OtpRelease, startOtpNode } from "../index.ts";
import { startOurNode } from "./our-node.ts";
import { serveSettle } from "./settle.ts";

export interface ComparedNodes extends AsyncDisposable {
  readonly caller: OtpNode;
  readonly genuine: OtpNode;
  readonly ours: Awaited<ReturnType<typeof startOurNode>>;
}

/** Starts them, the genuine ones with modules of interop/erlang. */
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
