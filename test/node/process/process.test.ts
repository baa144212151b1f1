/** What a process does alone and with others on its node; across nodes see signals/*.test.ts. */
import { describe, expect, test } from "vitest";
import { atom, isTuple, Pid, type Reference, type Term, tuple } from "../../../etf/index.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { Process } from "../../../src/node/process/process.ts";
import type { Node } from "../../../src/otp/node.ts";
import { Cluster, inbox } from "../../support/cluster.ts";

const NORMAL = atom("normal");
const KILL = atom("kill");
const EXIT = atom("EXIT");
const DOWN = atom("DOWN");
const oops = tuple(atom("oops"), 1) as Term;

async function oneNode() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  return { cluster, node };
}

/** How a process ended, as a watcher on its node sees it. */
async function endOf(node: Node, cluster: Cluster, process: Process): Promise<Term> {
  const watcher = inbox(node);
  watcher.process.monitor(process.pid);
  await cluster.settle();
  const [message] = watcher.messages;
  if (!isTuple(message, 5)) throw new Error("the process lives");
  return message[4] as Term;
}

describe("a function that runs as a process", () => {
  test("ends normally when it returns, at once or later", async () => {
    const { cluster, node } = await oneNode();
    const watcher = inbox(node);
    const later = node.spawn(async (self) => {
      await self.receive();
    });
    const ref = watcher.process.monitor(later.pid);
    expect(node.spawn(() => 1).alive).toBe(false);
    await cluster.settle();
    expect([later.alive, watcher.messages]).toEqual([true, []]);
    void node.send(later.pid, 1);
    await cluster.settle();
    expect(later.alive).toBe(false);
    expect(watcher.messages).toStrictEqual([tuple(DOWN, ref, atom("process"), later.pid, NORMAL)]);
  });

  test("receives what is sent to it, in order, by matcher and by loop", async () => {
    const { cluster, node } = await oneNode();
    const got: Term[] = [];
    const process = node.spawn(async (self) => {
      got.push(await self.receive((message) => message === 3));
      for await (const message of self) {
        got.push(message);
        if (message === 2) return;
      }
    });
    for (const message of [1, 2, 3]) void node.send(process.pid, message);
    expect(process.messageQueueLength).toBe(2);
    await cluster.settle();
    expect(got).toEqual([3, 1, 2]);
    expect(process.alive).toBe(false);
  });

  test("gets the message as a term that cannot change later", async () => {
    const { cluster, node } = await oneNode();
    const box = inbox(node);
    void node.send(box.process.pid, { a: "text" });
    await cluster.settle();
    const [message] = box.messages;
    expect((message as ReadonlyMap<Term, Term>).get(Buffer.from("a"))).toStrictEqual(
      Buffer.from("text"),
    );
  });

  test.each<[string, () => unknown, (reason: Term) => void]>([
    [
      "exit",
      () => {
        throw ErlangError.exit(oops);
      },
      (reason) => expect(reason).toStrictEqual(oops),
    ],
    [
      "error",
      () => {
        throw ErlangError.error(oops);
      },
      (reason) => expect(reason).toStrictEqual(tuple(oops, expect.any(Array))),
    ],
    [
      "throw",
      () => {
        throw ErlangError.throw(oops);
      },
      (reason) =>
        expect(reason).toStrictEqual(tuple(tuple(atom("nocatch"), oops), expect.any(Array))),
    ],
    [
      "a JavaScript error",
      () => {
        throw new TypeError("oops");
      },
      (reason) =>
        expect(reason).toStrictEqual(
          tuple(
            tuple(atom("javascript_error"), Buffer.from("TypeError"), Buffer.from("oops")),
            expect.any(Array),
          ),
        ),
    ],
    [
      "a value that cannot be a reason",
      () => {
        throw ErlangError.exit(Number.NaN);
      },
      (reason) => expect(isTuple(reason, 2)).toBe(true),
    ],
  ])("ends by %s with that reason, thrown at once or later", async (_, body, check) => {
    const { cluster, node } = await oneNode();
    const linked = inbox(node, { trapExit: true });
    const process = node.spawn(async (self) => {
      await self.receive();
      body();
    });
    linked.process.link(process.pid);
    void node.send(process.pid, 1);
    await cluster.settle();
    const [exit] = linked.messages;
    if (!isTuple(exit, 3)) throw new Error("no exit signal came");
    expect(exit[1]).toEqual(process.pid);
    check(exit[2] as Term);
    expect(node.spawn(body).alive).toBe(false);
    await cluster.settle();
  });

  test("ends with its own reason", async () => {
    const { cluster, node } = await oneNode();
    const process = node.spawn(async (self) => {
      await self.receive();
      self.exit(oops);
    });
    const end = endOf(node, cluster, process);
    void node.send(process.pid, 1);
    expect(await end).toStrictEqual(oops);
  });
});

