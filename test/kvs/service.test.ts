import { describe, expect, test } from "vitest";
import { atom, charlist, type Term, tuple } from "../../etf/index.ts";
import { serveKvs } from "../../src/kvs/service.ts";
import { Cluster, inbox } from "../support/cluster.ts";

const KVS = atom("kvs");
const [STORE, LOOKUP] = [atom("store"), atom("lookup")];
const UNDEFINED = atom("undefined");

async function setUp() {
  const cluster = new Cluster();
  const [caller, node] = await cluster.pair();
  const store = serveKvs(node);
  const call = (name: string, ...args: Term[]) =>
    cluster.settled(
      caller.rpc.call("bilbo@vm", "kvs", name, args).catch((error: unknown) => error as Term),
    );
  return { cluster, caller, node, store, call };
}

describe("by rpc", () => {
  test("the session of the book", async () => {
    const { call } = await setUp();
    const joe = tuple(atom("location"), atom("joe")) as Term;
    expect(await call("store", joe, charlist("Stockholm"))).toBe(true);
    expect(await call("store", atom("weather"), atom("fine"))).toBe(true);
    expect(await call("lookup", atom("weather"))).toStrictEqual(tuple(atom("ok"), atom("fine")));
    expect(await call("lookup", joe)).toStrictEqual(tuple(atom("ok"), charlist("Stockholm")));
    expect(await call("lookup", tuple(atom("location"), atom("jane")))).toBe(UNDEFINED);
    expect(await call("nothing")).toMatchObject({
      badrpc: tuple(
        atom("badrpc"),
        tuple(atom("EXIT"), tuple(atom("undef"), [tuple(KVS, atom("nothing"), [], [])])),
      ),
    });
  });

  test("start answers true again and again, and changes nothing", async () => {
    const { node, call } = await setUp();
    const { pid } = node.whereis("kvs")!;
    await call("store", 1, 2);
    expect([await call("start"), await call("start")]).toEqual([true, true]);
    expect(node.whereis("kvs")?.pid).toBe(pid);
    expect(await call("lookup", 1)).toStrictEqual(tuple(atom("ok"), 2));
  });

  test("without the process the functions fail with badarg, until it is started anew", async () => {
    const { node, call } = await setUp();
    await call("store", 1, 2);
    node.exit(node.whereis("kvs")!.pid, atom("kill"));
    for (const failed of [await call("store", 1, 3), await call("lookup", 1)]) {
      expect(failed).toMatchObject({ code: "REMOTE_ERROR", reason: atom("badarg") });
    }
    expect(await call("start")).toBe(true);
    expect(await call("lookup", 1)).toStrictEqual(tuple(atom("ok"), 2));
  });
});

describe("by message", () => {
  test("requests are answered {kvs, Reply}, and share the data with the functions", async () => {
    const { cluster, caller, call } = await setUp();
    const box = inbox(caller);
    const say = (request: Term) =>
      void box.process.send(["kvs", "bilbo@vm"], tuple(box.process.pid, request));
    say(tuple(STORE, atom("weather"), atom("fine")) as Term);
    say(tuple(LOOKUP, atom("weather")) as Term);
    say(tuple(LOOKUP, 1) as Term);
    await cluster.settle();
    expect(box.messages).toStrictEqual([
      tuple(KVS, true),
      tuple(KVS, tuple(atom("ok"), atom("fine"))),
      tuple(KVS, UNDEFINED),
    ]);
    expect(await call("lookup", atom("weather"))).toStrictEqual(tuple(atom("ok"), atom("fine")));
  });

  test("what is no request is dropped, and kvs lives", async () => {
    const { cluster, caller, node, store } = await setUp();
    const box = inbox(caller);
    const self = box.process.pid;
    for (const message of [
      atom("hello"),
      tuple(self),
      tuple(atom("me"), tuple(STORE, 1, 2)),
      tuple(self, STORE),
      tuple(self, tuple(STORE, 1)),
      tuple(self, tuple(STORE, 1, 2, 3)),
      tuple(self, tuple(LOOKUP)),
      tuple(self, tuple(LOOKUP, 1, 2)),
      tuple(self, [LOOKUP, 1]),
      tuple(self, tuple(atom("delete"), 1)),
    ]) {
      void box.process.send(["kvs", "bilbo@vm"], message as Term);
    }
    await cluster.settle();
    expect(box.messages).toEqual([]);
    expect(node.whereis("kvs")).toMatchObject({ alive: true, messageQueueLength: 0 });
    expect(store.size).toBe(0);
  });
});

test("several nodes serve data of their own", async () => {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  const [first, second] = [serveKvs(gandalf), serveKvs(bilbo)];
  first.store(1, 1);
  expect([first.size, second.size]).toEqual([1, 0]);
});
