/**
 * All of rpc and erpc, side by side: a caller on an Erlang node sees the same of an erldist node as of another
 * Erlang node, and calls from an erldist node have the same outcomes as those from an Erlang node.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encode } from "../etf/index.ts";
import {
  type Answer,
  type Atom,
  atom,
  badrpcOf,
  erpcExceptionOf,
  format,
  parse,
  type Term,
  type TermInput,
  type Tuple,
  tuple,
} from "../src/index.ts";
import { waitUntil } from "./index.ts";
import { serveCallee } from "./support/callee.ts";
import { type ComparedNodes, startCompared } from "./support/compared.ts";
import { eachOtp } from "./support/vitest.ts";

/** What remote calls are asked for, whichever function makes the call. */
const CALLS = [
  "add, [1, 2]",
  "nothing, []",
  "echo, [{a, [1.5, <<\"b\">>], #{c => 'D'}}]",
  "fail, [error, oops]",
  "fail, [exit, oops]",
  "fail, [exit, normal]",
  "fail, [throw, oops]",
  "fail, [throw, {badrpc, thrown}]",
  "fail, [throw, {'EXIT', thrown}]",
  "caught, [oops]",
  "badrpc, []",
  "nothing, [1, 2, 3]",
  "no_such_function, [x]",
  "fail, [error, badarg]",
  "later, [50, done]",
  "end_self, [oops]",
  "end_self, [kill]",
  'print, ["printed"]',
  "spawn_tell, [self(), x]",
];

