import { describe, expect, test } from "vitest";
import { atom, format, isTuple, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import type { LogEvent } from "../../../src/node/events.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { Process } from "../../../src/node/process/process.ts";
import { GenServer } from "../../../src/otp/behaviours/gen-server.ts";
import type {
  CallResult,
  HandleResult,
  InitResult,
} from "../../../src/otp/behaviours/gen-server-callbacks.ts";
import type { From } from "../../../src/otp/gen/gen.ts";
import { Cluster, inbox } from "../../support/cluster.ts";

const OK = atom("ok");
const NORMAL = atom("normal");
const oops = tuple(atom("oops"), 1) as Term;

type Awaitable<T> = T | Promise<T>;

/** Handles messages as the test says, and records them. */
class Scripted extends GenServer<Term> {
  override state: Term = 0;
  readonly got: string[] = [];
  readonly script: Partial<Record<"init" | "call" | "cast" | "info" | "continue" | "end", unknown>>;
  constructor(script: Scripted["script"] = {}) {
    super();
    this.script = script;
  }
  #do<T>(step: keyof Scripted["script"], ...args: unknown[]): T {
    const given = args.map((arg) => format(arg as TermInput, { mode: "~0tp" }));
    this.got.push([step, ...given].join(" "));
    const what = this.script[step];
    return (typeof what === "function" ? what.apply(this, args) : what) as T;
  }
  override init(): Awaitable<InitResult> {
    return this.#do("init");
  }
  override handleCall(request: Term, from: From): Awaitable<CallResult> {
    this.from = from;
    return this.#do("call", request);
  }
  override handleCast(request: Term): Awaitable<HandleResult> {
    return this.#do("cast", request);
  }
  override handleInfo(message: Term): Awaitable<HandleResult> {
    return this.#do("info", message);
  }
  override handleContinue(continuation: unknown): Awaitable<HandleResult> {
    return this.#do("continue", continuation);
  }
  override terminate(reason: Term): unknown {
    return this.#do("end", isTuple(reason, 2) && Array.isArray(reason[1]) ? reason[0] : reason);
  }
  from: From | undefined;
}

async function started(script: Scripted["script"] = {}, parent?: Process) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const logged: LogEvent[] = [];
  node.on("log", (event) => logged.push(event));
  const server = new Scripted(script);
  const options = { name: "server" };
  const starting =
    parent === undefined ? server.start(node, options) : server.startLink(node, parent, options);
  const process = await cluster.settled(starting);
  const watcher = inbox(node);
  watcher.process.monitor(process.pid);
  const call = (request: TermInput) =>
    cluster.settled(
      node.gen.call("server", request).catch((error: { reason: Term }) => error.reason),
    );
  const reason = () => (watcher.messages[0] as unknown as Term[] | undefined)?.[4];
  const labels = () =>
    logged.map(({ report }) => format(report.get(atom("label")) as Term, { mode: "~0tp" }));
  return { cluster, node, server, process, watcher, call, reason, logged, labels };
}

