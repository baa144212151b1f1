import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  type Atom,
  atom,
  EtfEncodeError,
  exactEquals,
  Pid,
  Reference,
  type Term,
  type TermInput,
  tuple,
} from "../../etf/index.ts";
import { CONTROL, type ControlMessage, hasPayload } from "../../src/distribution/control.ts";
import { EncodedTerm } from "../../src/distribution/encoded-term.ts";
import { DFLAG } from "../../src/distribution/flags.ts";
import { FrameSplitter } from "../../src/distribution/frame.ts";
import { MessageReader } from "../../src/distribution/message-reader.ts";
import { Outbox } from "../../src/distribution/outbox.ts";
import { random } from "../support/mutate.ts";

const BOTH = DFLAG.DIST_HDR_ATOM_CACHE | DFLAG.FRAGMENTS;
const pid = (id: number, node = "ours@host"): Pid => new Pid(atom(node), id, 0, 1);
const theirs = (id: number): Pid => pid(id, "theirs@host");
const send = (from: Pid, to: Pid) => tuple(CONTROL.SEND_SENDER.op, from, to);
const regSend = (from: Pid, name: string) => tuple(CONTROL.REG_SEND.op, from, atom(""), atom(name));

interface Received {
  control: ControlMessage;
  payload: Term;
  /** Frames read when the message was complete. */
  frame: number;
}

/** The other end of the connection. */
function peer(negotiatedFlags: bigint) {
  const messages: Received[] = [];
  let frames = 0;
  let open = 0;
  const reader = new MessageReader({ negotiatedFlags }, (control, payload) =>
    messages.push({
      control,
      payload: hasPayload(control) ? payload.read() : false,
      frame: frames,
    }),
  );
  const splitter = new FrameSplitter(2 ** 30, (bytes, start, end) => {
    frames++;
    reader.read(bytes, start, end);
    open = Math.max(open, reader.openSequences);
  });
  const push = (chunks: readonly Uint8Array[]) => {
    for (const chunk of chunks) splitter.push(chunk);
  };
  return { messages, push, reader, frames: () => frames, mostOpen: () => open };
}

function pair(
  negotiatedFlags = BOTH,
  fragmentBytes?: number,
  written: (callback: () => void) => void = () => {},
) {
  const sized = fragmentBytes === undefined ? {} : { fragmentBytes };
  const outbox = new Outbox({ negotiatedFlags, written, ...sized });
  return { outbox, ...peer(negotiatedFlags) };
}

const size = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, chunk) => sum + chunk.length, 0);

