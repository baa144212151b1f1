/**
 * Odd control messages: the connection survives those that some OTP release tolerates, and ends after the
 * rest. `interop/odd-controls.interop.ts` checks the releases.
 */
import { expect, test } from "vitest";
import { atom, Port, tuple } from "../../etf/index.ts";
import { Cluster, inbox } from "../support/cluster.ts";
import { oddControls } from "../support/odd-controls.ts";
import { RawNode } from "../support/raw-node.ts";

/** erldist answers the first with `badarg` and drops the others; the emulator ends the connection. */
const LENIENT = /^SPAWN_REQUEST of (?!arity)(?!a,a$|a,a,1,1$|a$)|^SPAWN_REPLY by #Ref/;

test("the connection survives and ends as in OTP", async () => {
  await using cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const { process: sink, messages } = inbox(node, { trapExit: true, name: "sink" });
  const { process: dead } = inbox(node);
  dead.terminate(atom("normal"));
  const ref = node.newReference();
  const port = new Port("gandalf@vm", 5, node.creation);
  const ends = { me: "other@vm", sink: sink.pid, dead: dead.pid, ref, port };
  const wrong: string[] = [];
  for (const { name, before = [], control, payload, keptFrom } of oddControls(ends)) {
    const peer = await RawNode.connect(cluster, "gandalf@vm");
    for (const each of before) peer.send(each);
    peer.send(control, payload);
    messages.length = 0;
    peer.send(tuple(6, ends.sink, atom(""), atom("sink")), atom("marker"));
    await cluster.settle();
    const kept = !peer.closed && messages.includes(atom("marker"));
    const expected = Number.isFinite(keptFrom) || LENIENT.test(name);
    if (kept !== expected) wrong.push(`${name}: ${kept ? "kept" : "ended"}`);
    peer.transport.destroy();
    await cluster.settle();
  }
  expect(wrong).toEqual([]);
});