/** Expressions with `N`, the node called, and `m`, the module. `TRY(E)` gives an exception as a term. */
const EXPRESSIONS = [
  ...CALLS.map((call) => `rpc:call(N, m, ${call})`),
  // A block_call runs in rex itself: a function that does not return would block an Erlang node's rex for good.
  ...CALLS.filter((call) => !call.startsWith("end_self")).map(
    (call) => `rpc:block_call(N, m, ${call})`,
  ),
  ...CALLS.map((call) => `TRY(erpc:call(N, m, ${call}))`),
  ...CALLS.map((call) => `rpc:yield(rpc:async_call(N, m, ${call}))`),
  // On its own node erpc may run a function in the caller's process, which is not to end.
  ...CALLS.map((call) => `rpc:multicall([N], m, ${call})`),
  ...CALLS.map((call) => `erpc:multicall([N], m, ${call})`),
  "erpc:multicall([N, node()], m, fail, [throw, ball])",
  ...CALLS.map((call) => `TRY(erpc:receive_response(erpc:send_request(N, m, ${call})))`),
  ...CALLS.map((call) => `gen_server:call({rex, N}, {call, m, ${call}, group_leader()})`),
  "rpc:call(N, no_such_module, f, [])",
  "TRY(rpc:call(N, m, add, not_a_list))",
  "TRY(erpc:call(N, no_such_module, f, [x]))",
  "TRY(erpc:call(N, m, add, not_a_list))",
  "rpc:call(N, m, never, [], 50)",
  "rpc:call(N, m, nothing, [], 5000)",
  "{rpc:block_call(N, m, held, [x], 20), rpc:call(N, m, release, [])}",
  "TRY(erpc:call(N, m, never, [], 50))",
  "TRY(erpc:call(N, m, never, [], 0))",
  "rpc:call(N, m, drop, [])",
  "TRY(erpc:call(N, m, drop, []))",
  "rpc:block_call(N, m, drop, [])",
  // A call that was given up does not reach the mailbox later.
  `{rpc:call(N, m, held, [late], 20), rpc:call(N, m, release, []), erldist_settle:settle([N]),
     receive Late -> Late after 0 -> silent end}`,
  `{try erpc:call(N, m, held, [late], 20) catch C:E -> {C, E} end, rpc:call(N, m, release, []),
     erldist_settle:settle([N]), receive Late -> Late after 0 -> silent end}`,
  // A function goes on after its call was given up.
  "rpc:call(N, m, tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end",
  "{rpc:cast(N, m, tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end}",
  "{erpc:cast(N, m, tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end}",
  "{erpc:multicast([N], m, tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end}",
  "{rpc:eval_everywhere([N], m, tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end}",
  "{rpc:cast(N, m, fail, [error, oops]), rpc:call(N, m, nothing, [])}",
  "{rpc:call(N, m, spawn_tell, [self(), hello]), receive hello -> heard after 60000 -> deaf end}",
  "rpc:call(N, m, leader, []) =:= group_leader()",
  "rpc:block_call(N, m, leader, []) =:= group_leader()",
  `K = rpc:async_call(N, m, held, [x]),
     {rpc:nb_yield(K), rpc:nb_yield(K, 20), rpc:call(N, m, release, []), rpc:nb_yield(K, 60000)}`,
  "rpc:multicall([N, node(), nobody@nowhere], m, add, [1, 2])",
  "rpc:multicall([N, node()], m, never, [], 100)",
  "rpc:abcast([N], m, {self(), hello}), receive R -> R after 60000 -> deaf end",
  "rpc:sbcast([N], m, {self(), hello}), receive R -> R after 60000 -> deaf end",
  "rpc:sbcast([N], m, hello)",
  "rpc:sbcast([N, nobody@nowhere], nobody, hello)",
  "rpc:multi_server_call([N], m, hello)",
  "rpc:multi_server_call([N], nobody, hello)",
  "rpc:server_call(N, m, m, hello)",
  "rpc:server_call(N, nobody, m, hello)",
  "erpc:multicall([N, node(), nobody@nowhere], m, add, [1, 2])",
  "erpc:multicall([N, node()], m, never, [], 100)",
  `R = erpc:send_request(N, m, held, [x]),
     {erpc:wait_response(R, 10), rpc:call(N, m, release, []), erpc:wait_response(R, 60000)}`,
  "R = erpc:send_request(N, m, never, []), TRY(erpc:receive_response(R, 10))",
  "R = erpc:send_request(N, m, later, [20, x]), receive M -> {erpc:check_response(x, R), erpc:check_response(M, R)} after 60000 -> deaf end",
  // The old way, as C nodes, Java and OTP 22 speak it.
  "{rex, N} ! {self(), {call, m, add, [5, 6], group_leader()}}, receive {rex, X} -> X end",
  "{rex, N} ! {self(), {call, m, end_self, [oops], group_leader()}}, receive {rex, X} -> X end",
  "{rex, N} ! {self(), features_request}, receive {features_reply, X, F} -> {X, F} end",
  // While a block_call runs, rex serves nobody else.
  `Self = self(), spawn(fun() -> Self ! {1, rpc:block_call(N, m, held, [blocked])} end),
     true = rpc:call(N, m, holding, []),
     spawn(fun() -> Self ! {2, rpc:block_call(N, m, echo, [waited])} end),
     erldist_settle:settle([N]),
     Overtaken = receive {2, _} -> true after 0 -> false end,
     {Overtaken, rpc:call(N, m, release, []), [receive {I, R} -> {I, R} end || I <- [1, 2]]}`,
];

/** Request collections came with OTP 25. */
const COLLECTIONS = [
  `C = erpc:send_request(N, m, fail, [throw, ball], label, erpc:reqids_new()),
     case TRY(erpc:receive_response(C, 60000, true)) of {caught, Class, {R, L, _}} -> {Class, R, L}; X -> X end`,
  `C0 = erpc:reqids_new(), C1 = erpc:send_request(N, m, held, [slow], a, C0),
     C2 = erpc:send_request(N, m, later, [1, quick], b, C1),
     {R1, L1, C3} = erpc:receive_response(C2, 60000, true), ok = rpc:call(N, m, release, []),
     {R2, L2, C4} = erpc:wait_response(C3, 60000, true),
     {R1, L1, R2, L2, erpc:check_response(x, C4, true), erpc:receive_response(C4, 10, true)}`,
];

function expanded(expression: string): string {
  return expression
    .replace(/TRY\((.*)\)/gs, "try $1 catch Class_:Why_ -> {caught, Class_, Why_} end")
    .replace(/\bm\b(?=[,}])/g, "erldist_callee");
}

