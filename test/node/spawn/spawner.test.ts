import { describe, expect, test } from "vitest";
import { atom, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { CallContext } from "../../../src/node/exposed/functions.ts";
import type { RequestOptions } from "../../../src/node/process/spawn-request.ts";
import { Cluster, inbox, type TestNode } from "../../support/cluster.ts";
import { type Heard, RAW_FLAGS, RawNode } from "../../support/raw-node.ts";

const LINK = atom("link");
const MONITOR = atom("monitor");
const NORMAL = atom("normal");
const BADARG = atom("badarg");
const oops = tuple(atom("oops"), 1) as Term;
const theirs = new Pid("other@vm", 1, 2, 7);
const leader = new Pid("other@vm", 3, 0, 7);
const reqId = new Reference("other@vm", 7, [1, 2, 3]);
const mfa = (name: string, arity: number) => tuple(atom("m"), atom(name), arity);

async function withRaw(flags = RAW_FLAGS) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm", { flags });
  return { cluster, node, raw };
}

/** The pid in a SPAWN_REPLY. */
function spawned(reply: Heard | undefined, flags: number): Pid {
  const control = (reply?.control ?? []) as unknown as readonly [Term, Term, Term, Term, Pid];
  const [op, ref, to, given, pid] = control;
  expect([op, ref, to, given]).toStrictEqual([31, reqId, theirs, flags]);
  expect(pid).toBeInstanceOf(Pid);
  return pid;
}

describe("a peer's request", () => {
  test("runs an exposed function in a new process, with its caller and group leader", async () => {
    const { cluster, node, raw } = await withRaw();
    const seen: unknown[] = [];
    node.expose("m", {
      async run(this: CallContext, a: Term) {
        seen.push(a, this.caller, this.self.groupLeader, this.self.pid);
        await this.self.receive();
      },
    });
    raw.send(tuple(29, reqId, theirs, leader, mfa("run", 1), []), [oops]);
    await cluster.settle();
    const [reply, ...more] = raw.take();
    const pid = spawned(reply, 0);
    expect(more).toEqual([]);
    expect(seen).toStrictEqual([oops, theirs, leader, pid]);
    expect(node.processOf(pid)?.alive).toBe(true);
    raw.send(tuple(22, theirs, pid), 1);
    await cluster.settle();
    expect(node.processOf(pid)).toBeUndefined();
    expect(raw.take()).toEqual([]);
  });

  test("with a trace token works the same", async () => {
    const { cluster, node, raw } = await withRaw();
    node.expose("m", { run: (self: Term) => self });
    raw.send(tuple(30, reqId, theirs, leader, mfa("run", 1), [], tuple()), [1]);
    await cluster.settle();
    spawned(raw.take()[0], 0);
  });

  test.each<[string, Term[], number]>([
    ["nothing", [], 0],
    ["link", [LINK], 1],
    ["monitor", [MONITOR], 2],
    ["both, and more", [tuple(atom("priority"), atom("high")), LINK, MONITOR], 3],
    ["monitor with options", [tuple(MONITOR, [tuple(atom("tag"), 1)])], 2],
  ])(
    "for %s is answered with what took effect, and the end is reported",
    async (_, options, flags) => {
      const { cluster, node, raw } = await withRaw();
      node.expose("m", {
        run: () => {
          throw ErlangError.exit(oops);
        },
      });
      raw.send(tuple(29, reqId, theirs, leader, mfa("run", 0), options), []);
      await cluster.settle();
      const [reply, ...ends] = raw.take();
      const pid = spawned(reply, flags);
      expect(ends).toStrictEqual([
        ...(flags & 1 ? [{ control: tuple(24, pid, theirs), payload: oops }] : []),
        ...(flags & 2 ? [{ control: tuple(28, pid, theirs, reqId), payload: oops }] : []),
      ]);
    },
  );

  test("linked: the end of the peer's process aborts the wait of ours and ends it", async () => {
    const { cluster, node, raw } = await withRaw();
    let ended: unknown;
    node.expose("m", {
      async run(this: CallContext) {
        await this.self.receive().catch((error: unknown) => {
          ended = error;
        });
      },
    });
    raw.send(tuple(29, reqId, theirs, leader, mfa("run", 0), [LINK]), []);
    await cluster.settle();
    const pid = spawned(raw.take()[0], 1);
    raw.send(tuple(24, theirs, pid), oops);
    await cluster.settle();
    expect(node.processOf(pid)).toBeUndefined();
    expect(ended).toMatchObject({ code: "PROCESS_DEAD" });
  });

  test("for a function that is not exposed starts a process that ends with undef", async () => {
    const { cluster, raw } = await withRaw();
    raw.send(tuple(29, reqId, theirs, leader, mfa("nothing", 1), [MONITOR]), [7]);
    await cluster.settle();
    const [reply, down] = raw.take();
    const pid = spawned(reply, 2);
    const call = tuple(atom("m"), atom("nothing"), [7], []);
    expect(down).toStrictEqual({
      control: tuple(28, pid, theirs, reqId),
      payload: tuple(atom("undef"), [call]),
    });
  });

  test.each<[string, Term, Term]>([
    ["an arity that is not that of the arguments", mfa("run", 2), [1]],
    ["arguments that are no list", mfa("run", 1), tuple(1)],
    ["a module that is not an atom", tuple(Buffer.from("m"), atom("run"), 1), [1]],
    ["a function that is not an atom", tuple(atom("m"), 1, 1), [1]],
  ])("with %s is answered badarg", async (_, what, args) => {
    const { cluster, node, raw } = await withRaw();
    const before = node.stats().processes;
    raw.send(tuple(29, reqId, theirs, leader, what, [MONITOR]), args);
    await cluster.settle();
    expect(raw.take()).toStrictEqual([{ control: tuple(31, reqId, theirs, 0, BADARG) }]);
    expect(node.stats().processes).toBe(before);
  });

  test("with an invalid option is answered with badopt", async () => {
    const { cluster, node, raw } = await withRaw();
    const before = node.stats().processes;
    raw.send(tuple(29, reqId, theirs, leader, mfa("run", 0), [LINK, tuple(atom("foo"), 1)]), []);
    await cluster.settle();
    expect(raw.take()).toStrictEqual([{ control: tuple(31, reqId, theirs, 0, atom("badopt")) }]);
    expect(node.stats().processes).toBe(before);
  });

  test("the process survives the loss of the requesting node, unless linked", async () => {
    const { cluster, node, raw } = await withRaw();
    node.expose("m", {
      async run(this: CallContext) {
        await this.self.receive();
      },
    });
    const pids: Pid[] = [];
    for (const options of [[], [LINK], [MONITOR]]) {
      raw.send(tuple(29, reqId, theirs, leader, mfa("run", 0), options), []);
      await cluster.settle();
      pids.push((raw.take()[0]!.control as unknown as Pid[])[4]!);
    }
    raw.transport.destroy();
    await cluster.settle();
    expect(pids.map((pid) => node.processOf(pid) !== undefined)).toEqual([true, false, true]);
  });
});

