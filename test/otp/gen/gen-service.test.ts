import { expect, test } from "vitest";
import { atom, Reference, type Term, tuple } from "../../../etf/index.ts";
import { type GenHandlers, genService } from "../../../src/otp/gen/gen-service.ts";
import { deferred } from "../../../src/transport/deferred.ts";
import { Cluster, inbox } from "../../support/cluster.ts";

const GEN_CALL = atom("$gen_call");
const GEN_CAST = atom("$gen_cast");
const [one, two] = [atom("one"), atom("two")];
const ref = new Reference("gandalf@vm", 7, [1, 2, 3]);

/** A server with these handlers, and a process that sends to it. */
async function started(handlers: GenHandlers) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const server = node.spawn(genService(handlers));
  const box = inbox(node);
  const send = async (message: Term): Promise<void> => {
    void box.process.send(server.pid, message);
    await cluster.settle();
  };
  const call = (request: Term): Promise<void> =>
    send(tuple(GEN_CALL, tuple(box.process.pid, ref), request));
  return { cluster, server, box, send, call };
}

test("passes each kind of message to its handler", async () => {
  const got: unknown[] = [];
  const { send, call, box } = await started({
    call: (request, caller) => void got.push("call", request, caller.pid),
    cast: (request) => void got.push("cast", request),
    info: (message) => void got.push("info", message),
  });
  await call(one);
  await send(tuple(GEN_CAST, two));
  await send(tuple(GEN_CAST, one, two));
  const { pid } = box.process;
  expect(got).toEqual(["call", one, pid, "cast", two, "info", tuple(GEN_CAST, one, two)]);
});

test("sends the reply with the caller's tag", async () => {
  const { box, call } = await started({ call: (request, caller) => caller.reply(request) });
  await call(one);
  expect(box.messages).toEqual([tuple(ref, one)]);
});

test("ignores what it has no handler for", async () => {
  const { server, box, send, call } = await started({});
  await call(one);
  await send(tuple(GEN_CAST, one));
  await send(two);
  expect(server.alive).toBe(true);
  expect(box.messages).toEqual([]);
});

test("takes the next message when the promise of a handler is settled", async () => {
  const held = deferred<void>();
  const { cluster, box, send, call } = await started({
    call: (request, caller) => caller.reply(request),
    cast: () => held.promise,
  });
  await send(tuple(GEN_CAST, one));
  await call(two);
  expect(box.messages).toEqual([]);
  held.resolve();
  await cluster.settle();
  expect(box.messages).toEqual([tuple(ref, two)]);
});
