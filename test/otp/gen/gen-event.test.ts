import { expect, test } from "vitest";
import { atom, isPid, isTuple, parse, type Term, tuple } from "../../../etf/index.ts";
import { genReply } from "../../../src/otp/gen/gen.ts";
import { Cluster } from "../../support/cluster.ts";

/** An event manager that answers every request with the request itself. */
async function manager() {
  const cluster = new Cluster();
  const [gandalf, bilbo] = await cluster.pair();
  const got: Term[] = [];
  bilbo
    .spawn({
      message(message, self) {
        if (!isTuple(message, 3)) return void got.push(message);
        const [label, from, request] = message;
        expect(isPid(label) && (from as readonly Term[])[0]).toStrictEqual(label);
        if (request !== atom("never")) genReply(self, from, request);
      },
    })
    .register("manager");
  return { cluster, events: gandalf.genEvent, server: ["manager", "bilbo@vm"] as const, got };
}

test("sends each request as OTP does", async () => {
  const { cluster, events, server, got } = await manager();
  const answered = (answer: Promise<unknown>) => cluster.settled(answer);
  const term = (text: string) => parse(text);
  await answered(events.notify(server, "e"));
  await cluster.settle();
  expect(got).toStrictEqual([term('{notify, <<"e">>}')]);
  expect(await answered(events.syncNotify(server, 1))).toBeUndefined();
  expect(await answered(events.call(server, "h", 1))).toStrictEqual(term("{call, h, 1}"));
  expect(await answered(events.call(server, ["h", 2], 1))).toStrictEqual(term("{call, {h, 2}, 1}"));
  expect(await answered(events.whichHandlers(server))).toBe(atom("which_handlers"));
  expect(await answered(events.addHandler(server, atom("h"), [1]))).toStrictEqual(
    term("{add_handler, h, [1]}"),
  );
  const id = tuple(atom("h"), 2);
  expect(await answered(events.deleteHandler(server, id as never, 1))).toStrictEqual(
    term("{delete_handler, {h, 2}, 1}"),
  );
  expect(await answered(events.swapHandler(server, ["a", 1], [[atom("b"), "i"], 2]))).toStrictEqual(
    term('{swap_handler, a, 1, {b, <<"i">>}, 2}'),
  );
});

test("a call times out after 5 seconds, other requests never", async () => {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  node.spawn({ message() {} }).register("silent");
  let handlers = "waits";
  void node.genEvent.whichHandlers("silent").catch(() => {
    handlers = "failed";
  });
  const call = node.genEvent.call("silent", "h", 1).catch((error: unknown) => error);
  await cluster.clock.advance(5000);
  expect(await call).toMatchObject({ code: "CALL_TIMEOUT" });
  await cluster.clock.advance(100_000);
  expect(handlers).toBe("waits");
});
