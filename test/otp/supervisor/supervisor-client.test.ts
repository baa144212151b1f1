import { expect, test } from "vitest";
import { atom, type Term, tuple } from "../../../etf/index.ts";
import { genCallIn, genReply } from "../../../src/otp/gen/gen.ts";
import { Cluster } from "../../support/cluster.ts";
import { shown } from "../../support/supervised.ts";

/** A supervisor that records its requests and gives prepared answers. */
async function asking(answer: Term) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const asked: string[] = [];
  const process = node.spawn({
    message(message, self) {
      const { request, from } = genCallIn(message)!;
      asked.push(shown(request));
      genReply(self, from, answer);
    },
  });
  process.register("sup");
  return { cluster, node, asked, supervisor: node.supervisor };
}

test("makes each call as module supervisor", async () => {
  const { cluster, supervisor, asked } = await asking(atom("ok"));
  const pid = cluster.settled.bind(cluster);
  const calls = [
    supervisor.startChild("sup", { id: "a", start: ["m", "f", ["text"]], restart: "temporary" }),
    supervisor.startChild("sup", [1, atom("b")]),
    supervisor.terminateChild("sup", "a"),
    supervisor.restartChild("sup", tuple(1) as Term),
    supervisor.deleteChild("sup", atom("a")),
    supervisor.getChildspec("sup", "a"),
  ];
  expect((await pid(Promise.all(calls))).map(shown)).toEqual(calls.map(() => "ok"));
  expect(asked).toEqual([
    '{start_child,#{id => a,start => {m,f,[<<"text">>]},restart => temporary}}',
    "{start_child,[1,b]}",
    "{terminate_child,a}",
    "{restart_child,{1}}",
    "{delete_child,a}",
    "{get_childspec,a}",
  ]);
});

test("returns counts as an object, and children as tuples", async () => {
  const counts = [tuple(atom("specs"), 2), tuple(atom("active"), 1)] as unknown as Term;
  const { cluster, supervisor } = await asking(counts);
  expect(await cluster.settled(supervisor.countChildren("sup"))).toEqual({ specs: 2, active: 1 });
  const child = tuple(atom("a"), atom("undefined"), atom("worker"), atom("dynamic"));
  const other = await asking([child] as unknown as Term);
  const [first] = await other.cluster.settled(other.supervisor.whichChildren("sup"));
  expect(first).toStrictEqual(child);
});

test("has no time-out by default", async () => {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  node.spawn({ message: () => {} }).register("sup");
  const given = { timeoutMs: 10 };
  const limited = node.supervisor.countChildren("sup", given).catch((error: unknown) => error);
  const abort = new AbortController();
  const unlimited = node.supervisor
    .whichChildren("sup", { signal: abort.signal })
    .catch((error: unknown) => error);
  await cluster.clock.advance(10);
  expect(await cluster.settled(limited)).toMatchObject({ code: "CALL_TIMEOUT" });
  await cluster.clock.advance(1e9);
  abort.abort("given up");
  expect(await cluster.settled(unlimited)).toBe("given up");
});