describe("a behaviour", () => {
  test("finishes a message before it gets the next, even one from itself", async () => {
    const { cluster, node } = await oneNode();
    const steps: string[] = [];
    const process = node.spawn({
      message(message, self) {
        steps.push(`begin ${message}`);
        if (message === 1) {
          void self.send(self.pid, 2);
          void self.send(self.pid, 3);
        }
        steps.push(`end ${message}`);
        return message === 2 ? Promise.resolve().then(() => steps.push("later 2")) : undefined;
      },
    });
    void node.send(process.pid, 1);
    await cluster.settle();
    expect(steps.join()).toBe("begin 1,end 1,begin 2,end 2,later 2,begin 3,end 3");
  });

  test("handles messages as they arrive, and dies with what it throws, at once or later", async () => {
    const { cluster, node } = await oneNode();
    for (const message of [
      () => {
        throw ErlangError.exit(oops);
      },
      (async () => {
        throw ErlangError.exit(oops);
      }) as () => void,
    ]) {
      const ends: Term[] = [];
      const process = node.spawn({ message, terminated: (reason) => ends.push(reason) });
      void node.send(process.pid, 1);
      void node.send(process.pid, 2);
      await cluster.settle();
      expect(ends).toStrictEqual([oops]);
      expect(process.alive).toBe(false);
    }
  });
});

describe("a dead process", () => {
  test("drops messages and throws on every call", async () => {
    const { cluster, node } = await oneNode();
    let self!: Process;
    let received: unknown;
    const other = inbox(node).process;
    node.spawn(async (process) => {
      self = process;
      received = await process.receive().catch((error: unknown) => error);
    });
    node.exit(self.pid, KILL);
    void node.send(self.pid, 1);
    await cluster.settle();
    expect(received).toMatchObject({ name: "NodeError", code: "PROCESS_DEAD" });
    expect(self.messageQueueLength).toBe(0);
    const ref = node.newReference();
    for (const act of [
      () => self.send(other.pid, 1),
      () => self.link(other.pid),
      () => self.unlink(other.pid),
      () => self.monitor(other.pid),
      () => self.demonitor(ref),
      () => self.sendExit(other.pid, oops),
      () => self.register("late"),
      () => self.alias(),
      () => self.spawn(() => {}),
    ]) {
      expect(act).toThrow(expect.objectContaining({ code: "PROCESS_DEAD" }));
    }
    await expect(self.receive()).rejects.toMatchObject({ code: "PROCESS_DEAD" });
    for await (const _ of self) throw new Error("a dead process got a message");
    expect(node.processOf(self.pid)).toBeUndefined();
  });
});

describe("sending within a node", () => {
  test("works by pid, name, and name with node; messages to nobody are dropped", async () => {
    const { cluster, node } = await oneNode();
    const box = inbox(node, { name: "box" });
    void node.send(box.process.pid, 1);
    void node.send("box", 2);
    void node.send(atom("box"), 3);
    void node.send(["box", "gandalf@vm"], 4);
    void node.send(["nobody", "gandalf@vm"], 5);
    void node.send(new Pid("gandalf@vm", 9999, 0, node.creation), 6);
    void node.send(new Pid("gandalf@vm", box.process.pid.id, 0, node.creation + 1), 7);
    void node.send(node.newReference(), 8);
    await cluster.settle();
    expect(box.messages).toEqual([1, 2, 3, 4]);
  });

  test("to a bare name that does not exist is an error, as in Erlang", async () => {
    const { node } = await oneNode();
    expect(() => node.send("nobody", 1)).toThrow(
      expect.objectContaining({
        code: "PROCESS_NAME_UNKNOWN",
        message: expect.stringContaining("nobody"),
      }),
    );
  });

  test("a value that is not a term is refused, whoever the receiver is", async () => {
    const { node } = await oneNode();
    const box = inbox(node, { name: "box" });
    const noTerm = expect.objectContaining({ code: "ETF_NOT_A_TERM" });
    for (const to of [
      box.process.pid,
      "box",
      ["nobody", "gandalf@vm"] as const,
      new Pid("gandalf@vm", 9999, 0, node.creation),
      node.newReference(),
    ]) {
      expect(() => node.send(to, { price: Number.NaN })).toThrow(noTerm);
    }
    expect(box.messages).toEqual([]);
  });
});

