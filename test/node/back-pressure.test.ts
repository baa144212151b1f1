/** Floods in both directions: queues are limited, and nobody else is blocked. */
import { describe, expect, test } from "vitest";
import { atom, type Term, tuple } from "../../etf/index.ts";
import { Connection } from "../../src/distribution/connection.ts";
import { CONTROL } from "../../src/distribution/control.ts";
import type { LogEvent } from "../../src/node/events.ts";
import { Mailbox } from "../../src/node/process/mailbox.ts";
import { MailboxBudget } from "../../src/node/process/mailbox-budget.ts";
import type { Process } from "../../src/node/process/process.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { Cluster } from "../support/cluster.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RawNode } from "../support/raw-node.ts";

describe("a mailbox", () => {
  const budget = (maxBytes: number) => {
    const told: string[] = [];
    const kept = new MailboxBudget(maxBytes, {
      half: (bytes) => void told.push(`half ${bytes}`),
      exceeded: (bytes) => void told.push(`exceeded ${bytes}`),
    });
    return { kept, told };
  };

  test("counts its messages, for its owner and in the budget, until they are taken or dropped", async () => {
    const { kept } = budget(1_000_000);
    const [one, other] = [new Mailbox(new FakeClock(), kept), new Mailbox(new FakeClock(), kept)];
    one.push(1, 1000);
    one.push(2);
    other.push(3, 500);
    expect(one.bytes).toBeGreaterThanOrEqual(1000);
    expect(kept.bytes).toBe(one.bytes + other.bytes);
    await one.receive();
    expect(one.bytes).toBeLessThan(1000);
    expect(kept.bytes).toBe(one.bytes + other.bytes);
    other.close(new Error("over"));
    expect(kept.bytes).toBe(one.bytes);
    await one.receive();
    expect([one.bytes, kept.bytes]).toEqual([0, 0]);
  });

  test("reports half of the budget once, and again after dropping below a quarter", () => {
    const { kept, told } = budget(1000);
    kept.add(501);
    kept.add(1);
    kept.remove(200);
    kept.add(300);
    kept.remove(400);
    kept.add(400);
    expect(told).toEqual(["half 501", "half 602"]);
    kept.add(400);
    expect(told[2]).toBe("exceeded 1002");
  });
});

describe("a flood from another node", () => {
  test.each(["pid", "alias"])("to a %s blocks nobody and loses nothing", async (to) => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const process = bilbo.spawn(async (self) => {
      await self.receive((message) => message === atom("go"));
      for await (const message of self) got.push((message as Uint8Array).length);
    });
    const got: number[] = [];
    const address = to === "pid" ? process.pid : process.alias();
    for (let sent = 1; sent <= 50; sent++) {
      void gandalf.send(address, new Uint8Array(1000 + sent));
      await cluster.settle();
    }
    expect(process.messageQueueLength).toBe(50);
    expect(bilbo.stats().mailboxBytes).toBeGreaterThan(50_000);
    void bilbo.send(process.pid, atom("go"));
    await cluster.settle();
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => 1001 + at));
    expect(bilbo.stats().mailboxBytes).toBe(0);
  });

  test("beyond the budget ends only the process with the largest mailbox", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair({ maxMailboxBytes: 100_000 });
    const forever = (self: Process) => self.receive(() => false);
    const [small, large] = [bilbo.spawn(forever), bilbo.spawn(forever)];
    large.register("large");
    const [halves, logs, downs]: [Term[], LogEvent[], string[]] = [[], [], []];
    const reasons: Term[] = [];
    bilbo.on("mailboxes", ({ largest }) => halves.push(largest.pid));
    bilbo.on("log", (event) => logs.push(event));
    bilbo.on("nodedown", ({ name }) => downs.push(name));
    const watcher = gandalf.spawn(async (self) => {
      self.monitor(large.pid);
      return reasons.push(((await self.receive()) as unknown as Term[])[4]!);
    });
    await cluster.settle();
    void gandalf.send(small.pid, new Uint8Array(5000));
    for (let sent = 0; sent < 30; sent++) void gandalf.send(large.pid, new Uint8Array(5000));
    await cluster.settle();
    expect([small.alive, large.alive, watcher.alive]).toEqual([true, false, false]);
    expect(reasons).toEqual([atom("killed")]);
    expect(halves).toEqual([large.pid]);
    expect(logs.map(({ level, pid }) => [level, pid])).toEqual([["error", large.pid]]);
    expect(logs[0]!.report.get(atom("registered_name"))).toBe(atom("large"));
    expect(logs[0]!.report.get(atom("label"))).toEqual(
      tuple(atom("process"), atom("mailbox_limit")),
    );
    expect(downs).toEqual([]);
    expect(bilbo.stats().mailboxBytes).toBeLessThan(10_000);
  });

  test("beyond a process's own limit ends that process", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const process = bilbo.spawn((self: Process) => {
      self.maxMailboxBytes = 20_000;
      return self.receive(() => false);
    });
    expect(process.maxMailboxBytes).toBe(20_000);
    for (let sent = 0; sent < 3; sent++) void gandalf.send(process.pid, new Uint8Array(5000));
    await cluster.settle();
    expect([process.alive, process.messageQueueLength]).toEqual([true, 3]);
    void gandalf.send(process.pid, new Uint8Array(6000));
    await cluster.settle();
    expect(process.alive).toBe(false);
  });

  test("can be inspected without taking more memory, or the inspection is refused", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair({ maxMailboxBytes: 200_000 });
    const idle = bilbo.spawn({ message: () => new Promise(() => {}) });
    void gandalf.send(idle.pid, 1);
    const tuples = Array.from({ length: 1000 }, () => tuple(tuple()));
    const look = () =>
      gandalf.rpc.call(bilbo.name, "erlang", "process_info", [idle.pid, atom("messages")]);
    void gandalf.send(idle.pid, tuples);
    await cluster.settle();
    const before = idle.messageBytes;
    expect(await cluster.settled(look())).toEqual(tuple(atom("messages"), [tuples]));
    expect(idle.messageBytes).toBe(before);
    for (let sent = 0; sent < 10; sent++) void gandalf.send(idle.pid, tuples);
    await cluster.settle();
    await expect(cluster.settled(look())).rejects.toThrow(/system_limit/);
    expect([idle.alive, idle.messageQueueLength]).toEqual([true, 11]);
  });

  test("counts by its heap size once a receive has decoded it", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair({ maxMailboxBytes: 1_000_000 });
    const process = bilbo.spawn(async (self: Process) => {
      await self.receive((message) => message === atom("look"));
      await self.receive(() => false);
    });
    const tuples = Array.from({ length: 1000 }, () => tuple(tuple()));
    await cluster.settle();
    // With no receive waiting, they stay encoded: three bytes a tuple instead of sixty.
    const idle = bilbo.spawn({ message: () => new Promise(() => {}) });
    void gandalf.send(idle.pid, 1);
    for (let sent = 0; sent < 20; sent++) void gandalf.send(idle.pid, tuples);
    await cluster.settle();
    expect(idle.messageBytes).toBeLessThan(20 * 5000);
    for (let sent = 0; sent < 20; sent++) void gandalf.send(process.pid, tuples);
    await cluster.settle();
    expect([process.alive, idle.alive]).toEqual([false, true]);
  });
});

