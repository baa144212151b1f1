/** The node's own servers: exceptions do not end them, and if they end they restart. */
import { describe, expect, test } from "vitest";
import { atom, format, type Term, tuple } from "../../etf/index.ts";
import { serveKvs } from "../../src/kvs/service.ts";
import type { LogEvent } from "../../src/node/events.ts";
import { Cluster, inbox, type TestNode } from "../support/cluster.ts";

const NAMES = ["rex", "net_kernel", "global_name_server", "user", "kvs"];

async function setUp() {
  const cluster = new Cluster();
  const [caller, node] = await cluster.pair();
  serveKvs(node);
  const events: LogEvent[] = [];
  node.on("log", (event) => events.push(event));
  const call = (module: string, name: string, ...args: Term[]) =>
    cluster.settled(caller.rpc.call("bilbo@vm", module, name, args));
  return { cluster, caller, node, events, call };
}

const field = ({ report }: LogEvent, key: string): string => format(report.get(atom(key))!);

/** A message that no service expects: reading it throws. */
function trap(length: number): Term {
  const message = tuple(...Array.from({ length }, () => 1)) as Term;
  const raise = (): never => {
    throw new RangeError("sprung");
  };
  Object.defineProperty(message, 0, { get: raise });
  return message;
}

/** Checks that each service works. */
async function works({ cluster, caller, node, call }: Awaited<ReturnType<typeof setUp>>) {
  expect(await cluster.settled(caller.ping("bilbo@vm"))).toBe("pong");
  expect(await call("kvs", "store", 1, 2)).toBe(true);
  const known = caller.gen.call(["global_name_server", "bilbo@vm"], atom("get_known"));
  expect(await cluster.settled(known)).toEqual([]);
  const block = caller.gen.call(
    ["rex", "bilbo@vm"],
    tuple(atom("call"), atom("erlang"), atom("node"), [], atom("user")),
  );
  expect(await cluster.settled(block)).toBe(atom("bilbo@vm"));
  node.printed.length = 0;
  await cluster.settled(caller.io.putChars(["user", "bilbo@vm"], "here"));
  expect(node.printed).toEqual(["here"]);
  const box = inbox(caller);
  void box.process.send(["kvs", "bilbo@vm"], tuple(box.process.pid, tuple(atom("lookup"), 1)));
  await cluster.settle();
  expect(format(box.messages)).toBe("[{kvs,{ok,2}}]");
}

describe("a service", () => {
  test.each(NAMES)("%s continues after an exception, which is logged", async (name) => {
    const all = await setUp();
    const { pid } = all.node.whereis(name)!;
    for (const length of [2, 3, 4, 5]) all.node.whereis(name)!.deliver(trap(length));
    expect(all.node.whereis(name)?.pid).toBe(pid);
    expect(all.events.length).toBeGreaterThan(0);
    for (const event of all.events) {
      expect(event).toMatchObject({ level: "error", pid });
      expect(field(event, "label")).toBe("{service,exception}");
      expect(field(event, "name")).toBe(name);
      expect(field(event, "reason")).toContain("sprung");
    }
    await works(all);
  });

  test.each(NAMES)("%s restarts under its name when it ends", async (name) => {
    const all = await setUp();
    const before = all.node.whereis(name)!;
    before.terminate(atom("why"));
    const after = all.node.whereis(name)!;
    expect(after.pid.equals(before.pid)).toBe(false);
    expect(all.events.map((event) => field(event, "label"))).toEqual(["{service,ended}"]);
    expect(field(all.events[0]!, "reason")).toBe("why");
    await works(all);
    const info = (await all.call(
      "erlang",
      "process_info",
      after.pid,
      atom("initial_call"),
    )) as Term;
    if (name !== "kvs") expect(format(info)).toBe("{initial_call,{proc_lib,init_p,5}}");
  });

  test.each(NAMES)("%s restarts each time it ends, until the node stops", async (name) => {
    const all = await setUp();
    const { cluster, node } = all;
    let restarts = 0;
    for (; node.whereis(name) !== undefined; restarts++) node.whereis(name)!.terminate(atom("why"));
    expect(restarts).toBe(11);
    await cluster.clock.advance(9999);
    expect(node.whereis(name)).toBeUndefined();
    await cluster.clock.advance(1);
    await works(all);
    while (node.whereis(name) !== undefined) node.whereis(name)!.terminate(atom("why"));
    const stopped = Promise.all([node.stop(), all.caller.stop()]);
    await cluster.clock.advance(30_000);
    await stopped;
    expect(cluster.clock.timerCount).toBe(0);
    expect(node.runtime.table.all()).toEqual([]);
  });

  test("waits for its name while another process has it", async () => {
    const all = await setUp();
    const { cluster, node } = all;
    const rex = node.whereis("rex")!;
    const thief = inbox(node);
    const watcher = node.spawn({ message: () => thief.process.register("rex") });
    watcher.monitor(rex.pid);
    rex.terminate(atom("why"));
    expect(node.whereis("rex")).toBe(thief.process);
    node.exit(thief.process.pid, atom("kill"));
    await cluster.clock.advance(1000);
    await works(all);
  });
});

test("a restarted user is the group leader of the same processes as before", async () => {
  const { cluster, node } = await setUp();
  const box = inbox(node);
  node.whereis("user")!.terminate(atom("why"));
  const { pid, groupLeader } = node.whereis("user")!;
  expect([box.process.groupLeader, node.groupLeader, groupLeader]).toEqual([pid, pid, pid]);
  await cluster.settle();
});

test("an error of the program's output goes to the printing process and does not end the device", async () => {
  const cluster = new Cluster();
  const caller = await cluster.start("gandalf@vm");
  const node: TestNode = await cluster.start("bilbo@vm", {
    output: () => {
      throw new Error("broken pipe");
    },
  });
  const device = node.openDevice({
    output: () => {
      throw new Error("broken pipe");
    },
  });
  for (const to of [["user", "bilbo@vm"] as const, device.pid]) {
    const printed = caller.io.putChars(to, "x");
    const rejected = expect(printed).rejects.toMatchObject({ code: "IO_ERROR" });
    await cluster.settle();
    await rejected;
  }
  expect([node.whereis("user")?.alive, device.alive]).toEqual([true, true]);
});

test("locks survive a restart of global_name_server, and are released when their owners end", async () => {
  const cluster = new Cluster();
  const [bilbo, node] = await cluster.pair();
  const set = (from: TestNode, id: Term) =>
    cluster.settled(
      from.rpc
        .call("bilbo@vm", "erlang", "node", [])
        .then(() => from.gen.call(["global_name_server", "bilbo@vm"], tuple(atom("set_lock"), id))),
    );
  expect(await set(bilbo, tuple("r", 1) as Term)).toBe(true);
  node.whereis("global_name_server")!.terminate(atom("why"));
  expect(await set(node, tuple("r", 2) as Term)).toBe(false);
  bilbo.disconnect("bilbo@vm");
  await cluster.settle();
  expect(await set(node, tuple("r", 2) as Term)).toBe(true);
});
