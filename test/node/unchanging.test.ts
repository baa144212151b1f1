/** A message is what it was when it was sent, whatever becomes of the buffers that it was made of. */
import { describe, expect, test } from "vitest";
import { atom, type Term, tuple } from "../../etf/index.ts";
import { Cluster, inbox } from "../support/cluster.ts";

const SIZES = [10, 1000, 40_000, 100_000, 3_000_000];
const filled = (size: number, text: string): Buffer => Buffer.alloc(size, text);

/** What arrived, without keeping it: how often each byte occurs. */
function bytesOf(message: Term): string {
  const [, bytes] = message as unknown as [Term, Uint8Array];
  return [...new Set(bytes)].map((byte) => String.fromCharCode(byte)).join("");
}

describe.each(SIZES)("a buffer of %i bytes", (size) => {
  test("may change as soon as it was sent", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const box = inbox(bilbo);
    const buffer = filled(size, "A");
    void gandalf.send(box.process.pid, tuple(1, buffer));
    buffer.fill("B");
    void gandalf.send(box.process.pid, tuple(2, buffer));
    buffer.fill("C");
    await cluster.settle();
    expect(box.messages.map(bytesOf)).toEqual(["A", "B"]);
  });

  test("may change while the connection is still being set up", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = [await cluster.start("gandalf@vm"), await cluster.start("bilbo@vm")];
    const box = inbox(bilbo);
    box.process.register("box");
    const buffer = filled(size, "A");
    void gandalf.send(["box", "bilbo@vm"], tuple(1, buffer));
    buffer.fill("B");
    await cluster.settle();
    expect(box.messages.map(bytesOf)).toEqual(["A"]);
  });

  test("that an exposed function returned may change when it was returned", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const buffer = filled(size, "A");
    bilbo.expose("m", {
      get: () => {
        queueMicrotask(() => queueMicrotask(() => buffer.fill("B")));
        return tuple(1, buffer);
      },
    });
    expect(bytesOf(await cluster.settled(gandalf.rpc.call("bilbo@vm", "m", "get", [])))).toBe("A");
  });

  test("by reference, may change when the promise has resolved", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const box = inbox(bilbo);
    const buffer = filled(size, "A");
    const sent = gandalf.send(box.process.pid, tuple(1, buffer), { binaries: "reference" });
    // Large enough to be on its way in many pieces, with small messages among them.
    for (let i = 0; i < 10; i++) void gandalf.send(box.process.pid, tuple(i, Buffer.from("x")));
    await cluster.settled(sent.then(() => buffer.fill("B")));
    await cluster.settle();
    expect(box.messages.map(bytesOf).sort()).toEqual(["A", ...new Array(10).fill("x")]);
  });
});

test("by reference, a buffer is free when the connection has ended", async () => {
  await using cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  const box = inbox(bilbo);
  const sent = gandalf.send(box.process.pid, filled(3_000_000, "A"), { binaries: "reference" });
  const outcome = expect(sent).rejects.toMatchObject({ name: "ConnectionClosedError" });
  gandalf.disconnect("bilbo@vm");
  await cluster.settle();
  await outcome;
  await expect(
    cluster.settled(gandalf.send(box.process.pid, atom("again"), { binaries: "reference" })),
  ).resolves.toBeUndefined();
});
