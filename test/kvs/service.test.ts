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
    const joe = tuple(atom("location"), atom("joe"));
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

  test("who ends the process gets another one, with what was stored", async () => {
    const { cluster, node, call } = await setUp();
    await call("store", 1, 2);
    const { pid } = node.whereis("kvs")!;
    const watcher = inbox(node);
    watcher.process.monitor(pid);
    node.exit(pid, atom("kill"));
    await cluster.settle();
    expect((watcher.messages[0] as readonly Term[])[4]).toBe(atom("killed"));
    expect(node.whereis("kvs")?.pid.equals(pid)).toBe(false);
    expect(await call("lookup", 1)).toStrictEqual(tuple(atom("ok"), 2));
  });

  test("ended again and again, it comes back later, or when it is started; till then: badarg", async () => {
    const { cluster, caller, node, call } = await setUp();
    const end = (): void => {
      for (let again = 0; again < 20; again++) {
        const process = node.whereis("kvs");
        if (process !== undefined) node.exit(process.pid, atom("kill"));
      }
    };
    await call("store", 1, 2);
    end();
    for (const failed of [await call("store", 1, 3), await call("lookup", 1)]) {
      expect(failed).toMatchObject({ code: "REMOTE_ERROR", reason: atom("badarg") });
    }
    await cluster.clock.advance(10_000);
    expect(await call("lookup", 1)).toStrictEqual(tuple(atom("ok"), 2));
    end();
    expect(await call("start")).toBe(true);
    expect(await call("lookup", 1)).toStrictEqual(tuple(atom("ok"), 2));
    end();
    const stopped = Promise.all([node.stop(), caller.stop()]);
    await cluster.clock.advance(60_000);
    await stopped;
    expect(cluster.clock.timerCount).toBe(0);
  });
});

describe("by message", () => {
  test("requests are answered {kvs, Reply}, and share the data with the functions", async () => {
    const { cluster, caller, call } = await setUp();
    const box = inbox(caller);
    const say = (request: Term) =>
      void box.process.send(["kvs", "bilbo@vm"], tuple(box.process.pid, request));
    say(tuple(STORE, atom("weather"), atom("fine")));
    say(tuple(LOOKUP, atom("weather")));
    say(tuple(LOOKUP, 1));
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
      void box.process.send(["kvs", "bilbo@vm"], message);
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
