/**
 * erldist's clients for OTP's behaviours, with servers of OTP: `gen_server`, `gen_statem`, `gen_event` and `sys`.
 * Their calls have the same outcomes as those of an Erlang node.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encode } from "../etf/index.ts";
import {
  type Atom,
  atom,
  CallError,
  type Pid,
  parse,
  RemoteError,
  type Term,
  type TermInput,
  tuple,
} from "../src/index.ts";
import { waitUntil } from "./index.ts";
import { type ComparedNodes, startCompared } from "./support/compared.ts";
import type { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

type Ours = Awaited<ReturnType<typeof startOurNode>>;
type Server = readonly [string, string];

/** Ours, with the server and its pid, and the same in Erlang. */
type Case = [erlang: string, ours: (node: Ours, server: Server, pid: Pid) => Promise<unknown>];

const t = (text: string): Term => parse(text);
const OK = atom("ok");
const done = (promise: Promise<unknown>): Promise<Atom> => promise.then(() => OK);

const GEN: Case[] = [
  ["gen_server:call(S, get)", (node, server) => node.gen.call(server, atom("get"))],
  ["gen_server:call(P, {add, 2})", (node, _, pid) => node.gen.call(pid, t("{add, 2}"))],
  [
    "gen_server:call(S, never, 50)",
    (node, server) => node.gen.call(server, atom("never"), { timeoutMs: 50 }),
  ],
  ["gen_server:call({nobody, N}, get)", (node, [, name]) => node.gen.call(["nobody", name], 1)],
  ["gen_server:call(S, drop)", (node, server) => node.gen.call(server, atom("drop"))],
  ...["{stop, normal}", "{stop, oops}", "{stop, oops, bye}", "{fail, error, oops}"].map(
    (request): Case => [
      `gen_server:call(S, ${request})`,
      (node, server) => node.gen.call(server, t(request)),
    ],
  ),
  [
    "begin gen_server:cast(S, x), gen_server:call(S, seen) end",
    async (node, server) => {
      await node.gen.cast(server, atom("x"));
      return node.gen.call(server, atom("seen"));
    },
  ],
  [
    "gen_server:multi_call([N, nobody@nowhere], erldist_server, get)",
    (node, [name, peer]) =>
      multiCalled(node.gen.multiCall([peer, "nobody@nowhere"], name, atom("get"))),
  ],
  [
    "gen_server:multi_call([N], erldist_server, never, 50)",
    (node, [name, peer]) =>
      multiCalled(node.gen.multiCall([peer], name, atom("never"), { timeoutMs: 50 })),
  ],
  [
    "gen_server:multi_call([N], nobody, get)",
    (node, [, peer]) => multiCalled(node.gen.multiCall([atom(peer)], "nobody", atom("get"))),
  ],
  [
    "begin gen_server:abcast([N, nobody@nowhere], erldist_server, x), gen_server:call(S, seen) end",
    async (node, server) => {
      const [name, peer] = server;
      await node.gen.abcast([peer, "nobody@nowhere"], name, atom("x"));
      return node.gen.call(server, atom("seen"));
    },
  ],
];