describe("names", () => {
  test("belong to one process, and a process has at most one", async () => {
    const { node } = await oneNode();
    const [first, second] = [inbox(node), inbox(node)];
    first.process.register("taken");
    const taken = expect.objectContaining({ name: "NodeError", code: "PROCESS_NAME_TAKEN" });
    expect(() => second.process.register("taken")).toThrow(taken);
    expect(() => first.process.register("other")).toThrow(taken);
    expect(node.whereis("taken")).toBe(first.process);
    expect(node.whereis("other")).toBeUndefined();
  });

  test("become free when the process dies", async () => {
    const { node } = await oneNode();
    const [first, second] = [inbox(node, { name: "heir" }), inbox(node)];
    node.exit(first.process.pid, KILL);
    expect(node.whereis("heir")).toBeUndefined();
    second.process.register("heir");
    expect(node.whereis("heir")).toBe(second.process);
    expect(node.registered()).toContain("heir");
  });
});

describe("links within a node", () => {
  test("end both processes, unless the reason is normal", async () => {
    const { node } = await oneNode();
    for (const [reason, dies] of [
      [oops, true],
      [NORMAL, false],
      [KILL, true],
    ] as const) {
      const [a, b] = [inbox(node), inbox(node)];
      a.process.link(b.process.pid);
      a.process.terminate(reason);
      expect(b.process.alive).toBe(!dies);
      // From a link, `kill` is a reason like any other.
      if (dies) expect(b.died).toStrictEqual(reason);
    }
  });

  test("propagate from process to process", async () => {
    const { node } = await oneNode();
    const boxes = [1, 2, 3, 4].map(() => inbox(node));
    const last = inbox(node, { trapExit: true });
    const chain = [...boxes, last].map((box) => box.process);
    for (let at = 1; at < chain.length; at++) chain[at]!.link(chain[at - 1]!.pid);
    node.exit(chain[0]!.pid, oops);
    expect(boxes.map((box) => box.died)).toStrictEqual([oops, oops, oops, oops]);
    expect(last.messages).toStrictEqual([tuple(EXIT, chain[3]!.pid, oops)]);
  });

  test("a process that traps exits gets a message instead, also for normal", async () => {
    const { node } = await oneNode();
    const trapping = inbox(node, { trapExit: true });
    const [a, b] = [inbox(node).process, inbox(node).process];
    for (const each of [a, b]) trapping.process.link(each.pid);
    a.terminate(NORMAL);
    b.terminate(KILL);
    expect(trapping.messages).toStrictEqual([tuple(EXIT, a.pid, NORMAL), tuple(EXIT, b.pid, KILL)]);
  });

  test("exist once even if set twice; after unlink from either side nothing arrives", async () => {
    const { node } = await oneNode();
    const trapping = inbox(node, { trapExit: true });
    const [a, b, c] = [1, 2, 3].map(() => inbox(node).process) as [Process, Process, Process];
    for (const each of [a, b, c]) {
      trapping.process.link(each.pid);
      each.link(trapping.process.pid);
    }
    trapping.process.unlink(a.pid);
    b.unlink(trapping.process.pid);
    for (const each of [a, b, c]) each.terminate(oops);
    expect(trapping.messages).toStrictEqual([tuple(EXIT, c.pid, oops)]);
  });

  test("fail with noproc for a dead process, and do nothing for the process itself", async () => {
    const { node } = await oneNode();
    const nobody = new Pid("gandalf@vm", 9999, 0, node.creation);
    const trapping = inbox(node, { trapExit: true });
    trapping.process.link(nobody);
    trapping.process.link(trapping.process.pid);
    expect(trapping.messages).toStrictEqual([tuple(EXIT, nobody, atom("noproc"))]);
    const plain = inbox(node);
    expect(() => plain.process.link(nobody)).toThrow(
      expect.objectContaining({ class: "error", reason: atom("noproc") }),
    );
    expect(plain.process.alive).toBe(true);
    trapping.process.terminate(oops);
    expect(trapping.died).toStrictEqual(oops);
  });
});