describe("a call", () => {
  test("gets a reply at once, later by from, or never", async () => {
    const later: From[] = [];
    const { cluster, node, server, call } = await started({
      call(this: Scripted, request: Term) {
        if (request === 1) return { reply: tuple(OK, 1) };
        if (request === 2) later.push(this.from as From);
        return undefined;
      },
    });
    expect(await call(1)).toStrictEqual(tuple(OK, 1));
    const second = node.gen.call("server", 2);
    await cluster.settle();
    server.reply(later[0]!, "late");
    expect(await cluster.settled(second)).toStrictEqual(Buffer.from("late"));
  });

  test("waits until the previous one is done", async () => {
    const { cluster, node, server } = await started({
      call: async (request: Term) => {
        await Promise.resolve();
        server.got.push(`done ${request}`);
        return { reply: request };
      },
    });
    const calls = [1, 2].map((each) => node.gen.call("server", each));
    expect(await cluster.settled(Promise.all(calls))).toEqual([1, 2]);
    expect(server.got.join()).toBe("init,call 1,done 1,call 2,done 2");
  });

  test.each<[string, unknown, Term | undefined, string, string[]]>([
    [
      "stop",
      () => ({ stop: oops }),
      oops,
      "{oops,1}",
      ["{gen_server,terminate}", "{proc_lib,crash}"],
    ],
    ["stop and reply", () => ({ stop: NORMAL, reply: 1 }), 1, "normal", []],
    ["stop for shutdown", () => ({ stop: atom("shutdown") }), atom("shutdown"), "shutdown", []],
    [
      "an exit",
      () => {
        throw ErlangError.exit(oops);
      },
      oops,
      "{oops,1}",
      ["{gen_server,terminate}", "{proc_lib,crash}"],
    ],
    [
      "an invalid result",
      () => 1,
      tuple(atom("bad_return_value"), 1) as Term,
      "{bad_return_value,1}",
      ["{gen_server,terminate}", "{proc_lib,crash}"],
    ],
    [
      "what is thrown, as if returned",
      () => {
        throw ErlangError.throw(1);
      },
      tuple(atom("bad_return_value"), 1) as Term,
      "{bad_return_value,1}",
      ["{gen_server,terminate}", "{proc_lib,crash}"],
    ],
  ])("%s ends the server, and the caller gets the reason", async (_, handle, answer, end, logs) => {
    for (const later of [false, true]) {
      const run = handle as () => unknown;
      const { server, call, reason, labels, process } = await started({
        call: later ? async () => run() : run,
      });
      expect(await call(1)).toStrictEqual(answer);
      expect(server.got.at(-1)).toBe(`end ${end}`);
      expect(format(reason()!, { mode: "~0tp" })).toBe(end);
      expect(labels()).toEqual(logs);
      expect(process.alive).toBe(false);
    }
  });

  test("an error ends the server with reason and stack", async () => {
    const { call, reason, server, logged } = await started({
      call: () => {
        throw ErlangError.error(oops);
      },
    });
    const [answered, stack] = (await call(1)) as unknown as [Term, Term[]];
    expect(answered).toStrictEqual(oops);
    expect(stack.length).toBeGreaterThan(0);
    expect(reason()).toStrictEqual(tuple(answered, stack));
    expect(server.got.at(-1)).toBe("end {oops,1}");
    const report = logged[0]!.report;
    expect(report.get(atom("last_message"))).toBe(1);
    expect(report.get(atom("state"))).toBe(0);
    expect(report.get(atom("name"))).toBe(atom("server"));
  });

  test("a reply that is not a term ends the server", async () => {
    const { call } = await started({ call: () => ({ reply: Number.NaN }) });
    expect(format((await call(1)) as Term, { mode: "~0tp" })).toMatch(
      /^\{\{javascript_error,<<"EtfEncodeError">>/,
    );
  });

  test("without handleCall is undef; casts and messages without a callback are logged", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const logged: LogEvent[] = [];
    node.on("log", (event) => logged.push(event));
    class Bare extends GenServer {}
    const server = await cluster.settled(new Bare().start(node));
    void node.gen.cast(server.pid, 1);
    void node.send(server.pid, 2);
    await cluster.settle();
    expect(server.alive).toBe(true);
    const shownReports = logged.map(({ level, report }) => [
      level,
      format(report, { mode: "~0tp" }),
    ]);
    expect(shownReports).toEqual([
      ["warning", "#{label => {gen_server,no_handle_cast},module => 'Bare',message => 1}"],
      ["warning", "#{label => {gen_server,no_handle_info},module => 'Bare',message => 2}"],
    ]);
    const error = await cluster.settled(
      node.gen.call(server.pid, oops).catch((thrown: { reason: Term }) => thrown.reason),
    );
    expect(format(error as Term, { mode: "~0tp" })).toMatch(
      /^\{undef,\[\{'Bare',handle_call,\[\{oops,1\},\{.*\},undefined\],\[\]\}\]\}$/,
    );
  });
});

describe("casts, messages, continuations and time-outs", () => {
  test("each reaches its callback", async () => {
    const { cluster, node, server } = await started({
      init: () => ({ continue: "begun" }),
      cast: () => ({ continue: 1 }),
    });
    void node.gen.cast("server", oops);
    void node.send("server", oops);
    await cluster.settle();
    expect(server.got).toEqual([
      "init",
      'continue <<"begun">>',
      "cast {oops,1}",
      "continue 1",
      "info {oops,1}",
    ]);
  });

  test("a time-out passes when no message arrives, and not otherwise", async () => {
    const { cluster, node, server } = await started({
      init: () => ({ timeoutMs: 100 }),
      cast: (request: Term) => (request === 1 ? { timeoutMs: 100 } : {}),
    });
    const { clock } = cluster;
    await clock.advance(99);
    void node.gen.cast("server", 1);
    await clock.advance(99);
    void node.gen.cast("server", 2);
    await clock.advance(1000);
    void node.gen.cast("server", 1);
    await clock.advance(100);
    expect(server.got).toEqual(["init", "cast 1", "cast 2", "cast 1", "info timeout"]);
    expect(clock.timerCount).toBe(0);
  });

  test("a reply to anything but a call is a bad return value", async () => {
    const { cluster, node, reason } = await started({ cast: () => ({ reply: 1 }) });
    void node.gen.cast("server", 1);
    await cluster.settle();
    expect(format(reason()!, { mode: "~0tp" })).toBe('{bad_return_value,#{<<"reply">> => 1}}');
  });
});

describe("starting", () => {
  async function failing(script: Scripted["script"], trapExit = true) {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const parent = inbox(node, { trapExit });
    const error = await cluster.settled(
      new Scripted(script)
        .startLink(node, parent.process, { name: "server", timeoutMs: 10 })
        .catch((thrown: unknown) => thrown),
    );
    await cluster.settle();
    expect(node.whereis("server")).toBeUndefined();
    expect(cluster.clock.timerCount).toBe(0);
    return { error, parent, node, cluster };
  }
  const returned = (reason: TermInput) => tuple(atom("error"), reason);

  test.each<[string, unknown, unknown]>([
    ["stop", () => ({ stop: oops }), { code: "START_FAILED", returned: returned(oops) }],
    ["error", () => ({ error: oops }), { code: "START_FAILED", returned: returned(oops) }],
    ["ignore", () => ({ ignore: true }), { code: "START_IGNORED", returned: atom("ignore") }],
    [
      "an exit",
      async () => {
        throw ErlangError.exit(oops);
      },
      { code: "START_FAILED", returned: returned(oops) },
    ],
    [
      "an invalid result",
      () => 1,
      { code: "START_FAILED", returned: returned(tuple(atom("bad_return_value"), 1)) },
    ],
  ])(
    "%s in init fails the start; a parent that traps exits gets no message",
    async (_, init, expected) => {
      const { error, parent } = await failing({ init });
      expect(error).toMatchObject(expected as object);
      expect(parent.messages).toEqual([]);
      expect(parent.process.links?.size ?? 0).toBe(0);
    },
  );

  test("the report of a failed start has the parent as a link, and no name", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const reports: string[] = [];
    node.on("log", ({ report }) => reports.push(format(report, { mode: "~0tp" })));
    const parent = inbox(node, { trapExit: true });
    const starting = new Scripted({ init: () => ({ stop: oops }) })
      .startLink(node, parent.process, { name: "server" })
      .catch(() => {});
    await cluster.settled(starting);
    expect(reports).toEqual([
      expect.stringMatching(/\{registered_name,\[\]\},.*\{links,\[<[^>]+>\]\}/),
    ]);
  });

  test("a parent that does not trap exits ends too, unless the reason is normal", async () => {
    expect((await failing({ init: () => ({ stop: oops }) }, false)).parent.died).toBe(oops);
    for (const result of [{ error: oops }, { ignore: true }]) {
      expect((await failing({ init: () => result }, false)).parent.died).toBeUndefined();
    }
  });

  test("fails for a slow init, a taken name, a running instance, an abort", async () => {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
    const never = new Scripted({ init: () => new Promise(() => {}) });
    const slow = outcome(never.start(node, { timeoutMs: 10, name: "slow" }));
    await cluster.clock.advance(10);
    expect(await slow).toMatchObject({ returned: returned(atom("timeout")) });
    expect(node.whereis("slow")).toBeUndefined();
    const server = new Scripted();
    const first = await server.start(node, { name: "server" });
    const taken = returned(tuple(atom("already_started"), first.pid));
    const second = outcome(new Scripted().start(node, { name: "server" }));
    expect(await second).toMatchObject({ returned: taken });
    expect(await outcome(server.start(node))).toMatchObject({ returned: taken });
    const abort = new AbortController();
    const other = new Scripted({ init: () => new Promise(() => {}) });
    const aborted = outcome(other.start(node, { signal: abort.signal }));
    abort.abort(oops);
    expect(await aborted).toBe(oops);
    expect(other.self.alive).toBe(false);
    expect(() => new Scripted().self).toThrow("not been started");
  });
});