const SYS: Case[] = [
  ["sys:get_state(S)", (node, server) => node.sys.getState(server)],
  ["sys:get_state(P)", (node, _, pid) => node.sys.getState(pid)],
  ["sys:get_state({nobody, N})", (node, [, peer]) => node.sys.getState(["nobody", peer])],
  [
    "begin gen_server:call(S, {state, {ok, x}}), sys:get_state(S) end",
    async (node, server) => {
      await node.gen.call(server, t("{state, {ok, x}}"));
      return node.sys.getState(server);
    },
  ],
  ["sys:get_status(S)", (node, server) => node.sys.getStatus(server)],
  [
    "begin sys:suspend(S), E = (catch gen_server:call(S, get, 50)), {E, sys:resume(S), gen_server:call(S, get)} end",
    async (node, server) => {
      await node.sys.suspend(server);
      const call = node.gen.call(server, atom("get"), { timeoutMs: 50 });
      const refused = await call.catch((error: unknown) => tuple(atom("EXIT"), reasonOf(error)));
      await node.sys.resume(server);
      return tuple(refused, OK, await node.gen.call(server, atom("get")));
    },
  ],
  [
    `begin sys:statistics(S, true), gen_server:call(S, get), {ok, L} = sys:statistics(S, get),
       sys:statistics(S, false), [[V || {K, V} <- L, K =:= messages_in orelse K =:= messages_out], sys:statistics(S, get)] end`,
    async (node, server) => {
      await node.sys.statistics(server, true);
      await node.gen.call(server, atom("get"));
      const statistics = await node.sys.getStatistics(server);
      await node.sys.statistics(server, false);
      const off = await node.sys.getStatistics(server);
      expect(off).toBeUndefined();
      return [[statistics!.messagesIn, statistics!.messagesOut], t("{ok, no_statistics}")];
    },
  ],
  [
    `begin sys:log(S, {true, 3}), [gen_server:call(S, {add, I}) || I <- [1, 2]], {ok, L} = sys:log(S, get),
       sys:no_debug(S), {[element(1, E) || E <- L], sys:log(S, get)} end`,
    async (node, server) => {
      await node.sys.log(server, 3);
      for (const by of [1, 2]) await node.gen.call(server, tuple(atom("add"), by));
      const events = (await node.sys.getLog(server)).map((event) => (event as readonly Term[])[0]!);
      await node.sys.noDebug(server);
      return tuple(events, tuple(OK, await node.sys.getLog(server)));
    },
  ],
  ["sys:terminate(S, normal)", (node, server) => done(node.sys.terminate(server))],
  [
    "begin R = monitor(process, P), sys:terminate(S, oops), receive {'DOWN', R, _, _, Why} -> Why end end",
    (node, server, pid) =>
      new Promise((resolve) => {
        node.spawn(async (self) => {
          self.monitor(pid);
          await node.sys.terminate(server, atom("oops"));
          resolve(((await self.receive()) as readonly Term[])[4]);
        });
      }),
  ],
];

const H = "erldist_events";
const EVENTS: Case[] = [
  ["gen_event:which_handlers(S)", (node, server) => node.genEvent.whichHandlers(server)],
  [
    `[gen_event:add_handler(S, H, first), gen_event:add_handler(S, {H, 2}, second),
      gen_event:add_handler(S, H, third), gen_event:add_handler(S, {H, 3}, refused),
      gen_event:add_handler(S, no_such_handler, x), gen_event:which_handlers(S)]`,
    async (node, server) => [
      await node.genEvent.addHandler(server, H, atom("first")),
      await node.genEvent.addHandler(server, [H, 2], atom("second")),
      await node.genEvent.addHandler(server, atom(H), atom("third")),
      await node.genEvent.addHandler(server, [H, 3], atom("refused")),
      await node.genEvent.addHandler(server, "no_such_handler", atom("x")),
      await node.genEvent.whichHandlers(server),
    ],
  ],
  [
    `[gen_event:add_handler(S, H, first), gen_event:notify(S, a), gen_event:sync_notify(S, {b, 1}),
      gen_event:call(S, H, seen), gen_event:call(S, {H, 9}, seen), gen_event:call(S, H, crash), gen_event:which_handlers(S)]`,
    async (node, server) => [
      await node.genEvent.addHandler(server, H, atom("first")),
      await done(node.genEvent.notify(server, atom("a"))),
      await done(node.genEvent.syncNotify(server, t("{b, 1}"))),
      await node.genEvent.call(server, H, atom("seen")),
      await node.genEvent.call(server, [H, 9], atom("seen")),
      await node.genEvent.call(server, H, atom("crash")),
      await node.genEvent.whichHandlers(server),
    ],
  ],
  [
    `[gen_event:add_handler(S, H, first), gen_event:swap_handler(S, {H, bye}, {{H, new}, {swap, x}}),
      gen_event:call(S, {H, new}, seen), gen_event:delete_handler(S, {H, new}, why), gen_event:delete_handler(S, H, why)]`,
    async (node, server) => [
      await node.genEvent.addHandler(server, H, atom("first")),
      await node.genEvent.swapHandler(server, [H, atom("bye")], [[H, atom("new")], t("{swap, x}")]),
      await node.genEvent.call(server, [H, atom("new")], atom("seen")),
      await node.genEvent.deleteHandler(server, [H, atom("new")], atom("why")),
      await node.genEvent.deleteHandler(server, H, atom("why")),
    ],
  ],
  [
    "begin gen_event:add_handler(S, H, x), gen_event:call(S, H, never, 50) end",
    async (node, server) => {
      await node.genEvent.addHandler(server, H, atom("x"));
      return node.genEvent.call(server, H, atom("never"), { timeoutMs: 50 });
    },
  ],
  [
    "begin gen_event:add_handler(S, H, x), gen_event:call(S, H, stop) end",
    async (node, server) => {
      await node.genEvent.addHandler(server, H, atom("x"));
      return node.genEvent.call(server, H, atom("stop"));
    },
  ],
  [
    "gen_event:notify({nobody, N}, x)",
    (node, [, peer]) => done(node.genEvent.notify(["nobody", peer], 1)),
  ],
  [
    "gen_event:sync_notify({nobody, N}, x)",
    (node, [, peer]) => done(node.genEvent.syncNotify(["nobody", peer], 1)),
  ],
  [
    "gen_event:which_handlers({nobody, N})",
    (node, [, peer]) => node.genEvent.whichHandlers(["nobody", peer]),
  ],
];