describe("exit signals within a node", () => {
  test.each<[string, Term, Term | undefined, Term[] | undefined]>([
    ["any other reason", oops, oops, [oops]],
    ["normal", NORMAL, undefined, [NORMAL]],
    ["kill", KILL, atom("killed"), undefined],
    ["killed", atom("killed"), atom("killed"), [atom("killed")]],
  ])("%s", async (_, reason, end, trapped) => {
    const { node } = await oneNode();
    const sender = inbox(node).process;
    const [plain, trapping] = [inbox(node), inbox(node, { trapExit: true })];
    sender.sendExit(plain.process.pid, reason);
    sender.sendExit(trapping.process.pid, reason);
    expect(plain.died).toStrictEqual(end);
    if (trapped === undefined) expect(trapping.died).toStrictEqual(atom("killed"));
    else expect(trapping.messages).toStrictEqual(trapped.map((r) => tuple(EXIT, sender.pid, r)));
  });

  test("normal sent to itself ends the process", async () => {
    const { node } = await oneNode();
    const self = inbox(node);
    self.process.sendExit(self.process.pid, NORMAL);
    expect(self.died).toBe(NORMAL);
  });

  test("to nobody are dropped; a reason that is not a term is refused", async () => {
    const { node } = await oneNode();
    node.exit(new Pid("gandalf@vm", 9999, 0, node.creation), oops);
    const box = inbox(node);
    expect(() => node.exit(box.process.pid, Number.NaN)).toThrow(
      expect.objectContaining({ code: "ETF_NOT_A_TERM" }),
    );
    expect(box.process.alive).toBe(true);
  });
});

describe("monitors within a node", () => {
  test("report the end once, by pid or by name", async () => {
    const { node } = await oneNode();
    const watcher = inbox(node);
    const watched = inbox(node, { name: "watched" });
    const byPid = watcher.process.monitor(watched.process.pid);
    const byName = watcher.process.monitor("watched");
    const byFullName = watcher.process.monitor(["watched", "gandalf@vm"]);
    watched.process.terminate(oops);
    const object = tuple(atom("watched"), atom("gandalf@vm"));
    const PROCESS = atom("process");
    expect(watcher.messages).toStrictEqual([
      tuple(DOWN, byPid, PROCESS, watched.process.pid, oops),
      tuple(DOWN, byName, PROCESS, object, oops),
      tuple(DOWN, byFullName, PROCESS, object, oops),
    ]);
  });

  test("of a dead process fire with noproc at once", async () => {
    const { node } = await oneNode();
    const watcher = inbox(node);
    const ref = watcher.process.monitor("nobody");
    expect(watcher.messages).toStrictEqual([
      tuple(DOWN, ref, atom("process"), tuple(atom("nobody"), atom("gandalf@vm")), atom("noproc")),
    ]);
  });

  test("do not fire once removed; flush also drops a DOWN that has arrived", async () => {
    const { cluster, node } = await oneNode();
    const watched = inbox(node).process;
    const results: boolean[] = [];
    const left: number[] = [];
    const watcher = node.spawn(async (self) => {
      const refs = [1, 2, 3].map(() => self.monitor(watched.pid));
      results.push(self.demonitor(refs[0]!));
      watched.terminate(oops);
      left.push(self.messageQueueLength);
      results.push(self.demonitor(refs[1]!), self.demonitor(refs[2]!, { flush: true }));
      left.push(self.messageQueueLength);
    });
    await cluster.settle();
    expect(watcher.alive).toBe(false);
    expect(results).toEqual([true, false, false]);
    expect(left).toEqual([2, 1]);
  });

  test("leave no record when the watcher dies, nor when it monitors itself", async () => {
    const { node } = await oneNode();
    const watched = inbox(node).process;
    const watcher = inbox(node);
    watcher.process.monitor(watched.pid);
    watcher.process.monitor(watcher.process.pid);
    expect(watched.monitoredBy?.size).toBe(1);
    watcher.process.terminate(oops);
    expect(watched.monitoredBy?.size).toBe(0);
    watched.terminate(oops);
    expect(watcher.messages).toEqual([]);
  });
});

