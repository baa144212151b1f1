/** The messages that rpc's other functions, and C and Java nodes, send to `rex`, and its answers. */
import { describe, expect, test } from "vitest";
import { atom, ImproperList, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { CallContext } from "../../../src/node/exposed/functions.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RawNode } from "../../support/raw-node.ts";

const REX = atom("rex");
const USER = atom("user");
const oops = tuple(atom("oops"), 1) as Term;
const theirs = new Pid("other@vm", 1, 2, 7);
const alias = new Reference("other@vm", 7, [1, 2, 3]);

async function setUp() {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm");
  const ran: unknown[] = [];
  node.expose("m", {
    add: (a: number, b: number) => a + b,
    later: async (value: Term) => value,
    note(this: CallContext, value: Term) {
      ran.push(value, this.self.groupLeader, this.caller);
    },
    exits: () => {
      throw ErlangError.exit(oops);
    },
    errors: () => {
      throw ErlangError.error(oops);
    },
    throws: async () => {
      throw ErlangError.throw(oops);
    },
    bad: () => Number.NaN,
  });
  return {
    cluster,
    node,
    raw,
    ran,
    /** Sends a message to rex; returns the payloads of its answers. */
    say: async (message: Term) => {
      raw.send(tuple(6, theirs, atom(""), REX), message);
      await cluster.settle();
      return raw.take().map((heard) => heard.payload);
    },
  };
}

const request = (kind: string, name: string, args: Term, leader: Term = USER) =>
  tuple(atom(kind), atom("m"), atom(name), args, leader) as Term;
const from = (what: Term) => tuple(theirs, what) as Term;
const genFrom = tuple(theirs, new ImproperList<Term>([atom("alias")], alias)) as Term;
const genCall = (what: Term) => tuple(atom("$gen_call"), genFrom, what) as Term;
const badrpc = (reason: Term) => tuple(atom("badrpc"), tuple(atom("EXIT"), reason)) as Term;

describe("{From, {call, M, F, Args, GroupLeader}}", () => {
  test("gets the answer {rex, Result}, at once or later", async () => {
    const { say } = await setUp();
    expect(await say(from(request("call", "add", [1, 2])))).toStrictEqual([tuple(REX, 3)]);
    expect(await say(from(request("call", "later", [oops])))).toStrictEqual([tuple(REX, oops)]);
  });

  test.each<[string, Term, unknown]>([
    ["exits", [], badrpc(oops)],
    ["errors", [], badrpc(tuple(oops, expect.any(Array) as unknown as Term) as Term)],
    ["throws", [], oops],
    [
      "nothing",
      [7],
      badrpc(tuple(atom("undef"), [tuple(atom("m"), atom("nothing"), [7], [])]) as Term),
    ],
    [
      "bad",
      [],
      badrpc(
        tuple(
          tuple(
            atom("javascript_error"),
            Buffer.from("EtfEncodeError"),
            expect.any(Buffer) as unknown as Term,
          ),
          expect.any(Array) as unknown as Term,
        ) as Term,
      ),
    ],
    [
      "add",
      tuple(1, 2),
      badrpc(tuple(atom("badarg"), expect.any(Array) as unknown as Term) as Term),
    ],
  ])("%s %o gets the answer that OTP gives", async (name, args, answer) => {
    const { node, say } = await setUp();
    expect(await say(from(request("call", name, args)))).toStrictEqual([
      tuple(REX, answer as Term),
    ]);
    expect(node.whereis("rex")?.alive).toBe(true);
  });

  test("runs with the given group leader, or the node's", async () => {
    const { node, ran, say } = await setUp();
    const leader = new Pid("other@vm", 9, 0, 7);
    await say(from(request("call", "note", [1], leader)));
    await say(from(request("call", "note", [2], atom("send_stdout_to_caller"))));
    expect(ran).toStrictEqual([1, leader, theirs, 2, node.groupLeader, theirs]);
  });

  test("does not delay other requests", async () => {
    const { node, say } = await setUp();
    node.expose("m", { never: () => new Promise(() => {}) });
    expect(await say(from(request("call", "never", [])))).toEqual([]);
    expect(await say(from(request("call", "add", [1, 2])))).toHaveLength(1);
  });
});

describe("$gen_call", () => {
  test.each(["call", "block_call"])("of %s is answered by the caller's alias", async (kind) => {
    const { cluster, raw } = await setUp();
    raw.send(tuple(6, theirs, atom(""), REX), genCall(request(kind, "add", [1, 2])));
    await cluster.settle();
    const [heard] = raw.take();
    expect((heard!.control as Term[]).at(-1)).toStrictEqual(alias);
    expect(heard!.payload).toStrictEqual(tuple((genFrom as Term[])[1] as Term, 3));
  });

  test("of a failure is answered badrpc", async () => {
    const { say } = await setUp();
    const [answer] = await say(genCall(request("call", "exits", [])));
    expect((answer as Term[])[1]).toStrictEqual(badrpc(oops));
  });
});

test("$gen_cast of a cast runs and is not answered", async () => {
  const { ran, say } = await setUp();
  for (const name of ["note", "errors", "nothing"]) {
    const cast = tuple(atom("$gen_cast"), request("cast", name, name === "note" ? [1] : []));
    expect(await say(cast as Term)).toEqual([]);
  }
  expect(ran[0]).toBe(1);
});

describe("messages to names", () => {
  test("sbcast delivers and reports the node, or that the name does not exist", async () => {
    const { node, say } = await setUp();
    const box = inbox(node, { name: "box" });
    const gandalf = atom("gandalf@vm");
    const sbcast = (name: string) => from(tuple(atom("sbcast"), atom(name), oops) as Term);
    expect(await say(sbcast("box"))).toStrictEqual([tuple(REX, gandalf, gandalf)]);
    expect(await say(sbcast("nobody"))).toStrictEqual([
      tuple(REX, gandalf, tuple(atom("nonexisting_name"), atom("nobody"))),
    ]);
    expect(box.messages).toStrictEqual([oops]);
  });

  test("send delivers {From, Message}, and reports only a name that does not exist", async () => {
    const { node, say } = await setUp();
    const box = inbox(node, { name: "box" });
    const send = (name: string) => from(tuple(atom("send"), atom(name), oops) as Term);
    expect(await say(send("box"))).toEqual([]);
    expect(await say(send("nobody"))).toStrictEqual([
      tuple(REX, atom("gandalf@vm"), tuple(atom("nonexisting_name"), atom("nobody"))),
    ]);
    expect(box.messages).toStrictEqual([tuple(theirs, oops)]);
  });
});

test("features_request is answered with erpc", async () => {
  const { say } = await setUp();
  expect(await say(from(atom("features_request")))).toStrictEqual([
    tuple(atom("features_reply"), atom("gandalf@vm"), [atom("erpc")]),
  ]);
});

test.each<[string, Term]>([
  ["an atom", atom("hello")],
  ["a tuple of one", tuple(1)],
  ["a request without a pid", tuple(atom("me"), request("call", "add", [1, 2]))],
  ["a request of another kind", from(request("shout", "add", [1, 2]))],
  ["a call that is too short", from(tuple(atom("call"), atom("m"), atom("add")))],
  ["a cast of a call", tuple(atom("$gen_cast"), request("call", "add", [1, 2]))],
  [
    "a gen call without a pid",
    tuple(atom("$gen_call"), atom("me"), request("call", "add", [1, 2])),
  ],
  ["a gen call of no request", genCall(atom("status"))],
  ["sbcast to a term that is not a name", from(tuple(atom("sbcast"), 1, 2))],
])("drops %s and keeps running", async (_, message) => {
  const { node, say } = await setUp();
  expect(await say(message)).toEqual([]);
  expect(node.whereis("rex")?.alive).toBe(true);
});

describe("a block_call", () => {
  test("delays later requests until its function is done, or its process ends", async () => {
    const { node, say, cluster } = await setUp();
    let release = (): void => {};
    let running: CallContext | undefined;
    node.expose("m", {
      wait(this: CallContext) {
        running = this;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    expect(await say(genCall(request("block_call", "wait", [])))).toStrictEqual([]);
    expect(await say(from(request("call", "add", [1, 2])))).toStrictEqual([]);
    release();
    await cluster.settle();
    expect(await say(from(atom("features_request")))).toHaveLength(3);

    expect(await say(genCall(request("block_call", "wait", [])))).toStrictEqual([]);
    node.exit(running!.self.pid, oops);
    const [ended] = await say(from(atom("features_request")));
    expect((ended as Term[])[1]).toStrictEqual(badrpc(oops));
  });

  test("the caller gets an answer when an exit signal ends the process, block_call or not", async () => {
    const { node, say } = await setUp();
    let running: CallContext | undefined;
    node.expose("m", {
      never(this: CallContext) {
        running = this;
        return new Promise(() => {});
      },
    });
    expect(await say(from(request("call", "never", [])))).toStrictEqual([]);
    node.exit(running!.self.pid, oops);
    expect(await say(atom("anything"))).toStrictEqual([tuple(REX, badrpc(oops))]);
  });
});
