/**
 * Link signals that cross: each race of erl_dist_protocol, "Link Protocol", with a peer under the
 * control of the test, then many of them at random between two nodes.
 */
import { describe, expect, test } from "vitest";
import { atom, Pid, type Term, tuple } from "../../etf/index.ts";
import type { Process } from "../../src/node/process/process.ts";
import { Cluster, type Inbox, inbox } from "../support/cluster.ts";
import { random } from "../support/mutate.ts";
import { RawNode } from "../support/raw-node.ts";
import { slowNetwork } from "../support/slow-network.ts";
import { connected, withRaw } from "../support/two-nodes.ts";

const NOPROC = atom("noproc");
const NOCONNECTION = atom("noconnection");
const EXIT = atom("EXIT");
const oops = tuple(atom("oops"), 1) as Term;
const bye = atom("bye");

/** Operations of the signals. */
const LINK = 1;
const PAYLOAD_EXIT = 24;
const UNLINK_ID = 35;
const UNLINK_ID_ACK = 36;

/** As `withRaw`, with what the peer receives as text: `LINK`, `UNLINK_ID 1`. */
async function racing() {
  const two = await withRaw();
  const { cluster, raw, box, ours, theirs } = two;
  const names = new Map([
    [LINK, "LINK"],
    [PAYLOAD_EXIT, "PAYLOAD_EXIT"],
    [UNLINK_ID, "UNLINK_ID"],
    [UNLINK_ID_ACK, "UNLINK_ID_ACK"],
  ]);
  return {
    ...two,
    link: () => raw.send(tuple(LINK, theirs, ours)),
    unlink: (id: number) => raw.send(tuple(UNLINK_ID, id, theirs, ours)),
    acknowledge: (id: number) => raw.send(tuple(UNLINK_ID_ACK, id, theirs, ours)),
    exit: (reason: Term) => raw.send(tuple(PAYLOAD_EXIT, theirs, ours), reason),
    heard: async (): Promise<string[]> => {
      await cluster.settle();
      return raw.take().map(({ control }) => {
        const [op, id] = control as unknown as [number, Term];
        return typeof id === "number" ? `${names.get(op)} ${id}` : String(names.get(op));
      });
    },
    linked: () => inForce(box.process, theirs),
  };
}

function inForce(process: Process, other: Pid): boolean {
  const link = process.links?.get(other);
  return link !== undefined && link.unlinkId === undefined;
}

describe("signals that cross", () => {
  test("two links: one is in force, and one unlink removes it", async () => {
    const { box, theirs, link, unlink, heard, linked } = await racing();
    box.process.link(theirs);
    link();
    expect([await heard(), linked()]).toEqual([["LINK"], true]);
    link();
    box.process.link(theirs);
    expect([await heard(), linked()]).toEqual([[], true]);
    unlink(9);
    expect([await heard(), linked(), box.process.links?.size]).toEqual([
      ["UNLINK_ID_ACK 9"],
      false,
      0,
    ]);
  });

  test("our link and the peer's unlink of the previous link: no link remains", async () => {
    const { box, theirs, link, unlink, heard, linked } = await racing();
    link();
    await heard();
    // Here the link is still in force: nothing is sent.
    box.process.link(theirs);
    unlink(3);
    expect([await heard(), linked()]).toEqual([["UNLINK_ID_ACK 3"], false]);
    // Now it is not.
    box.process.link(theirs);
    expect([await heard(), linked()]).toEqual([["LINK"], true]);
  });

  test("the peer's unlink followed by its link: the link is in force, unless our unlink waits", async () => {
    const { box, theirs, link, unlink, acknowledge, heard, linked } = await racing();
    box.process.link(theirs);
    unlink(4);
    link();
    expect([await heard(), linked()]).toEqual([["LINK", "UNLINK_ID_ACK 4"], true]);
    box.process.unlink(theirs);
    unlink(5);
    link();
    expect([await heard(), linked()]).toEqual([["UNLINK_ID 1", "UNLINK_ID_ACK 5"], false]);
    acknowledge(1);
    expect([await heard(), box.process.links?.size]).toEqual([[], 0]);
  });

  test("our unlink, our next link and the peer's unlink of the previous link: no link remains", async () => {
    const { box, theirs, unlink, acknowledge, heard, linked } = await racing();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.link(theirs);
    unlink(6);
    acknowledge(1);
    expect(await heard()).toEqual(["LINK", "UNLINK_ID 1", "LINK", "UNLINK_ID_ACK 6"]);
    expect([linked(), box.process.links?.size]).toEqual([false, 0]);
  });

  test("our unlink and the end of the peer's process: nothing arrives, and the record goes at once", async () => {
    const { box, theirs, exit, acknowledge, heard } = await racing();
    box.process.link(theirs);
    box.process.unlink(theirs);
    exit(oops);
    await heard();
    expect([box.process.links?.size, box.messages]).toEqual([0, []]);
    acknowledge(1);
    box.process.link(theirs);
    expect(await heard()).toEqual(["LINK"]);
    exit(NOPROC);
    await heard();
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, NOPROC)]);
  });

  test("our unlink and next link, and the end of the peer's process: one exit signal arrives", async () => {
    const { box, theirs, exit, acknowledge, heard } = await racing();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.link(theirs);
    exit(oops);
    acknowledge(1);
    // The answer to our second link.
    exit(NOPROC);
    await heard();
    expect(box.messages).toStrictEqual([tuple(EXIT, theirs, oops)]);
    expect(box.process.links?.size).toBe(0);
  });

  test("both processes end: each side reports it, and neither replies", async () => {
    const { box, raw, theirs, exit, heard } = await racing();
    box.process.link(theirs);
    box.process.terminate(oops);
    exit(oops);
    expect(await heard()).toEqual(["LINK", "PAYLOAD_EXIT"]);
    expect(raw.closed).toBe(false);
  });

  test("the end of our process and the peer's unlink, or link: acknowledged, or noproc", async () => {
    const { cluster, box, raw, ours, theirs, link, unlink, heard } = await racing();
    link();
    await heard();
    box.process.terminate(oops);
    unlink(7);
    expect(await heard()).toEqual(["PAYLOAD_EXIT", "UNLINK_ID_ACK 7"]);
    link();
    await cluster.settle();
    expect(raw.take()).toStrictEqual([
      { control: tuple(PAYLOAD_EXIT, ours, theirs), payload: NOPROC },
    ]);
  });

  test("the end of our process while its unlink waits and the peer's link: noproc", async () => {
    const { box, theirs, link, acknowledge, heard } = await racing();
    box.process.link(theirs);
    box.process.unlink(theirs);
    box.process.terminate(oops);
    acknowledge(1);
    link();
    expect(await heard()).toEqual(["LINK", "UNLINK_ID 1", "PAYLOAD_EXIT"]);
  });
});