describe("spawning from a process", () => {
  test("passes on the group leader, and links and monitors before it runs", async () => {
    const { cluster, node } = await oneNode();
    const parent = inbox(node, { trapExit: true });
    const leader = inbox(node).process.pid;
    parent.process.groupLeader = leader;
    const ends = () => {
      throw ErlangError.exit(oops);
    };
    const plain = parent.process.spawn(ends);
    const linked = parent.process.spawnLink(ends);
    const [watched, ref] = parent.process.spawnMonitor(ends, { tag: atom("gone") });
    const server = parent.process.spawnLink({ message: () => {} });
    await cluster.settle();
    expect([plain, linked, watched, server].map((child) => child.groupLeader)).toEqual(
      Array(4).fill(leader),
    );
    expect(parent.messages).toStrictEqual([
      tuple(EXIT, linked.pid, oops),
      tuple(atom("gone"), ref, atom("process"), watched.pid, oops),
    ]);
    parent.process.terminate(oops);
    expect(server.alive).toBe(false);
  });

  test("fails on a stopped node", async () => {
    const { cluster, node } = await oneNode();
    let refused: unknown;
    node.spawn({
      message: () => {},
      terminated: () => {
        try {
          parent.spawn(() => {});
        } catch (error) {
          refused = error;
        }
      },
    });
    const parent = inbox(node).process;
    await cluster.settled(node.stop());
    expect(refused).toMatchObject({ code: "NODE_STOPPED" });
  });
});

describe("messages", () => {
  test("yield the wanted ones, typed, until the signal; the others stay", async () => {
    const { cluster, node } = await oneNode();
    const abort = new AbortController();
    let sum = 0;
    let ended: unknown;
    const isNumber = (message: Term): message is number => typeof message === "number";
    const process = node.spawn(async (self) => {
      try {
        for await (const message of self.messages({ wanted: isNumber, signal: abort.signal })) {
          sum += message;
        }
      } catch (error) {
        ended = error;
      }
      sum += 100 * (await self.receive(isNumber));
    });
    for (const message of [1, atom("x"), 2, atom("y"), 3]) void node.send(process.pid, message);
    await cluster.settle();
    expect([sum, process.messageQueueLength]).toEqual([6, 2]);
    abort.abort(new Error("enough"));
    await cluster.settle();
    expect(ended).toBe(abort.signal.reason);
    void node.send(process.pid, 5);
    await cluster.settle();
    expect([sum, process.alive]).toEqual([506, false]);
  });
});

describe("aliases of a process", () => {
  test("are made and removed by it, or removed by the first reply", async () => {
    const { cluster, node } = await oneNode();
    const box = inbox(node);
    const [lasting, once] = [box.process.alias(), box.process.alias({ reply: true })];
    for (const message of [1, 2]) for (const to of [lasting, once]) void node.send(to, message);
    await cluster.settle();
    expect(box.messages).toEqual([1, 1, 2]);
    const other = inbox(node).process;
    expect([
      other.unalias(lasting),
      box.process.unalias(once),
      box.process.unalias(lasting),
      box.process.unalias(lasting),
    ]).toEqual([false, false, true, false]);
    void node.send(lasting, 3);
    await cluster.settle();
    expect(box.messages).toEqual([1, 1, 2]);
  });

  test.each([
    // By demonitor, by the end of the monitored process, by the first message; then by what is left of the monitor.
    ["explicit_unalias", [true, true, true], true],
    ["demonitor", [false, false, true], true],
    ["reply_demonitor", [false, false, false], false],
  ] as const)("with a monitor: %s", async (alias, [demonitored, down, replied], watching) => {
    const { node } = await oneNode();
    const box = inbox(node);
    const watched = () => inbox(node).process;
    const inForce = (ref: Reference): boolean => box.process.unalias(ref);

    const first = box.process.monitor(watched().pid, { alias });
    box.process.demonitor(first);
    expect(inForce(first)).toBe(demonitored);

    const target = watched();
    const second = box.process.monitor(target.pid, { alias });
    target.terminate(NORMAL);
    expect(inForce(second)).toBe(down);

    const third = box.process.monitor(watched().pid, { alias });
    void node.send(third, oops);
    expect(box.messages.at(-1)).toStrictEqual(oops);
    expect(box.process.monitors?.get(third) !== undefined).toBe(watching);
    expect(inForce(third)).toBe(replied);
  });
});

describe("labels", () => {
  test("are any term, and undefined at first", async () => {
    const { node } = await oneNode();
    const { process } = inbox(node);
    expect(process.label).toBeUndefined();
    process.label = tuple(atom("worker"), 1);
    expect(process.label).toStrictEqual(tuple(atom("worker"), 1));
  });
});

describe("group leaders", () => {
  test("default to the node's, and can be set", async () => {
    const { node } = await oneNode();
    const leader = inbox(node).process;
    expect(inbox(node).process.groupLeader).toEqual(node.whereis("user")!.pid);
    node.groupLeader = leader.pid;
    expect(inbox(node).process.groupLeader).toBe(leader.pid);
  });
});
