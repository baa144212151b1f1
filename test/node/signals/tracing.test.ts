/** Incoming and outgoing trace tokens. For Erlang's own tracers see interop/tracing.interop.ts. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import type { SignalOptions } from "../../../src/node/process/process.ts";
import { type Traced, traceToken } from "../../../src/node/signals/tracing.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";
import { withRaw } from "../../support/two-nodes.ts";

const UNUSED = atom("");
const label = tuple(atom("label"), 1) as Term;

const told: Traced[] = [];
const listen = (event: unknown): void => void told.push(event as Traced);
afterEach(() => {
  unsubscribe("erldist:traced", listen);
  told.length = 0;
});

describe("an incoming token", () => {
  const theirs = new Pid("other@vm", 1, 2, 7);
  const token = tuple(3, label, 4, theirs, 2) as Term;
  const ref = new Reference("other@vm", 7, [1, 2, 3]);
  const mfa = tuple(atom("m"), atom("f"), 0) as Term;

  test.each<[string, (ours: Pid) => Term[], Term | undefined, Partial<Traced>?]>([
    ["SEND_TT", (ours) => [12, UNUSED, ours, token], 1, { from: undefined }],
    ["SEND_SENDER_TT", (ours) => [23, theirs, ours, token], 1],
    ["REG_SEND_TT", () => [16, theirs, UNUSED, atom("box"), token], 1, { to: atom("box") }],
    ["EXIT_TT", (ours) => [13, theirs, ours, token, 1], undefined],
    ["EXIT2_TT", (ours) => [18, theirs, ours, token, 1], undefined],
    ["PAYLOAD_EXIT_TT", (ours) => [25, theirs, ours, token], 1],
    ["PAYLOAD_EXIT2_TT", (ours) => [27, theirs, ours, token], 1],
    [
      "SPAWN_REPLY_TT",
      (ours) => [32, ref, ours, 0, atom("badarg"), token],
      undefined,
      { from: undefined },
    ],
    ["SPAWN_REQUEST_TT", () => [30, ref, theirs, theirs, mfa, [], token], [], { to: undefined }],
    ["ALTACT_SIG_SEND", (ours) => [37, 2, theirs, ours, token], 1],
  ])("%s is told, before its message is delivered", async (control, message, payload, special) => {
    const { cluster, raw, box, ours } = await withRaw();
    box.process.register("box");
    const handled: number[] = [];
    subscribe("erldist:traced", listen);
    const count = (): void => void handled.push(box.messages.length);
    subscribe("erldist:traced", count);
    raw.send(tuple(...message(ours)), payload);
    await cluster.settle();
    unsubscribe("erldist:traced", count);
    expect(told).toStrictEqual([
      { node: "gandalf@vm", peer: "other@vm", control, from: theirs, to: ours, token, ...special },
    ]);
    expect(handled).toEqual([0]);
    expect(raw.closed).toBe(false);
  });

  test.each([
    ["ALIAS_SEND_TT", 34, []],
    ["ALTACT_SIG_SEND", 37, [6]],
  ] as const)("%s to an alias too", async (control, op, flags) => {
    const { cluster, node, raw, box } = await withRaw();
    const alias = node.runtime.alias(box.process, false);
    subscribe("erldist:traced", listen);
    raw.send(tuple(op, ...flags, theirs, alias, token), 1);
    await cluster.settle();
    expect(told).toMatchObject([{ control, from: theirs, to: alias, token }]);
    expect(box.messages).toEqual([1]);
  });

  test("a message without a token is not published", async () => {
    const { cluster, raw, ours } = await withRaw();
    subscribe("erldist:traced", listen);
    raw.send(tuple(22, theirs, ours), 1);
    raw.send(tuple(37, 0, theirs, ours), 1);
    await cluster.settle();
    expect(told).toEqual([]);
  });
});

describe("a token passed to a signal", () => {
  const theirs = new Pid("other@vm", 1, 2, 7);
  const alias = new Reference("other@vm", 7, [1, 2, 3]);
  const given = tuple(3, label, 4, theirs, 2) as Term;

  const sends = async (
    flags: bigint,
    act: (self: ReturnType<typeof inbox>["process"], options: SignalOptions) => unknown,
    token: Term = given,
  ) => {
    const { cluster, raw, box, ours } = await withRaw(flags);
    act(box.process, { traceToken: token });
    await cluster.settle();
    return { ours, control: raw.take()[0]?.control };
  };

  test.each<[string, bigint, (ours: Pid, token: Term) => TermInput[], unknown[]]>([
    ["SEND_SENDER_TT", 0n, (ours, token) => [23, ours, theirs, token], [theirs]],
    ["SEND_TT", DFLAG.SEND_SENDER, (_, token) => [12, UNUSED, theirs, token], [theirs]],
    ["ALTACT_SIG_SEND", 0n, (ours, token) => [37, 6, ours, alias, token], [alias]],
    ["ALIAS_SEND_TT", DFLAG.ALTACT_SIG, (ours, token) => [34, ours, alias, token], [alias]],
    [
      "REG_SEND_TT",
      0n,
      (ours, token) => [16, ours, UNUSED, atom("kvs"), token],
      [["kvs", "other@vm"]],
    ],
  ])("goes out in %s, the sender's own and one further", async (_, without, control, [to]) => {
    const flags = RAW_FLAGS & ~without;
    const sent = await sends(flags, (self, options) => self.send(to as Pid, 1, options));
    const token = tuple(3, label, 5, sent.ours, 4) as Term;
    expect(sent.control).toStrictEqual(tuple(...control(sent.ours, token)));
  });

  test.each<[string, bigint, (ours: Pid, token: Term) => TermInput[]]>([
    ["PAYLOAD_EXIT2_TT", 0n, (ours, token) => [27, ours, theirs, token]],
    ["EXIT2_TT", DFLAG.EXIT_PAYLOAD, (ours, token) => [18, ours, theirs, token, atom("why")]],
  ])("goes out in %s", async (_, without, control) => {
    const flags = RAW_FLAGS & ~without;
    const sent = await sends(flags, (self, options) => self.sendExit(theirs, atom("why"), options));
    const token = tuple(3, label, 5, sent.ours, 4) as Term;
    expect(sent.control).toStrictEqual(tuple(...control(sent.ours, token)));
  });

  test("goes out even before the connection is up, and with a reply", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    let raw: RawNode | undefined;
    await RawNode.listen(cluster, "other@vm", (arrived) => {
      raw = arrived;
    });
    const { process } = inbox(node);
    void process.send(theirs, 1, { traceToken: given });
    void process.reply(theirs, 2, { traceToken: given });
    await cluster.settle();
    const token = (serial: number) => tuple(3, label, serial, process.pid, 4);
    expect(raw!.take().map(({ control }) => control)).toStrictEqual([
      tuple(23, process.pid, theirs, token(5)),
      tuple(23, process.pid, theirs, token(6)),
    ]);
  });

  test("is left out, and its message sent, if the peer reads only small labels", async () => {
    const flags = RAW_FLAGS & ~DFLAG.BIG_SEQTRACE_LABELS;
    const send = (self: ReturnType<typeof inbox>["process"], options: SignalOptions) =>
      self.send(theirs, 1, options);
    const big = await sends(flags, send);
    expect(big.control).toStrictEqual(tuple(22, big.ours, theirs));
    const small = await sends(flags, send, tuple(1, 17, 0, theirs, 0) as Term);
    expect(small.control).toStrictEqual(
      tuple(23, small.ours, theirs, tuple(1, 17, 1, small.ours, 0)),
    );
  });

  test("has no effect within a node", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const box = inbox(node);
    subscribe("erldist:traced", listen);
    void node.send(box.process.pid, 1, { traceToken: given });
    expect([box.messages, told]).toEqual([[1], []]);
  });

  test.each<[string, Term]>([
    ["no tuple", 1],
    ["too short", tuple(1, 2, 3, theirs)],
    ["invalid flags", tuple(atom("send"), 1, 0, theirs, 0) as Term],
    ["a serial that is none", tuple(1, 1, -1, theirs, 0)],
    ["no sender", tuple(1, 1, 0, atom("me"), 0) as Term],
    ["a previous serial that is none", tuple(1, 1, 0, theirs, 2 ** 60)],
  ])("that is none is refused: %s", async (_, token) => {
    const { cluster, raw, box, node } = await withRaw();
    const refused = expect.objectContaining({ code: "TRACE_TOKEN_INVALID" });
    expect(() => box.process.send(theirs, 1, { traceToken: token })).toThrow(refused);
    expect(() => node.exit(theirs, 1, { traceToken: token })).toThrow(refused);
    await cluster.settle();
    expect(raw.take()).toEqual([]);
  });
});

test("a new token has its flags in seq_trace's positions, and the serial 0", () => {
  const self = new Pid("gandalf@vm", 1, 0, 1);
  const flags = { send: 1, receive: 2, print: 4, timestamp: 8 };
  expect(traceToken(self, { label })).toStrictEqual(tuple(0, label, 0, self, 0));
  for (const [name, bit] of Object.entries(flags)) {
    expect(traceToken(self, { label, [name]: true })[0]).toBe(bit);
  }
});
