import { describe, expect, test } from "vitest";
import { EpmdAgent, type EpmdAgentEvent, type EpmdAgentOptions } from "../../src/epmd/agent.ts";
import { EpmdClient } from "../../src/epmd/client.ts";
import type { DaemonRequest } from "../../src/epmd/daemon.ts";
import { EpmdServer } from "../../src/epmd/server.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A host with a clock of its own; agents on it, and what they told. */
function makeHost() {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock }).host("vm");
  const events: string[] = [];
  const daemons: EpmdServer[] = [];
  const requests: DaemonRequest[] = [];
  /** The system's EPMD, played by a server of ours. */
  const startDaemon = async (request: DaemonRequest) => {
    requests.push(request);
    daemons.push(await EpmdServer.start({ network, clock, nowSeconds: () => 77 }));
    return true;
  };
  const agent = (label: string, options: Partial<EpmdAgentOptions> = {}) =>
    new EpmdAgent({
      network,
      clock,
      random: () => 0.5,
      onEvent: (event) => events.push(`${label} ${describeEvent(event)}`),
      ...options,
    });
  const client = new EpmdClient({ network, clock });
  const names = async () => {
    const asking = client.names();
    asking.catch(() => {});
    await clock.settle();
    return (await asking).map(({ name }) => name);
  };
  /** Waits for something that takes turns of the clock, but no time. */
  const now = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {});
    await clock.settle();
    return work;
  };
  return { clock, network, events, daemons, requests, startDaemon, agent, names, now };
}

function describeEvent(event: EpmdAgentEvent): string {
  switch (event.type) {
    case "registered":
      return `registered ${event.place}`;
    case "lost":
      return `lost ${event.error.code}`;
    case "failed":
      return `failed ${(event.error as { code?: string }).code}, again in ${event.retryInMs}`;
  }
}

describe("where a node registers", () => {
  test("with an EPMD that runs, in every mode but off", async () => {
    const { network, clock, agent, events, now, startDaemon, requests } = makeHost();
    await EpmdServer.start({ network, clock, nowSeconds: () => 5 });
    for (const mode of ["auto", "embedded", "system"] as const) {
      const creation = await now(agent(mode, { mode, startDaemon }).register(mode, 1));
      expect(creation).toBe(5);
    }
    expect(events).toEqual([
      "auto registered running",
      "embedded registered running",
      "system registered running",
    ]);
    expect(requests).toEqual([]);
  });

  test.each(["auto", "system"] as const)("with the system's, started (%s)", async (mode) => {
    const { agent, events, now, startDaemon, requests } = makeHost();
    const addresses = ["10.0.0.1"];
    const one = agent("a", { mode, startDaemon, addresses });
    expect(await now(one.register("a", 1))).toBe(77);
    expect(events).toEqual(["a registered daemon"]);
    expect(requests).toEqual([{ tcpPort: 4369, addresses, relaxedCommandCheck: undefined }]);
    expect(one.server).toBeUndefined();
  });

  test.each(["auto", "embedded"] as const)("with itself, if there is none (%s)", async (mode) => {
    const { agent, events, now, names } = makeHost();
    const one = agent("a", { mode, startDaemon: async () => false });
    await now(one.register("a", 1, { hidden: true }));
    expect(events).toEqual(["a registered embedded"]);
    expect(one.server?.nodes()).toMatchObject([{ name: "a", nodeType: 72 }]);
    expect(await now(one.portOf("a", "vm"))).toBe(1);
    await now(one.close());
    await expect(names()).rejects.toMatchObject({ code: "EPMD_UNREACHABLE" });
  });

  test("nowhere in mode system without the system's", async () => {
    const { agent, now } = makeHost();
    const one = agent("a", { mode: "system", startDaemon: async () => false });
    await expect(now(one.register("a", 1))).rejects.toMatchObject({
      code: "EPMD_UNREACHABLE",
      message: expect.stringContaining("--epmd"),
    });
  });

  test("nowhere in mode off, with a random creation", async () => {
    const { agent, now, events } = makeHost();
    const one = agent("a", { mode: "off" });
    expect(await now(one.register("a", 1))).toBeGreaterThan(3);
    expect(one.registered).toBe(false);
    expect(events).toEqual([]);
    await now(one.close());
  });

  test("a taken name is an error, and leaves nothing behind", async () => {
    const { agent, now, clock } = makeHost();
    const one = agent("a");
    await now(one.register("a", 1));
    const two = agent("b");
    await expect(now(two.register("a", 2))).rejects.toMatchObject({ code: "EPMD_NAME_TAKEN" });
    await now(two.close());
    await now(one.close());
    expect(clock.timerCount).toBe(0);
  });

  test("of two that start at one instant, one serves and the other joins it", async () => {
    const { agent, now, names } = makeHost();
    const [one, two] = [agent("a"), agent("b")];
    await now(Promise.all([one.register("a", 1), two.register("b", 2)]));
    expect([one, two].filter((each) => each.server !== undefined)).toHaveLength(1);
    expect((await names()).sort()).toEqual(["a", "b"]);
  });
});