describe("the end of a connection", () => {
  test("breaks all links first: a process that links again on the signal gets a new link", async () => {
    const { cluster, gandalf, bilbo } = await connected();
    const others = [inbox(bilbo, { trapExit: true }), inbox(bilbo, { trapExit: true })];
    const [first, second] = others.map((other) => other.process.pid) as [Pid, Pid];
    const heard: Term[] = [];
    const process = gandalf.spawn({
      message: (message, self) => {
        heard.push(message);
        if (heard.length === 1) self.link(second);
      },
    });
    process.trapExit = true;
    process.link(first);
    process.link(second);
    process.unlink(second);
    await cluster.settle();
    process.link(second);
    process.unlink(second);
    // The unlink still waits when the connection ends.
    gandalf.disconnect("bilbo@vm");
    await cluster.settle();
    expect(heard).toStrictEqual([tuple(EXIT, first, NOCONNECTION)]);
    expect([inForce(process, second), inForce(others[1]!.process, process.pid)]).toEqual([
      true,
      true,
    ]);
    others[1]!.process.terminate(oops);
    await cluster.settle();
    expect(heard.slice(1)).toStrictEqual([tuple(EXIT, second, oops)]);
  });

  test("is all the other side learns about a process it ends, also on the next connection", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const raws: RawNode[] = [];
    await RawNode.listen(cluster, "other@vm", (raw) => raws.push(raw));
    const [one, two, third] = [1, 2, 3].map((id) => new Pid("other@vm", id, 2, 7));
    const restless = node.spawn({
      // Connects again while the end of the connection is still being reported.
      message: (_, self) => void self.send(third!, "again"),
    });
    restless.trapExit = true;
    restless.link(third!);
    const plain = inbox(node);
    plain.process.link(one!);
    plain.process.link(two!);
    await cluster.settle();
    raws[0]!.transport.destroy();
    await cluster.settle();
    expect(plain.died).toBe(NOCONNECTION);
    expect(raws[1]!.take()).toStrictEqual([
      { control: tuple(22, restless.pid, third!), payload: Buffer.from("again") },
    ]);
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "random signals: both sides agree in the end (seed %i)",
  async (seed) => {
    const next = random(seed);
    const cluster = new Cluster(seed % 2 === 0 ? {} : { cut: 7 });
    const network = slowNetwork(cluster.network.host("vm"), cluster.clock, next(4));
    const gandalf = await cluster.start("gandalf@vm", { network });
    const bilbo = await cluster.start("bilbo@vm");
    const pairs = Array.from({ length: 8 }, (): [Inbox, Inbox] => [
      inbox(gandalf, { trapExit: true }),
      inbox(bilbo, { trapExit: true }),
    ]);
    for (let step = 0; step < 600; step++) {
      const pair = pairs[next(pairs.length)]!;
      const [self, other] = next(2) === 0 ? pair : ([pair[1], pair[0]] as const);
      if (!self.process.alive) continue;
      const what = next(50);
      if (what === 0) self.process.terminate(oops);
      else if (what < 26) self.process.link(other.process.pid);
      else self.process.unlink(other.process.pid);
      for (let turns = next(4); turns > 0; turns--) await cluster.clock.turn();
    }
    await cluster.settle();
    const agreed = pairs.map(([{ process: a }, { process: b }]) => {
      expect(inForce(a, b.pid)).toBe(inForce(b, a.pid));
      // No unlink still waits: all are acknowledged.
      expect(a.links?.size ?? 0).toBe(inForce(a, b.pid) ? 1 : 0);
      expect(b.links?.size ?? 0).toBe(inForce(b, a.pid) ? 1 : 0);
      return inForce(a, b.pid);
    });
    for (const [a, b] of pairs) {
      b.messages.length = 0;
      if (a.process.alive) a.process.terminate(bye);
    }
    await cluster.settle();
    for (const [index, [a, b]] of pairs.entries()) {
      const told = agreed[index] ? [tuple(EXIT, a.process.pid, bye)] : [];
      expect(b.messages).toStrictEqual(told);
    }
    expect([gandalf.events, bilbo.events]).toEqual([["up bilbo@vm"], ["up gandalf@vm"]]);
  },
);
