/** The identity of a node, and nodes that get their names from peers. */
import { describe, expect, test } from "vitest";
import { atom, Pid, type Term } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { ThisNode } from "../../../src/node/identity/this-node.ts";
import { Cluster, inbox, type TestNode } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";

const NAMED = /^[0-9A-Z]{1,13}@vm$/;
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("the identity of a node", () => {
  test("a fixed name stays", () => {
    const self = new ThisNode("gandalf@vm", 9);
    expect([self.name, self.creation, self.unnamed, self.dynamicHost]).toEqual([
      "gandalf@vm",
      9,
      false,
      undefined,
    ]);
  });

  test("a dynamic name comes and goes, and identifiers follow it", () => {
    const self = new ThisNode("undefined@vm", 9);
    const pid = new Pid(self.node, 1, 2, self.creation);
    expect([self.name, self.creation, self.unnamed]).toEqual(["nonode@nohost", 0, true]);
    self.rename("NEW@vm", 5);
    self.adopt(pid);
    expect([self.unnamed, self.dynamicHost, self.given]).toEqual([false, "vm", "undefined@vm"]);
    expect(pid).toEqual(new Pid("NEW@vm", 1, 2, 5));
    self.unname();
    expect([self.name, self.creation, self.unnamed]).toEqual(["nonode@nohost", 0, true]);
  });
});

async function nameless() {
  const cluster = new Cluster();
  const gandalf = await cluster.start("gandalf@vm");
  const bilbo = await cluster.start("bilbo@vm");
  const node = await cluster.start("undefined@vm");
  return { cluster, gandalf, bilbo, node };
}

const ping = (cluster: Cluster, from: TestNode, to: string) => cluster.settled(from.ping(to));

describe("a node with a dynamic name", () => {
  test("has no name and reaches nobody until it calls connect", async () => {
    const { cluster, gandalf, node } = await nameless();
    const box = inbox(gandalf, { name: "box" });
    expect([node.name, node.creation, node.tcpPort]).toEqual(["nonode@nohost", 0, 0]);
    expect(node.nodes("known")).toEqual(["nonode@nohost"]);
    void node.send(["box", "gandalf@vm"], 1);
    expect(await ping(cluster, node, "gandalf@vm")).toBe("pang");
    expect([gandalf.events, box.messages]).toEqual([[], []]);
    await cluster.settled(node.connect("gandalf@vm"));
    expect(node.name).toMatch(NAMED);
    expect(node.creation).toBeGreaterThan(3);
    expect([gandalf.events, node.nodes()]).toEqual([[`up ${node.name}`], ["gandalf@vm"]]);
    expect(await ping(cluster, gandalf, node.name)).toBe("pong");
    expect([...cluster.names.registered.keys()]).toEqual(["gandalf@vm", "bilbo@vm"]);
  });

  test("keeps its name for further connections, each of which needs a call of connect", async () => {
    const { cluster, bilbo, node } = await nameless();
    await cluster.settled(node.connect("gandalf@vm"));
    const { name } = node;
    expect(await ping(cluster, node, "bilbo@vm")).toBe("pang");
    await cluster.settled(node.connect("bilbo@vm"));
    expect([node.name, bilbo.nodes("hidden")]).toEqual([name, [name]]);
    expect(await ping(cluster, bilbo, name)).toBe("pong");
  });

  test("gets its name from only one of two peers it connects to at once", async () => {
    const { cluster, gandalf, bilbo, node } = await nameless();
    const missing = node.connect("nobody@vm").catch((error: unknown) => error);
    const both = Promise.all([node.connect("gandalf@vm"), node.connect("bilbo@vm")]);
    await cluster.settled(both);
    expect(await missing).toEqual(code("EPMD_NAME_UNKNOWN"));
    expect([gandalf.nodes(), bilbo.nodes()]).toEqual([[node.name], [node.name]]);
  });

  test("keeps earlier processes, links and monitors under its new name", async () => {
    const { cluster, gandalf, node } = await nameless();
    const [one, other] = [inbox(node, { trapExit: true }), inbox(node)];
    one.process.link(other.process.pid);
    const ref = one.process.monitor(other.process.pid);
    await cluster.settled(node.connect("gandalf@vm"));
    expect(one.process.pid.node).toBe(atom(node.name));
    expect(node.processOf(one.process.pid)).toBe(one.process);
    void gandalf.send(one.process.pid, 1);
    gandalf.exit(other.process.pid, atom("over"));
    await cluster.settle();
    expect(one.messages[0]).toBe(1);
    const [exit, down] = one.messages.slice(1) as Term[][];
    expect(exit!.slice(1)).toEqual([other.process.pid, atom("over")]);
    expect((down![1] as typeof ref).equals(ref)).toBe(true);
  });

  test("loses its name and all other connections when the naming connection ends", async () => {
    const { cluster, gandalf, bilbo, node } = await nameless();
    const box = inbox(node, { trapExit: true });
    const target = inbox(bilbo);
    await cluster.settled(node.connect("gandalf@vm"));
    await cluster.settled(node.connect("bilbo@vm"));
    const { name } = node;
    const first = new Pid(name, box.process.pid.id, box.process.pid.serial, node.creation);
    box.process.link(target.process.pid);
    gandalf.disconnect(name);
    await cluster.settle();
    expect([node.name, node.nodes(), bilbo.nodes()]).toEqual(["nonode@nohost", [], []]);
    expect(node.events).toEqual([
      "up gandalf@vm",
      "up bilbo@vm",
      "down gandalf@vm CONN_CLOSED",
      "down bilbo@vm CONN_DISCONNECTED",
    ]);
    expect(box.messages).toHaveLength(1);
    expect(box.process.pid.node.name).toBe("nonode@nohost");

    // The next name is the last one given up, with a new creation: pids with the first are dead.
    await cluster.settled(node.connect("gandalf@vm"));
    expect(node.name).toBe(name);
    void gandalf.send(first, "to nobody");
    const watcher = inbox(gandalf);
    watcher.process.monitor(first);
    void gandalf.send(box.process.pid, 2);
    await cluster.settle();
    expect(box.messages.slice(1)).toEqual([2]);
    expect((watcher.messages[0] as Term[])[4]).toBe(atom("noproc"));
  });

  test("keeps its name when another connection ends", async () => {
    const { cluster, node } = await nameless();
    await cluster.settled(node.connect("gandalf@vm"));
    await cluster.settled(node.connect("bilbo@vm"));
    const { name } = node;
    node.disconnect("bilbo@vm");
    await cluster.settle();
    expect([node.name, node.nodes()]).toEqual([name, ["gandalf@vm"]]);
  });

  test("fails attempts that began under an earlier name", async () => {
    const { cluster, gandalf, node } = await nameless();
    await cluster.names.host("moria").register("balrog", 1, { hidden: true });
    cluster.network.silence("moria");
    await cluster.settled(node.connect("gandalf@vm"));
    const attempt = node.connect("balrog@moria").catch((error: unknown) => error);
    await cluster.settle();
    gandalf.disconnect(node.name);
    expect(await cluster.settled(attempt)).toEqual(code("CONN_CLOSED"));
  });

  test("reports a peer that does not give names", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("undefined@vm");
    await RawNode.listen(cluster, "other@vm", () => {});
    const refused = node.connect("other@vm").catch((error: unknown) => error);
    expect(await cluster.settled(refused)).toEqual(code("HS_NOT_ALLOWED"));
    expect(node.name).toBe("nonode@nohost");
  });
});