/** Makes a request from a process of the node, and keeps its outcome. */
function ask(node: TestNode, options: Partial<RequestOptions> = {}) {
  const told: unknown[] = [];
  const box = inbox(node, { trapExit: true });
  const what = { module: atom("m"), function: atom("run"), args: [oops] };
  const request = node.runtime.requestSpawn(box.process, "other@vm", what, {
    groupLeader: box.process.pid,
    onSpawned: (pid) => told.push(["spawned", pid]),
    onError: (reason, lost) => told.push(["error", reason, lost?.wasUp]),
    ...options,
  });
  return { told, box, request, ours: box.process.pid };
}

describe("this node's request", () => {
  const onDown = (told: unknown[]) => (reason: Term, lost?: { wasUp: boolean }) =>
    told.push(["down", reason, lost?.wasUp]);

  test("is sent with all its options", async () => {
    const { cluster, node, raw } = await withRaw();
    for (const [options, optList] of [
      [{}, []],
      [{ link: true }, [LINK]],
      [{ onDown: () => {} }, [MONITOR]],
      [{ onDown: () => {}, link: true }, [MONITOR, LINK]],
    ] as const) {
      const { request, ours } = ask(node, options);
      await cluster.settle();
      expect(raw.take()).toStrictEqual([
        {
          control: tuple(29, request.ref, ours, ours, mfa("run", 1), [...optList]),
          payload: [oops],
        },
      ]);
    }
  });

  test("learns of the process and of its end", async () => {
    const { cluster, node, raw } = await withRaw();
    const down: unknown[] = [];
    const { told, box, request, ours } = ask(node, { link: true, onDown: onDown(down) });
    await cluster.settle();
    raw.send(tuple(31, request.ref, ours, 3, theirs));
    raw.send(tuple(28, theirs, ours, request.ref), oops);
    raw.send(tuple(24, theirs, ours), oops);
    raw.send(tuple(28, theirs, ours, request.ref), oops);
    await cluster.settle();
    expect(told).toStrictEqual([["spawned", theirs]]);
    expect(down).toStrictEqual([["down", oops, undefined]]);
    expect(box.messages).toStrictEqual([tuple(atom("EXIT"), theirs, oops)]);
  });

  test("with a token in the reply works the same", async () => {
    const { cluster, node, raw } = await withRaw();
    const { told, request, ours } = ask(node);
    await cluster.settle();
    raw.send(tuple(32, request.ref, ours, 0, theirs, tuple()));
    await cluster.settle();
    expect(told).toStrictEqual([["spawned", theirs]]);
  });

  test("that fails gets the reason, once", async () => {
    const { cluster, node, raw } = await withRaw();
    const { told, request, ours } = ask(node);
    await cluster.settle();
    raw.send(tuple(31, request.ref, ours, 0, atom("system_limit")));
    raw.send(tuple(31, request.ref, ours, 0, theirs));
    raw.send(tuple(31, reqId, ours, 0, theirs));
    await cluster.settle();
    raw.transport.destroy();
    await cluster.settle();
    expect(told).toStrictEqual([["error", atom("system_limit"), undefined]]);
  });

  test("to a peer that cannot spawn fails with notsup, and nothing is sent", async () => {
    const { cluster, node, raw } = await withRaw(RAW_FLAGS & ~DFLAG.SPAWN);
    const { told } = ask(node);
    await cluster.settle();
    expect(told).toStrictEqual([["error", atom("notsup"), undefined]]);
    expect(raw.take()).toEqual([]);
  });

  test("fails with noconnection, once, if the connection ends before the reply or is never established", async () => {
    const { cluster, node, raw } = await withRaw();
    const { told } = ask(node);
    await cluster.settle();
    raw.transport.destroy();
    await cluster.settle();
    expect(told).toStrictEqual([["error", atom("noconnection"), true]]);
    const never = ask(node);
    await cluster.settle();
    expect(never.told).toStrictEqual([["error", atom("noconnection"), false]]);
  });

  test("fires with noconnection when the connection ends after the reply", async () => {
    const { cluster, node, raw } = await withRaw();
    const down: unknown[] = [];
    const { told, request, ours } = ask(node, { onDown: onDown(down) });
    await cluster.settle();
    raw.send(tuple(31, request.ref, ours, 2, theirs));
    await cluster.settle();
    raw.transport.destroy();
    await cluster.settle();
    expect(told).toStrictEqual([["spawned", theirs]]);
    expect(down).toStrictEqual([["down", atom("noconnection"), true]]);
  });

  test("abandoned before the reply gets nothing, and its monitor is removed", async () => {
    const { cluster, node, raw } = await withRaw();
    const down: unknown[] = [];
    const { told, request, ours } = ask(node, { onDown: onDown(down) });
    await cluster.settle();
    raw.take();
    node.runtime.abandonSpawn(request);
    raw.send(tuple(31, request.ref, ours, 2, theirs));
    raw.send(tuple(28, theirs, ours, request.ref), NORMAL);
    await cluster.settle();
    expect(raw.take()).toStrictEqual([{ control: tuple(20, ours, theirs, request.ref) }]);
    expect([told, down]).toEqual([[], []]);
  });

  test("abandoned after the reply: the same", async () => {
    const { cluster, node, raw } = await withRaw();
    const down: unknown[] = [];
    const { told, request, ours } = ask(node, { onDown: onDown(down) });
    await cluster.settle();
    raw.send(tuple(31, request.ref, ours, 2, theirs));
    await cluster.settle();
    raw.take();
    node.runtime.abandonSpawn(request);
    await cluster.settle();
    raw.transport.destroy();
    await cluster.settle();
    expect(raw.take()).toStrictEqual([{ control: tuple(20, ours, theirs, request.ref) }]);
    expect(told).toHaveLength(1);
    expect(down).toEqual([]);
  });

  test("with a value that is not a term is refused before anything connects", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const arrived: RawNode[] = [];
    await RawNode.listen(cluster, "other@vm", (raw) => arrived.push(raw));
    const box = inbox(node).process;
    const what = { module: atom("m"), function: atom("run"), args: [Number.NaN] };
    expect(() =>
      node.runtime.requestSpawn(box, "other@vm", what, { groupLeader: box.pid, onError: () => {} }),
    ).toThrow(expect.objectContaining({ code: "ETF_NOT_A_TERM", path: "[0]" }));
    await cluster.settle();
    expect(arrived).toEqual([]);
  });

  test("of a process that dies before the reply does not leave the new process linked", async () => {
    const { cluster, node, raw } = await withRaw();
    const { told, box, request, ours } = ask(node, { link: true });
    await cluster.settle();
    raw.take();
    box.process.terminate(oops);
    raw.send(tuple(31, request.ref, ours, 1, theirs));
    await cluster.settle();
    expect(raw.take()).toStrictEqual([
      { control: tuple(24, ours, theirs), payload: atom("noproc") },
    ]);
    expect(told).toEqual([]);
  });
});

test("a request whose reply is lost, as OTP 23 can lose it, gets the end of its process", async () => {
  const { cluster, node, raw } = await withRaw();
  const box = inbox(node);
  const ours = box.process.pid;
  const downs: Term[] = [];
  const what = { module: atom("m"), function: atom("f"), args: [] };
  const ask = (): Reference =>
    node.runtime.requestSpawn(box.process, "other@vm", what, {
      groupLeader: ours,
      onError: (reason) => downs.push(reason),
      onDown: (reason) => downs.push(reason),
    }).ref;
  const ref = ask();
  await cluster.settle();
  raw.send(tuple(28, theirs, ours, ref), 1);
  raw.send(tuple(28, theirs, ours, ref), 2);
  raw.send(tuple(31, ref, ours, 2, theirs));
  raw.send(tuple(28, theirs, ours, ref), 3);
  await cluster.settle();
  raw.transport.destroy();
  await cluster.settle();
  expect(downs).toEqual([1]);
});
