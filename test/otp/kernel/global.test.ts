import { describe, expect, test } from "vitest";
import {
  atom,
  format,
  ImproperList,
  Pid,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { Cluster, inbox, type TestNode } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";

const SERVER = "global_name_server";

describe("a peer that wants to synchronize names", () => {
  async function asked(message: TermInput) {
    const cluster = new Cluster();
    await cluster.start("gandalf@vm", { hidden: false });
    const raw = await RawNode.connect(cluster, "gandalf@vm", {
      flags: RAW_FLAGS | DFLAG.PUBLISHED,
    });
    const from = new Pid("other@vm", 1, 0, 7);
    raw.send(tuple(6, from, atom(""), atom(SERVER)), message);
    await cluster.settle();
    return raw.take().map(({ control, payload }) => ({
      to: (control as readonly Term[])[3],
      payload: format(payload!),
    }));
  }
  const locker = tuple(atom("locker"), atom("no_longer_a_pid"), [], new Pid("other@vm", 9, 0, 7));
  const initConnect = (vsn: TermInput) =>
    tuple(atom("$gen_cast"), tuple(atom("init_connect"), vsn, atom("other@vm"), locker));

  test.each([5, 8, 9])("in version %d gets the answer in_sync", async (version) => {
    expect(await asked(initConnect(tuple(version, 1)))).toEqual([
      { to: atom(SERVER), payload: "{'$gen_cast',{in_sync,gandalf@vm,true}}" },
    ]);
  });

  test.each<[string, TermInput]>([
    ["a cast of another kind", tuple(atom("$gen_cast"), tuple(atom("in_sync"), atom("a@b"), true))],
    [
      "a node that is not an atom",
      tuple(atom("$gen_cast"), tuple(atom("init_connect"), 8, 1, locker)),
    ],
    ["a lost connection", tuple(atom("lost_connection"), atom("a@b"), 1, 1, atom("c@d"))],
    ["anything", 1],
  ])("%s is ignored", async (_, message) => {
    expect(await asked(message)).toEqual([]);
  });
});

describe("locks", () => {
  async function three() {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const bilbo = await cluster.start("bilbo@vm");
    const ask = (from: TestNode, request: TermInput) =>
      cluster.settled(from.gen.call([SERVER, "gandalf@vm"], request));
    return { cluster, node, bilbo, ask };
  }

  /** Calls from a new process that stays alive; returns the answer. */
  async function locker(cluster: Cluster, node: TestNode) {
    const box = inbox(node);
    const call = async (request: TermInput) => {
      const ref = node.newReference();
      const from = tuple(box.process.pid, new ImproperList<Term>([atom("x")], ref));
      void box.process.send([SERVER, "gandalf@vm"], tuple(atom("$gen_call"), from, request));
      await cluster.settle();
      return (box.messages.pop() as readonly Term[] | undefined)?.[1];
    };
    return { ...box, call };
  }

  const set = (resource: TermInput, requester: TermInput) =>
    tuple(atom("set_lock"), tuple(resource, requester));
  const del = (resource: TermInput, requester: TermInput) =>
    tuple(atom("del_lock"), tuple(resource, requester));

  test("belong to one requester at a time, for each of its processes", async () => {
    const { cluster, node, bilbo } = await three();
    const one = await locker(cluster, node);
    const two = await locker(cluster, bilbo);
    expect(await one.call(set("r", 1))).toBe(true);
    expect(await two.call(set("r", 2))).toBe(false);
    expect(await two.call(set(tuple("r"), 2))).toBe(true);
    expect(await two.call(set("r", 1))).toBe(true);
    expect(await one.call(set("r", 1))).toBe(true);
    expect(await one.call(del("r", 1))).toBe(true);
    // A requester without the lock does not change it.
    expect(await one.call(del("r", 2))).toBe(true);
    expect(await one.call(set("r", 3))).toBe(false);
    expect(await two.call(del("r", 1))).toBe(true);
    expect(await one.call(set("r", 3))).toBe(true);
  });

  test("are released by the end of a process, and by the loss of a node", async () => {
    const { cluster, node, bilbo } = await three();
    const one = await locker(cluster, node);
    const two = await locker(cluster, bilbo);
    const third = await locker(cluster, node);
    expect(await one.call(set(1, "one"))).toBe(true);
    expect(await two.call(set(2, "two"))).toBe(true);
    node.exit(one.process.pid, atom("kill"));
    await cluster.settle();
    expect(await third.call(set(1, "three"))).toBe(true);
    expect(await third.call(set(2, "three"))).toBe(false);
    bilbo.disconnect("gandalf@vm");
    await cluster.settle();
    expect(await third.call(set(2, "three"))).toBe(true);
  });

  test("other requests: get_known is empty, and an unknown one gets no answer", async () => {
    const { cluster, node, ask } = await three();
    expect(await ask(node, atom("get_known"))).toEqual([]);
    const one = await locker(cluster, node);
    for (const request of [1, tuple(atom("set_lock"), 1), tuple(atom("other"), tuple(1, 2))]) {
      expect(await one.call(request as TermInput)).toBeUndefined();
    }
  });
});
