/** Links between processes of two nodes; within a node see process.test.ts. */
import { describe, expect, test } from "vitest";
import { atom, Pid, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";
import { connected, withRaw } from "../../support/two-nodes.ts";

const NORMAL = atom("normal");
const KILL = atom("kill");
const NOPROC = atom("noproc");
const NOCONNECTION = atom("noconnection");
const EXIT = atom("EXIT");
const oops = tuple(atom("oops"), [1, 2]) as Term;

describe("links between nodes", () => {
  test("end both processes, unless the reason is normal; a process that traps exits gets a message", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    for (const [reason, dies] of [
      [oops, true],
      [NORMAL, false],
      [KILL, true],
    ] as const) {
      const [ending, other] = [inbox(gandalf), inbox(bilbo)];
      const trapping = inbox(bilbo, { trapExit: true });
      ending.process.link(other.process.pid);
      trapping.process.link(ending.process.pid);
      await cluster.settle();
      ending.process.terminate(reason);
      await cluster.settle();
      expect(other.process.alive).toBe(!dies);
      if (dies) expect(other.died).toStrictEqual(reason);
      expect(trapping.messages).toStrictEqual([tuple(EXIT, ending.process.pid, reason)]);
    }
  });

  test("with a dead process break with noproc", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const nobody = new Pid("bilbo@vm", 9999, 0, bilbo.creation);
    const [plain, trapping] = [inbox(gandalf), inbox(gandalf, { trapExit: true })];
    plain.process.link(nobody);
    trapping.process.link(nobody);
    await cluster.settle();
    expect(plain.died).toBe(NOPROC);
    expect(trapping.messages).toStrictEqual([tuple(EXIT, nobody, NOPROC)]);
  });

  test("made and removed before the connection is up leave nothing", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const [a, b] = [inbox(gandalf, { trapExit: true }), inbox(bilbo, { trapExit: true })];
    a.process.link(b.process.pid);
    a.process.unlink(b.process.pid);
    await cluster.settle();
    expect([a.process.links?.size, b.process.links?.size]).toEqual([0, 0]);
    a.process.terminate(oops);
    await cluster.settle();
    expect(b.messages).toEqual([]);
  });

  test("break with noconnection, once, when the connection ends", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const [plain, trapping] = [inbox(gandalf), inbox(gandalf, { trapExit: true })];
    const others = [inbox(bilbo), inbox(bilbo, { trapExit: true })];
    for (const { process } of others) {
      plain.process.link(process.pid);
      trapping.process.link(process.pid);
    }
    await cluster.settle();
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(plain.died).toBe(NOCONNECTION);
    expect(trapping.messages).toStrictEqual(
      others.map(({ process }) => tuple(EXIT, process.pid, NOCONNECTION)),
    );
    expect(others[0]!.died).toBe(NOCONNECTION);
    expect(others[1]!.messages).toStrictEqual(
      [plain, trapping].map(({ process }) => tuple(EXIT, process.pid, NOCONNECTION)),
    );
    await cluster.settled(gandalf.connect("bilbo@vm"));
    for (const { process } of others) if (process.alive) process.terminate(oops);
    await cluster.settle();
    expect(trapping.messages).toHaveLength(2);
  });

  test("to an unreachable node break with noconnection", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const trapping = inbox(gandalf, { trapExit: true });
    for (const name of ["bilbo@vm", "bilbo@vm.example", "no name", "gandalf@"]) {
      const there = new Pid(name, 1, 0, 1);
      trapping.process.link(there);
      await cluster.settle();
      expect(trapping.messages.splice(0)).toStrictEqual([tuple(EXIT, there, NOCONNECTION)]);
    }
  });
});

