/**
 * erldist's GenServer and GenStatem beside OTP's gen_server and gen_statem: an Erlang node that calls, casts to,
 * monitors or debugs them sees the same.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atom, format, isTuple, type Term } from "../src/index.ts";
import { waitUntil } from "./index.ts";
import { type ComparedNodes, startCompared } from "./support/compared.ts";
import { serveServer } from "./support/server.ts";
import { serveStatem } from "./support/statem.ts";
import { eachOtp } from "./support/vitest.ts";

/** The events logged, as a status has them: how they are kept there is sys's own affair. */
const STATUS_LOG = `begin {status, _, _, [_, _, _, Debug, Misc]} = sys:get_status(S),
  {sys:get_log(Debug), Misc} end`;

/** Expressions with `N`, the node called, `S`, the server by name, and `P`, its pid. */
const CALLS = [
  "gen_server:call(S, get)",
  "gen_server:call(P, {add, 2})",
  "[gen_server:call(S, {add, I}) || I <- [1, 2, 3]]",
  'gen_server:call(S, {later, 20, {x, [1.5, <<"b">>]}})',
  "gen_server:call(S, never, 50)",
  "gen_server:call(P, get, infinity)",
  // An answer that comes too late: OTP 23 has no aliases that would keep it away.
  "{outcome(fun() -> gen_server:call(S, {hold, late}, 20) end), gen_server:call(S, release), receive L -> L after 0 -> silent end}",
  "gen_server:call({nobody, N}, get)",
  "exit(P, kill), gen_server:call(P, get)",
  "exit(P, kill), gen_server:call(S, get)",
  "gen_server:call(S, drop)",
  "gen_server:call(P, drop)",
  `[gen_server:call(S, {watch, self()}), gen_server:call(S, {timeout, 20}),
     receive {seen, X} -> X after 60000 -> silent end]`,
  // The second request waits already when the first is answered, however slow the caller is.
  `[gen_server:call(S, {watch, self()}), sys:suspend(S),
     begin Rs = [gen_server:send_request(S, R) || R <- [{timeout, 200}, get]], sys:resume(S),
       [gen_server:wait_response(R, 60000) || R <- Rs] end,
     receive {seen, X} -> X after 500 -> silent end]`,
  "[gen_server:call(S, {continue, x}), gen_server:call(S, seen)]",
  "[gen_server:cast(S, {x, 1}), gen_server:cast(P, y), gen_server:call(S, seen)]",
  "[gen_server:cast({nobody, N}, x), gen_server:cast({nobody, nobody@nowhere}, x)]",
  "[S ! hello, P ! {tuple, 1}, gen_server:call(S, seen)]",
  "gen_server:multi_call([N, node(), nobody@nowhere], erldist_server, get)",
  "gen_server:multi_call([N], erldist_server, never, 100)",
  "gen_server:multi_call([N], nobody, get)",
  "gen_server:multi_call([N], erldist_server, {stop, normal})",
  "[gen_server:abcast([N, nobody@nowhere], erldist_server, hello), gen_server:call(S, seen)]",
  "gen_server:wait_response(gen_server:send_request(S, {add, 3}), 60000)",
  "gen_server:wait_response(gen_server:send_request(S, never), 50)",
  "gen_server:wait_response(gen_server:send_request({nobody, N}, get), 60000)",
  "gen_server:wait_response(gen_server:send_request(S, {stop, oops}), 60000)",
  "gen_server:wait_response(gen_server:send_request(S, drop), 60000)",
  "R = gen_server:send_request(S, get), receive M -> [gen_server:check_response(M, R), gen_server:check_response(x, R)] end",
  "R = gen_server:send_request(P, {stop, normal}), receive M -> gen_server:check_response(M, R) end",
  "S ! {'$gen_call', {self(), tag}, get}, receive X -> X end",
  "S ! {'$gen_call', {self(), [x | y]}, get}, receive X -> X end",
];

