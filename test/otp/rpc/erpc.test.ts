import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  atom,
  encode,
  ImproperList,
  isTuple,
  Pid,
  Reference,
  type Term,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { DFLAG } from "../../../src/distribution/flags.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { CallContext, ExposedModule } from "../../../src/node/exposed/functions.ts";
import { Cluster, inbox } from "../../support/cluster.ts";
import { RAW_FLAGS, RawNode } from "../../support/raw-node.ts";

const oops = tuple(atom("oops"), 1) as Term;

/** Two nodes; the second exposes a module `m`. */
async function serving(functions: ExposedModule) {
  const cluster = new Cluster();
  const [caller, callee] = await cluster.pair();
  for (const node of [caller, callee]) node.expose("m", functions);
  const call = (name: string, args: Term[] = [], options = {}) =>
    caller.erpc.call("bilbo@vm", "m", name, args, options);
  return { cluster, caller, callee, call };
}

/** The process that a peer, which the test controls, runs for a request. */
const ran = new Pid("other@vm", 1, 2, 7);

/** A node, and such a peer, which it calls. */
async function calling(flags = RAW_FLAGS) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const raw = await RawNode.connect(cluster, "gandalf@vm", { flags });
  let outcome: unknown = "pending";
  /** Makes a call; returns its request, and the messages that answer it. */
  const call = async (options = {}) => {
    node.erpc.call("other@vm", "m", "f", [1], options).then(
      (value) => {
        outcome = value;
      },
      (error: unknown) => {
        outcome = error;
      },
    );
    await cluster.settle();
    const [heard] = raw.take();
    const [, reqId, from] = (heard?.control ?? []) as unknown as [number, Reference, Pid];
    const [resRef] = (heard?.payload ?? []) as [Reference];
    return {
      heard,
      reqId,
      from,
      resRef,
      spawned: () => raw.send(tuple(31, reqId, from, 2, ran)),
      down: (reason: Term) => raw.send(tuple(28, ran, from, reqId), reason),
    };
  };
  return { cluster, node, raw, call, outcome: () => outcome };
}

