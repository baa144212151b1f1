/** Messages and exit signals between processes of two nodes; within a node see process.test.ts. */
import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import type { Destination } from "../../../src/node/process/process.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";
import { connected, withRaw } from "../../support/two-nodes.ts";

const NORMAL = atom("normal");
const KILL = atom("kill");
const NOPROC = atom("noproc");
const EXIT = atom("EXIT");
const UNUSED = atom("");
const oops = tuple(atom("oops"), [1, 2]) as Term;

describe("messages", () => {
  test("reach a pid, a registered name and an alias of another node", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const box = inbox(bilbo, { name: "box" });
    const self = inbox(gandalf).process;
    const alias = bilbo.runtime.alias(box.process, false);
    void self.send(box.process.pid, 1);
    void self.send(["box", "bilbo@vm"], 2);
    void self.send([atom("box"), atom("bilbo@vm")], 3);
    void self.send(alias, 4);
    void self.send(["nobody", "bilbo@vm"], 5);
    void self.send(new Pid("bilbo@vm", 9999, 0, bilbo.creation), 6);
    void self.send(new Pid("bilbo@vm", box.process.pid.id, 0, bilbo.creation + 1), 7);
    void self.send(gandalf.newReference(), 8);
    void self.send(box.process.pid, 9);
    await cluster.settle();
    expect(box.messages).toEqual([1, 2, 3, 4, 9]);
    expect(bilbo.events).toEqual(["up gandalf@vm"]);
  });

  test("sent before the connection is up arrive in order once it is", async () => {
    const cluster = new Cluster({ cut: 5 });
    const gandalf = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const box = inbox(bilbo, { name: "box" });
    const self = inbox(gandalf).process;
    const to: Destination[] = [box.process.pid, ["box", "bilbo@vm"]];
    let next = 0;
    while (gandalf.nodes().length === 0) {
      void self.send(to[next % 2]!, next++);
      await cluster.clock.turn();
    }
    for (let more = 0; more < 10; more++) void self.send(to[next % 2]!, next++);
    await cluster.settle();
    expect(next).toBeGreaterThan(20);
    expect(box.messages).toEqual(Array.from({ length: next }, (_, index) => index));
  });

  test("arrive as they were when they were sent, also while connecting", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const box = inbox(await cluster.start("bilbo@vm"));
    const list = [1];
    void gandalf.send(box.process.pid, list);
    list.push(2);
    void gandalf.send(box.process.pid, list);
    await cluster.settle();
    list.push(3);
    void gandalf.send(box.process.pid, list);
    list.push(4);
    await cluster.settle();
    expect(box.messages).toEqual([[1], [1, 2], [1, 2, 3]]);
  });

  test("that are not terms are refused, connected or not, and do not cause a connection", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const lonely = await cluster.start("frodo@vm");
    const noTerm = expect.objectContaining({ code: "ETF_NOT_A_TERM", path: "[1]" });
    const box = inbox(bilbo);
    for (const node of [gandalf, lonely]) {
      expect(() => node.send(box.process.pid, [1, Number.NaN])).toThrow(noTerm);
    }
    void gandalf.send(box.process.pid, "fine");
    await cluster.settle();
    expect(box.messages).toStrictEqual([Buffer.from("fine")]);
    expect(lonely.events).toEqual([]);
  });

  test("to an unreachable node are dropped, and each one tries to connect again", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    void gandalf.send(["box", "bilbo@vm"], 1);
    await cluster.settle();
    const box = inbox(await cluster.start("bilbo@vm"), { name: "box" });
    await cluster.settle();
    expect(box.messages).toEqual([]);
    void gandalf.send(["box", "bilbo@vm"], 2);
    await cluster.settle();
    expect(box.messages).toEqual([2]);
  });

  test.each<[string, bigint, (self: Pid, to: Pid) => Term]>([
    ["with the sender", RAW_FLAGS, (self, to) => tuple(22, self, to)],
    [
      "without it for a peer that does not support it",
      RAW_FLAGS & ~DFLAG.SEND_SENDER,
      (_, to) => tuple(2, UNUSED, to),
    ],
  ])("are sent %s", async (_, flags, control) => {
    const { cluster, raw, box, ours, theirs } = await withRaw(flags);
    void box.process.send(theirs, oops);
    void box.process.send(["name", "other@vm"], 1);
    await cluster.settle();
    expect(raw.take()).toStrictEqual([
      { control: control(ours, theirs), payload: oops },
      { control: tuple(6, ours, UNUSED, atom("name")), payload: 1 },
    ]);
  });

  test("to an alias go only to peers that support aliases", async () => {
    for (const [flags, head] of [
      [RAW_FLAGS, [37, 4]],
      [RAW_FLAGS & ~DFLAG.ALTACT_SIG, [33]],
      [RAW_FLAGS & ~DFLAG.ALTACT_SIG & ~DFLAG.ALIAS, undefined],
    ] as const) {
      const { cluster, raw, box, ours } = await withRaw(flags);
      const alias = new Reference("other@vm", 7, [1, 2, 3]);
      void box.process.send(alias, 1);
      await cluster.settle();
      expect(raw.take()).toStrictEqual(
        head === undefined ? [] : [{ control: tuple(...head, ours, alias), payload: 1 }],
      );
    }
  });
});