describe("ending", () => {
  test("with the parent, even if it traps exits; other exits are then messages", async () => {
    for (const trapExit of [false, true]) {
      const cluster = new Cluster();
      const node = await cluster.start("gandalf@vm");
      const parent = inbox(node);
      const server = new Scripted({
        init(this: Scripted) {
          this.self.trapExit = trapExit;
        },
      });
      const process = await cluster.settled(server.startLink(node, parent.process));
      const other = inbox(node);
      node.exit(process.pid, NORMAL);
      if (trapExit) other.process.sendExit(process.pid, oops);
      await cluster.settle();
      expect(process.alive).toBe(true);
      parent.process.terminate(atom("shutdown"));
      await cluster.settle();
      expect(process.alive).toBe(false);
      const infos = server.got.filter((each) => each.startsWith("info {'EXIT'"));
      expect(infos.length).toBe(trapExit ? 2 : 0);
      // A server that does not trap exits ends without a callback.
      expect(server.got.at(-1)).toBe(trapExit ? "end shutdown" : "init");
    }
  });

  test("an error of terminate is the reason", async () => {
    const { call, reason } = await started({
      call: () => ({ stop: NORMAL }),
      end: async () => {
        throw ErlangError.exit(oops);
      },
    });
    expect(await call(1)).toStrictEqual(oops);
    expect(reason()).toStrictEqual(oops);
  });

  test("when killed while a callback waits, its result does not matter", async () => {
    let proceed!: (result: unknown) => void;
    const { cluster, node, process, server } = await started({
      call: () =>
        new Promise((resolve) => {
          proceed = resolve;
        }),
    });
    const called = node.gen.call("server", 1).catch((error: unknown) => error);
    await cluster.settle();
    node.exit(process.pid, atom("kill"));
    proceed({ reply: 1 });
    expect(await cluster.settled(called)).toMatchObject({ reason: atom("killed") });
    expect(server.got).toEqual(["init", "call 1"]);
  });
});
