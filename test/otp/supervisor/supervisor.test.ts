import { describe, expect, test } from "vitest";
import { atom, isPid, type Pid, type Term, tuple } from "../../../etf/index.ts";
import type { LogEvent } from "../../../src/node/events.ts";
import { StartError } from "../../../src/otp/gen/errors.ts";
import type { ChildSpec, Restart } from "../../../src/otp/supervisor/child-spec.ts";
import { Supervisor } from "../../../src/otp/supervisor/supervisor.ts";
import type { SupervisorFlags } from "../../../src/otp/supervisor/supervisor-flags.ts";
import { shown, supervised } from "../../support/supervised.ts";

const MANY = { intensity: 100 };

/** A supervisor of children with these ids, registered as `sup`. */
async function started(
  ids: string,
  flags: SupervisorFlags = MANY,
  more: Record<string, Partial<ChildSpec>> = {},
) {
  const kit = await supervised();
  const { cluster, node, parent, child } = kit;
  const supervisor = new Supervisor(
    [...ids].map((id) => child(id, more[id])),
    flags,
  );
  const process = await cluster.settled(
    supervisor.startLink(node, parent.process, { name: "sup" }),
  );
  const ask = node.supervisor;
  const which = async () => {
    const children = await cluster.settled(ask.whichChildren("sup"));
    return children.map(([id, pid]) => (isPid(pid) ? String(id) : `${id}:${pid}`)).join(" ");
  };
  const startChild = (spec: ChildSpec) =>
    cluster.settled(
      supervisor
        .startChild(spec)
        .then((pid) => (pid === undefined ? "undefined" : "pid"))
        .catch((error: StartError) => shown(error.returned)),
    );
  return { ...kit, supervisor, process, ask, which, startChild };
}

test("starts children in order, and lists and ends them in reverse", async () => {
  const { which, taken, node, process, cluster, parent } = await started("abc");
  expect(taken()).toBe("+a +b +c");
  expect(await which()).toBe("c b a");
  node.exit(process.pid, atom("shutdown"));
  parent.process.sendExit(process.pid, atom("shutdown"));
  await cluster.settle();
  expect(taken()).toBe("-c -b -a");
  expect(parent.messages).toEqual([tuple(atom("EXIT"), process.pid, atom("shutdown"))]);
  expect(cluster.clock.timerCount).toBe(0);
});

