/** Floods, out and in: what waits has a bound, and nothing that was accepted is lost. */
import { describe, expect, test, vi } from "vitest";
import { atom, type Term, tuple } from "../../etf/index.ts";
import { Connection } from "../../src/distribution/connection.ts";
import { CONTROL } from "../../src/distribution/control.ts";
import { Mailbox } from "../../src/node/mailbox.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { Cluster } from "../support/cluster.ts";
import { FakeClock } from "../support/fake-clock.ts";

describe("a mailbox over its bound", () => {
  const source = () => ({ pause: vi.fn(), resume: vi.fn() });

  test("holds up who brings more, once, and lets go when half is taken", async () => {
    const mailbox = new Mailbox(new FakeClock(), 100);
    const flood = source();
    for (let message = 0; message < 10; message++) mailbox.push(message, 40, flood);
    expect(flood.pause).toHaveBeenCalledTimes(1);
    for (let message = 0; message < 8; message++) await mailbox.receive();
    expect(flood.resume).not.toHaveBeenCalled();
    expect(await mailbox.receive()).toBe(8);
    expect(flood.resume).toHaveBeenCalledWith(mailbox);
    expect(await mailbox.receive()).toBe(9);
    expect(flood.resume).toHaveBeenCalledTimes(1);
  });

  test("does not count what a process of this node sends", () => {
    const mailbox = new Mailbox(new FakeClock(), 100);
    const quiet = source();
    for (let message = 0; message < 1000; message++) mailbox.push(message);
    mailbox.push(1, 50, quiet);
    expect(quiet.pause).not.toHaveBeenCalled();
  });

  test("lets go when the process ends", () => {
    const mailbox = new Mailbox(new FakeClock(), 100);
    const flood = source();
    mailbox.push(1, 200, flood);
    mailbox.close(new Error("over"));
    expect(flood.resume).toHaveBeenCalledWith(mailbox);
  });
});

describe("a flood from another node", () => {
  test.each(["pid", "alias"])("to a %s is held up, and nothing is lost", async (to) => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair({ maxMailboxBytes: 4000 });
    const process = bilbo.spawn(async (self) => {
      await self.receive((message) => message === atom("go"));
      for await (const message of self) got.push((message as Uint8Array).length);
    });
    const got: number[] = [];
    const address = to === "pid" ? process.pid : process.alias();
    for (let sent = 1; sent <= 50; sent++) {
      void gandalf.send(address, new Uint8Array(1000 + sent));
      // As time goes by between them, they do not all come with one read.
      await cluster.settle();
    }
    expect(process.messageQueueLength).toBeLessThan(10);
    void bilbo.send(process.pid, atom("go"));
    await cluster.settle();
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => 1001 + at));
  });
});

describe("a connection whose peer does not read", () => {
  function setUp(maxQueuedBytes: number) {
    const clock = new FakeClock();
    const [ours, theirs] = memoryPair({ clock, highWaterMarkBytes: 1000 });
    const closed: string[] = [];
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
    return { clock, connection, theirs, closed };
  }
  const control = tuple(CONTROL.REG_SEND.op, atom("from"), atom(""), atom("name")) as Term;

  test("is overloaded above its bound, and closed at twice that", () => {
    const { connection, closed } = setUp(10_000);
    connection.send(control, new Uint8Array(10_100));
    expect(connection.overloaded).toBe(true);
    expect(closed).toEqual([]);
    connection.send(control, new Uint8Array(10_100));
    expect(closed).toEqual(["CONN_OVERLOADED"]);
  });

  test("is not given up for silence while it is we who do not read", async () => {
    const { clock, connection, closed } = setUp(10_000);
    const holder = {};
    connection.pause(holder);
    await clock.advance(300_000);
    expect(closed).toEqual([]);
    connection.resume(holder);
    await clock.advance(76_000);
    expect(closed).toEqual(["CONN_NET_TICK_TIMEOUT"]);
  });
});