describe.each<[string, bigint]>([
  ["pass-through frames", 0n],
  ["headers with the atom cache", DFLAG.DIST_HDR_ATOM_CACHE],
  ["headers without it", DFLAG.FRAGMENTS],
  ["headers, atom cache and fragments", BOTH],
])("messages in %s", (_, flags) => {
  test("arrive as they were added, with and without payload", () => {
    const { outbox, push, messages } = pair(flags);
    const link = tuple(CONTROL.LINK.op, pid(1), theirs(2));
    const terms: TermInput[] = [
      1,
      "text",
      [atom("a"), true, [atom("a")]],
      tuple(atom("x@y"), pid(3)),
    ];
    outbox.add(link);
    for (const term of terms) outbox.add(send(pid(1), theirs(2)), term);
    expect(outbox.frames).toBe(5);
    const chunks = outbox.take();
    expect(chunks).toHaveLength(1);
    push(chunks);
    expect(messages.map(({ control }) => control)).toEqual([
      link,
      ...terms.map(() => send(pid(1), theirs(2))),
    ]);
    expect(messages.map(({ payload }) => payload).slice(2)).toEqual([
      Buffer.from("text"),
      [atom("a"), true, [atom("a")]],
      tuple(atom("x@y"), pid(3)),
    ]);
    expect(outbox.take()).toEqual([]);
    expect(outbox.bytes).toBe(0);
  });

  test("one that cannot be encoded leaves nothing", () => {
    const { outbox, push, messages } = pair(flags);
    outbox.add(send(pid(1), theirs(2)), 1);
    const before = outbox.bytes;
    const bad = [atom("never sent"), Buffer.alloc(100_000), undefined as never];
    expect(() => outbox.add(send(pid(1), theirs(2)), bad)).toThrow(EtfEncodeError);
    expect(() => outbox.add(tuple(1, undefined as never))).toThrow(EtfEncodeError);
    expect(outbox.bytes).toBe(before);
    outbox.add(send(pid(1), theirs(2)), [atom("never sent"), 2]);
    push(outbox.take());
    expect(messages.map(({ payload }) => payload)).toEqual([1, [atom("never sent"), 2]]);
  });

  test("encoded ahead of time they are the same, and large binaries are copied once", () => {
    const { outbox, push, messages } = pair(flags);
    const large = Buffer.alloc(50_000, 5);
    const payload = new EncodedTerm([atom("a"), large, "b"]);
    for (let round = 0; round < 2; round++) outbox.add(send(pid(1), theirs(2)), payload);
    outbox.add(send(pid(1), theirs(2)), large);
    outbox.add(send(pid(1), theirs(2)), 1);
    const total = outbox.bytes;
    const chunks = outbox.take();
    expect(size(chunks)).toBe(total);
    expect(chunks.some((chunk) => chunk.buffer === large.buffer)).toBe(false);
    const ahead = payload.chunks.find((chunk) => chunk.length >= large.length)!;
    expect(chunks.filter((chunk) => chunk.buffer === ahead.buffer)).toHaveLength(2);
    push(chunks);
    expect(messages).toHaveLength(4);
    for (const { payload } of messages.slice(0, 2)) {
      expect(exactEquals(payload, [atom("a"), large, Buffer.from("b")])).toBe(true);
    }
  });

  test("of random terms and sizes arrive, whatever is taken when", () => {
    const message = fc.record({
      from: fc.nat(3),
      to: fc.nat(3),
      named: fc.boolean(),
      bytes: fc.oneof(fc.nat(40), fc.nat(3000), fc.nat(40_000)),
      atoms: fc.nat(40),
      ahead: fc.boolean(),
      take: fc.option(fc.nat(5000)),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (given) => {
        const { outbox, push, messages } = pair(flags, 1000);
        const sent: Term[] = [];
        given.forEach(({ from, to, named, bytes, atoms, ahead, take }, serial) => {
          const names = Array.from({ length: atoms }, (_, i): Atom => atom(`some_${serial + i}`));
          const payload = [serial, names, Buffer.alloc(bytes, serial)];
          sent.push(payload);
          const control = named ? regSend(pid(from), `name_${to}`) : send(pid(from), theirs(to));
          outbox.add(control, ahead ? new EncodedTerm(payload) : payload);
          if (take !== null) push(outbox.take(take));
        });
        const total = outbox.bytes;
        const rest = outbox.take();
        expect(outbox.pending).toBe(false);
        expect(outbox.bytes).toBe(0);
        expect(size(rest)).toBeGreaterThanOrEqual(total);
        push(rest);
        const serials = messages.map(({ payload }) => (payload as Term[])[0] as number);
        expect([...serials].sort((a, b) => a - b)).toEqual(given.map((_, serial) => serial));
        for (const { payload } of messages) {
          const serial = (payload as Term[])[0] as number;
          expect(exactEquals(payload, sent[serial]!)).toBe(true);
        }
        expectOrder(
          serials,
          given.map(({ from, to, named }) => ({ from, to: named ? undefined : to })),
        );
      }),
      { numRuns: 150 },
    );
  });
});