describe("a child that ends", () => {
  const restart = (each: Restart) => ({ b: { restart: each } });
  test.each<[SupervisorFlags["strategy"], Restart, string, string, string]>([
    ["one_for_one", "permanent", "oops", "child_terminated:oops +b", "c b a"],
    ["one_for_one", "permanent", "normal", "child_terminated:normal +b", "c b a"],
    ["one_for_one", "transient", "oops", "child_terminated:oops +b", "c b a"],
    ["one_for_one", "transient", "shutdown", "-b", "c b:undefined a"],
    ["one_for_one", "temporary", "oops", "child_terminated:oops", "c a"],
    ["one_for_one", "temporary", "normal", "", "c a"],
    ["one_for_all", "permanent", "oops", "child_terminated:oops -c -a +a +b +c", "c b a"],
    ["one_for_all", "transient", "normal", "", "c b:undefined a"],
    ["rest_for_one", "permanent", "oops", "child_terminated:oops -c +b +c", "c b a"],
    ["rest_for_one", "temporary", "oops", "child_terminated:oops", "c a"],
  ])("%s, %s, %s", async (strategy, each, reason, expected, left) => {
    const flags = { ...MANY, ...(strategy === undefined ? {} : { strategy }) };
    const { end, taken, which } = await started("abc", flags, restart(each));
    taken();
    await end("b", reason);
    expect(taken()).toBe(expected);
    expect(await which()).toBe(left);
  });

  test("a temporary child is not restarted with the others", async () => {
    const flags = { ...MANY, strategy: "one_for_all" } as const;
    const { end, taken, which } = await started("abc", flags, { c: { restart: "temporary" } });
    taken();
    await end("a", "oops");
    expect(taken()).toBe("child_terminated:oops -c -b +a +b");
    expect(await which()).toBe("b a");
  });

  test("ends the supervisor when it ends too often within the period", async () => {
    const { end, taken, cluster, parent, process } = await started("ab", {
      intensity: 2,
      period: 5,
    });
    const { clock } = cluster;
    await end("a", "oops");
    await end("b", "oops");
    await clock.advance(6000);
    await end("a", "oops");
    await clock.advance(5000);
    await end("a", "oops");
    taken();
    expect(process.alive).toBe(true);
    await end("a", "oops");
    expect(taken()).toBe("child_terminated:oops shutdown:reached_max_restart_intensity -b");
    expect(shown(parent.messages[0]!)).toMatch(/^\{'EXIT',<.*>,shutdown\}$/);
  });

  test("is retried when its restart fails, up to the restart limit", async () => {
    let failures = 2;
    const kit = await started("ac", { intensity: 5 });
    const { child, startChild, end, taken, which, process } = kit;
    const { start } = child("b") as { start: (supervisor: typeof process) => unknown };
    const flaky = (supervisor: typeof process) =>
      failures-- > 0 ? tuple(atom("error"), atom("flaky")) : start(supervisor);
    failures = 0;
    expect(await startChild(child("b", { start: flaky }))).toBe("pid");
    taken();
    failures = 2;
    await end("b", "oops");
    expect(taken()).toBe("child_terminated:oops start_error:flaky start_error:flaky +b");
    expect(await which()).toBe("b c a");
    failures = 100;
    await end("b", "oops");
    expect(taken()).toBe(
      "child_terminated:oops start_error:flaky start_error:flaky shutdown:reached_max_restart_intensity -c -a",
    );
    expect(process.alive).toBe(false);
  });

  test("a group whose restart fails is retried from the child that failed", async () => {
    let fails = false;
    const kit = await supervised();
    const { cluster, node, parent, child, end, taken } = kit;
    const { start } = child("b") as { start: (supervisor: unknown) => unknown };
    const flaky = (supervisor: unknown) => {
      const failed = fails;
      fails = false;
      return failed ? tuple(atom("error"), atom("flaky")) : start(supervisor);
    };
    const children = [child("a"), child("b", { start: flaky }), child("c")];
    const flags = { ...MANY, strategy: "rest_for_one" } as const;
    await cluster.settled(new Supervisor(children, flags).startLink(node, parent.process));
    taken();
    fails = true;
    await end("a", "oops");
    expect(taken()).toBe("child_terminated:oops -c -b +a start_error:flaky +b +c");
  });
});

describe("significant children", () => {
  const significant = (restart: Restart) => ({ restart, significant: true });
  test.each([
    ["any_significant", "b", false],
    ["all_significant", "b", true],
    ["all_significant", "bc", false],
  ] as const)("%s: %s ended", async (autoShutdown, ended, alive) => {
    const more = { b: significant("transient"), c: significant("temporary") };
    const { end, process } = await started("abc", { ...MANY, autoShutdown }, more);
    await end("a", "normal");
    await end("b", "oops");
    expect(process.alive).toBe(true);
    for (const id of ended) await end(id, "normal");
    expect(process.alive).toBe(alive);
  });
});

describe("ending a child", () => {
  const stubborn = (node: Awaited<ReturnType<typeof supervised>>["node"]) => () =>
    node.spawn(async (self) => {
      self.trapExit = true;
      for await (const _ of self);
    });

  test("kills one that does not end in time", async () => {
    const { cluster, node, startChild, ask, taken } = await started("a");
    const { clock } = cluster;
    await startChild({ id: "s", start: stubborn(node), shutdown: 50 });
    taken();
    const ended = ask.terminateChild("sup", "s");
    await clock.advance(49);
    expect(taken()).toBe("");
    await clock.advance(1);
    expect(shown(await ended)).toBe("ok");
    expect(taken()).toBe("shutdown_error:killed");
  });

  test("kills it at once, or waits without a limit", async () => {
    const { cluster, node, startChild, ask, taken } = await started("a");
    await startChild({ id: "k", start: stubborn(node), shutdown: "brutal_kill" });
    await startChild({ id: "i", start: stubborn(node), shutdown: "infinity" });
    const children = cluster.settled(ask.whichChildren("sup"));
    const endless = children.then((all) => all.find(([id]) => id === atom("i")));
    expect(shown(await cluster.settled(ask.terminateChild("sup", "k")))).toBe("ok");
    taken();
    const ended = ask.terminateChild("sup", "i");
    await cluster.clock.advance(1e9);
    const [, pid] = (await endless)!;
    node.exit(pid as Pid, atom("kill"));
    expect(shown(await cluster.settled(ended))).toBe("ok");
    expect(taken()).toBe("shutdown_error:killed");
  });
});