/** Aliases, from OTP 24 on, and receive_response. */
const CALLS_24 = [
  "S ! {'$gen_call', {self(), [alias | make_ref()]}, get}, gen_server:call(S, get), receive X -> X after 0 -> silent end",
  "gen_server:receive_response(gen_server:send_request(S, {later, 20, x}), 60000)",
  `R = gen_server:send_request(S, {hold, late}),
     {gen_server:receive_response(R, 20), gen_server:call(S, release), receive L -> L after 0 -> silent end}`,
  `A = alias([reply]), S ! {'$gen_call', {self(), [alias | A]}, get},
     receive {[alias | A], X} -> X end`,
  `A = alias([reply]), S ! {'$gen_call', {self(), [[alias | A] | label]}, get},
     receive {[[alias | A] | label], X} -> X end`,
  `A = alias(), unalias(A), S ! {'$gen_call', {self(), [alias | A]}, get},
     gen_server:call(S, get), receive X -> X after 0 -> silent end`,
];

/** Request collections, from OTP 25 on. */
const CALLS_25 = [
  `C0 = gen_server:reqids_new(), C1 = gen_server:send_request(S, {later, 100, slow}, a, C0),
     C2 = gen_server:send_request(S, get, b, C1),
     {R1, L1, C3} = gen_server:receive_response(C2, 60000, true),
     {R2, L2, C4} = gen_server:wait_response(C3, 60000, true),
     {R1, L1, R2, L2, gen_server:check_response(x, C4, true)}`,
];

/** How a server ends: the caller's outcome, the reason, and what was logged. */
const ENDINGS = [
  ...["normal", "shutdown", "{shutdown, x}", "oops", "{oops, [1]}", "kill"].flatMap((reason) => [
    `gen_server:call(S, {stop, ${reason}})`,
    `gen_server:call(S, {stop, ${reason}, bye})`,
    `gen_server:cast(S, {stop, ${reason}})`,
  ]),
  "S ! {stop, oops}",
  ...["call", "cast"].flatMap((how) => [
    `gen_server:${how}(S, {fail, error, oops})`,
    `gen_server:${how}(S, {fail, exit, oops})`,
    `gen_server:${how}(S, {fail, exit, normal})`,
    `gen_server:${how}(S, {fail, throw, oops})`,
    `gen_server:${how}(S, {return, oops})`,
  ]),
  "gen_server:call(S, {fail, error, badarg})",
  "[gen_server:call(S, {continue, x}), gen_server:call(S, {continue, y}), gen_server:cast(S, {stop, oops})]",
  "exit(P, oops)",
  "exit(P, kill)",
  "[gen_server:call(S, {trap_exit, true}), exit(P, kill)]",
  "[gen_server:call(S, {trap_exit, true}), exit(P, oops), gen_server:call(S, seen), gen_server:cast(S, {stop, shutdown})]",
  "[gen_server:call(S, {watch, self()}), gen_server:call(S, {stop, bye, ok}), receive T -> T end]",
  "[gen_server:call(S, {watch, self()}), catch gen_server:call(S, {fail, error, x}), receive {terminated, {X, _}} -> X end]",
  "gen_server:stop(S)",
  "gen_server:stop(P, shutdown, 5000)",
  "gen_server:stop(S, oops, 5000)",
  "sys:terminate(S, normal)",
  "sys:terminate(P, oops)",
  "[sys:suspend(S), sys:terminate(S, shutdown)]",
];

