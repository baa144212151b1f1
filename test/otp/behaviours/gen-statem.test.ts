import { describe, expect, test } from "vitest";
import { atom, format, parse, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import type { LogEvent } from "../../../src/node/events.ts";
import { ErlangError } from "../../../src/node/exceptions.ts";
import { GenStatem } from "../../../src/otp/behaviours/gen-statem.ts";
import type {
  StatemAction,
  StatemEvent,
  StatemInitResult,
  StatemResult,
} from "../../../src/otp/behaviours/gen-statem-callbacks.ts";
import { Cluster, inbox } from "../../support/cluster.ts";

const oops = tuple(atom("oops"), 1) as Term;
const shownTerm = (term: unknown): string => format(term as TermInput, { mode: "~0tp" });

/** The machine of OTP's documentation: locked until the code is entered, then open for 10 seconds. */
class Door extends GenStatem {
  override state = atom("locked");
  override readonly callbackMode = "state_functions";
  override readonly stateEnter = true;
  readonly got: string[] = [];

  locked(event: StatemEvent): StatemResult {
    this.got.push(`locked ${event.type}`);
    if (event.type === "cast" && event.content === 1234) return { nextState: "open" };
    if (event.type === "call") return { actions: { postpone: true } };
    return {};
  }

  async open(event: StatemEvent): Promise<StatemResult> {
    await Promise.resolve();
    this.got.push(`open ${event.type} ${event.type === "enter" ? event.content : ""}`.trim());
    if (event.type === "enter") return { actions: { stateTimeoutMs: 10_000, content: "lock" } };
    if (event.type === "state_timeout") return { nextState: "locked" };
    if (event.type === "call") return { actions: { reply: this.state, from: event.from } };
    return {};
  }
}

/** Handles each event as the test says, and records it. */
class Scripted extends GenStatem<Term, Term> {
  override state: Term = atom("a");
  override data: Term = [];
  readonly got: string[] = [];
  readonly script: {
    init?: () => StatemInitResult<Term>;
    event?: (this: Scripted, event: StatemEvent) => StatemResult<Term>;
    enter?: (this: Scripted, event: StatemEvent) => StatemResult<Term>;
    end?: (this: Scripted) => unknown;
  };
  override readonly stateEnter: boolean;
  constructor(script: Scripted["script"]) {
    super();
    this.script = script;
    this.stateEnter = script.enter !== undefined;
  }
  override init(): StatemInitResult<Term> {
    return this.script.init?.();
  }
  override handleEvent(event: StatemEvent, state: Term): StatemResult<Term> {
    const name = event.type === "timeout" && event.name !== undefined ? ` ${event.name}` : "";
    this.got.push(`${shownTerm(state)} ${event.type}${name} ${shownTerm(event.content ?? 0)}`);
    return event.type === "enter"
      ? this.script.enter?.call(this, event)
      : this.script.event?.call(this, event);
  }
  override terminate(reason: Term, state: Term): unknown {
    this.got.push(`end ${shownTerm(state)} ${shownTerm(reason)}`);
    return this.script.end?.call(this);
  }
}

async function started<Machine extends GenStatem<Term, never> | Door | Scripted>(machine: Machine) {
  const cluster = new Cluster();
  const node = await cluster.start("gandalf@vm");
  const logged: LogEvent[] = [];
  node.on("log", (event) => logged.push(event));
  const process = await cluster.settled((machine as Scripted).start(node, { name: "machine" }));
  const watcher = inbox(node);
  watcher.process.monitor(process.pid);
  await cluster.settle();
  const cast = async (request: TermInput): Promise<void> => {
    await cluster.settled(node.gen.cast("machine", request));
    await cluster.settle();
  };
  const call = (request: TermInput) =>
    cluster.settled(
      node.gen.call("machine", request).catch((error: { reason: Term }) => error.reason),
    );
  const reason = () => shownTerm((watcher.messages[0] as unknown as Term[])[4]!);
  return { cluster, node, machine, process, cast, call, reason, logged };
}

/** A machine that returns these actions for any cast, and the next state if one is given. */
const acting = (actions: StatemAction[], nextState?: string) =>
  new Scripted({
    event: (event) => {
      if (event.type !== "cast") return {};
      return nextState === undefined ? { actions } : { nextState, actions };
    },
  });

describe("state functions", () => {
  test("a door opens with its code, answers the waiting callers, and locks itself", async () => {
    const { cluster, node, machine, cast } = await started(new Door());
    const waiting = node.gen.call("machine", 1, { timeoutMs: Number.POSITIVE_INFINITY });
    await cast(1);
    await cast(1234);
    expect(await cluster.settled(waiting)).toBe(atom("open"));
    await cluster.clock.advance(9_999);
    expect(machine.state).toBe(atom("open"));
    await cluster.clock.advance(1);
    expect(machine.got).toEqual([
      "locked enter",
      "locked call",
      "locked cast",
      "locked cast",
      "open enter locked",
      "open call",
      "open state_timeout",
      "locked enter",
    ]);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test.each(["start", "reply", "constructor", "nothing", "self"])(
    "a state `%s` without a function of the machine's own is undef",
    async (state) => {
      const { node, reason, cluster } = await started(new Door()).then(async (all) => {
        all.machine.locked = () => ({ nextState: state });
        return all;
      });
      await cluster.settled(node.gen.cast("machine", 1));
      await cluster.settle();
      expect(reason()).toMatch(new RegExp(`^\\{undef,\\[\\{'Door',${state},\\[enter,locked,`));
    },
  );
});

describe("events", () => {
  test("inserted ones come first, in order, then postponed ones, then received ones", async () => {
    const { machine, cast } = await started(
      new Scripted({
        event(event) {
          if (event.content === 1 || event.content === 2)
            return { actions: { postpone: this.state === atom("a") } };
          if (event.content !== 3) return {};
          return {
            nextState: "b",
            actions: [
              { nextEvent: { type: "internal", content: "i" } },
              { nextEvent: { type: "info", content: 4 } },
            ],
          };
        },
      }),
    );
    for (const each of [1, 2, 3]) await cast(each);
    expect(machine.got).toEqual([
      "a cast 1",
      "a cast 2",
      "a cast 3",
      'b internal <<"i">>',
      "b info 4",
      "b cast 1",
      "b cast 2",
    ]);
  });

  test("a call may be answered in any event, and by reply()", async () => {
    const { call } = await started(
      new Scripted({
        event(event) {
          if (event.type === "call") this.reply(event.from, [event.content]);
          return {};
        },
      }),
    );
    expect(await call(1)).toEqual([1]);
  });

  test("an equal state is not a change, even if it is another object", async () => {
    const { machine, cast } = await started(
      new Scripted({ event: () => ({ nextState: parse("{s, 1}"), actions: [] }), enter: () => {} }),
    );
    await cast(1);
    await cast(2);
    expect(machine.got).toEqual(["a enter a", "a cast 1", "{s,1} enter a", "{s,1} cast 2"]);
  });

  test("repeatState enters the state again; returning the same state does not", async () => {
    const { machine, cast } = await started(
      new Scripted({
        event: (event) => (event.content === 1 ? { repeatState: true } : { nextState: "a" }),
        enter: () => {},
      }),
    );
    await cast(1);
    await cast(2);
    expect(machine.got).toEqual(["a enter a", "a cast 1", "a enter a", "a cast 2"]);
  });
});

describe("time-outs", () => {
  test("each kind passes with its content", async () => {
    const { cluster, machine, cast } = await started(
      acting([
        { timeoutMs: 30, name: atom("n"), content: 3 },
        { stateTimeoutMs: 20, content: 2 },
        { timeoutMs: 10, content: 1 },
      ]),
    );
    await cast(0);
    await cluster.clock.advance(30);
    expect(machine.got).toEqual(["a cast 0", "a timeout 1", "a state_timeout 2", "a timeout n 3"]);
  });

  test("any event cancels the event's, a change cancels the state's, neither cancels a named one", async () => {
    const { cluster, machine, cast } = await started(
      new Scripted({
        event: (event) => {
          if (event.content === 2) return { nextState: "b" };
          if (event.content !== 1) return {};
          return {
            actions: [{ timeoutMs: 10 }, { stateTimeoutMs: 10 }, { timeoutMs: 10, name: 1 }],
          };
        },
      }),
    );
    await cast(1);
    await cast(2);
    await cluster.clock.advance(100);
    expect(machine.got).toEqual(["a cast 1", "a cast 2", "b timeout 1 0"]);
  });

  test("of 0 come before received messages, and the last of one type counts", async () => {
    const { machine, cast } = await started(
      acting([
        { stateTimeoutMs: 0, content: 1 },
        { timeoutMs: 0, name: 1, content: 2 },
        { stateTimeoutMs: 0, content: 3 },
      ]),
    );
    await cast(0);
    expect(machine.got).toEqual(["a cast 0", "a timeout 1 2", "a state_timeout 3"]);
  });

  test("can be cancelled, and their content updated", async () => {
    const { cluster, machine, cast } = await started(
      new Scripted({
        event: (event) => {
          if (event.type !== "cast") return {};
          if (event.content === 1) {
            return {
              actions: [
                { stateTimeoutMs: 10, content: "old" },
                { timeoutMs: 10, name: 1 },
              ],
            };
          }
          return {
            actions: [
              { stateTimeoutMs: "update", content: "new" },
              { timeoutMs: Number.POSITIVE_INFINITY, name: 1 },
              { timeoutMs: "update", name: 2, content: "none ran" },
            ],
          };
        },
      }),
    );
    await cast(1);
    await cast(2);
    await cluster.clock.advance(10);
    expect(machine.got.slice(2)).toEqual([
      'a timeout 2 <<"none ran">>',
      'a state_timeout <<"new">>',
    ]);
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("one that passed but was cancelled before its turn makes no event", async () => {
    let proceed!: () => void;
    const { cluster, machine, cast } = await started(
      new Scripted({
        event(event) {
          if (event.content === 1) return { actions: { stateTimeoutMs: 10 } };
          const busy = new Promise<void>((resolve) => {
            proceed = resolve;
          });
          return busy.then(() => ({ nextState: "b" })) as never;
        },
      }),
    );
    await cast(1);
    await cast(2);
    await cluster.clock.advance(20);
    proceed();
    await cluster.settle();
    expect(machine.got).toEqual(["a cast 1", "a cast 2"]);
    expect(machine.state).toBe(atom("b"));
  });
});

describe("ending", () => {
  test.each<[string, unknown, string]>([
    ["no result", 1, "{{bad_return_from_state_function,1},[{"],
    ["a result of other keys", { next: 1 }, "{{bad_return_from_state_function,#{"],
    ["no action", { actions: [1] }, "{{bad_action_from_state_function,1},[{"],
    ["an action of other keys", { actions: { x: 1 } }, "{{bad_action_from_state_function,#{"],
    ["a negative time", { actions: { timeoutMs: -1 } }, "{{bad_action_from_state_function,#{"],
    [
      "a reply without a caller",
      { actions: { reply: 1, from: 2 } },
      "{{bad_action_from_state_function,#{",
    ],
    [
      "an event of no type",
      { actions: { nextEvent: { type: "enter" } } },
      "{{bad_action_from_state_function,#{",
    ],
    ["no reply", { stop: 1, replies: [2] }, "{{bad_reply_action_from_state_function,2},[{"],
  ])("%s", async (_, result, expected) => {
    const { cast, reason, machine, logged } = await started(
      new Scripted({ event: () => result as StatemResult<Term> }),
    );
    await cast(1);
    expect(reason().slice(0, expected.length)).toBe(expected);
    expect(machine.got.at(-1)).toMatch(/^end a \{bad_/);
    expect(logged.map(({ report }) => shownTerm(report.get(atom("label"))))).toEqual([
      "{gen_statem,terminate}",
      "{proc_lib,crash}",
    ]);
  });

  test.each<[string, StatemResult<Term>, string]>([
    ["to go elsewhere", { nextState: "c" }, "{{bad_state_enter_return_from_state_function,"],
    [
      "to postpone",
      { actions: { postpone: true } },
      "{{bad_state_enter_action_from_state_function,",
    ],
    [
      "to insert events",
      { actions: { nextEvent: { type: "info", content: 1 } } },
      "{{bad_state_enter_action_from_state_function,",
    ],
  ])("an enter call is not %s", async (_, result, expected) => {
    const { cast, reason } = await started(
      new Scripted({
        event: () => ({ nextState: "b" }),
        enter() {
          return this.state === atom("b") ? result : {};
        },
      }),
    );
    await cast(1);
    expect(reason().slice(0, expected.length)).toBe(expected);
  });

  test("an enter call that throws ends the machine in the previous state", async () => {
    const { cast, machine } = await started(
      new Scripted({
        event: () => ({ nextState: "b" }),
        enter() {
          if (this.state === atom("b")) throw ErlangError.exit(oops);
        },
      }),
    );
    await cast(1);
    expect(machine.got.at(-1)).toBe("end a {oops,1}");
  });

  test("stop is quiet for normal and shutdown, and its callers get their replies", async () => {
    for (const reason of ["normal", "shutdown"]) {
      const { call, logged, process } = await started(
        new Scripted({
          event(event) {
            if (event.type !== "call") return;
            return { stop: atom(reason), replies: { reply: "bye", from: event.from } };
          },
        }),
      );
      expect(await call(1)).toStrictEqual(Buffer.from("bye"));
      expect(process.alive).toBe(false);
      expect(logged).toEqual([]);
    }
  });

  test("an error of terminate is the reason, but a thrown value is not", async () => {
    for (const kind of ["exit", "throw"] as const) {
      const { cast, reason } = await started(
        new Scripted({
          event: () => ({ stop: atom("bye") }),
          end: () => {
            throw ErlangError[kind](oops);
          },
        }),
      );
      await cast(1);
      expect(reason()).toBe(kind === "exit" ? "{oops,1}" : "bye");
    }
  });

  test("timers end with the machine", async () => {
    const { cluster, node, cast, process } = await started(acting([{ stateTimeoutMs: 1000 }]));
    await cast(1);
    expect(cluster.clock.timerCount).toBe(1);
    node.exit(process.pid, atom("kill"));
    expect(cluster.clock.timerCount).toBe(0);
  });

  test("formatStatus hides data in what is logged", async () => {
    class Discreet extends Scripted {
      override formatStatus(status: { state: unknown; data: unknown; reason?: Term }) {
        return { ...status, data: atom("hidden") };
      }
    }
    const { cast, logged } = await started(new Discreet({ event: () => ({ stop: oops }) }));
    await cast(1);
    expect(shownTerm(logged[0]!.report.get(atom("state")))).toBe("{a,hidden}");
  });
});

describe("starting", () => {
  async function starting(machine: GenStatem<Term, Term>) {
    const cluster = new Cluster();
    const node = await cluster.start("gandalf@vm");
    const parent = inbox(node, { trapExit: true });
    const result = await cluster.settled(
      machine.startLink(node, parent.process, { name: "machine" }).catch((error: unknown) => error),
    );
    await cluster.settle();
    return { cluster, node, result, parent, machine };
  }

  test("init gives state and first actions", async () => {
    const machine = new Scripted({
      init: () => ({ state: "begun", actions: { nextEvent: { type: "internal", content: 1 } } }),
      enter: () => {},
    });
    await starting(machine);
    expect(machine.got).toEqual(["begun enter begun", "begun internal 1"]);
  });

  test.each<[string, () => StatemInitResult<Term>, unknown]>([
    ["stop", () => ({ stop: oops }), tuple(atom("error"), oops)],
    ["error", () => ({ error: oops }), tuple(atom("error"), oops)],
    ["ignore", () => ({ ignore: true }), atom("ignore")],
    ["no result", () => 1 as never, parse("{error, {bad_return_from_init, 1}}")],
    [
      "an exit",
      () => {
        throw ErlangError.exit(oops);
      },
      tuple(atom("error"), oops),
    ],
  ])("%s in init fails the start", async (_, init, returned) => {
    const { node, result, parent } = await starting(new Scripted({ init }));
    expect((result as { returned: Term }).returned).toStrictEqual(returned);
    expect(node.whereis("machine")).toBeUndefined();
    expect(parent.messages).toEqual([]);
  });

  test("a machine without a state is refused, an instance starts once", async () => {
    class Bare extends GenStatem<Term, Term> {}
    const { result } = await starting(new Bare());
    expect(shownTerm((result as { returned: Term }).returned)).toBe(
      "{error,{bad_return_from_init,undefined}}",
    );
    const { node, machine } = await starting(new Scripted({}));
    await expect(machine.start(node)).rejects.toMatchObject({ code: "START_FAILED" });
    expect(() => new Bare().self).toThrow("not been started");
  });

  test("an event without handleEvent is undef", async () => {
    class Bare extends GenStatem<Term, Term> {
      override state: Term = atom("a");
    }
    const { cast, reason } = await started(new Bare() as unknown as Scripted);
    await cast(1);
    expect(reason()).toMatch(/^\{undef,\[\{'Bare',handle_event,\[cast,1,a,undefined\],\[\]\}\]\}$/);
  });
});

describe("sys", () => {
  test("the state is {State, Data}, and is replaced in that form, only by terms", async () => {
    const { cluster, node, machine } = await started(new Scripted({}));
    expect(await cluster.settled(node.sys.getState("machine"))).toStrictEqual(parse("{a, []}"));
    node.expose("m", { next: (_: Term) => parse("{b, [1]}"), bad: (_: Term) => 1 });
    const replace = (fun: string) =>
      cluster.settled(
        node.gen.callAs(atom("system"), "machine", tuple(atom("replace_state"), parse(fun))),
      );
    expect(await replace("fun m:next/1")).toStrictEqual(parse("{ok, {b, [1]}}"));
    expect([machine.state, machine.data]).toStrictEqual([atom("b"), [1]]);
    expect(shownTerm(await replace("fun m:bad/1"))).toMatch(/^\{error,\{callback_failed,.*badarg/);
    machine.data = new Date() as never;
    expect(shownTerm(await replace("fun m:next/1"))).toMatch(/^\{error,\{callback_failed,.*notsup/);
  });
});