describe("requests", () => {
  const answered =
    (kit: { cluster: { settled<T>(of: Promise<T>): Promise<T> } }) =>
    async (answer: Promise<Term>) =>
      shown(await kit.cluster.settled(answer)).replace(/<.*>/, "pid");

  test("terminate, restart, delete", async () => {
    const kit = await started("ab");
    const { ask, which } = kit;
    const answer = answered(kit);
    expect(await answer(ask.restartChild("sup", "a"))).toBe("{error,running}");
    expect(await answer(ask.deleteChild("sup", "a"))).toBe("{error,running}");
    expect(await answer(ask.terminateChild("sup", "a"))).toBe("ok");
    expect(await answer(ask.terminateChild("sup", "a"))).toBe("ok");
    expect(await which()).toBe("b a:undefined");
    expect(await answer(ask.restartChild("sup", "a"))).toBe("{ok,pid}");
    expect(await answer(ask.terminateChild("sup", "a"))).toBe("ok");
    expect(await answer(ask.deleteChild("sup", "a"))).toBe("ok");
    for (const request of [
      "terminateChild",
      "restartChild",
      "deleteChild",
      "getChildspec",
    ] as const) {
      expect(await answer(ask[request]("sup", "a"))).toBe("{error,not_found}");
    }
    expect(await which()).toBe("b");
  });

  test("counts", async () => {
    const { cluster, ask, child, startChild } = await started("abc");
    await startChild(child("s", { type: "supervisor" }));
    await cluster.settled(ask.terminateChild("sup", "a"));
    expect(await cluster.settled(ask.countChildren("sup"))).toEqual({
      specs: 4,
      active: 3,
      supervisors: 1,
      workers: 3,
    });
  });

  test("starts a child for the program, or reports why not", async () => {
    const { child, startChild, cluster, ask } = await started("a");
    expect(await startChild(child("b"))).toBe("pid");
    expect(await startChild(child("b"))).toMatch(/^\{error,\{already_started,<.*>\}\}$/);
    await cluster.settled(ask.terminateChild("sup", "b"));
    expect(await startChild(child("b"))).toBe("{error,already_present}");
    expect(await startChild(child("c", { start: () => atom("ignore") }))).toBe("undefined");
    expect(await startChild(child("d", { shutdown: -1 }))).toBe("{error,{invalid_shutdown,-1}}");
    expect(await startChild(child("e", { start: () => tuple(atom("error"), 1) }))).toBe(
      "{error,{1,{child,undefined,e,{javascript,start,[]},permanent,false,5000,worker,[javascript]}}}",
    );
  });

  test("starts a child with an exposed function", async () => {
    const { node, cluster, ask, child } = await started("a");
    const { start } = child("x") as { start: (supervisor: unknown) => unknown };
    node.expose("workers", {
      start_link(this: { self: unknown }, _more: Term) {
        return start(this.self);
      },
    });
    const spec = { id: "x", start: ["workers", "start_link", [1]] as const, shutdown: 10 };
    const answer = await cluster.settled(ask.startChild("sup", spec));
    expect(answer).toStrictEqual(tuple(atom("ok"), node.whereis("x")!.pid));
    expect(shown(await cluster.settled(ask.getChildspec("sup", "x")))).toBe(
      "{ok,#{id => x,start => {workers,start_link,[1]},restart => permanent,significant => false,shutdown => 10,type => worker,modules => [workers]}}",
    );
  });

  test("fail when the supervisor ends meanwhile, or is not running", async () => {
    const { supervisor, child, node, process, cluster } = await started("a");
    const never = supervisor.startChild(child("b", { start: () => new Promise(() => {}) }));
    const failed = never.catch((error: unknown) => error);
    await cluster.settle();
    node.exit(process.pid, atom("kill"));
    expect(await cluster.settled(failed)).toMatchObject({ reason: atom("killed") });
    const late = supervisor.startChild(child("b")).catch((error: unknown) => error);
    expect(await cluster.settled(late)).toMatchObject({ reason: atom("noproc") });
  });

  test("an invalid request ends the supervisor; other messages are reported", async () => {
    const { cluster, node, process, taken } = await started("a");
    void node.send("sup", 1);
    await cluster.settle();
    expect(taken()).toBe("+a unexpected_message");
    const failed = node.gen.call("sup", atom("nonsense")).catch((error: unknown) => error);
    expect(shown(((await cluster.settled(failed)) as { reason: Term }).reason)).toMatch(
      /^\{function_clause,\[/,
    );
    expect(process.alive).toBe(false);
  });

  test("sys:get_state", async () => {
    const { node, cluster } = await started("a");
    const state = cluster.settled(node.sys.getState("sup"));
    expect(shown(await state).replace(/<.*>/, "pid")).toBe(
      "#{strategy => one_for_one,intensity => 100,period => 5,auto_shutdown => never,children => [{a,pid,worker,[javascript]}]}",
    );
  });
});

describe("a supervisor that does not start", () => {
  test.each<[string, (child: (id: string) => ChildSpec) => [ChildSpec[], object], string, string]>([
    [
      "for a child that does not",
      (child) => [[child("a"), { id: "b", start: () => tuple(atom("error"), 1) }, child("c")], {}],
      "{error,{shutdown,{failed_to_start_child,b,1}}}",
      "+a start_error:1 -a",
    ],
    [
      "for a duplicate id",
      (child) => [[child("a"), child("a")], {}],
      "{error,{start_spec,{duplicate_child_name,a}}}",
      "",
    ],
    [
      "for a specification",
      (child) => [[{ ...child("a"), restart: "often" as Restart }], {}],
      "{error,{start_spec,{invalid_restart_type,often}}}",
      "",
    ],
    [
      "for its flags",
      () => [[], { strategy: "simple_one_for_one" }],
      "{error,{supervisor_data,{invalid_strategy,simple_one_for_one}}}",
      "",
    ],
  ])("%s", async (_, given, expected, log) => {
    const { cluster, node, parent, child, taken } = await supervised();
    const [children, flags] = given(child);
    const starting = new Supervisor(children, flags).startLink(node, parent.process);
    const error = await cluster.settled(starting.catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(StartError);
    expect(shown((error as StartError).returned)).toBe(expected);
    expect(taken()).toBe(log);
    expect(parent.messages).toEqual([]);
  });
});

test("child supervisors end with their supervisor", async () => {
  const { cluster, node, parent, child, end, taken } = await supervised();
  const nested: ChildSpec = {
    id: "nested",
    type: "supervisor",
    start: (self) => new Supervisor([child("x"), child("y")]).startLink(node, self),
  };
  const supervisor = new Supervisor([child("a"), nested, child("b")], MANY);
  const process = await cluster.settled(supervisor.startLink(node, parent.process));
  await end("x", "oops");
  taken();
  await end("x", "oops");
  expect(taken()).toBe(
    "child_terminated:oops shutdown:reached_max_restart_intensity -y child_terminated:shutdown +x +y",
  );
  parent.process.sendExit(process.pid, atom("shutdown"));
  await cluster.settle();
  expect(taken()).toBe("-b -y -x -a");
});

test("reports progress, at level debug for requested starts", async () => {
  const { cluster, node, parent, child } = await supervised();
  const events: LogEvent[] = [];
  node.on("log", (event) => events.push(event));
  const supervisor = new Supervisor([child("a")]);
  await cluster.settled(supervisor.startLink(node, parent.process));
  await cluster.settled(supervisor.startChild(child("b")));
  expect(events.map(({ level }) => level)).toEqual(["info", "debug"]);
  expect(shown(events[0]!.report).replaceAll(/<[^>]*>/g, "pid")).toBe(
    "#{label => {supervisor,progress},report => [{supervisor,{pid,'Supervisor'}},{started,[{pid,pid},{id,a},{mfargs,{javascript,start,[]}},{restart_type,permanent},{significant,false},{shutdown,5000},{child_type,worker}]}]}",
  );
});