const SYS = [
  "sys:get_state(S)",
  "sys:get_state(P, 5000)",
  "[gen_server:cast(S, x), sys:get_state(S)]",
  "sys:get_state({nobody, N})",
  "erldist_server:status(S)",
  "[gen_server:cast(S, x), sys:log(S, true), gen_server:call(S, get), STATUS_LOG]",
  "[sys:suspend(S), erldist_server:status(S), sys:resume(S)]",
  "[sys:replace_state(S, fun erldist_server:bump/1), gen_server:call(S, get)]",
  "sys:replace_state(S, fun erldist_server:crash/1)",
  "[sys:suspend(S), outcome(fun() -> gen_server:call(S, {add, 1}, 100) end), sys:get_state(S), sys:resume(S), gen_server:call(S, get)]",
  "[sys:suspend(S), gen_server:cast(S, x), S ! y, sys:suspend(S), sys:resume(S), sys:resume(S), gen_server:call(S, seen)]",
  `[gen_server:call(S, {watch, self()}), gen_server:call(S, {timeout, 1000}), sys:get_state(S),
     receive {seen, X} -> X after 60000 -> silent end]`,
  "sys:statistics(S, get)",
  `[sys:statistics(S, true), gen_server:call(S, get), gen_server:cast(S, x), gen_server:call(S, get),
     begin {ok, L} = sys:statistics(S, get), [lists:keyfind(K, 1, L) || K <- [messages_in, messages_out]] end,
     [K || {K, _} <- element(2, sys:statistics(S, get))], sys:statistics(S, false), sys:statistics(S, get)]`,
  "sys:log(S, get)",
  `[sys:log(S, true), gen_server:call(S, {add, 1}), gen_server:cast(S, x), S ! y, gen_server:call(S, {continue, z}),
     sys:log(S, get), sys:log(S, false), sys:log(S, get)]`,
  "[sys:log(S, {true, 2}), [gen_server:call(S, {add, I}) || I <- [1, 2, 3]], sys:log(S, get), STATUS_LOG]",
  "[sys:log(S, true), gen_server:call(S, get), sys:no_debug(S), sys:log(S, get)]",
  `[sys:install(S, {fun erldist_server:tell/3, self()}), gen_server:call(S, get),
     [receive {event, E} -> E end || _ <- [1, 2]], sys:remove(S, fun erldist_server:tell/3), gen_server:call(S, get),
     gen_server:call(S, get), receive {event, E} -> E after 0 -> silent end]`,
  "sys:change_code(S, erldist_server, 1, x)",
  "[sys:suspend(S), sys:change_code(S, erldist_server, 1, x), sys:resume(S), gen_server:call(S, seen)]",
  "[sys:suspend(S), sys:change_code(S, erldist_server, 1, fail), sys:resume(S), gen_server:call(S, seen)]",
  "S ! {system, {self(), tag}, nonsense}, receive X -> X end",
  "S ! {system, {self(), tag}, {debug, nonsense}}, receive X -> X end",
];

/** A gen_statem told what to do, see erldist_statem.erl; `SEEN` is what its callbacks got,
 * and `SEEN(N)` the same once they have got N. */