describe("back-pressure", () => {
  test("a send waits while more than the mark is queued, until the peer reads", async () => {
    const cluster = new Cluster({ highWaterMarkBytes: 10_000 });
    const node = await cluster.start("gandalf@vm", { highWaterMarkBytes: 10_000 });
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    const to = new Pid("other@vm", 1, 2, 7);
    raw.transport.pause();
    let sent = 0;
    const sending = (async () => {
      for (let block = 0; block < 20; block++) {
        await node.send(to, Buffer.alloc(1000));
        sent++;
      }
    })();
    await cluster.settle();
    expect(sent).toBeGreaterThan(5);
    expect(sent).toBeLessThan(15);
    const { queuedBytes } = node.stats().connections["other@vm"]!;
    expect(queuedBytes).toBeGreaterThan(10_000);
    expect(queuedBytes).toBeLessThan(12_000);
    raw.transport.resume();
    await cluster.settled(sending);
    expect(raw.heard).toHaveLength(20);
  });

  test("a waiting send rejects when the connection ends; an ignored one does no harm", async () => {
    const cluster = new Cluster({ highWaterMarkBytes: 1000 });
    const node = await cluster.start("gandalf@vm", { highWaterMarkBytes: 1000 });
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    raw.transport.pause();
    const waiting = node.send(new Pid("other@vm", 1, 2, 7), Buffer.alloc(5000));
    await cluster.settle();
    const unwatched = node.send(new Pid("other@vm", 1, 2, 7), 1);
    expect(unwatched).toBe(waiting);
    const replying = node.whereis("rex")!.reply(new Pid("other@vm", 1, 2, 7), 2);
    raw.transport.destroy();
    await expect(cluster.settled(waiting)).rejects.toMatchObject({ code: "CONN_CLOSED" });
    await cluster.settled(replying);
  });

  test("a send that waits for a connection rejects if that fails", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm", { highWaterMarkBytes: 1000 });
    const waiting = node.send(["kvs", "nobody@vm"], Buffer.alloc(5000));
    await expect(cluster.settled(waiting)).rejects.toMatchObject({ code: "EPMD_NAME_UNKNOWN" });
  });

  test("sending more at once than may be queued throws, and then ends the connection", async () => {
    const cluster = new Cluster({ highWaterMarkBytes: 1000 });
    const limits = { highWaterMarkBytes: 1000, maxQueuedBytes: 10_000 };
    const node = await cluster.start("gandalf@vm", limits);
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    const to = new Pid("other@vm", 1, 2, 7);
    raw.transport.pause();
    const cut = node.send(to, Buffer.alloc(30_000));
    await expect(cluster.settled(cut)).rejects.toMatchObject({ code: "CONN_OVERLOADED" });
    expect(node.events).toEqual(["up other@vm", "down other@vm CONN_OVERLOADED"]);
  });
});

describe("exit signals between nodes", () => {
  test("end a process by the rules of exit/2", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const sender = inbox(gandalf).process;
    for (const [reason, end, trapped] of [
      [oops, oops, [oops]],
      [NORMAL, undefined, [NORMAL]],
      [KILL, atom("killed"), undefined],
    ] as const) {
      const [plain, trapping] = [inbox(bilbo), inbox(bilbo, { trapExit: true })];
      sender.sendExit(plain.process.pid, reason);
      sender.sendExit(trapping.process.pid, reason);
      await cluster.settle();
      expect(plain.died).toStrictEqual(end);
      if (trapped === undefined) expect(trapping.died).toStrictEqual(atom("killed"));
      else expect(trapping.messages).toStrictEqual(trapped.map((r) => tuple(EXIT, sender.pid, r)));
    }
  });

  test("reach a node that is not connected yet, in order with messages", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const box = inbox(await cluster.start("bilbo@vm"), { trapExit: true });
    const sender = inbox(gandalf).process;
    void sender.send(box.process.pid, 1);
    sender.sendExit(box.process.pid, oops);
    void sender.send(box.process.pid, 2);
    await cluster.settle();
    expect(box.messages).toStrictEqual([1, tuple(EXIT, sender.pid, oops), 2]);
  });

  test.each([
    [RAW_FLAGS, true],
    [RAW_FLAGS & ~DFLAG.EXIT_PAYLOAD, false],
  ])("have the reason where the peer expects it (flags %o)", async (flags, payload) => {
    const { cluster, node, raw, box, ours, theirs } = await withRaw(flags);
    const monitored = inbox(node).process;
    const ref = node.newReference();
    raw.send(tuple(19, theirs, monitored.pid, ref));
    raw.send(tuple(1, theirs, ours));
    raw.send(tuple(1, theirs, new Pid("gandalf@vm", 9999, 0, 100)));
    await cluster.settle();
    raw.take();
    box.process.sendExit(theirs, oops);
    monitored.terminate(oops);
    box.process.terminate(oops);
    await cluster.settle();
    const nobody = new Pid("gandalf@vm", 9999, 0, 100);
    raw.send(tuple(1, theirs, nobody));
    raw.send(tuple(19, theirs, nobody, ref));
    await cluster.settle();
    expect(raw.take()).toStrictEqual(
      payload
        ? [
            { control: tuple(26, ours, theirs), payload: oops },
            { control: tuple(28, monitored.pid, theirs, ref), payload: oops },
            { control: tuple(24, ours, theirs), payload: oops },
            { control: tuple(24, nobody, theirs), payload: NOPROC },
            { control: tuple(28, nobody, theirs, ref), payload: NOPROC },
          ]
        : [
            { control: tuple(8, ours, theirs, oops) },
            { control: tuple(21, monitored.pid, theirs, ref, oops) },
            { control: tuple(3, ours, theirs, oops) },
            { control: tuple(3, nobody, theirs, NOPROC) },
            { control: tuple(21, nobody, theirs, ref, NOPROC) },
          ],
    );
  });
});
