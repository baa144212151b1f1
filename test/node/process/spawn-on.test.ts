import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { atom, isTuple, type Pid, type Reference, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { CallContext } from "../../../src/node/exposed/functions.ts";
import { inbox } from "../../support/cluster.ts";
import { RAW_FLAGS } from "../../support/raw-node.ts";
import { connected, withRaw } from "../../support/two-nodes.ts";

const LINK = atom("link");
const MONITOR = atom("monitor");
const REPLY = atom("spawn_reply");
const PROCESS = atom("process");
const oops = tuple(atom("oops"), 1) as Term;

/** Two nodes, functions on bilbo, and a process on gandalf that keeps its messages. */
async function setUp() {
  const { cluster, gandalf, bilbo } = await connected();
  const functions = {
    fail: () => {
      throw ErlangError.exit(oops);
    },
    async wait(this: CallContext) {
      await this.self.receive();
    },
  };
  for (const node of [gandalf, bilbo]) node.expose("m", functions);
  const box = inbox(gandalf, { trapExit: true });
  return { cluster, gandalf, bilbo, box, self: box.process };
}

describe.each(["bilbo@vm", "gandalf@vm"])("spawnOn %s", (node) => {
  test("resolves with the pid, monitored with the monitor", async () => {
    const { cluster, bilbo, gandalf, box, self } = await setUp();
    const there = node === "bilbo@vm" ? bilbo : gandalf;
    const pid = await cluster.settled(self.spawnOn(node, atom("m"), atom("wait"), []));
    expect(there.processOf(pid)?.groupLeader).toEqual(self.groupLeader);
    const leader = inbox(bilbo).process.pid;
    const [watched, ref] = await cluster.settled(
      self.spawnOn(atom(node), "m", "fail", [], {
        link: true,
        monitor: { tag: atom("gone") },
        groupLeader: leader,
      }),
    );
    expect(box.messages).toStrictEqual([
      tuple(atom("EXIT"), watched, oops),
      tuple(atom("gone"), ref, PROCESS, watched, oops),
    ]);
    const byNode = await cluster.settled(gandalf.spawnOn(node, "m", "wait", []));
    expect(there.processOf(byNode)?.groupLeader).toEqual(gandalf.groupLeader);
  });

  test("rejects bad options with badopt, and values that are not terms before it sends anything", async () => {
    const { cluster, self } = await setUp();
    const emulatorOptions = [tuple(atom("foo"), 1)];
    const refused = self.spawnOn(node, "m", "wait", [], { emulatorOptions });
    await expect(cluster.settled(refused)).rejects.toMatchObject({
      name: "SpawnError",
      code: "SPAWN_FAILED",
      class: "error",
      reason: atom("badopt"),
      message: expect.stringContaining(node),
    });
    await expect(self.spawnOn(node, "m", "wait", [Number.NaN])).rejects.toMatchObject({
      code: "ETF_NOT_A_TERM",
    });
  });
});

describe("spawnOn a node", () => {
  test("rejects with noconnection if it cannot be reached, with notsup if it cannot spawn", async () => {
    const { cluster, self } = await setUp();
    await expect(
      cluster.settled(self.spawnOn("nobody@vm", "m", "f", [], { monitor: true })),
    ).rejects.toMatchObject({
      code: "SPAWN_FAILED",
      class: "exit",
      reason: atom("noconnection"),
      cause: expect.any(Error),
    });
    expect(self.monitors?.size ?? 0).toBe(0);
    const old = await withRaw(RAW_FLAGS & ~DFLAG.SPAWN);
    await expect(
      old.cluster.settled(old.box.process.spawnOn("other@vm", "m", "f", [])),
    ).rejects.toMatchObject({ reason: atom("notsup") });
  });

  test.each(["time-out", "signal"])("stops waiting for the reply on a %s", async (how) => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    const abort = new AbortController();
    const waiting = box.process
      .spawnOn("other@vm", "m", "f", [], {
        link: true,
        monitor: true,
        timeoutMs: 100,
        signal: abort.signal,
      })
      .catch((error: unknown) => error);
    await cluster.settle();
    const [{ control }] = raw.take() as unknown as [{ control: readonly Term[] }];
    const [op, ref] = control as readonly [number, Reference];
    expect(op).toBe(29);
    expect((control as readonly Term[])[5]).toStrictEqual([MONITOR, LINK]);
    if (how === "signal") abort.abort(new Error("enough"));
    await cluster.clock.advance(100);
    expect(await waiting).toMatchObject(
      how === "signal" ? { message: "enough" } : { code: "CALL_TIMEOUT", mayHaveRun: true },
    );
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    raw.send(tuple(31, ref, ours, 3, theirs));
    await cluster.settle();
    // The process that started after all is neither linked nor monitored, and ends.
    expect(raw.take()).toStrictEqual([
      { control: tuple(20, ours, theirs, ref) },
      { control: tuple(24, ours, theirs), payload: atom("abandoned") },
    ]);
    expect([box.messages, box.process.links?.size ?? 0]).toEqual([[], 0]);
  });

  test("rejects with PROCESS_DEAD when the spawning process ends", async () => {
    const { cluster, raw, box, ours, theirs } = await withRaw();
    const waiting = box.process.spawnOn("other@vm", "m", "f", []).catch((error: unknown) => error);
    await cluster.settle();
    const [{ control }] = raw.take() as unknown as [{ control: readonly Term[] }];
    box.process.terminate(oops);
    raw.send(tuple(31, control[1] as Reference, ours, 0, theirs));
    await cluster.settle();
    expect(await waiting).toMatchObject({ code: "PROCESS_DEAD" });
    await expect(box.process.spawnOn("other@vm", "m", "f", [])).rejects.toMatchObject({
      code: "PROCESS_DEAD",
    });
  });
});

