/** Monitors between processes of two nodes; within a node see process.test.ts. */
import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { inbox } from "../../support/cluster.ts";
import { RawNode } from "../../support/raw-node.ts";
import { connected, withRaw } from "../../support/two-nodes.ts";

const NORMAL = atom("normal");
const NOPROC = atom("noproc");
const NOCONNECTION = atom("noconnection");
const DOWN = atom("DOWN");
const PROCESS = atom("process");
const oops = tuple(atom("oops"), [1, 2]) as Term;

describe("monitors between nodes", () => {
  test("report the end once, by pid and by name", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const watcher = inbox(gandalf);
    const watched = inbox(bilbo, { name: "watched" });
    const byPid = watcher.process.monitor(watched.process.pid);
    const byName = watcher.process.monitor(["watched", "bilbo@vm"]);
    await cluster.settle();
    expect(watcher.messages).toEqual([]);
    watched.process.terminate(oops);
    await cluster.settle();
    const object = tuple(atom("watched"), atom("bilbo@vm"));
    expect(watcher.messages).toStrictEqual([
      tuple(DOWN, byPid, PROCESS, watched.process.pid, oops),
      tuple(DOWN, byName, PROCESS, object, oops),
    ]);
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(watcher.messages).toHaveLength(2);
  });

  test("of a dead process fire with noproc", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const watcher = inbox(gandalf);
    const nobody = new Pid("bilbo@vm", 9999, 0, bilbo.creation);
    const byPid = watcher.process.monitor(nobody);
    const byName = watcher.process.monitor(["nobody", "bilbo@vm"]);
    await cluster.settle();
    expect(watcher.messages).toStrictEqual([
      tuple(DOWN, byPid, PROCESS, nobody, NOPROC),
      tuple(DOWN, byName, PROCESS, tuple(atom("nobody"), atom("bilbo@vm")), NOPROC),
    ]);
  });

  test("do not fire once removed, and are removed on the other side", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const watcher = inbox(gandalf);
    const watched = inbox(bilbo).process;
    const refs = [1, 2].map(() => watcher.process.monitor(watched.pid));
    await cluster.settle();
    expect(watched.monitoredBy?.size).toBe(2);
    expect(watcher.process.demonitor(refs[0]!)).toBe(true);
    expect(watcher.process.demonitor(refs[0]!)).toBe(false);
    await cluster.settle();
    expect(watched.monitoredBy?.size).toBe(1);
    watcher.process.terminate(NORMAL);
    await cluster.settle();
    expect(watched.monitoredBy?.size).toBe(0);
  });

  test("a DOWN that crosses the removal is dropped", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    const ref = box.process.monitor(theirs);
    box.process.demonitor(ref);
    raw.send(tuple(28, theirs, ours, ref), oops);
    raw.send(tuple(21, theirs, ours, ref, oops));
    await cluster.settle();
    expect(box.messages).toEqual([]);
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(19, ours, theirs, ref),
      tuple(20, ours, theirs, ref),
    ]);
  });

  test("fire with noconnection, once, when the connection ends or is never established", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const watcher = inbox(gandalf);
    const watched = inbox(bilbo).process;
    const ref = watcher.process.monitor(watched.pid);
    await cluster.settle();
    bilbo.disconnect("gandalf@vm");
    await cluster.settle();
    expect(watcher.messages).toStrictEqual([tuple(DOWN, ref, PROCESS, watched.pid, NOCONNECTION)]);
    expect(watched.monitoredBy?.size).toBe(0);
    for (const name of ["frodo@vm", "frodo@vm.example", "nobody", ""]) {
      const late = watcher.process.monitor(["box", name]);
      await cluster.settle();
      expect(watcher.messages.splice(1)).toStrictEqual([
        tuple(DOWN, late, PROCESS, tuple(atom("box"), atom(name)), NOCONNECTION),
      ]);
    }
  });
});

describe("monitors of peers that reuse a reference", () => {
  const MONITOR_P = 19;
  const DEMONITOR_P = 20;

  test("each fire, for each peer", async () => {
    const { cluster, raw, ours, theirs, box } = await withRaw();
    const two = await RawNode.connect(cluster, "gandalf@vm", { name: "two@vm" });
    const ref = new Reference("other@vm", 7, [1, 2, 3]);
    raw.send(tuple(MONITOR_P, theirs, ours, ref));
    raw.send(tuple(MONITOR_P, theirs, ours, ref));
    two.send(tuple(MONITOR_P, new Pid("two@vm", 1, 2, 7), ours, ref));
    await cluster.settle();
    box.process.terminate(oops);
    await cluster.settle();
    const down = { control: tuple(28, ours, theirs, ref), payload: oops };
    expect(raw.take()).toStrictEqual([down, down]);
    expect(two.take()).toHaveLength(1);
  });

  test("removing one leaves those of other peers", async () => {
    const { cluster, raw, ours, theirs, box } = await withRaw();
    const two = await RawNode.connect(cluster, "gandalf@vm", { name: "two@vm" });
    const ref = new Reference("other@vm", 7, [1, 2, 3]);
    raw.send(tuple(MONITOR_P, theirs, ours, ref));
    two.send(tuple(MONITOR_P, new Pid("two@vm", 1, 2, 7), ours, ref));
    await cluster.settle();
    two.send(tuple(DEMONITOR_P, new Pid("two@vm", 1, 2, 7), ours, ref));
    await cluster.settle();
    box.process.terminate(oops);
    await cluster.settle();
    expect(raw.take()).toHaveLength(1);
    expect(two.take()).toEqual([]);
  });

  test("leave nothing behind when the connection ends", async () => {
    const { cluster, node, raw, theirs, box } = await withRaw();
    const second = inbox(node, { name: "second" });
    for (let id = 0; id < 3; id++) {
      // References that are equal and that differ, on a pid and on a name.
      const ref = new Reference("other@vm", 7, [1, 2, 3, 0, id % 2]);
      for (const target of [box.process.pid, second.process.pid, atom("second")]) {
        raw.send(tuple(MONITOR_P, theirs, target, ref));
      }
    }
    await cluster.settle();
    const held = () => [box, second].map(({ process }) => process.monitoredBy?.size);
    expect(held()).toEqual([3, 6]);
    raw.transport.destroy();
    await cluster.settle();
    expect(held()).toEqual([0, 0]);
  });
});
