import { describe, expect, test } from "vitest";
import { atom, ImproperList, Pid, Reference, type Term, tuple } from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { type GenCall, genCallIn, genCastIn, genReply } from "../../../src/otp/gen/gen.ts";
import type { Node } from "../../../src/otp/node.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";

const ALIAS = atom("alias");
const GEN_CALL = atom("$gen_call");
const oops = tuple(atom("oops"), 1) as Term;
const theirs = new Pid("other@vm", 1, 2, 7);
const ref = new Reference("other@vm", 7, [1, 2, 3]);
const aliasTag = new ImproperList<Term>([ALIAS], ref);

describe("what a server receives and sends", () => {
  test.each<[string, Term]>([
    ["a reference", ref],
    ["an alias", aliasTag],
    ["a tag of any kind", atom("tag")],
  ])("a call tagged with %s", (_, tag) => {
    const from = tuple(theirs, tag) as Term;
    expect(genCallIn(tuple(GEN_CALL, from, oops))).toEqual({ request: oops, from });
  });

  test.each<[string, Term]>([
    ["another word", tuple(atom("call"), tuple(theirs, ref), 1)],
    ["another size", tuple(GEN_CALL, tuple(theirs, ref))],
    ["a call without a pid", tuple(GEN_CALL, tuple(atom("me"), ref), 1)],
    ["a list", [GEN_CALL, tuple(theirs, ref), 1]],
    ["a cast", tuple(atom("$gen_cast"), 1)],
    ["an atom", atom("x")],
  ])("%s is not a call", (_, message) => {
    expect(genCallIn(message)).toBeUndefined();
  });

  test("a cast is a cast, even of false", () => {
    expect(genCastIn(tuple(atom("$gen_cast"), oops))).toBe(oops);
    expect(genCastIn(tuple(atom("$gen_cast"), false))).toBe(false);
    expect(genCastIn(tuple(GEN_CALL, tuple(theirs, ref), 1))).toBeUndefined();
    expect(genCastIn(atom("x"))).toBeUndefined();
  });

  test.each<[string, Term, Pid | Reference]>([
    ["the caller, tagged with a reference", ref, theirs],
    ["an alias", aliasTag, ref],
    ["a labelled alias", new ImproperList<Term>([aliasTag], atom("label")), ref],
    ["an alias labelled with a list", [aliasTag, 1, 2], ref],
    ["the caller, when the tag only looks like an alias", [[aliasTag]], theirs],
    ["the caller, when the tag is deep", deep(100_000), theirs],
    ["the caller, when the tag is deep and improper", deepImproper(100_000), theirs],
  ])("a reply goes to %s, with the tag", async (_, tag, to) => {
    const sent: unknown[] = [];
    const self = { reply: async (...given: unknown[]) => void sent.push(given) };
    genReply(self as never, tuple(theirs, tag) as Term, oops);
    expect(sent).toHaveLength(1);
    const [destination, message] = sent[0] as [Term, Term[]];
    expect(destination).toBe(to);
    expect(message[0]).toBe(tag);
    expect(message[1]).toBe(oops);
  });

  test("a reply to an invalid caller is dropped", () => {
    genReply({} as never, atom("nobody"), 1);
    genReply({} as never, tuple(atom("nobody"), atom("tag")), 1);
  });
});

function deep(levels: number): Term {
  let term: Term = [];
  for (let level = 0; level < levels; level++) term = [term];
  return term;
}

function deepImproper(levels: number): Term {
  let term: Term = aliasTag;
  for (let level = 0; level < levels; level++) term = new ImproperList<Term>([term], 1);
  return term;
}

/** A server of a node that handles a call as the test says. */
function serve(
  node: Node,
  name: string,
  handle: (call: GenCall, reply: (value: Term) => void) => void,
) {
  const casts: Term[] = [];
  const process = node.spawn({
    message: (message, self) => {
      const call = genCallIn(message);
      if (call !== undefined) handle(call, (value) => genReply(self, call.from, value));
      const cast = genCastIn(message);
      if (cast !== undefined) casts.push(cast);
    },
  });
  process.register(name);
  return { process, casts };
}