/** Of any two messages that may be between the same two processes, the earlier came first. */
function expectOrder(
  arrived: readonly number[],
  sent: readonly { from: number; to: number | undefined }[],
): void {
  const place = new Map(arrived.map((serial, index) => [serial, index]));
  for (let early = 0; early < sent.length; early++) {
    for (let late = early + 1; late < sent.length; late++) {
      const [a, b] = [sent[early]!, sent[late]!];
      if (a.from !== b.from) continue;
      if (a.to !== undefined && b.to !== undefined && a.to !== b.to) continue;
      if (place.get(early)! > place.get(late)!) {
        throw new Error(`message ${late} came before ${early}: ${arrived.join(" ")}`);
      }
    }
  }
}

describe("large messages", () => {
  const KB = 1024;

  test("are cut into fragments of 64 KiB, the last of which takes a small rest along", () => {
    const sizes = (bytes: number): number[] => {
      const { outbox, push, messages } = pair();
      outbox.add(send(pid(1), theirs(2)), Buffer.alloc(bytes));
      const chunks = outbox.take();
      push(chunks);
      expect((messages[0]!.payload as Uint8Array).length).toBe(bytes);
      const frameSizes: number[] = [];
      new FrameSplitter(2 ** 30, (_, start, end) => frameSizes.push(end - start)).push(
        Buffer.concat(chunks),
      );
      expect(outbox.frames).toBe(frameSizes.length);
      return frameSizes;
    };
    expect(sizes(60 * KB)).toHaveLength(1);
    expect(sizes(64 * KB)).toHaveLength(1);
    expect(sizes(70 * KB)).toHaveLength(2);
    const megabyte = sizes(1024 * KB);
    expect(megabyte).toHaveLength(16);
    expect(megabyte.slice(1, -1)).toEqual(new Array(14).fill(64 * KB + 18));
    expect(megabyte.at(-1)).toBeLessThan(68 * KB + 18);
  });

  test("are copied, but for a sender who is told when they are free", () => {
    const large = Buffer.alloc(300 * KB);
    for (const [told, copied] of [
      [undefined, large.length],
      [vi.fn(), 0],
    ] as const) {
      const written: (() => void)[] = [];
      const { outbox } = pair(undefined, undefined, (callback) => written.push(callback));
      outbox.add(send(pid(1), theirs(2)), large, told);
      const first = outbox.take(1);
      expect(written).toEqual([]);
      const chunks = [...first, ...outbox.take()];
      const views = chunks.filter((chunk) => chunk.buffer === large.buffer);
      expect(size(views)).toBe(large.length - copied);
      expect(outbox.pending).toBe(false);
      // Its copies, or the sender's own buffers, are free when the operating system has them.
      expect(written).toHaveLength(1);
      if (told !== undefined) expect(told).not.toHaveBeenCalled();
      written[0]!();
      if (told !== undefined) expect(told).toHaveBeenCalledTimes(1);
    }
  });

  test("go out as there is room, a fragment at least", () => {
    const { outbox } = pair();
    outbox.add(send(pid(1), theirs(2)), Buffer.alloc(1024 * KB));
    expect(outbox.pending).toBe(true);
    // The first fragment is in its place at once, for its header's sake.
    expect(size(outbox.take(0))).toBeLessThan(66 * KB);
    expect(outbox.take(0)).toEqual([]);
    const one = outbox.take(1);
    expect(size(one)).toBe(64 * KB + 22);
    const some = outbox.take(256 * KB);
    expect(size(some)).toBe(4 * (64 * KB + 22));
    expect(outbox.bytes).toBeLessThan((1024 - 6 * 64 + 1) * KB);
    expect(outbox.bytes).toBeGreaterThan((1024 - 6 * 64 - 1) * KB);
    while (outbox.pending) outbox.take(1);
    expect(outbox.bytes).toBe(0);
  });

  test("delay a small message by no more than what was taken before it", () => {
    const { outbox, push, messages, frames } = pair();
    outbox.add(send(pid(1), theirs(1)), Buffer.alloc(100 * 1024 * KB));
    push(outbox.take(256 * KB));
    const before = frames();
    outbox.add(send(pid(2), theirs(2)), atom("small"));
    outbox.add(send(pid(1), theirs(2)), atom("from_the_same"));
    outbox.add(tuple(CONTROL.LINK.op, pid(3), theirs(1)));
    push(outbox.take(256 * KB));
    expect(messages.map(({ frame }) => frame - before)).toEqual([1, 2, 3]);
    push(outbox.take());
    expect(messages).toHaveLength(4);
  });

  test("side by side they take turns", () => {
    const { outbox, push, messages, mostOpen } = pair();
    for (const [id, fragments] of [30, 10, 20].entries()) {
      outbox.add(send(pid(id), theirs(id)), Buffer.alloc(fragments * 64 * KB));
    }
    while (outbox.pending) push(outbox.take(64 * KB));
    expect(mostOpen()).toBe(3);
    expect(messages.map(({ control }) => (control[1] as Pid).id)).toEqual([1, 2, 0]);
    expect(messages[0]!.frame).toBeLessThanOrEqual(31);
  });

  test("more than 16 wait for their turn, and what follows them waits with them", () => {
    const { outbox, push, messages, mostOpen } = pair();
    for (let id = 0; id < 40; id++) {
      outbox.add(send(pid(id), theirs(id)), Buffer.alloc(200 * KB, id));
      outbox.add(send(pid(id), theirs(id)), id);
    }
    const small = send(pid(99), theirs(99));
    outbox.add(small, atom("small"));
    push(outbox.take(0));
    expect(messages.map(({ control }) => control)).toEqual([small]);
    while (outbox.pending) push(outbox.take(64 * KB));
    expect(mostOpen()).toBe(16);
    expect(messages).toHaveLength(81);
    for (let id = 0; id < 40; id++) {
      const own = messages.filter(({ control }) => (control[1] as Pid).id === id);
      expect(own.map(({ payload }) => typeof payload)).toEqual(["object", "number"]);
    }
  });

  const large = Buffer.alloc(200 * KB);

  test.each<[string, TermInput, TermInput]>([
    ["from a pid to a pid", send(pid(1), theirs(1)), send(pid(1), theirs(1))],
    ["to a pid, then to a name", send(pid(1), theirs(1)), regSend(pid(1), "kvs")],
    ["to a name, then to a pid", regSend(pid(1), "kvs"), send(pid(1), theirs(1))],
    ["to a name, then to another", regSend(pid(1), "kvs"), regSend(pid(1), "rex")],
    [
      "to an alias, then to a pid",
      tuple(CONTROL.ALIAS_SEND.op, pid(1), new Reference(atom("theirs@host"), 1, [1, 2, 3])),
      send(pid(1), theirs(1)),
    ],
    [
      "a message, then the end of a process monitored by name",
      send(pid(1), theirs(1)),
      tuple(
        CONTROL.PAYLOAD_MONITOR_P_EXIT.op,
        atom("kvs"),
        theirs(1),
        new Reference(atom("theirs@host"), 1, [4]),
      ),
    ],
    [
      "a message, then an exit signal",
      send(pid(1), theirs(1)),
      tuple(CONTROL.PAYLOAD_EXIT.op, pid(1), theirs(1)),
    ],
    [
      "a message, then a new group leader, whose sender is not told",
      send(pid(1), theirs(1)),
      tuple(CONTROL.GROUP_LEADER.op, pid(7), theirs(1)),
    ],
  ])("are not overtaken by what may have the same way: %s", (_, first, second) => {
    const { outbox, push, messages } = pair();
    outbox.add(first, large);
    outbox.add(second, ...(second === undefined || isLeader(second) ? [] : [1]));
    push(outbox.take(0));
    expect(messages).toEqual([]);
    push(outbox.take());
    expect(messages.map(({ control }) => control)).toEqual([first, second]);
  });

  const isLeader = (control: TermInput): boolean =>
    (control as unknown as number[])[0] === CONTROL.GROUP_LEADER.op;

  test.each<[string, TermInput]>([
    ["another sender", send(pid(2), theirs(1))],
    ["another receiver", send(pid(1), theirs(2))],
    ["another sender to a name", regSend(pid(2), "kvs")],
  ])("are overtaken by what certainly has another: %s", (_, second) => {
    const { outbox, push, messages } = pair();
    outbox.add(send(pid(1), theirs(1)), large);
    outbox.add(second, 1);
    push(outbox.take(0));
    expect(messages.map(({ control }) => control)).toEqual([second]);
  });

  test("what waits is held in the way of what comes later", () => {
    const { outbox, push, messages } = pair();
    const order = [
      send(pid(1), theirs(1)),
      regSend(pid(1), "kvs"), // may be <1> or <2>
      send(pid(1), theirs(2)), // may be kvs
      send(pid(1), theirs(1)),
    ];
    outbox.add(order[0]!, large);
    for (const control of order.slice(1)) outbox.add(control, 1);
    const free = send(pid(2), theirs(2));
    outbox.add(free, 1);
    push(outbox.take(0));
    expect(messages.map(({ control }) => control)).toEqual([free]);
    push(outbox.take());
    expect(messages.map(({ control }) => control)).toEqual([free, ...order]);
  });

  test("a message that might follow two large ones waits for both", () => {
    const { outbox, push, messages } = pair();
    outbox.add(send(pid(1), theirs(1)), Buffer.alloc(1024 * KB));
    outbox.add(send(pid(1), theirs(2)), large);
    outbox.add(regSend(pid(1), "kvs"), large);
    outbox.add(send(pid(1), theirs(3)), 1);
    while (outbox.pending) push(outbox.take(64 * KB));
    expect(messages.map(({ control }) => (control[2] as Pid).id ?? "kvs")).toEqual([
      2,
      1,
      "kvs",
      3,
    ]);
  });

  test("a flood behind a large message follows it in order", () => {
    const { outbox, push, messages } = pair();
    outbox.add(send(pid(1), theirs(1)), large);
    for (let serial = 0; serial < 20_000; serial++) outbox.add(send(pid(1), theirs(1)), serial);
    const queued = outbox.bytes;
    push(outbox.take());
    expect(queued).toBeGreaterThan(20_000 * 40);
    expect(messages.slice(1).map(({ payload }) => payload)).toEqual(
      Array.from({ length: 20_000 }, (_, serial) => serial),
    );
  });

  test("a control message larger than a fragment stays whole", () => {
    const { outbox, push, messages } = pair();
    const trace = Buffer.alloc(100 * KB, 3);
    const control = tuple(CONTROL.SEND_SENDER_TT.op, pid(1), theirs(1), trace);
    outbox.add(control, 1);
    outbox.add(control, Buffer.alloc(100 * KB, 4));
    const exit = tuple(CONTROL.EXIT.op, pid(2), theirs(2), trace);
    outbox.add(exit);
    push(outbox.take());
    expect(messages.map(({ control: [op] }) => op)).toEqual([23, 3, 23]);
    expect(messages.every(({ control }) => control.length > 3)).toBe(true);
  });

  test("random traffic of many processes keeps its order", () => {
    const next = random(4);
    for (let round = 0; round < 20; round++) {
      const { outbox, push, messages } = pair(BOTH, 200);
      const sent: { from: number; to: number | undefined }[] = [];
      for (let serial = 0; serial < 400; serial++) {
        const from = next(6);
        const to = next(4) === 0 ? undefined : next(5);
        sent.push({ from, to });
        const control = to === undefined ? regSend(pid(from), "n") : send(pid(from), theirs(to));
        const bytes = next(3) === 0 ? next(5000) : next(50);
        outbox.add(control, [serial, Buffer.alloc(bytes)]);
        if (next(3) === 0) push(outbox.take(next(2000)));
      }
      push(outbox.take());
      expect(messages).toHaveLength(400);
      expectOrder(
        messages.map(({ payload }) => (payload as Term[])[0] as number),
        sent,
      );
    }
  });
});