eachOtp((otp) => {
  let nodes: ComparedNodes;
  let caller: ComparedNodes["caller"];
  let genuine: ComparedNodes["genuine"];
  let ours: ComparedNodes["ours"];
  beforeAll(async () => {
    nodes = await startCompared(otp, ["erldist_callee", "erldist_server", "erldist_events"]);
    ({ caller, genuine, ours } = nodes);
    await genuine.eval("erldist_server:setup()");
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  /** The outcome of our call; of an exit the reason without the call itself, which OTP adds. */
  async function outcome(call: Promise<unknown>): Promise<string> {
    const value = await call.catch((error: unknown) =>
      tuple(atom("caught"), atom("exit"), reasonOf(error)),
    );
    return caller.eval("erldist_callee:shape(binary_to_term(T))", {
      bindings: { T: encode(value as TermInput) },
    });
  }

  function compared(module: string, cases: Case[]): void {
    it.each(cases)("%s", async (erlang, call) => {
      const start = `rpc:call('${genuine.name}', ${module}, start, [])`;
      const theirs = await caller.eval(
        `N = '${genuine.name}', S = {${module}, N}, H = ${module}, P = ${start},
         Bare = fun Bare({'EXIT', {R, {M, call, _}}}) when is_atom(M) -> {'EXIT', R};
                    Bare(T) when is_tuple(T) -> list_to_tuple([Bare(E) || E <- tuple_to_list(T)]);
                    Bare(T) -> T end,
         {H, P, S} = {H, P, S},
         erldist_callee:shape(
           case erldist_server:outcome(fun() -> ${erlang} end) of
             {caught, exit, {R, {M, _, _}}} when is_atom(M) -> {caught, exit, R};
             Other -> Bare(Other)
           end)`,
      );
      const pid = (await ours.rpc.call(genuine.name, module, "start", [])) as Pid;
      expect(await outcome(call(ours, [module, genuine.name], pid))).toBe(theirs);
    });
  }

  describe("gen_server", () => compared("erldist_server", GEN));
  describe("sys", () => compared("erldist_server", SYS));
  describe("gen_event", () => {
    compared("erldist_events", EVENTS);

    it("an event reaches every handler, and only syncNotify waits for a slow one", async () => {
      const server = [H, genuine.name] as const;
      await ours.rpc.call(genuine.name, H, "start", []);
      const told: Term[] = [];
      const inbox = ours.spawn({ message: (message) => void told.push(message) });
      for (const id of [1, 2]) await ours.genEvent.addHandler(server, [H, id], OK);
      await ours.genEvent.notify(server, tuple(atom("tell"), inbox.pid));
      await waitUntil(() => told.length === 2);
      await ours.genEvent.syncNotify(server, tuple(atom("sleep"), 20));
      const seen = await ours.genEvent.call(server, [H, 1], atom("seen"));
      expect(seen).toStrictEqual([OK, atom("slept")]);
    });
  });

  it("trace is printed there", async () => {
    const server = ["erldist_server", genuine.name] as const;
    await ours.rpc.call(genuine.name, "erldist_server", "start", []);
    await ours.sys.trace(server, true);
    await ours.gen.cast(server, atom("traced"));
    await genuine.printed(/\*DBG\* erldist_server got cast traced/);
    await ours.sys.trace(server, false);
  });
});

/** The reason with which a call of gen exits where ours rejects. */
function reasonOf(error: unknown): Term {
  if (error instanceof RemoteError) return error.reason;
  if (!(error instanceof CallError)) throw error;
  if (error.code === "CALL_TIMEOUT") return atom("timeout");
  return tuple(atom("nodedown"), atom("peer@there"));
}

/** As `gen_server:multi_call` returns it. */
async function multiCalled(result: ReturnType<Ours["gen"]["multiCall"]>): Promise<TermInput> {
  const { replies, badNodes } = await result;
  return tuple(
    replies.map(({ node, reply }) => tuple(atom(node), reply)),
    badNodes.map((node) => atom(node)),
  );
}