describe.each(["gandalf@vm", "bilbo@vm"])("a call to a server on %s", (where) => {
  async function setUp() {
    const cluster = new Cluster();
    const [caller, other] = await cluster.pair();
    return { cluster, caller, callee: where === "bilbo@vm" ? other : caller };
  }
  const outcome = (promise: Promise<Term>) => promise.catch((error: unknown) => error as Term);

  test("by name or pid resolves with the reply", async () => {
    const { cluster, caller, callee } = await setUp();
    const { process } = serve(callee, "server", ({ request }, reply) => reply([request]));
    for (const server of [process.pid, ["server", where], [atom("server"), atom(where)]] as const) {
      expect(await cluster.settled(caller.gen.call(server, oops))).toStrictEqual([oops]);
    }
    if (where === "gandalf@vm") {
      expect(await cluster.settled(caller.gen.call("server", 1))).toEqual([1]);
      expect(await cluster.settled(caller.gen.call(atom("server"), 1))).toEqual([1]);
    }
    expect(process.monitoredBy?.size).toBe(0);
  });

  test("many wait at once, and each gets its own reply", async () => {
    const { cluster, caller, callee } = await setUp();
    const waiting: (() => void)[] = [];
    serve(callee, "server", ({ request }, reply) => waiting.unshift(() => reply(request)));
    const calls = [1, 2, 3].map((each) => caller.gen.call(["server", where], each));
    await cluster.settle();
    for (const answer of waiting) answer();
    expect(await cluster.settled(Promise.all(calls))).toEqual([1, 2, 3]);
  });

  test("without a server is noproc; a server that ends before it replies gives its reason", async () => {
    const { cluster, caller, callee } = await setUp();
    const { timerCount } = cluster.clock;
    const noproc = await cluster.settled(outcome(caller.gen.call(["nobody", where], 1)));
    expect(noproc).toMatchObject({ code: "REMOTE_EXIT", reason: atom("noproc") });
    const { process } = serve(callee, "server", () => process.terminate(oops));
    const ended = await cluster.settled(outcome(caller.gen.call(["server", where], 1)));
    expect(ended).toMatchObject({ code: "REMOTE_EXIT", reason: oops });
    expect(cluster.clock.timerCount).toBe(timerCount);
  });

  test("without a reply ends after 5 seconds, as in OTP; a late reply is dropped", async () => {
    const { cluster, caller, callee } = await setUp();
    let replyLate!: () => void;
    const { process } = serve(callee, "server", (_, reply) => {
      replyLate = () => reply(1);
    });
    let ended: unknown = "pending";
    caller.gen.call(["server", where], 1).catch((error: unknown) => {
      ended = error;
    });
    await cluster.clock.advance(4999);
    expect(ended).toBe("pending");
    await cluster.clock.advance(1);
    expect(ended).toMatchObject({
      name: "CallError",
      code: "CALL_TIMEOUT",
      mayHaveRun: true,
      message: `No answer from {server, ${where}} within 5000 ms.`,
    });
    expect(process.monitoredBy?.size).toBe(0);
    replyLate();
    serve(callee, "other", ({ request }, reply) => reply(request));
    expect(await cluster.settled(caller.gen.call(["other", where], 2))).toBe(2);
  });

  test("has the time-out given, or none", async () => {
    const { cluster, caller, callee } = await setUp();
    serve(callee, "server", () => {});
    let [short, endless]: unknown[] = ["pending", "pending"];
    caller.gen.call(["server", where], 1, { timeoutMs: 10 }).catch((error: unknown) => {
      short = error;
    });
    caller.gen
      .call(["server", where], 1, { timeoutMs: Number.POSITIVE_INFINITY })
      .catch((error: unknown) => {
        endless = error;
      });
    await cluster.clock.advance(10);
    expect(short).toMatchObject({ code: "CALL_TIMEOUT" });
    await cluster.clock.advance(3_600_000);
    expect(endless).toBe("pending");
  });

  test("can be aborted, before and during", async () => {
    const { cluster, caller, callee } = await setUp();
    const { process } = serve(callee, "server", () => {});
    const reason = new Error("enough");
    await expect(
      caller.gen.call(["server", where], 1, { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    const { timerCount } = cluster.clock;
    const abort = new AbortController();
    const call = outcome(caller.gen.call(["server", where], 1, { signal: abort.signal }));
    await cluster.settle();
    abort.abort(reason);
    expect(await cluster.settled(call)).toBe(reason);
    await cluster.settle();
    expect(cluster.clock.timerCount).toBe(timerCount);
    expect(process.monitoredBy?.size).toBe(0);
  });

  test("of a value that is not a term is refused, and leaves nothing behind", async () => {
    const { cluster, caller, callee } = await setUp();
    const { process } = serve(callee, "server", () => {});
    const { timerCount } = cluster.clock;
    expect(
      await cluster.settled(outcome(caller.gen.call(["server", where], Number.NaN))),
    ).toMatchObject({ code: "ETF_NOT_A_TERM" });
    await cluster.settle();
    expect([cluster.clock.timerCount, process.monitoredBy?.size]).toEqual([timerCount, 0]);
  });

  test("a cast arrives, or is dropped without a server", async () => {
    const { cluster, caller, callee } = await setUp();
    const { process, casts } = serve(callee, "server", () => {});
    void caller.gen.cast(["server", where], oops);
    void caller.gen.cast(process.pid, 2);
    void caller.gen.cast(["nobody", where], 3);
    void caller.gen.cast("nobody", 4);
    await cluster.settle();
    expect(casts).toStrictEqual([oops, 2]);
  });
});

describe("a call to another node", () => {
  async function calling(flags = RAW_FLAGS) {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const raw = await RawNode.connect(cluster, "gandalf@vm", { flags });
    let outcome: unknown = "pending";
    node.gen.call(["server", "other@vm"], oops).then(
      (value) => {
        outcome = value;
      },
      (error: unknown) => {
        outcome = error;
      },
    );
    await cluster.settle();
    const heard = raw.take();
    const [, from, , monitorRef] = heard[0]!.control as unknown as [Term, Pid, Term, Reference];
    return { cluster, node, raw, heard, from, monitorRef, outcome: () => outcome };
  }

  test("is a monitor, and a request tagged with an alias of the same reference", async () => {
    const { heard, from, monitorRef } = await calling();
    const tag = new ImproperList<Term>([ALIAS], monitorRef);
    expect(heard).toStrictEqual([
      { control: tuple(19, from, atom("server"), monitorRef) },
      {
        control: tuple(6, from, atom(""), atom("server")),
        payload: tuple(GEN_CALL, tuple(from, tag), oops),
      },
    ]);
  });

  test.each([
    ["to the alias", RAW_FLAGS, (from: Pid, alias: Reference) => tuple(33, from, alias)],
    [
      "to the caller, as a node without aliases does",
      RAW_FLAGS & ~DFLAG.ALIAS,
      (from: Pid) => tuple(22, theirs, from),
    ],
  ])("takes the reply sent %s, and drops a second one", async (_, flags, control) => {
    const { cluster, raw, from, monitorRef, outcome } = await calling(flags);
    const tag = new ImproperList<Term>([ALIAS], monitorRef);
    const to = flags & DFLAG.ALIAS ? control(theirs, monitorRef) : control(from, monitorRef);
    raw.send(to, tuple(tag, 1));
    raw.send(to, tuple(tag, 2));
    await cluster.settle();
    expect(outcome()).toBe(1);
    expect(raw.take().map((heard) => heard.control)).toStrictEqual([
      tuple(20, from, atom("server"), monitorRef),
    ]);
  });

  test("takes a reply tagged with the bare reference", async () => {
    const { cluster, raw, from, monitorRef, outcome } = await calling();
    raw.send(tuple(22, theirs, from), tuple(monitorRef, 1));
    await cluster.settle();
    expect(outcome()).toBe(1);
  });

  test("ignores messages that are not a reply to it", async () => {
    const { cluster, node, raw, from, monitorRef, outcome } = await calling();
    const own = new ImproperList<Term>([ALIAS], monitorRef);
    for (const message of [
      atom("reply"),
      tuple(ref, 1),
      tuple(aliasTag, 1),
      tuple(own, 1, 2),
      tuple(deep(100_000), 1),
      tuple(atom("DOWN"), monitorRef, 1, 2, 3),
    ]) {
      raw.send(tuple(22, theirs, from), message as Term);
    }
    await cluster.settle();
    expect(outcome()).toBe("pending");
    expect(node.processOf(from)?.alive).toBe(true);
  });

  test("ends with the connection, or when none can be established", async () => {
    const { cluster, node, raw, outcome } = await calling();
    raw.transport.destroy();
    await cluster.settle();
    expect(outcome()).toMatchObject({ code: "CALL_NO_CONNECTION", mayHaveRun: true });
    for (const name of ["nobody@vm", "bilbo@vm.example", ""]) {
      const error = node.gen.call(["server", name], 1).catch((thrown: unknown) => thrown);
      expect(await cluster.settled(error)).toMatchObject({
        code: "CALL_NO_CONNECTION",
        mayHaveRun: false,
      });
    }
    expect(cluster.clock.timerCount).toBe(0);
  });
});

test("when an exit signal ends the calling process, its calls fail, and the next one gets a new process", async () => {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const callers: Pid[] = [];
  serve(node, "server", ({ from, request }, reply) => {
    callers.push((from as unknown as [Pid])[0]);
    if (request === 2) reply(2);
  });
  const call = node.gen.call("server", 1).catch((error: unknown) => error);
  await cluster.settle();
  node.exit(callers[0]!, atom("kill"));
  expect(await cluster.settled(call)).toMatchObject({ code: "PROCESS_DEAD" });
  expect(cluster.clock.timerCount).toBe(0);
  expect(await cluster.settled(node.gen.call("server", 2))).toBe(2);
  expect(callers[1]!.equals(callers[0])).toBe(false);
});

test("a stray message does not end the caller", async () => {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const box = inbox(node);
  serve(node, "server", ({ from }, reply) => {
    const [caller] = from as unknown as [Pid];
    void box.process.send(caller, atom("stray"));
    reply(1);
  });
  expect(await cluster.settled(node.gen.call("server", 1))).toBe(1);
  expect(await cluster.settled(node.gen.call("server", 1))).toBe(1);
});

describe("several servers", () => {
  async function three() {
    const cluster = new Cluster();
    const [gandalf, bilbo] = await cluster.pair();
    const frodo = await cluster.start("frodo@vm");
    const got: Term[] = [];
    for (const node of [gandalf, bilbo]) {
      node
        .spawn({
          message(message, self) {
            const call = genCallIn(message);
            if (call === undefined) got.push(genCastIn(message)!);
            else if (call.request !== atom("never")) genReply(self, call.from, oops);
          },
        })
        .register("server");
    }
    const nodes = [frodo.name, atom(bilbo.name), "nobody@vm", gandalf.name];
    return { cluster, gandalf, nodes, got };
  }

  test("multiCall tells replies from bad nodes, in the nodes' order", async () => {
    const { cluster, gandalf, nodes } = await three();
    const result = await cluster.settled(gandalf.gen.multiCall(nodes, "server", 1));
    expect(result).toEqual({
      replies: [
        { node: "bilbo@vm", reply: oops },
        { node: "gandalf@vm", reply: oops },
      ],
      badNodes: ["frodo@vm", "nobody@vm"],
    });
    const late = gandalf.gen.multiCall(["bilbo@vm"], "server", atom("never"), { timeoutMs: 10 });
    await cluster.clock.advance(10);
    expect(await late).toEqual({ replies: [], badNodes: ["bilbo@vm"] });
  });

  test("multiCall rejects for the caller's own errors", async () => {
    const { gandalf, nodes } = await three();
    const call = gandalf.gen.multiCall(nodes, "server", Number.NaN);
    await expect(call).rejects.toMatchObject({ code: "ETF_NOT_A_TERM" });
  });

  test("abcast reaches the servers that exist", async () => {
    const { cluster, gandalf, nodes, got } = await three();
    await cluster.settled(gandalf.gen.abcast(nodes, atom("server"), oops));
    await cluster.settle();
    expect(got).toStrictEqual([oops, oops]);
  });
});
