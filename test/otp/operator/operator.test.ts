import { expect, test } from "vitest";
import { atom } from "../../../etf/index.ts";
import { Cluster } from "../../support/cluster.ts";

test("the option `operator: false` leaves out all of it", async () => {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair({ operator: false });
  for (const [module, name] of [
    ["erlang", "processes"],
    ["observer_backend", "sys_info"],
    ["code", "all_loaded"],
  ] as const) {
    const call = bilbo.rpc.call(gandalf.name, module, name, []).catch((error: unknown) => error);
    expect(await cluster.settled(call)).toMatchObject({ reason: atom("undef") });
  }
});
