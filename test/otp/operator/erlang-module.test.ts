import { describe, expect, test } from "vitest";
import { atom, Port, parse, type TermInput, tuple } from "../../../etf/index.ts";
import { setUp } from "../../support/asking.ts";
import { inbox } from "../../support/cluster.ts";

describe("the node", () => {
  test("counts, names and lists its parts", async () => {
    const { gandalf, ask } = await setUp();
    expect(await ask("erlang", "registered")).toBe("[user,net_kernel,global_name_server,rex]");
    const { processes } = gandalf.stats();
    // The call runs in a process too.
    expect(await ask("erlang", "system_info", atom("process_count"))).toBe(String(processes + 1));
    expect(
      parse(await ask("erlang", "processes").then((text) => text.replace(/<[^>]*>/g, "0"))),
    ).toHaveLength(processes + 1);
    expect(await ask("erlang", "nodes")).toBe("[]");
    expect(await ask("erlang", "nodes", atom("hidden"))).toBe("[bilbo@vm]");
    expect(await ask("erlang", "nodes", [atom("this"), atom("known")])).toBe(
      "[gandalf@vm,bilbo@vm]",
    );
    expect(await ask("erlang", "nodes", atom("constructor"))).toMatch(/^\{failed,badarg,/);
    expect(await ask("net_kernel", "get_net_ticktime")).toBe("60");
    expect(await ask("erlang", "system_info", atom("dist_buf_busy_limit"))).toBe("1048576");
    expect(await ask("erlang", "system_info", parse("{wordsize,internal}"))).toMatch(/^[48]$/);
  });

  test("traffic includes that of ended connections", async () => {
    const { cluster, gandalf, bilbo, ask } = await setUp();
    await ask("erlang", "self");
    const before = gandalf.runtime.traffic();
    expect(before.bytesIn).toBeGreaterThan(0);
    gandalf.disconnect(bilbo.name);
    await cluster.settle();
    expect(gandalf.stats().connections).toEqual({});
    expect(gandalf.runtime.traffic().bytesIn).toBeGreaterThanOrEqual(before.bytesIn);
  });

  test("has no ports", async () => {
    const { ask, bilbo } = await setUp();
    expect(await ask("erlang", "ports")).toBe("[]");
    expect(await ask("erlang", "port_info", new Port("gandalf@vm", 1, 1))).toBe("undefined");
    expect(await ask("erlang", "port_info", new Port(bilbo.name, 1, 1))).toMatch(/badarg/);
    expect(await ask("erlang", "port_info", atom("p"), 1)).toMatch(/badarg/);
  });
});

describe("signals", () => {
  test("send and exit reach processes of the node", async () => {
    const { gandalf, ask } = await setUp();
    const box = inbox(gandalf, { name: "box" });
    expect(await ask("erlang", "send", box.process.pid, 1)).toBe("1");
    expect(await ask("erlang", "!", atom("box"), 2)).toBe("2");
    expect(await ask("erlang", "send", tuple(atom("box"), atom("gandalf@vm")), 3)).toBe("3");
    expect(await ask("erlang", "send", tuple(atom("nobody"), atom("gandalf@vm")), 4)).toBe("4");
    expect(box.messages).toEqual([1, 2, 3]);
    expect(await ask("erlang", "exit", box.process.pid, atom("oops"))).toBe("true");
    expect(box.died).toBe(atom("oops"));
  });

  test("and no process of another node", async () => {
    const { bilbo, ask } = await setUp();
    const box = inbox(bilbo, { name: "box" });
    const notsup = /^\{failed,notsup,/;
    expect(await ask("erlang", "send", box.process.pid, 1)).toMatch(notsup);
    expect(await ask("erlang", "send", tuple(atom("box"), atom("bilbo@vm")), 1)).toMatch(notsup);
    expect(await ask("erlang", "exit", box.process.pid, atom("oops"))).toMatch(notsup);
    expect(await ask("erlang", "get_cookie")).toMatch(/^\{failed,undef,/);
    expect(box.messages).toEqual([]);
  });

  test.each<[string, TermInput]>([
    ["a name that is not registered", atom("nobody")],
    ["a number", 1],
    ["a tuple of three", tuple(atom("box"), atom("gandalf@vm"), 1)],
  ])("to %s is badarg", async (_, to) => {
    const { ask } = await setUp();
    expect(await ask("erlang", "send", to, 1)).toMatch(/^\{failed,badarg,/);
  });
});