const STATEM: [mode: string, expression: string][] = [
  ["plain", "gen_statem:call(S, {do, [{reply, x}]})"],
  ["plain", "gen_statem:call(P, {do, [{reply, x}, {reply, y}]}, 5000)"],
  ["plain", "gen_statem:call(S, x, 50)"],
  ["plain", "gen_statem:call({nobody, N}, x)"],
  ["plain", "gen_server:call(S, {do, [{next, b}, {reply, x}]})"],
  ["plain", "gen_statem:wait_response(gen_statem:send_request(S, {do, [{reply, x}]}), 60000)"],
  [
    "plain",
    "[gen_statem:cast(S, x), S ! y, gen_statem:cast(P, {do, [{next, {any, term}}]}), SEEN]",
  ],
  [
    "functions",
    "[gen_statem:cast(S, x), S ! y, gen_statem:cast(P, {do, [{next, b}]}), S ! z, SEEN]",
  ],
  ["plain", "[gen_statem:cast(S, {do, [{next, a}, hibernate]}), sys:get_state(S)]"],
  [
    "plain",
    "[gen_statem:cast(S, {do, [{event, internal, x}, {event, cast, y}, {event, info, z}, {event, {timeout, n}, t}]}), SEEN]",
  ],
  [
    "plain",
    "[gen_statem:cast(S, {do, [{event, internal, {do, [{event, internal, inner}]}}, {event, internal, outer}]}), gen_statem:cast(S, late), SEEN]",
  ],
  // Postponed events come before those that came later, in their order.
  [
    "plain",
    `[begin [gen_statem:cast(S, {in, b, I}) || I <- [1, 2, 3]], gen_statem:cast(S, 4) end,
      gen_statem:cast(S, {do, [{next, a}]}), gen_statem:cast(S, {do, [{next, b}, {event, internal, first}]}), gen_statem:cast(S, 5), SEEN]`,
  ],
  [
    "functions",
    `[begin R = gen_statem:send_request(S, {in, b, {do, [{reply, waited}]}}),
        gen_statem:cast(S, {do, [{next, b}]}), gen_statem:wait_response(R, 60000) end, SEEN]`,
  ],
  ["plain", "[gen_statem:cast(S, {do, [postpone]}), gen_statem:cast(S, x), SEEN]"],
  // Time-outs: of the state, of the event, and generic ones.
  ["plain", "[gen_statem:cast(S, {do, [{state_timeout, 30, t}]}), SEEN(2)]"],
  [
    "plain",
    `[gen_statem:cast(S, {do, [{state_timeout, 1000, t}]}), gen_statem:cast(S, {do, [{next, b}]}),
      receive after 1500 -> SEEN end]`,
  ],
  [
    "plain",
    "[gen_statem:cast(S, {do, [{next, b}, {state_timeout, 500, t}]}), gen_statem:cast(S, x), SEEN(3)]",
  ],
  [
    "plain",
    `[gen_statem:cast(S, {watch, self()}), gen_statem:cast(S, {do, [{timeout, 30, t}]}),
      receive {seen, t} -> t after 60000 -> silent end, gen_statem:cast(S, {do, [{timeout, 1000, u}]}), SEEN,
      receive after 1500 -> SEEN end]`,
  ],
  [
    "plain",
    `[gen_statem:cast(S, {do, [{{timeout, x}, 900, x}, {{timeout, [y]}, 600, y}, {{timeout, z}, 600, z}]}),
      gen_statem:cast(S, {do, [{next, b}, {{timeout, z}, infinity, no}, {{timeout, x}, update, updated}]}), SEEN(4)]`,
  ],
  [
    "plain",
    `[gen_statem:cast(S, {do, [{state_timeout, 0, s}, {timeout, 0, e}, {{timeout, n}, 0, n}, {event, internal, i}]}), SEEN]`,
  ],
  [
    "plain",
    `[gen_statem:cast(S, {do, [{state_timeout, 0, one}, {{timeout, n}, 0, n}, {state_timeout, 0, two}]}),
      gen_statem:cast(S, x), SEEN]`,
  ],
  ["plain", "[gen_statem:cast(S, {do, [{state_timeout, update, u}]}), SEEN]"],
  [
    "plain",
    "[gen_statem:cast(S, {do, [{state_timeout, 20, x}, {state_timeout, infinity, x}]}), receive after 100 -> SEEN end]",
  ],
  [
    "plain",
    "[gen_statem:cast(S, {do, [{state_timeout, 40, t}]}), sys:suspend(S), receive after 100 -> sys:resume(S) end, SEEN(2)]",
  ],
  // Enter calls.
  [
    "enter",
    "[SEEN, gen_statem:cast(S, {do, [{next, b}, {event, internal, x}]}), gen_statem:cast(S, {do, [repeat]}), gen_statem:cast(S, {do, [{next, b}]}), SEEN]",
  ],
  [
    "functions_enter",
    "[gen_statem:cast(S, {do, [{next, b}]}), gen_statem:cast(S, {do, [{next, a}]}), SEEN]",
  ],
  [
    "enter",
    "[gen_statem:cast(S, {do, [{next, {s, [{state_timeout, 300, t}, {{timeout, n}, 0, n}]}}]}), SEEN(5)]",
  ],
  [
    "enter",
    "[gen_statem:cast(S, {in, {s, []}, x}), gen_statem:cast(S, {do, [{next, {s, []}}, {event, internal, y}]}), SEEN]",
  ],
  ["plain", "[gen_statem:cast(S, {do, [repeat]}), SEEN]"],
  // sys
  [
    "plain",
    "[gen_statem:cast(S, {in, b, x}), gen_statem:cast(S, {do, [{{timeout, n}, 10000, t}]}), erldist_server:status(S)]",
  ],
  ["functions", "[sys:replace_state(S, fun erldist_statem:bump/1), SEEN, sys:get_state(P)]"],
  [
    "plain",
    "[sys:suspend(S), sys:change_code(S, m, 1, x), sys:change_code(S, m, 1, fail), sys:resume(S), SEEN]",
  ],
  [
    "enter",
    `[sys:log(S, true), gen_statem:call(S, {do, [{next, b}, {reply, x}, {event, internal, i}, {state_timeout, 10000, t}, {timeout, 10000, t}]}),
      gen_statem:cast(S, {in, a, y}), S ! z, SEEN, sys:log(S, get)]`,
  ],
  [
    "plain",
    `[sys:statistics(S, true), gen_statem:call(S, {do, [{reply, x}, {event, internal, i}]}),
      begin {ok, L} = sys:statistics(S, get), [lists:keyfind(K, 1, L) || K <- [messages_in, messages_out]] end]`,
  ],
];