describe("a connection whose peer does not read", () => {
  function setUp(maxQueuedBytes: number) {
    const clock = new FakeClock();
    const [ours, theirs] = memoryPair({ clock, highWaterMarkBytes: 1000 });
    const closed: string[] = [];
    const writes: number[] = [];
    const writeMany = ours.writeMany.bind(ours);
    ours.writeMany = (chunks) => {
      writes.push(chunks.length);
      return writeMany(chunks);
    };
    const connection = new Connection({
      transport: ours,
      clock,
      peerName: "bilbo@vm",
      negotiatedFlags: 0n,
      hidden: false,
      netTickTimeMs: 60_000,
      netTickIntensity: 4,
      maxFrameBytes: 1_000_000,
      highWaterMarkBytes: 1000,
      maxQueuedBytes,
      handler: { control: () => {}, closed: (error) => closed.push(error.code) },
    });
    connection.start(new Uint8Array());
    return { clock, connection, theirs, closed, writes };
  }
  const control = tuple(CONTROL.REG_SEND.op, atom("from"), atom(""), atom("name")) as Term;

  test("is overloaded above its limit, and closed at twice the limit", () => {
    const { connection, closed } = setUp(10_000);
    connection.send(control, new Uint8Array(10_100));
    expect(connection.overloaded).toBe(true);
    expect(closed).toEqual([]);
    connection.send(control, new Uint8Array(10_100));
    expect(closed).toEqual(["CONN_OVERLOADED"]);
  });

  test("counts what the transport holds too: many small messages reach the same limit", async () => {
    const { clock, connection, closed } = setUp(10_000);
    let most = 0;
    for (let turn = 0; turn < 10_000 && closed.length === 0; turn++) {
      connection.send(control, turn);
      await clock.turn();
      most = Math.max(most, connection.queuedBytes);
    }
    expect(closed).toEqual(["CONN_OVERLOADED"]);
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThanOrEqual(20_000);
  });

  test("gets few large writes once it lags, and everything in order when it reads", async () => {
    const { clock, connection, theirs, writes } = setUp(10_000_000);
    const count = 5000;
    for (let turn = 0; turn < count; turn++) {
      connection.send(control, turn);
      await clock.turn();
    }
    expect(writes.length).toBeLessThan(100);
    const peer = new RawNode(theirs);
    await clock.settle();
    expect(peer.heard.map(({ payload }) => payload)).toEqual([...Array(count).keys()]);
    expect(connection.queuedBytes).toBe(0);
  });
});