describe.each(["bilbo@vm", "gandalf@vm"])("spawnRequest to %s", (node) => {
  test.each([
    ["yes", true, true],
    ["no", false, false],
    ["success_only", true, false],
    ["error_only", false, true],
  ] as const)("with reply %s", async (reply, success, error) => {
    const { cluster, box, self } = await setUp();
    const tag = tuple(atom("my"), "tag");
    const good = self.spawnRequest(node, "m", "wait", [], { reply, replyTag: tag });
    await cluster.settle();
    const messages = box.messages.splice(0);
    expect(messages).toHaveLength(success ? 1 : 0);
    if (success) {
      const [answered, ref, outcome, pid] = messages[0] as unknown as [Term, Reference, Term, Pid];
      expect([answered, ref, outcome]).toStrictEqual([
        tuple(atom("my"), Buffer.from("tag")),
        good,
        atom("ok"),
      ]);
      expect(pid.node.name).toBe(node);
    }
    const options = { reply, emulatorOptions: [LINK, atom("foo")] };
    const bad = self.spawnRequest(node, "m", "wait", [], options);
    await cluster.settle();
    expect(box.messages).toStrictEqual(
      error ? [tuple(REPLY, bad, atom("error"), atom("badopt"))] : [],
    );
  });

  test("reports the end after the reply", async () => {
    const { cluster, box, self } = await setUp();
    const ref = self.spawnRequest(node, "m", "fail", [], { link: true, monitor: true });
    await cluster.settle();
    const [reply] = box.messages;
    if (!isTuple(reply, 4)) throw new Error("no answer came first");
    const pid = reply[3] as Pid;
    expect(box.messages).toStrictEqual([
      tuple(REPLY, ref, atom("ok"), pid),
      tuple(atom("EXIT"), pid, oops),
      tuple(atom("DOWN"), ref, PROCESS, pid, oops),
    ]);
    expect(self.abandonSpawnRequest(ref)).toBe(false);
  });

  test("the alias of the monitor ends with the monitor, and with a failed request", async () => {
    const { cluster, self } = await setUp();
    const monitor = { alias: "demonitor" } as const;
    const failed = self.spawnRequest(node, "m", "f", [], {
      monitor,
      emulatorOptions: [atom("foo")],
    });
    const good = self.spawnRequest(node, "m", "wait", [], { monitor });
    await cluster.settle();
    expect(self.unalias(failed)).toBe(false);
    self.demonitor(good);
    expect(self.unalias(good)).toBe(false);
  });
});

describe("an abandoned spawn request", () => {
  test("sends no reply; only its own process can abandon it, and only once", async () => {
    const { cluster, gandalf, bilbo, box, self } = await setUp();
    const before = bilbo.stats().processes;
    const ref = self.spawnRequest("bilbo@vm", "m", "wait", [], {
      link: true,
      monitor: { alias: "explicit_unalias" },
    });
    expect(inbox(gandalf).process.abandonSpawnRequest(ref)).toBe(false);
    expect([self.abandonSpawnRequest(ref), self.abandonSpawnRequest(ref)]).toEqual([true, false]);
    expect(self.unalias(ref)).toBe(false);
    await cluster.settle();
    expect(box.messages).toEqual([]);
    expect(bilbo.stats().processes).toBe(before);
  });
});
