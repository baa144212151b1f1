/** A message stays as it was sent, whatever happens to the buffers it was made from. */
import { describe, expect, test } from "vitest";
import { atom, BitString, exactEquals, type Term, TermMap, tuple } from "../../etf/index.ts";
import { Cluster, inbox } from "../support/cluster.ts";

const SIZES = [10, 1000, 40_000, 100_000, 3_000_000];
const filled = (size: number, text: string): Buffer => Buffer.alloc(size, text);

/** A summary of what arrived: how often each byte occurs. */
function bytesOf(message: Term): string {
  const [, bytes] = message as unknown as [Term, Uint8Array];
  return [...new Set(bytes)].map((byte) => String.fromCharCode(byte)).join("");
}

describe.each(SIZES)("a buffer of %i bytes", (size) => {
  test("may change right after it was sent", async () => {
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

  test("may change after an exposed function returned it", async () => {
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

  test("sent by reference, may change once the promise has resolved", async () => {
    await using cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const box = inbox(bilbo);
    const buffer = filled(size, "A");
    const sent = gandalf.send(box.process.pid, tuple(1, buffer), { binaries: "reference" });
    // Large enough to be sent in many pieces, with small messages in between.
    for (let i = 0; i < 10; i++) void gandalf.send(box.process.pid, tuple(i, Buffer.from("x")));
    await cluster.settled(sent.then(() => buffer.fill("B")));
    await cluster.settle();
    expect(box.messages.map(bytesOf).sort()).toEqual(["A", ...new Array(10).fill("x")]);
  });
});

test("sent by reference, is free once the connection has ended", async () => {
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

describe("within a node", () => {
  const made = () => {
    const list: Term[] = [1, Buffer.from("A")];
    const map = new TermMap<Term, Term>([[Buffer.from("key"), list]]);
    return { list, map, message: tuple(atom("all"), list, map, bits()) as Term };
  };
  const bits = () => new BitString(Buffer.from([0xa0]), 3);
  const change = ({ list, map }: ReturnType<typeof made>) => {
    (list[1] as Uint8Array).fill(66);
    list.push(2);
    map.set(atom("more"), 1);
  };

  test("a message by pid, name or alias stays as it was sent", async () => {
    await using cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const box = inbox(node);
    box.process.register("box");
    for (const to of [
      box.process.pid,
      "box",
      ["box", "gandalf@vm"],
      box.process.alias(),
    ] as const) {
      const given = made();
      void node.send(to, given.message);
      change(given);
    }
    await cluster.settle();
    expect(box.messages).toHaveLength(4);
    for (const message of box.messages) expect(exactEquals(message, made().message)).toBe(true);
  });

  test("spawn arguments and exit reasons stay as they were passed", async () => {
    await using cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const box = inbox(node, { trapExit: true });
    const got: Term[] = [];
    node.expose("m", { "f/1": (arg: Term) => void got.push(arg) });
    const [argument, reason] = [made(), made()];
    const spawned = node.spawnOn(node.name, "m", "f", [argument.message]);
    change(argument);
    node.exit(box.process.pid, reason.message);
    change(reason);
    await cluster.settled(spawned);
    await cluster.settle();
    got.push((box.messages[0] as unknown as Term[])[2]!);
    for (const term of got) expect(exactEquals(term, made().message)).toBe(true);
    expect(got).toHaveLength(2);
  });

  test("a message by reference is the same object", async () => {
    await using cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const box = inbox(node);
    const buffer = Buffer.from("A");
    void node.send(box.process.pid, buffer, { binaries: "reference" });
    await cluster.settle();
    expect(box.messages[0]).toBe(buffer);
  });
});