describe("a call", () => {
  test("resolves with what the function returns, now or later", async () => {
    const { cluster, call } = await serving({
      add: (a: number, b: number) => a + b,
      later: async (value: Term) => {
        await Promise.resolve();
        return value;
      },
      nothing: () => {},
      no: () => false,
    });
    expect(await cluster.settled(call("add", [1, 2]))).toBe(3);
    expect(await cluster.settled(call("later", [oops]))).toStrictEqual(oops);
    expect(await cluster.settled(call("nothing"))).toBe(atom("ok"));
    expect(await cluster.settled(call("no"))).toBe(false);
  });

  test("carries every kind of term both ways", async () => {
    const { cluster, caller, call } = await serving({ echo: (value: Term) => value });
    const terms: Term[] = [
      0,
      -(2n ** 80n),
      atom("é"),
      true,
      [],
      [1, [2]],
      [104, 105],
      new ImproperList<Term>([1], 2),
      tuple(),
      Buffer.from("bytes"),
      new TermMap<Term, Term>([[tuple(1), [2]]]),
      caller.newReference(),
      inbox(caller).process.pid,
    ];
    for (const term of terms) {
      const back = await cluster.settled(call("echo", [term]));
      expect(encode(back)).toEqual(encode(term));
    }
    expect(
      await cluster.settled(caller.erpc.call(atom("bilbo@vm"), atom("m"), atom("echo"), ["é"])),
    ).toStrictEqual(Buffer.from("é"));
  });

  test("connects automatically, and many run at once", async () => {
    const cluster = new Cluster();
    const caller = await cluster.start("gandalf@vm");
    const callee = await cluster.start("bilbo@vm");
    callee.expose("m", { double: async (value: number) => value * 2 });
    const calls = Array.from({ length: 100 }, (_, at) =>
      caller.erpc.call("bilbo@vm", "m", "double", [at]),
    );
    const results = await cluster.settled(Promise.all(calls));
    expect(results).toEqual(results.map((_, at) => at * 2));
    expect(caller.events).toEqual(["up bilbo@vm"]);
  });

  test("runs in a new process, for its caller, with the requested group leader", async () => {
    let context: CallContext | undefined;
    let leader: Pid | undefined;
    const { cluster, caller, callee, call } = await serving({
      who(this: CallContext) {
        context = this;
        leader = this.self.groupLeader;
        return this.self.pid;
      },
    });
    const before = callee.stats().processes;
    const pid = await cluster.settled(call("who"));
    expect(context?.self.pid).toEqual(pid);
    expect(context?.caller).toMatchObject({ node: atom("gandalf@vm") });
    expect(leader).toEqual(caller.groupLeader);
    const other = inbox(caller).process.pid;
    await cluster.settled(call("who", [], { groupLeader: other }));
    expect(leader).toEqual(other);
    await cluster.settle();
    expect([callee.stats().processes, context?.self.alive]).toEqual([before, false]);
  });

  test("leaves nothing behind on the caller's side", async () => {
    const { cluster, caller, call } = await serving({ f: () => 1 });
    const { timerCount } = cluster.clock;
    const before = caller.stats().processes;
    const abort = new AbortController();
    await cluster.settled(call("f", [], { timeoutMs: 1000, signal: abort.signal }));
    expect([cluster.clock.timerCount, caller.stats().processes]).toEqual([timerCount, before]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("is made as OTP makes it", async () => {
    const { node, call } = await calling();
    const { heard, reqId, from, resRef } = await call();
    expect(resRef).toBeInstanceOf(Reference);
    const mfa = tuple(atom("erpc"), atom("execute_call"), 4);
    expect(heard).toStrictEqual({
      control: tuple(29, reqId, from, node.groupLeader, mfa, [atom("monitor")]),
      payload: [resRef, atom("m"), atom("f"), [1]],
    });
  });
});

describe("a function that fails", () => {
  const failures: ExposedModule = {
    exits: () => {
      throw ErlangError.exit(oops);
    },
    errors: () => {
      throw ErlangError.error(oops);
    },
    throws: () => {
      throw ErlangError.throw(oops);
    },
    breaks: () => {
      throw new TypeError("broken");
    },
    notANumber: () => Number.NaN,
    deepInside: () => [1, { price: undefined }],
    noReason: () => {
      throw ErlangError.throw(Number.NaN);
    },
  };
  const later: ExposedModule = Object.fromEntries(
    Object.entries(failures).map(([name, run]) => [name, async () => run.call({} as never)]),
  );
  const javascriptError = (name: string, message: Term) =>
    tuple(atom("javascript_error"), Buffer.from(name), message);

  describe.each([
    ["at once", failures],
    ["later", later],
  ])("%s", (_, functions) => {
    test.each([
      ["exits", "REMOTE_EXIT", oops],
      ["errors", "REMOTE_ERROR", oops],
      ["throws", "REMOTE_THROW", oops],
      ["breaks", "REMOTE_ERROR", javascriptError("TypeError", Buffer.from("broken"))],
      [
        "notANumber",
        "REMOTE_ERROR",
        javascriptError("EtfEncodeError", expect.any(Buffer) as Buffer),
      ],
      [
        "deepInside",
        "REMOTE_ERROR",
        javascriptError("EtfEncodeError", expect.any(Buffer) as Buffer),
      ],
      ["noReason", "REMOTE_ERROR", javascriptError("EtfEncodeError", expect.any(Buffer) as Buffer)],
    ])("%s: rejects with %s, and the node keeps running", async (name, code, reason) => {
      const { cluster, callee, call } = await serving(functions);
      const error = await cluster.settled(call(name).catch((thrown: unknown) => thrown));
      expect(error).toMatchObject({ name: "RemoteError", code });
      expect((error as { reason: Term }).reason).toStrictEqual(reason);
      expect(callee.nodes()).toEqual(["gandalf@vm"]);
    });
  });

  test("an error has its stack trace, an exit and a throw have none", async () => {
    const { cluster, call } = await serving(failures);
    const of = async (name: string) =>
      (await cluster.settled(call(name).catch((error: unknown) => error))) as {
        stackTrace: Term[];
      };
    const { stackTrace } = await of("breaks");
    expect(isTuple(stackTrace[0], 4)).toBe(true);
    expect((await of("exits")).stackTrace).toBeUndefined();
    expect((await of("throws")).stackTrace).toBeUndefined();
  });

  test.each<[string, string, string, Term[]]>([
    ["a function that is not exposed", "m", "nothing", [1]],
    ["another arity", "m", "exits", [1]],
    ["a module that is not exposed", "os", "cmd", [1]],
    ["erpc's own function", "erpc", "execute_call", [1, 2, 3, 4]],
  ])("%s is undef", async (_, module, name, args) => {
    const { cluster, caller } = await serving(failures);
    const error = await cluster.settled(
      caller.erpc.call("bilbo@vm", module, name, args).catch((thrown: unknown) => thrown),
    );
    expect(error).toMatchObject({ code: "REMOTE_ERROR", reason: atom("undef") });
    expect((error as { stackTrace: Term }).stackTrace).toStrictEqual([
      tuple(atom(module), atom(name), args, []),
    ]);
  });

  test("killing its process is an exit", async () => {
    let self!: CallContext["self"];
    const { cluster, callee, call } = await serving({
      async wait(this: CallContext) {
        self = this.self;
        await this.self.receive();
      },
    });
    const failed = expect(call("wait")).rejects.toMatchObject({
      code: "REMOTE_EXIT",
      reason: atom("killed"),
    });
    await cluster.settle();
    callee.exit(self.pid, atom("kill"));
    await cluster.settle();
    await failed;
  });
});

describe("an answer of another node", () => {
  test.each<[string, (ref: Reference) => Term, object]>([
    ["throw", (ref) => tuple(ref, atom("throw"), oops), { code: "REMOTE_THROW", reason: oops }],
    ["exit", (ref) => tuple(ref, atom("exit"), oops), { code: "REMOTE_EXIT", reason: oops }],
    [
      "error",
      (ref) => tuple(ref, atom("error"), oops, [1]),
      { code: "REMOTE_ERROR", reason: oops, stackTrace: [1] },
    ],
    [
      "erpc's error",
      (ref) => tuple(ref, atom("error"), tuple(atom("erpc"), atom("badarg"))),
      { code: "REMOTE_ERROR", reason: tuple(atom("erpc"), atom("badarg")) },
    ],
    ["killed", () => atom("killed"), { code: "REMOTE_EXIT", reason: atom("killed") }],
    [
      "another request's result",
      () => tuple(new Reference("other@vm", 7, [9]), atom("return"), 1) as Term,
      { code: "REMOTE_EXIT" },
    ],
    ["an unknown kind", (ref) => tuple(ref, atom("gave_up"), 1), { code: "REMOTE_EXIT" }],
  ])("%s rejects", async (_, reason, expected) => {
    const { cluster, call, outcome } = await calling();
    const { spawned, down, resRef } = await call();
    spawned();
    down(reason(resRef));
    await cluster.settle();
    expect(outcome()).toMatchObject({ name: "RemoteError", ...expected });
  });

  test("a return resolves, even with false", async () => {
    const { cluster, call, outcome } = await calling();
    const { spawned, down, resRef } = await call();
    spawned();
    await cluster.settle();
    expect(outcome()).toBe("pending");
    down(tuple(resRef, atom("return"), false) as Term);
    await cluster.settle();
    expect(outcome()).toBe(false);
  });

  test("that it cannot spawn is not a result", async () => {
    const { cluster, raw, call, outcome } = await calling();
    const { reqId, from } = await call({ timeoutMs: 1000 });
    raw.send(tuple(31, reqId, from, 0, atom("system_limit")));
    await cluster.settle();
    expect(outcome()).toMatchObject({
      name: "CallError",
      code: "CALL_NOT_SUPPORTED",
      mayHaveRun: false,
      message: expect.stringContaining("system_limit"),
    });
  });
});

describe("no answer", () => {
  test("of a peer without spawn requests, to which nothing is sent", async () => {
    const { cluster, raw, call, outcome } = await calling(RAW_FLAGS & ~DFLAG.SPAWN);
    const { timerCount } = cluster.clock;
    await call({ timeoutMs: 1000 });
    expect(outcome()).toMatchObject({ code: "CALL_NOT_SUPPORTED", mayHaveRun: false });
    expect([raw.heard, cluster.clock.timerCount]).toEqual([[], timerCount]);
  });

  test.each([
    ["before it was asked", false, "nobody@vm"],
    ["after", true, "other@vm"],
  ])("because the connection failed %s", async (_, wasUp, name) => {
    const { cluster, node, raw } = await calling();
    const error = node.erpc.call(name, "m", "f", []).catch((thrown: unknown) => thrown);
    if (wasUp) {
      await cluster.settle();
      raw.transport.destroy();
    }
    expect(await cluster.settled(error)).toMatchObject({
      name: "CallError",
      code: "CALL_NO_CONNECTION",
      mayHaveRun: wasUp,
      cause: { code: wasUp ? "CONN_CLOSED" : "EPMD_NAME_UNKNOWN" },
    });
  });

  test.each(["no name", "bilbo@vm.example", ""])(
    "of %j, which is not a reachable node",
    async (name) => {
      const { cluster, node } = await calling();
      const error = node.erpc.call(name, "m", "f", []).catch((thrown: unknown) => thrown);
      expect(await cluster.settled(error)).toMatchObject({
        code: "CALL_NO_CONNECTION",
        mayHaveRun: false,
      });
    },
  );

  test("in time abandons the call and the monitor of the remote process", async () => {
    const { cluster, raw, call, outcome } = await calling();
    const { reqId, from, spawned, down, resRef } = await call({ timeoutMs: 500 });
    spawned();
    await cluster.clock.advance(499);
    expect(outcome()).toBe("pending");
    await cluster.clock.advance(1);
    expect(outcome()).toMatchObject({ code: "CALL_TIMEOUT", mayHaveRun: true });
    expect(raw.take()).toStrictEqual([{ control: tuple(20, from, ran, reqId) }]);
    down(tuple(resRef, atom("return"), 1) as Term);
    await cluster.settle();
    expect(outcome()).toMatchObject({ code: "CALL_TIMEOUT" });
  });

  test("in time, while connecting", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    await cluster.names.host("moria").register("balrog", 1, { hidden: true });
    cluster.network.silence("moria");
    const error = node.erpc
      .call("balrog@moria", "m", "f", [], { timeoutMs: 500 })
      .catch((thrown: unknown) => thrown);
    await cluster.clock.advance(500);
    expect(await cluster.settled(error)).toMatchObject({ code: "CALL_TIMEOUT" });
  });

  test("because the caller aborts, before or during", async () => {
    const { cluster, node, raw, call, outcome } = await calling();
    const reason = new Error("enough");
    await expect(
      node.erpc.call("other@vm", "m", "f", [], { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    await cluster.settle();
    expect(raw.take()).toEqual([]);
    const abort = new AbortController();
    const { spawned } = await call({ signal: abort.signal, timeoutMs: 1000 });
    const { timerCount } = cluster.clock;
    abort.abort(reason);
    await cluster.settle();
    expect(outcome()).toBe(reason);
    expect(cluster.clock.timerCount).toBe(timerCount - 1);
    spawned();
    await cluster.settle();
    expect(raw.take().map((heard) => (heard.control as Term[])[0])).toEqual([20]);
  });

  test("because an exit signal ended the calling process; the next call gets a new one", async () => {
    const { cluster, raw, call, outcome } = await calling();
    const { from } = await call({ timeoutMs: 1000 });
    raw.send(tuple(26, ran, from), atom("kill"));
    await cluster.settle();
    expect(outcome()).toMatchObject({ name: "NodeError", code: "PROCESS_DEAD" });
    const again = await call();
    expect(again.from.equals(from)).toBe(false);
    again.spawned();
    again.down(tuple(again.resRef, atom("return"), 1) as Term);
    await cluster.settle();
    expect(outcome()).toBe(1);
  });

  test("because an argument is not a term, and then nothing is sent", async () => {
    const { cluster, node, raw } = await calling();
    await expect(node.erpc.call("other@vm", "m", "f", [1, [Number.NaN]])).rejects.toMatchObject({
      code: "ETF_NOT_A_TERM",
      path: "[3][1][0]",
    });
    await cluster.settle();
    expect(raw.take()).toEqual([]);
  });
});

describe("a call to the node itself", () => {
  test("gives the same results and failures", async () => {
    const { cluster, caller } = await serving({
      add: (a: number, b: number) => a + b,
      text: () => "text",
      errors: async () => {
        throw ErlangError.error(oops);
      },
      bad: () => Number.NaN,
    });
    const call = (name: string, args: Term[] = []) =>
      cluster.settled(
        caller.erpc.call("gandalf@vm", "m", name, args).catch((error: unknown) => error),
      );
    const before = caller.stats().processes;
    expect(await call("add", [1, 2])).toBe(3);
    expect(await call("text")).toStrictEqual(Buffer.from("text"));
    expect(await call("errors")).toMatchObject({
      code: "REMOTE_ERROR",
      reason: oops,
      stackTrace: expect.any(Array),
    });
    expect(await call("bad")).toMatchObject({ code: "REMOTE_ERROR" });
    expect(await call("nothing")).toMatchObject({ code: "REMOTE_ERROR", reason: atom("undef") });
    expect(caller.stats().processes).toBe(before);
    expect(caller.nodes()).toEqual(["bilbo@vm"]);
  });

  test("gets the requested group leader, and can be abandoned", async () => {
    let leader: Pid | undefined;
    let self!: CallContext["self"];
    const { cluster, caller } = await serving({
      async wait(this: CallContext) {
        self = this.self;
        leader = this.self.groupLeader;
        await this.self.receive();
      },
    });
    const groupLeader = inbox(caller).process.pid;
    const timedOut = caller.erpc
      .call("gandalf@vm", "m", "wait", [], { timeoutMs: 100, groupLeader })
      .catch((error: unknown) => error);
    await cluster.clock.advance(100);
    expect(await cluster.settled(timedOut)).toMatchObject({ code: "CALL_TIMEOUT" });
    expect(leader).toBe(groupLeader);
    const abort = new AbortController();
    const aborted = caller.erpc
      .call("gandalf@vm", "m", "wait", [], { signal: abort.signal })
      .catch((error: unknown) => error);
    await cluster.settle();
    abort.abort("enough");
    expect(await cluster.settled(aborted)).toBe("enough");
    caller.exit(self.pid, atom("kill"));
  });
});

describe("a cast", () => {
  test("runs, and its result is dropped", async () => {
    const ran: Term[] = [];
    const { cluster, caller, callee } = await serving({
      note: (value: Term) => {
        ran.push(value);
        throw new Error("after all");
      },
    });
    caller.erpc.cast("bilbo@vm", "m", "note", [1]);
    caller.erpc.cast(atom("bilbo@vm"), atom("m"), atom("nothing"), []);
    caller.erpc.cast("nobody@vm", "m", "note", [2]);
    await cluster.settle();
    expect(ran).toEqual([1]);
    expect(callee.nodes()).toEqual(["gandalf@vm"]);
  });

  test("is made as OTP makes it", async () => {
    const { cluster, node, raw } = await calling();
    node.erpc.cast("other@vm", "m", "f", [1]);
    await cluster.settle();
    const [heard] = raw.take();
    const [op, , , leader, mfa, options] = heard!.control as Term[];
    expect([op, leader, mfa, options]).toStrictEqual([
      29,
      node.groupLeader,
      tuple(atom("erpc"), atom("execute_cast"), 3),
      [],
    ]);
    expect(heard!.payload).toStrictEqual([atom("m"), atom("f"), [1]]);
  });

  test("to the node itself runs too", async () => {
    const ran: Term[] = [];
    const { cluster, caller } = await serving({ note: (value: Term) => void ran.push(value) });
    caller.erpc.cast("gandalf@vm", "m", "note", [1]);
    await cluster.settle();
    expect(ran).toEqual([1]);
  });
});

describe("serving a peer", () => {
  const theirs = new Pid("other@vm", 1, 2, 7);
  const reqId = new Reference("other@vm", 7, [1, 2, 3]);
  const resRef = new Reference("other@vm", 7, [4, 5, 6]);

  async function ask(name: string, args: Term, functions: ExposedModule = {}) {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    node.expose("m", functions);
    const raw = await RawNode.connect(cluster, "gandalf@vm");
    const mfa = tuple(atom("erpc"), atom(name), (args as Term[]).length);
    raw.send(tuple(29, reqId, theirs, theirs, mfa, [atom("monitor")]), args);
    await cluster.settle();
    return raw.take()[1]?.payload;
  }
  const execute = (args: Term, functions?: ExposedModule) =>
    ask("execute_call", [resRef, atom("m"), atom("f"), args], functions);

  test("the exit reason is the answer", async () => {
    expect(await execute([1], { f: (value: number) => value + 1 })).toStrictEqual(
      tuple(resRef, atom("return"), 2),
    );
    expect(await execute([], { f: () => Promise.reject(ErlangError.throw(oops)) })).toStrictEqual(
      tuple(resRef, atom("throw"), oops),
    );
    expect(await execute([], { f: () => Promise.reject(ErlangError.exit(oops)) })).toStrictEqual(
      tuple(resRef, atom("exit"), oops),
    );
    expect(await execute([1])).toStrictEqual(
      tuple(resRef, atom("error"), atom("undef"), [tuple(atom("m"), atom("f"), [1], [])]),
    );
  });

  test.each<[string, Term]>([
    ["a tuple", tuple(1)],
    ["an atom", atom("x")],
    ["an improper list", new ImproperList<Term>([1], 2)],
  ])("%s for arguments is badarg", async (_, args) => {
    expect(await execute(args, { f: () => 1 })).toStrictEqual(
      tuple(resRef, atom("error"), atom("badarg"), expect.any(Array)),
    );
  });

  test("a cast ends normally, or with the exception in OTP's form", async () => {
    const cast = (functions: ExposedModule) =>
      ask("execute_cast", [atom("m"), atom("f"), []], functions);
    expect(await cast({ f: () => 1 })).toBe(atom("normal"));
    const failed = await cast({
      f: () => {
        throw ErlangError.error(oops);
      },
    });
    expect(failed).toStrictEqual(
      tuple(tuple(atom("exception"), tuple(oops, expect.any(Array))), expect.any(Array)),
    );
  });
});