/** erl_dist_protocol, "Link Protocol": what each side may believe while signals cross. */
describe("the link protocol", () => {
  test("a link is requested once, and removed with its own id", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.unlink(theirs);
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(1, ours, theirs),
      tuple(35, 1, ours, theirs),
    ]);
    box.process.link(theirs);
    box.process.unlink(theirs);
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(1, ours, theirs),
      tuple(35, 2, ours, theirs),
    ]);
  });

  test("an exit signal that crosses our unlink has no effect", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    raw.send(tuple(24, theirs, ours), oops);
    await cluster.settle();
    expect(box.messages).toEqual([]);
    raw.send(tuple(36, 1, theirs, ours));
    await cluster.settle();
    expect(box.process.links?.size).toBe(0);
  });

  test("a peer's link that crosses our unlink is not set: the peer is notified", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    raw.send(tuple(1, theirs, ours));
    raw.send(tuple(36, 1, theirs, ours));
    raw.send(tuple(24, theirs, ours), oops);
    await cluster.settle();
    expect(box.messages).toEqual([]);
    expect(box.process.links?.size).toBe(0);
  });

  test("a new link while the unlink waits is in force; the late acknowledgement does not remove it", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.link(theirs);
    raw.send(tuple(36, 1, theirs, ours));
    await cluster.settle();
    expect(box.process.links?.size).toBe(1);
    raw.send(tuple(24, theirs, ours), oops);
    await cluster.settle();
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
  });

  test("only the acknowledgement of the last unlink counts", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.link(theirs);
    box.process.unlink(theirs);
    raw.send(tuple(36, 1, theirs, ours));
    await cluster.settle();
    expect(box.process.links?.size).toBe(1);
    raw.send(tuple(36, 2, theirs, ours));
    await cluster.settle();
    expect(box.process.links?.size).toBe(0);
  });

  test("an unexpected acknowledgement changes nothing", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    raw.send(tuple(36, 1, theirs, ours));
    box.process.link(theirs);
    raw.send(tuple(36, 1, theirs, ours));
    raw.send(tuple(36, 1, theirs, new Pid("gandalf@vm", 9999, 0, 100)));
    await cluster.settle();
    expect(box.process.links?.size).toBe(1);
    expect(raw.closed).toBe(false);
  });

  test("unlinks that cross are both acknowledged, and the link is gone on both sides", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    raw.send(tuple(35, 77, theirs, ours));
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(1, ours, theirs),
      tuple(35, 1, ours, theirs),
      tuple(36, 77, ours, theirs),
    ]);
    expect(box.process.links?.size).toBe(1);
    raw.send(tuple(36, 1, theirs, ours));
    await cluster.settle();
    expect(box.process.links?.size).toBe(0);
  });

  test("an unlink is acknowledged before anything else goes to the process that sent it", async () => {
    const { cluster, node, raw, ours, theirs } = await withRaw();
    const talkative = node.spawn({
      message: (_, self) => void self.send(theirs, "answer"),
    }).pid;
    raw.send(tuple(1, theirs, ours));
    raw.send(tuple(35, 5, theirs, ours));
    raw.send(tuple(22, theirs, talkative), 1);
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(36, 5, ours, theirs),
      tuple(22, talkative, theirs),
    ]);
  });

  test("an unlink is acknowledged even if the link or the process does not exist", async () => {
    const { cluster, raw, ours, theirs } = await withRaw();
    const nobody = new Pid("gandalf@vm", 9999, 0, 100);
    raw.send(tuple(35, 2n ** 64n - 1n, theirs, ours));
    raw.send(tuple(35, 6, theirs, nobody));
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(36, 2n ** 64n - 1n, ours, theirs),
      tuple(36, 6, nobody, theirs),
    ]);
  });

  test("a process that dies while its unlink waits sends no exit signal", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.terminate(oops);
    raw.send(tuple(36, 1, theirs, ours));
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(1, ours, theirs),
      tuple(35, 1, ours, theirs),
    ]);
    expect(raw.closed).toBe(false);
  });

  test("an unlink that waits when the connection ends notifies nobody", async () => {
    const { cluster, raw, box, theirs } = await withRaw();
    box.process.link(theirs);
    box.process.unlink(theirs);
    await cluster.settle();
    raw.transport.destroy();
    await cluster.settle();
    expect(box.messages).toEqual([]);
    expect(box.process.links?.size).toBe(0);
  });

  test("a peer without ids gets the old unlink, which is not acknowledged", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw(RAW_FLAGS & ~DFLAG.UNLINK_ID);
    box.process.link(theirs);
    box.process.unlink(theirs);
    await cluster.settle();
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(1, ours, theirs),
      tuple(4, ours, theirs),
    ]);
    expect(box.process.links?.size).toBe(0);
    box.process.link(theirs);
    raw.send(tuple(24, theirs, ours), oops);
    await cluster.settle();
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
  });

  test("link, unlink, link before the connection to such a peer leaves a link", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    let raw: RawNode | undefined;
    await RawNode.listen(
      cluster,
      "other@vm",
      (arrived) => {
        raw = arrived;
      },
      { flags: RAW_FLAGS & ~DFLAG.UNLINK_ID },
    );
    const box = inbox(node, { trapExit: true });
    const theirs = new Pid("other@vm", 1, 2, 7);
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.link(theirs);
    await cluster.settle();
    raw!.send(tuple(24, theirs, box.process.pid), oops);
    await cluster.settle();
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
  });
});
