import { describe, expect, test } from "vitest";
import { atom, type Pid, type Term, tuple } from "../../../etf/index.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import type { Process } from "../../../src/node/process/process.ts";
import { GenServer } from "../../../src/otp/behaviours/gen-server.ts";
import { GenStatem } from "../../../src/otp/behaviours/gen-statem.ts";
import { StartError } from "../../../src/otp/gen/errors.ts";
import {
  type CheckedSpec,
  checkOwnSpec,
  type StartFunction,
} from "../../../src/otp/supervisor/child-spec.ts";
import { StartFailure, startChild, startedTerm } from "../../../src/otp/supervisor/child-start.ts";
import { inbox } from "../../support/cluster.ts";
import { shown, supervised } from "../../support/supervised.ts";

async function starting() {
  const { cluster, node, parent } = await supervised();
  const { process } = parent;
  const start = (run: StartFunction | readonly [string, string, Term[]], ...args: Term[]) => {
    const spec = checkOwnSpec({ id: "a", start: run }, "never") as CheckedSpec;
    return cluster.settled(startChild(node, process, spec, [...spec.args, ...args]));
  };
  const outcome = async (run: StartFunction) => {
    const result = await start(run);
    return shown(
      result instanceof StartFailure ? tuple(atom("failed"), result.reason) : startedTerm(result),
    );
  };
  return { cluster, node, supervisor: process, start, outcome };
}

class Server extends GenServer {}

class Machine extends GenStatem {
  override state = atom("on");
}

describe("what a start function returns", () => {
  test("a process or a server, which is linked", async () => {
    const { node, supervisor, start } = await starting();
    const child = inbox(node).process;
    expect(await start(() => child)).toEqual({ pid: child.pid });
    expect(supervisor.links?.get(child.pid)).toBeDefined();
    const server = new Server();
    await start(async (self) => {
      await server.startLink(node, self);
      return server;
    });
    expect(supervisor.links?.get(server.self.pid)).toBeDefined();
  });

  test("a state machine", async () => {
    const { node, start } = await starting();
    const machine = new Machine();
    const started = await start(async (self) => {
      await machine.startLink(node, self);
      return machine;
    });
    expect(started).toEqual({ pid: machine.self.pid });
  });

  test("a term, unchanged", async () => {
    const { node, start, supervisor } = await starting();
    const { pid } = inbox(node).process;
    const info = await start((_, more) => tuple(atom("ok"), pid, more!), 7);
    expect(info).toEqual({ pid, info: 7 });
    expect(startedTerm(info as { pid: Pid; info: Term })).toStrictEqual(tuple(atom("ok"), pid, 7));
    expect(supervisor.links?.get(pid)).toBeUndefined();
  });

  test.each<[StartFunction, string]>([
    [() => atom("ignore"), "{ok,undefined}"],
    [() => tuple(atom("error"), 1), "{failed,1}"],
    [() => tuple(atom("error"), 1, 2), "{failed,{error,1,2}}"],
    [() => tuple(atom("ok"), 1), "{failed,{ok,1}}"],
    [() => {}, "{failed,undefined}"],
    [() => ({ a: 1 }), '{failed,#{<<"a">> => 1}}'],
  ])("%s gives %s", async (run, expected) => {
    expect(await (await starting()).outcome(run)).toBe(expected);
  });
});

test("what it throws", async () => {
  const { outcome } = await starting();
  const throwing = (error: unknown) =>
    outcome(async () => {
      throw error;
    });
  expect(await throwing(StartError.ignored())).toBe("{ok,undefined}");
  expect(await throwing(StartError.failed(1))).toBe("{failed,1}");
  expect(await throwing(ErlangError.throw(atom("ignore")))).toBe("{ok,undefined}");
  expect(await throwing(ErlangError.exit(1))).toBe("{failed,{'EXIT',1}}");
  expect(await throwing(ErlangError.error(1))).toMatch(/^\{failed,\{'EXIT',\{1,\[/);
  expect(await throwing(new RangeError("far"))).toMatch(
    /^\{failed,\{'EXIT',\{\{javascript_error,<<"RangeError">>,<<"far">>\},/,
  );
});

test("an exposed function runs in the supervisor's process", async () => {
  const { node, supervisor, start } = await starting();
  const child = inbox(node).process;
  const seen: unknown[] = [];
  node.expose("workers", {
    start_link(this: { self: Process }, id: Term) {
      seen.push(this.self, id);
      return child;
    },
  });
  expect(await start(["workers", "start_link", [1]])).toEqual({ pid: child.pid });
  expect(seen).toEqual([supervisor, 1]);
  expect(shown(((await start(["workers", "stop", []])) as StartFailure).reason)).toBe(
    "{'EXIT',{undef,[{workers,stop,[],[]}]}}",
  );
});

test("a child that starts after its supervisor has ended, ends", async () => {
  const { cluster, node, supervisor, start } = await starting();
  const child = inbox(node);
  await start(async () => {
    supervisor.terminate(atom("killed"));
    return child.process;
  });
  await cluster.settle();
  expect(child.died).toBe(atom("killed"));
});