const STATEM_ENDINGS: [mode: string, expression: string][] = [
  ...["normal", "shutdown", "{shutdown, x}", "oops"].flatMap((reason): [string, string][] => [
    ["plain", `gen_statem:call(S, {do, [{stop, ${reason}}]})`],
    ["functions", `gen_statem:call(S, {do, [{stop_and_reply, ${reason}, bye}]})`],
    ["enter", `gen_statem:cast(S, {do, [{stop, ${reason}}]})`],
  ]),
  ...["error", "exit", "throw"].flatMap((kind): [string, string][] => [
    ["plain", `gen_statem:call(S, {do, [{${kind}, oops}]})`],
    ["enter", `gen_statem:cast(S, {do, [{next, {s, [{${kind}, oops}]}}]})`],
  ]),
  ["plain", "gen_statem:cast(S, {do, [{error, normal}]})"],
  ["plain", "gen_statem:call(S, {do, [{return, oops}]})"],
  ["plain", "gen_statem:call(S, {do, [{next, b}, {bad, oops}]})"],
  ["functions", "gen_statem:call(S, {do, [{next, no_such_state}, {event, internal, x}]})"],
  [
    "plain",
    "[gen_statem:cast(S, {in, b, x}), gen_statem:cast(S, {in, c, y}), gen_statem:cast(S, {do, [{state_timeout, 10000, t}]}), gen_statem:call(S, {do, [{stop, oops}]})]",
  ],
  [
    "plain",
    "gen_statem:cast(S, {do, [{event, internal, {do, [{stop, oops}]}}, {event, internal, never}]})",
  ],
  [
    "plain",
    "[gen_statem:cast(S, {watch, self()}), gen_statem:cast(S, {do, [{error, x}]}), receive T -> T end]",
  ],
  ["plain", "[gen_statem:cast(S, {watch, self()}), gen_statem:stop(S), receive T -> T end]"],
  ["plain", "gen_statem:stop(P, oops, 5000)"],
  ["plain", "exit(P, oops)"],
  ["plain", "sys:terminate(S, shutdown)"],
];

