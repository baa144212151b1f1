import { expect, test } from "vitest";
import { atom, format, type Term, tuple } from "../../../etf/index.ts";
import { GenServer } from "../../../src/otp/behaviours/gen-server.ts";
import type { CallResult } from "../../../src/otp/behaviours/gen-server-callbacks.ts";
import { Cluster } from "../../support/cluster.ts";

class Echo extends GenServer<Term> {
  override state: Term = tuple(atom("ok"), 1) as Term;
  override handleCall(request: Term): CallResult {
    return { reply: request };
  }
}

async function server() {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  const process = await cluster.settled(new Echo().start(bilbo, { name: "echo" }));
  const echo = ["echo", "bilbo@vm"] as const;
  const { sys, gen } = gandalf;
  return { cluster, gandalf, bilbo, process, echo, sys, gen };
}

test("returns the state, by name and by pid, even one that looks like an answer", async () => {
  const { cluster, process, echo, sys, bilbo } = await server();
  for (const target of [echo, process.pid]) {
    expect(await cluster.settled(sys.getState(target))).toStrictEqual(tuple(atom("ok"), 1));
  }
  expect(await cluster.settled(bilbo.sys.getState("echo"))).toStrictEqual(tuple(atom("ok"), 1));
  const status = format(await cluster.settled(sys.getStatus(echo)), { mode: "~0tp" });
  expect(status).toMatch(/^\{status,<.*>,\{module,gen_server\},\[.*running/);
});

test("a state that the server fails to return is an error", async () => {
  const { cluster, gandalf, sys } = await server();
  gandalf
    .spawn({
      message(message, self) {
        const [, [pid, tag]] = message as unknown as [Term, [never, Term]];
        void self.send(pid, tuple(tag, tuple(atom("error"), tuple(atom("callback_failed"), 1, 2))));
      },
    })
    .register("broken");
  await expect(cluster.settled(sys.getState("broken"))).rejects.toMatchObject({
    code: "REMOTE_ERROR",
    reason: tuple(atom("callback_failed"), 1, 2),
  });
});

test("a suspended server answers only sys", async () => {
  const { cluster, echo, sys, gen } = await server();
  await cluster.settled(sys.suspend(echo));
  const call = gen.call(echo, 1);
  await cluster.settle();
  expect(await cluster.settled(sys.getState(echo))).toStrictEqual(tuple(atom("ok"), 1));
  await cluster.settled(sys.resume(echo));
  expect(await cluster.settled(call)).toBe(1);
});

test("statistics, log and trace are switched on and off", async () => {
  const { cluster, bilbo, echo, sys, gen } = await server();
  const logged: string[] = [];
  bilbo.on("log", ({ report }) => logged.push(format(report.get(atom("label")) as Term)));
  const settled = <T>(promise: Promise<T>): Promise<T> => cluster.settled(promise);
  expect(await settled(sys.getStatistics(echo))).toBeUndefined();
  await settled(sys.statistics(echo, true));
  await settled(sys.log(echo, 3));
  await settled(sys.trace(echo, true));
  await settled(gen.call(echo, 1));
  await settled(gen.call(echo, 2));
  await settled(sys.trace(echo, false));
  expect(await settled(sys.getStatistics(echo))).toMatchObject({ messagesIn: 2, messagesOut: 2 });
  const kinds = (await settled(sys.getLog(echo))).map((event) => (event as readonly Term[])[0]);
  expect(kinds).toEqual([atom("out"), atom("in"), atom("out")]);
  expect(logged).toEqual(Array(4).fill("{sys,trace}"));
  await settled(sys.noDebug(echo));
  expect(await settled(sys.getLog(echo))).toEqual([]);
  await settled(sys.log(echo, true));
  await settled(gen.call(echo, 3));
  await settled(sys.log(echo, false));
  expect(await settled(sys.getLog(echo))).toEqual([]);
  await settled(sys.statistics(echo, false));
  expect(await settled(sys.getStatistics(echo))).toBeUndefined();
});

test("terminate ends it, by default with the reason normal", async () => {
  for (const reason of [atom("normal"), atom("oops")]) {
    const { cluster, gandalf, process, echo, sys } = await server();
    const watcher = gandalf.spawn(async (self) => {
      self.monitor(process.pid);
      const down = (await self.receive()) as unknown as Term[];
      expect(down[4]).toBe(reason);
    });
    await cluster.settle();
    await cluster.settled(
      reason === atom("normal") ? sys.terminate(echo) : sys.terminate(echo, reason),
    );
    await cluster.settle();
    expect(process.alive).toBe(false);
    expect(watcher.alive).toBe(false);
  }
});