eachOtp((otp) => {
  let nodes: ComparedNodes;
  let caller: ComparedNodes["caller"];
  let genuine: ComparedNodes["genuine"];
  let ours: ComparedNodes["ours"];
  beforeAll(async () => {
    nodes = await startCompared(otp, ["erldist_callee"]);
    ({ caller, genuine, ours } = nodes);
    serveCallee(ours);
    await genuine.eval("erldist_callee:start()");
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  describe("a caller on an Erlang node sees the same of an erldist node as of an Erlang node", () => {
    const expressions = otp.release === "23" ? EXPRESSIONS : [...EXPRESSIONS, ...COLLECTIONS];
    it.each(expressions)("%s", async (expression) => {
      const seen = (node: string): Promise<string> =>
        caller.eval(`erldist_callee:shape((fun(N) -> ${expanded(expression)} end)('${node}'))`);
      expect(await seen(ours.name)).toBe(await seen(genuine.name));
    });
  });

  describe("calls from an erldist node have the outcomes of those from an Erlang node", () => {
    const M = "erldist_callee";
    const shape = (term: TermInput): Promise<string> =>
      caller.eval("erldist_callee:shape(binary_to_term(T))", { bindings: { T: encode(term) } });
    /** The outcome of the Erlang node's call. */
    const theirs = (expression: string): Promise<string> =>
      caller.eval(
        `erldist_callee:shape((fun(N) -> ${expanded(expression)} end)('${genuine.name}'))`,
      );

    describe.each(CALLS.filter((call) => !call.includes("self()")))("%s", (call) => {
      const [name, args] = parse(`{${call}}`) as Tuple<[Atom, Term[]]>;

      it("rpc.call", async () => {
        const result = ours.rpc.call(genuine.name, M, name, args).catch(badrpcOf);
        expect(await shape(await result)).toBe(await theirs(`rpc:call(N, m, ${call})`));
      });

      it("rpc.asyncCall", async () => {
        const request = ours.rpc.asyncCall(genuine.name, M, name, args);
        const result = await request.receive().catch(badrpcOf);
        expect(await shape(result)).toBe(await theirs(`rpc:call(N, m, ${call})`));
      });

      // Not these: an Erlang node's rex would not return from them.
      if (name.name !== "end_self")
        it("rpc.blockCall", async () => {
          const result = ours.rpc.blockCall(genuine.name, M, name, args).catch(badrpcOf);
          expect(await shape(await result)).toBe(await theirs(`rpc:block_call(N, m, ${call})`));
        });

      it("rpc.multicall", async () => {
        const nodes = [genuine.name, "nobody@nowhere"];
        const { results, badNodes } = await ours.rpc.multicall(nodes, M, name, args);
        const expected = await theirs(`rpc:multicall([N, nobody@nowhere], m, ${call})`);
        expect(
          await shape(
            tuple(
              results,
              badNodes.map((node) => atom(node)),
            ),
          ),
        ).toBe(expected);
      });

      it("erpc.call", async () => {
        const result = ours.erpc.call(genuine.name, M, name, args).catch(caught);
        expect(await shape(await result)).toBe(await theirs(`TRY(erpc:call(N, m, ${call}))`));
      });

      it("erpc.sendRequest", async () => {
        const request = ours.erpc.sendRequest(genuine.name, M, name, args);
        const result = await request.receive().catch(caught);
        expect(await shape(result)).toBe(await theirs(`TRY(erpc:call(N, m, ${call}))`));
      });

      it("erpc.multicall", async () => {
        const [answer] = await ours.erpc.multicall([genuine.name], M, name, args);
        expect(await shape(multicalled(answer!))).toBe(
          await theirs(`hd(erpc:multicall([N], m, ${call}))`),
        );
      });
    });

    it("calls without an answer", async () => {
      const never = (options: { timeoutMs?: number } = {}, node = genuine.name) =>
        ours.erpc.call(node, M, "never", [], options).catch(caught);
      expect(await shape(await never({ timeoutMs: 50 }))).toBe(
        await theirs("TRY(erpc:call(N, m, never, [], 50))"),
      );
      expect(await shape(await never({}, "nobody@nowhere"))).toBe(
        await theirs("TRY(erpc:call(nobody@nowhere, m, never, []))"),
      );
      for (const [code, call] of [
        ["drop", "drop, []"],
        ["never", "never, [], 50"],
      ] as const) {
        const options = code === "never" ? { timeoutMs: 50 } : {};
        const result = await ours.rpc.call(genuine.name, M, code, [], options).catch(badrpcOf);
        expect(await shape(result)).toBe(await theirs(`rpc:call(N, m, ${call})`));
      }
    });

    it("parallelEval and pmap spread over the nodes and keep the order", async () => {
      const nodes = [genuine.name, caller.name];
      const add = (a: number, b: number) => [M, "add", [a, b]] as const;
      const results = await ours.rpc.parallelEval(nodes, [add(1, 2), add(3, 4), add(5, 6)]);
      expect(results).toEqual([3, 7, 11]);
      expect(await ours.rpc.pmap(nodes, [M, "add"], [10], [1, 2, 3])).toEqual([11, 12, 13]);
      const failing = ours.rpc.pmap(nodes, [M, "fail"], [atom("x")], [atom("exit")]);
      await expect(failing).rejects.toMatchObject({ code: "REMOTE_EXIT" });
    });

    it("casts arrive", async () => {
      const got: Term[] = [];
      const inbox = ours.spawn({
        message: (message) => {
          got.push(message);
        },
      });
      ours.rpc.cast(genuine.name, M, "tell", [inbox.pid, 1]);
      ours.erpc.cast(genuine.name, M, "tell", [inbox.pid, 2]);
      ours.erpc.multicast([genuine.name, caller.name], M, "tell", [inbox.pid, 3]);
      ours.rpc.evalEverywhere([genuine.name, caller.name], M, "tell", [inbox.pid, 4]);
      ours.rpc.abcast([genuine.name, "nobody@nowhere"], M, tuple(inbox.pid, 5));
      await waitUntil(() => got.length === 7);
      expect(got.map((message) => format(message)).sort()).toEqual(
        [
          "1",
          "2",
          "3",
          "3",
          "4",
          "4",
          format(tuple(atom(M), atom(genuine.name), tuple(atom("got"), 5))),
        ].sort(),
      );
    });

    it("sbcast, multiServerCall and serverCall separate good nodes from bad ones", async () => {
      const nodes = [genuine.name, caller.name, "nobody@nowhere"];
      expect(await ours.rpc.sbcast(nodes, M, atom("hello"))).toEqual({
        goodNodes: [genuine.name],
        badNodes: [caller.name, "nobody@nowhere"],
      });
      const { replies, badNodes } = await ours.rpc.multiServerCall(nodes, M, atom("hello"));
      expect(replies.map((reply) => format(reply))).toEqual(["{got,hello}"]);
      expect(badNodes).toEqual([caller.name, "nobody@nowhere"]);
      expect(format(await ours.rpc.serverCall(genuine.name, M, atom(M), 1))).toBe("{got,1}");
      await expect(ours.rpc.serverCall(caller.name, M, atom(M), 1)).rejects.toMatchObject({
        code: "CALL_NO_CONNECTION",
      });
    });

    it("requests are answered in any order, and abandoned ones are not", async () => {
      const requests = ours.erpc.requests<string>();
      const later = (milliseconds: number, value: string) =>
        ours.erpc.sendRequest(genuine.name, M, "later", [milliseconds, atom(value)]);
      requests.add(later(300, "slow"), "first").add(later(1, "quick"), "second");
      requests.add(
        ours.gen.sendRequest(["net_kernel", genuine.name], tuple(atom("is_auth"), atom(ours.name))),
        "third",
      );
      const order: string[] = [];
      for await (const { label } of requests) order.push(label);
      expect(order.sort()).toEqual(["first", "second", "third"]);
      const slow = later(10_000, "never");
      expect(await slow.wait({ timeoutMs: 10 })).toBeUndefined();
      await expect(slow.receive({ timeoutMs: 10 })).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
      await expect(slow.receive()).rejects.toMatchObject({ code: "CALL_TIMEOUT" });
    });
  });
});

/** What `erpc:call` raises where ours rejects: `{caught, Class, Reason}`. */
function caught(error: unknown): Term {
  const { class: exceptionClass, reason } = erpcExceptionOf(error);
  return tuple(atom("caught"), atom(exceptionClass), reason);
}

/** An answer as `erpc:multicall` returns it. */
function multicalled(answer: Answer): Term {
  if (answer.status === "fulfilled") return tuple(atom("ok"), answer.value);
  const { class: exceptionClass, reason } = erpcExceptionOf(answer.reason);
  return tuple(atom(exceptionClass), reason);
}
