import { describe, expect, test } from "vitest";
import { atom, type Term } from "../../../etf/index.ts";
import { setUp } from "../../support/asking.ts";
import { inbox } from "../../support/cluster.ts";

describe("observer_backend", () => {
  test("procs_info lists 10,000 processes at a time, without its own", async () => {
    const { cluster, gandalf, bilbo, ask } = await setUp();
    for (let i = 0; i < 10_000; i++) gandalf.spawn({ message: () => {} });
    const { processes } = gandalf.stats();
    const box = inbox(bilbo);
    expect(await ask("observer_backend", "procs_info", box.process.pid)).toBe("ok");
    await cluster.settle();
    const sizes = box.messages.map((message) => ((message as Term[])[2] as Term[]).length);
    expect(sizes).toEqual([10_000, processes - 10_000]);
  });

  test("fetch_stats ends when its caller does", async () => {
    const { cluster, gandalf, bilbo } = await setUp();
    const box = inbox(bilbo);
    const before = gandalf.stats().processes;
    const call = bilbo.erpc.call(gandalf.name, "observer_backend", "fetch_stats", [
      box.process.pid,
      1000,
    ]);
    await cluster.settle();
    await cluster.clock.advance(1000);
    await cluster.clock.advance(1000);
    expect(box.messages.map((message) => (message as Term[])[0])).toEqual([
      atom("stats"),
      atom("stats"),
    ]);
    const [pid] = gandalf.runtime.table
      .all()
      .slice(-1)
      .map((process) => process.pid);
    await bilbo.send(pid!, atom("stop"));
    expect(await cluster.settled(call)).toBe(atom("ok"));
    expect(gandalf.stats().processes).toBe(before);
  });

  test.each(["etop_collect", "procs_info"])(
    "%s of a term that is not a pid is badarg",
    async (name) => {
      const { ask } = await setUp();
      expect(await ask("observer_backend", name, 1)).toMatch(
        /^\{failed,badarg,\[\{observer_backend,/,
      );
    },
  );
});