eachOtp((otp) => {
  let nodes: ComparedNodes;
  let caller: ComparedNodes["caller"];
  let genuine: ComparedNodes["genuine"];
  let ours: ComparedNodes["ours"];
  beforeAll(async () => {
    nodes = await startCompared(otp, ["erldist_callee", "erldist_server", "erldist_statem"]);
    ({ caller, genuine, ours } = nodes);
    serveStatem(ours, serveServer(ours));
    await genuine.eval("erldist_server:setup()");
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  /** What an expression returns to a caller on an Erlang node, with a new server on N. */
  function seen(node: string, expression: string): Promise<string> {
    const expanded = expression
      .replace(/\boutcome\(/g, "erldist_server:outcome(")
      .replaceAll("STATUS_LOG", STATUS_LOG);
    return caller.eval(
      `N = '${node}', S = {erldist_server, N}, P = rpc:call(N, erldist_server, start, []),
       erldist_callee:shape(${expanded})`,
    );
  }
  /** The same with a state machine in one of its modes. */
  function statemSeen(node: string, mode: string, expression: string): Promise<string> {
    const expanded = expression
      .replace(/SEEN\((\d+)\)/g, "erldist_statem:seen(S, $1)")
      .replaceAll("SEEN", "gen_statem:call(S, seen)")
      .replace(/\boutcome\(/g, "erldist_server:outcome(");
    return caller.eval(
      `N = '${node}', S = {erldist_statem, N}, P = rpc:call(N, erldist_statem, start, [${mode}]),
       erldist_callee:shape(${expanded})`,
    );
  }
  const outcome = (expression: string): string => `outcome(fun() -> ${expression} end)`;
  const atLeast = (release: number): boolean => Number(otp.release) >= release;

  describe("calls and casts", () => {
    const calls = [...CALLS, ...(atLeast(24) ? CALLS_24 : []), ...(atLeast(25) ? CALLS_25 : [])];
    it.each(calls)("%s", async (expression) => {
      const theirs = await seen(genuine.name, outcome(expression));
      expect(await seen(ours.name, outcome(expression))).toBe(theirs);
    });
  });

  describe("ends, and what is logged about them", () => {
    it.each(ENDINGS)("%s", async (expression) => {
      const ending = `{erldist_server:ending(P, fun() -> ${expression} end),
         [erldist_server:comparable(E) || E <- rpc:call(N, erldist_server, reports, [])]}`;
      const theirs = await seen(genuine.name, ending);
      expect(await seen(ours.name, ending)).toBe(theirs);
    });
  });

  describe("sys", () => {
    it.each(SYS)("%s", async (expression) => {
      const theirs = await seen(genuine.name, outcome(expression));
      expect(await seen(ours.name, outcome(expression))).toBe(theirs);
    });

    it("trace: what is printed there is logged here", async () => {
      const traced = `[sys:trace(S, true), gen_server:call(S, {add, 1}), gen_server:cast(S, x), S ! y,
        gen_server:call(S, {continue, z}), sys:trace(S, false), gen_server:call(S, get)]`;
      await tracedAlike((node) => seen(node, traced));
    });
  });

  /** The Erlang node prints for `sys` what the erldist node logs. */
  async function tracedAlike(run: (node: string) => Promise<string>): Promise<void> {
    const lines: string[] = [];
    const listen = ({ report }: { report: ReadonlyMap<Term, Term> }): void => {
      const label = report.get(atom("label"));
      if (!isTuple(label) || format(label) !== "{sys,trace}") return;
      lines.push(Buffer.from(report.get(atom("text")) as Uint8Array).toString());
    };
    ours.on("log", listen);
    const from = genuine.log.length;
    await run(genuine.name);
    await run(ours.name);
    ours.off("log", listen);
    const shown = (text: string): string => text.replace(/<[^<>]+(\.\d+){2}>/g, "PID");
    const theirs = (): string[] => genuine.log.slice(from).match(/^\*DBG\* .*$/gm) ?? [];
    await waitUntil(() => theirs().length >= lines.length);
    expect(lines.map(shown)).toEqual(theirs().map(shown));
    expect(lines.length).toBeGreaterThan(8);
  }

  describe("what proc_lib reports of a server", () => {
    it.each([
      ...["normal", "shutdown", "oops", "{oops, [1]}"].map((reason) => `{stop, ${reason}}`),
      ...["error", "exit", "throw"].map((kind) => `{fail, ${kind}, oops}`),
      "ignore",
      "{return, oops}",
    ])("that does not start: %s", async (init) => {
      const started = `[rpc:call(N, erldist_server, start, [erldist_server, ${init}]),
        [erldist_server:comparable(E) || E <- rpc:call(N, erldist_server, reports, [])],
        rpc:call(N, erlang, whereis, [erldist_server])]`;
      const theirs = await seen(genuine.name, started);
      // Before OTP 26 the name was not given up where init returns what it may not.
      const nameless = theirs.replace("{registered_name,erldist_server}", "{registered_name,[]}");
      expect(await seen(ours.name, started)).toBe(atLeast(26) ? theirs : nameless);
    });

    it.each(["'$initial_call'", "'$ancestors'"])("%s in the process dictionary", async (key) => {
      const entry = `begin {dictionary, D} = rpc:call(N, erlang, process_info, [P, dictionary]),
        lists:keyfind(${key}, 1, D) end`;
      expect(await seen(ours.name, entry)).toBe(await seen(genuine.name, entry));
    });
  });

  describe("a state machine", () => {
    it.each(STATEM)("%s: %s", async (mode, expression) => {
      const theirs = await statemSeen(genuine.name, mode, outcome(expression));
      expect(await statemSeen(ours.name, mode, outcome(expression))).toBe(theirs);
    });

    it("trace: what is printed there is logged here", async () => {
      // OTP 23 prints inserted events and time-outs of 0 in another way.
      const [inserted, zero] = atLeast(25)
        ? [", {event, internal, i}", ", {{timeout, n}, 0, n}"]
        : ["", ""];
      const traced = `[sys:trace(S, true), gen_statem:call(S, {do, [{next, b}, {reply, x}${inserted}]}),
        gen_statem:cast(S, {in, a, y}), gen_statem:cast(S, {do, [{next, a}, {state_timeout, 10000, t}${zero}]}),
        S ! z, gen_statem:call(S, {do, [{reply, last}]}), sys:trace(S, false), SEEN]`;
      await tracedAlike((node) => statemSeen(node, "enter", traced));
    });

    it.each(STATEM_ENDINGS)("ends, %s: %s", async (mode, expression) => {
      const ending = `{erldist_server:ending(P, fun() -> ${expression} end),
         [erldist_server:comparable(E) || E <- rpc:call(N, erldist_server, reports, [])]}`;
      const theirs = await statemSeen(genuine.name, mode, ending);
      expect(await statemSeen(ours.name, mode, ending)).toBe(theirs);
    });
  });
});