describe("when EPMD goes away", () => {
  test("one that comes back at once is taken, and the creation stays", async () => {
    const { network, clock, agent, events, now } = makeHost();
    const first = await EpmdServer.start({ network, clock, nowSeconds: () => 5 });
    const one = agent("a");
    expect(await now(one.register("a", 1))).toBe(5);
    await now(first.close());
    expect(one.registered).toBe(false);
    const second = await EpmdServer.start({ network, clock, nowSeconds: () => 9 });
    await clock.advance(100);
    expect(one.registered).toBe(true);
    expect(second.nodes()).toMatchObject([{ name: "a", tcpPort: 1 }]);
    expect(one.server).toBeUndefined();
    expect(events).toEqual(["a registered running", "a lost EPMD_CLOSED", "a registered running"]);
  });

  test("one of the nodes left takes over, and the others register with it", async () => {
    const { clock, agent, events, now, names } = makeHost();
    const agents = ["a", "b", "c"].map((name, at) => agent(name, { random: () => at / 3 }));
    for (const [at, each] of agents.entries()) await now(each.register("abc"[at]!, at));
    expect(agents.map((each) => each.server !== undefined)).toEqual([true, false, false]);
    await now(agents[0]!.close());
    await clock.advance(3000);
    expect((await names()).sort()).toEqual(["b", "c"]);
    expect(agents.map((each) => each.server !== undefined)).toEqual([false, true, false]);
    expect(events.filter((event) => event.startsWith("b"))).toEqual([
      "b registered running",
      "b lost EPMD_CLOSED",
      "b failed EPMD_UNREACHABLE, again in 417",
      "b registered embedded",
    ]);
    await now(agents[1]!.close());
    await clock.advance(3000);
    expect(await names()).toEqual(["c"]);
    await now(agents[2]!.close());
    expect(clock.timerCount).toBe(0);
  });

  test("those that go for the port at one instant do not lose their place", async () => {
    const { clock, agent, now, names } = makeHost();
    const agents = ["a", "b", "c", "d"].map((name) => agent(name));
    for (const [at, each] of agents.entries()) await now(each.register("abcd"[at]!, at));
    await now(agents[0]!.close());
    await clock.advance(3000);
    expect((await names()).sort()).toEqual(["b", "c", "d"]);
  });

  test("in mode auto the system's is started again", async () => {
    const { clock, agent, events, now, startDaemon, daemons } = makeHost();
    const one = agent("a", { startDaemon });
    await now(one.register("a", 1));
    await now(daemons[0]!.close());
    await clock.advance(3000);
    expect(daemons).toHaveLength(2);
    expect(events.at(-1)).toBe("a registered daemon");
    expect(one.registered).toBe(true);
  });

  test("in mode system it is waited for, with pauses that grow to two seconds", async () => {
    const { network, clock, agent, events, now, startDaemon, daemons } = makeHost();
    const one = agent("a", { mode: "system", startDaemon });
    await now(one.register("a", 1));
    await now(daemons[0]!.close());
    await clock.advance(100 + 500 + 1000 + 2000 + 2000);
    expect(events.slice(2)).toEqual([
      "a failed EPMD_UNREACHABLE, again in 500",
      "a failed EPMD_UNREACHABLE, again in 1000",
      "a failed EPMD_UNREACHABLE, again in 2000",
      "a failed EPMD_UNREACHABLE, again in 2000",
      "a failed EPMD_UNREACHABLE, again in 2000",
    ]);
    expect(daemons).toHaveLength(1);
    await EpmdServer.start({ network, clock });
    await clock.advance(2000);
    expect(one.registered).toBe(true);
  });

  test("a name somebody else took meanwhile is asked for again and again", async () => {
    const { network, clock, agent, events, now } = makeHost();
    const first = await EpmdServer.start({ network, clock });
    const one = agent("a");
    await now(one.register("a", 1));
    await now(first.close());
    await EpmdServer.start({ network, clock });
    const thief = await now(new EpmdClient({ network, clock }).register("a", 666));
    await clock.advance(700);
    expect(events.at(-1)).toBe("a failed EPMD_NAME_TAKEN, again in 1000");
    await now(thief.close());
    await clock.advance(2000);
    expect(one.registered).toBe(true);
    expect(events.at(-1)).toBe("a registered running");
  });

  test("nothing is tried after close", async () => {
    const { network, clock, agent, events, now } = makeHost();
    const server = await EpmdServer.start({ network, clock });
    const one = agent("a");
    await now(one.register("a", 1));
    await now(server.close());
    expect(clock.timerCount).toBe(1);
    await now(one.close());
    expect(clock.timerCount).toBe(0);
    const told = events.length;
    await clock.advance(60_000);
    expect(events).toHaveLength(told);
    expect(clock.timerCount).toBe(0);
  });

  test("closing in the middle of a registration ends it", async () => {
    const { network, clock, agent, now } = makeHost();
    await network.listen({ tcpPort: 4369 }, () => {});
    const one = agent("a");
    const registering = one.register("a", 1);
    const rejected = expect(registering).rejects.toMatchObject({ code: "EPMD_ABORTED" });
    await clock.settle();
    await now(one.close());
    await rejected;
    expect(clock.timerCount).toBe(0);
  });
});
