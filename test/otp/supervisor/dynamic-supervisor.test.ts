import { describe, expect, test } from "vitest";
import { atom, isPid, type Pid, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import type { Process } from "../../../src/node/process/process.ts";
import type { StartError } from "../../../src/otp/gen/errors.ts";
import type { ChildSpec } from "../../../src/otp/supervisor/child-spec.ts";
import {
  DynamicSupervisor,
  type DynamicSupervisorOptions,
} from "../../../src/otp/supervisor/dynamic-supervisor.ts";
import { shown, supervised } from "../../support/supervised.ts";

type Kit = Awaited<ReturnType<typeof supervised>>;

/** A supervisor registered as `sup`; `of` makes its options, with a child that takes its id. */
async function started(of: (child: ChildSpec) => DynamicSupervisorOptions) {
  const kit = await supervised();
  const { cluster, node, parent } = kit;
  const supervisor = new DynamicSupervisor(of(byName(kit)));
  const process = await cluster.settled(
    supervisor.startLink(node, parent.process, { name: "sup" }),
  );
  const startChild = (what: Parameters<DynamicSupervisor["startChild"]>[0]) =>
    cluster.settled(
      supervisor
        .startChild(what)
        .then((pid) => (pid === undefined ? "undefined" : "pid"))
        .catch((error: StartError) => shown(error.returned)),
    );
  const ask = async (request: TermInput) =>
    shown(await cluster.settled(node.gen.call("sup", request))).replaceAll(/<[^>]*>/g, "pid");
  const about = (what: string, id: Term) => ask(tuple(atom(what), id));
  const pid = (id: string) => kit.pid(id) as Pid;
  return { ...kit, supervisor, process, startChild, ask, about, pid };
}

/** A child that is named by its argument. */
function byName({ child }: Kit): ChildSpec {
  const start = (supervisor: Process, id: Term, result?: Term) => {
    if (result !== undefined) return result;
    return (child(String(id)) as { start: (of: Process) => unknown }).start(supervisor);
  };
  return { id: "worker", start };
}

const counts = (specs: number, active: number, workers: number): string =>
  `[{specs,${specs}},{active,${active}},{supervisors,0},{workers,${workers}}]`;

describe("children of one specification", () => {
  test("are started with further arguments, and listed in start order", async () => {
    const { startChild, ask, taken, pid, node, cluster } = await started((child) => ({ child }));
    expect(await ask(atom("which_children"))).toBe("[]");
    expect(await ask(atom("count_children"))).toBe(counts(1, 0, 0));
    for (const id of ["a", "b"]) expect(await startChild([atom(id)])).toBe("pid");
    expect(taken()).toBe("+a +b");
    const children = await cluster.settled(node.supervisor.whichChildren("sup"));
    expect(children.map(([, child]) => child)).toEqual([pid("a"), pid("b")]);
    expect(shown(children[0]![0])).toBe("undefined");
    expect(await ask(atom("count_children"))).toBe(counts(1, 2, 2));
  });

  test("may fail to start", async () => {
    const { startChild, ask } = await started((child) => ({ child }));
    expect(await startChild([atom("a"), atom("ignore")])).toBe("undefined");
    expect(await startChild([atom("a"), tuple(atom("error"), 1)])).toBe("{error,1}");
    expect(await startChild([atom("a"), 1])).toBe("{error,1}");
    expect(await ask(tuple(atom("start_child"), 1))).toBe("{error,{'EXIT',{badarg,[]}}}");
    expect(await ask(atom("which_children"))).toBe("[]");
  });

  test.each<[ChildSpec["restart"], string, string, string]>([
    ["permanent", "normal", "child_terminated:normal +a", counts(1, 2, 2)],
    ["transient", "oops", "child_terminated:oops +a", counts(1, 2, 2)],
    ["transient", "normal", "", counts(1, 1, 1)],
    ["temporary", "oops", "child_terminated:oops", counts(1, 1, 1)],
  ])("%s, ended by %s", async (restart = "permanent", reason, log, left) => {
    const { startChild, end, taken, ask } = await started((child) => ({
      child: { ...child, restart },
    }));
    for (const id of ["a", "b"]) await startChild([atom(id)]);
    taken();
    await end("a", reason);
    expect(taken()).toBe(log);
    expect(await ask(atom("count_children"))).toBe(left);
  });

  test("a failed restart is retried, up to the restart limit", async () => {
    let failures = 0;
    const kit = await started((child) => {
      const { start } = child as { start: (supervisor: Process, id: Term) => unknown };
      const flaky = (supervisor: Process, id: Term) =>
        failures-- > 0 ? tuple(atom("error"), atom("flaky")) : start(supervisor, id);
      return { child: { ...child, start: flaky }, intensity: 3 };
    });
    const { startChild, end, taken, process, ask } = kit;
    for (const id of ["a", "b"]) await startChild([atom(id)]);
    taken();
    failures = 2;
    await end("a", "oops");
    expect(taken()).toBe("child_terminated:oops start_error:flaky start_error:flaky +a");
    expect(await ask(atom("count_children"))).toBe(counts(1, 2, 2));
    await end("b", "oops");
    expect(taken()).toBe("child_terminated:oops shutdown:reached_max_restart_intensity -a");
    expect(process.alive).toBe(false);
  });

  test("requests about them", async () => {
    const { startChild, about, pid, node, taken } = await started((child) => ({ child }));
    await startChild([atom("a")]);
    for (const what of ["terminate_child", "restart_child", "delete_child"]) {
      expect(await about(what, atom("worker"))).toBe("{error,simple_one_for_one}");
    }
    const spec =
      "{ok,#{id => worker,start => {javascript,start,[]},restart => permanent,significant => false,shutdown => 5000,type => worker,modules => [javascript]}}";
    const ended = pid("a");
    expect(await about("get_childspec", ended)).toBe(spec);
    expect(await about("get_childspec", atom("worker"))).toBe(spec);
    expect(await about("get_childspec", atom("nobody"))).toBe("{error,not_found}");
    const stranger = node.spawn({ message: () => {} }).pid;
    expect(await about("terminate_child", stranger)).toBe("{error,not_found}");
    taken();
    expect(await about("terminate_child", ended)).toBe("ok");
    expect(taken()).toBe("-a");
    expect(await about("terminate_child", ended)).toBe("ok");
  });

  test("all end at once, and equal failures are reported together", async () => {
    const kit = await supervised();
    const { cluster, node, parent, taken, log } = kit;
    const offenders: string[] = [];
    node.on("log", ({ report }) => offenders.push(shown(report.get(atom("report")) ?? [])));
    const child: ChildSpec = {
      id: "stubborn",
      shutdown: 20,
      start: () =>
        node.spawn(async (self) => {
          self.trapExit = true;
          await self.receive();
          log.push("asked");
          await self.receive();
        }),
    };
    const supervisor = new DynamicSupervisor({ child });
    const process = await cluster.settled(supervisor.startLink(node, parent.process));
    for (let count = 0; count < 3; count++) await cluster.settled(supervisor.startChild([]));
    parent.process.sendExit(process.pid, atom("shutdown"));
    await cluster.settle();
    expect(taken()).toBe("asked asked asked");
    await cluster.clock.advance(20);
    expect(taken()).toBe("shutdown_error:killed");
    expect(offenders.at(-1)).toContain("{offender,[{nb_children,3},{id,stubborn},");
    expect(process.alive).toBe(false);
  });

  test("are limited by maxChildren", async () => {
    const { startChild, about, pid } = await started((child) => ({ child, maxChildren: 1 }));
    expect(await startChild([atom("a")])).toBe("pid");
    expect(await startChild([atom("b")])).toBe("{error,max_children}");
    await about("terminate_child", pid("a"));
    expect(await startChild([atom("b")])).toBe("pid");
  });
});

describe("children with their own specifications, as in Elixir", () => {
  test("are started by the program and by other nodes", async () => {
    const { startChild, child, node, ask, about, pid } = await started(() => ({}));
    const { start } = child("a") as { start: (supervisor: Process) => unknown };
    expect(await startChild({ start, restart: "temporary" })).toBe("pid");
    node.expose("workers", {
      start_link(this: { self: Process }, id: Term, result: Term) {
        if (isPid(result)) return atom("ignore");
        return (child(String(id)) as { start: typeof start }).start(this.self);
      },
    });
    const elixir = (...args: Term[]) =>
      ask(
        tuple(
          atom("start_child"),
          tuple(
            tuple(atom("workers"), atom("start_link"), args),
            atom("permanent"),
            5000,
            atom("supervisor"),
            [atom("workers")],
          ),
        ),
      );
    expect(await elixir(atom("b"), 1)).toBe("{ok,pid}");
    expect(await elixir(atom("c"), pid("b"))).toBe("ignore");
    expect(await elixir()).toBe("{error,{undef,[{workers,start_link,[],[]}]}}");
    expect(await ask(atom("which_children"))).toBe(
      "[{undefined,pid,worker,[javascript]},{undefined,pid,supervisor,[workers]}]",
    );
    expect(await ask(atom("count_children"))).toBe(
      "[{specs,2},{active,2},{supervisors,1},{workers,1}]",
    );
    const gone = pid("b");
    expect(await about("terminate_child", gone)).toBe("ok");
    expect(await about("terminate_child", gone)).toBe("{error,not_found}");
    expect(await startChild({ start, restart: "often" as "permanent" })).toBe(
      "{error,{invalid_restart_type,often}}",
    );
  });

  test("arguments alone are not a specification", async () => {
    const { cluster, node, process } = await started(() => ({}));
    const failed = node.gen.call("sup", tuple(atom("start_child"), [1]));
    const error = await cluster.settled(failed.catch((thrown: unknown) => thrown));
    expect(shown((error as { reason: Term }).reason)).toMatch(/^\{function_clause,/);
    expect(process.alive).toBe(false);
  });
});

test.each<[DynamicSupervisorOptions, string]>([
  [
    { child: { id: "a", start: () => {}, shutdown: -1 } },
    "{error,{start_spec,{invalid_shutdown,-1}}}",
  ],
  [
    { autoShutdown: "all_significant" } as DynamicSupervisorOptions,
    "{error,{supervisor_data,{bad_combination,[{auto_shutdown,all_significant},{strategy,simple_one_for_one}]}}}",
  ],
  [{ intensity: -1 }, "{error,{supervisor_data,{invalid_intensity,-1}}}"],
])("does not start with %j", async (options, expected) => {
  const { cluster, node } = await supervised();
  const starting = new DynamicSupervisor(options).start(node);
  const error = await cluster.settled(starting.catch((thrown: unknown) => thrown));
  expect(shown((error as StartError).returned)).toBe(expected);
});
