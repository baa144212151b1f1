/** What a node adds to its core; test/node has the tests of the core. */
import { expect, test } from "vitest";
import { atom } from "../../etf/index.ts";
import { Cluster } from "../support/cluster.ts";

test("has the services that Erlang nodes ask for, and exposes nothing else", async () => {
  const cluster = new Cluster();
  const [caller, node] = await cluster.pair();
  expect(node.registered()).toEqual(["user", "net_kernel", "global_name_server", "rex"]);
  for (const [module, name, args] of [
    ["erlang", "halt", []],
    ["os", "cmd", [Buffer.from("true")]],
    ["code", "load_file", [atom("m")]],
    ["rpc", "call", [atom("bilbo@vm"), atom("os"), atom("cmd"), []]],
  ] as const) {
    const error = caller.rpc
      .call("bilbo@vm", module, name, args)
      .catch((thrown: unknown) => thrown);
    expect(await cluster.settled(error)).toMatchObject({ reason: atom("undef") });
  }
});

test("prints to standard output by default", async () => {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm", { output: undefined as never });
  const written: unknown[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: unknown) => written.push(text) > 0) as typeof write;
  try {
    const { charlist, tuple } = await import("../../etf/index.ts");
    const request = tuple(atom("put_chars"), atom("unicode"), charlist("hello\n"));
    const user = node.whereis("user")!;
    void node.send(user.pid, tuple(atom("io_request"), user.pid, 1, request));
    await cluster.settle();
  } finally {
    process.stdout.write = write;
  }
  expect(written).toContain("hello\n");
});

test("`await using` stops it", async () => {
  const cluster = new Cluster();
  {
    await using node = await cluster.start("gandalf@vm");
    expect(cluster.names.registered.has(node.name)).toBe(true);
  }
  expect(cluster.names.registered.size).toBe(0);
});