describe("a name that was given but not used", () => {
  test("goes to the next node; a name that is invalid on the host is refused", async () => {
    const cluster = new Cluster();
    const gandalf = await cluster.start("gandalf@vm");
    const flags = RAW_FLAGS | DFLAG.NAME_ME;
    const rejected: Error[] = [];
    gandalf.on("rejected", ({ error }) => rejected.push(error));
    await expect(
      RawNode.connect(cluster, "gandalf@vm", { name: "vm", flags, cookie: "wrong" }),
    ).rejects.toEqual(code("HS_COOKIE_REFUSED"));
    await expect(
      RawNode.connect(cluster, "gandalf@vm", { name: "two words", flags }),
    ).rejects.toEqual(code("HS_NOT_ALLOWED"));
    expect(rejected).toEqual([code("HS_BAD_DIGEST"), code("HS_NOT_ALLOWED")]);
    const name = (rejected[0] as Error & { peer: string }).peer;
    await RawNode.connect(cluster, "gandalf@vm", { name: "vm", flags });
    expect(gandalf.nodes()).toEqual([name]);
    await RawNode.connect(cluster, "gandalf@vm", { name: "vm", flags });
    expect(gandalf.nodes()).toHaveLength(2);
  });
});

test("operator calls to a node with a dynamic name get answers under that name", async () => {
  const { cluster, gandalf, node } = await nameless();
  await cluster.settled(node.connect("gandalf@vm"));
  const ask = (module: string, name: string, ...args: Term[]) =>
    cluster.settled(gandalf.rpc.call(node.name, module, name, args));
  expect(await ask("erlang", "node")).toBe(atom(node.name));
  expect(String.fromCodePoint(...((await ask("net_adm", "localhost")) as number[]))).toBe("vm");
  const box = inbox(node);
  expect(await ask("erlang", "exit", box.process.pid, atom("oops"))).toBe(true);
  expect(box.died).toBe(atom("oops"));
});
