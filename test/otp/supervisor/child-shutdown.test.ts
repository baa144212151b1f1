import { expect, test } from "vitest";
import { atom, type Pid, tuple } from "../../../etf/index.ts";
import { endedWell, endProcesses } from "../../../src/otp/supervisor/child-shutdown.ts";
import type { Shutdown } from "../../../src/otp/supervisor/child-spec.ts";
import { inbox } from "../../support/cluster.ts";
import { shown, supervised } from "../../support/supervised.ts";

const SHUTDOWN = atom("shutdown");

async function ending() {
  const { cluster, node, parent } = await supervised();
  const self = node.spawn(async (process) => {
    process.trapExit = true;
    await process.receive((message) => message === atom("end"));
  });
  const child = (trapExit: boolean) => {
    const { process } = inbox(node, { trapExit });
    self.link(process.pid);
    return process;
  };
  const end = (pids: Pid[], shutdown: Shutdown) =>
    endProcesses(self, cluster.clock, pids, shutdown).then((reasons) => reasons.map(shown).join());
  return { cluster, node, self, child, end, parent };
}

test("ends children that obey the exit signal", async () => {
  const { cluster, child, end, self } = await ending();
  const pids = [child(false).pid, child(false).pid];
  expect(await cluster.settled(end(pids, 1000))).toBe("shutdown,shutdown");
  expect(self.links?.size).toBe(0);
  expect(self.messageQueueLength).toBe(0);
  expect(cluster.clock.timerCount).toBe(0);
});

test("kills the others at the time-out, all at once", async () => {
  const { cluster, child, end } = await ending();
  const ended = end([child(true).pid, child(false).pid, child(true).pid], 50);
  await cluster.clock.advance(49);
  expect(cluster.clock.timerCount).toBe(1);
  await cluster.clock.advance(1);
  expect(await cluster.settled(ended)).toBe("killed,shutdown,killed");
});

test("kills at once, or never", async () => {
  const { cluster, child, end } = await ending();
  expect(await cluster.settled(end([child(true).pid], "brutal_kill"))).toBe("killed");
  const stubborn = child(true);
  const ended = end([stubborn.pid], "infinity");
  await cluster.clock.advance(2 ** 40);
  stubborn.terminate(atom("late"));
  expect(await cluster.settled(ended)).toBe("late");
});

test("limits a time-out to the longest one that a timer has", async () => {
  const { cluster, child, end } = await ending();
  const stubborn = child(true);
  const ended = end([stubborn.pid], 2 ** 40);
  await cluster.clock.advance(2 ** 31 - 2);
  expect(stubborn.alive).toBe(true);
  stubborn.terminate(atom("late"));
  expect(await cluster.settled(ended)).toBe("late");
});

test("handles a child that has already ended, and one that is not linked", async () => {
  const { cluster, child, end, self } = await ending();
  const [dead, loose] = [child(false), child(false)];
  dead.terminate(atom("oops"));
  self.unlink(loose.pid);
  expect(await cluster.settled(end([dead.pid, loose.pid], 10))).toBe("oops,shutdown");
  expect(await cluster.settled(end([dead.pid], 10))).toBe("noproc");
});

test("fails when the supervisor ends meanwhile", async () => {
  const { cluster, child, end, self } = await ending();
  const ended = end([child(true).pid], 1000).catch((error: unknown) => error);
  await cluster.settle();
  self.terminate(atom("killed"));
  expect(await cluster.settled(ended)).toMatchObject({ code: "PROCESS_DEAD" });
  expect(cluster.clock.timerCount).toBe(0);
});

test("knows which exit reasons are expected", () => {
  const well = (reason: string, how: Shutdown, restart: "permanent" | "transient") =>
    endedWell(atom(reason), how, restart);
  expect(well("shutdown", 1, "permanent")).toBe(true);
  expect(well("killed", "brutal_kill", "permanent")).toBe(true);
  expect(well("shutdown", "brutal_kill", "permanent")).toBe(false);
  expect(well("normal", 1, "permanent")).toBe(false);
  expect(well("normal", 1, "transient")).toBe(true);
  expect(well("killed", 1, "transient")).toBe(false);
  expect(endedWell(tuple(SHUTDOWN, 1), "brutal_kill", "transient")).toBe(true);
});
