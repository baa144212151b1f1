/**
 * `true` and `false` are atoms: like any other atom they can name processes, modules and functions. A caller on
 * an Erlang node sees the same of such names on an erldist node as on another Erlang node, and control messages
 * with them never end a connection.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONTROL } from "../src/distribution/control.ts";
import {
  atom,
  type CallContext,
  ErlangError,
  format,
  GenServer,
  isPid,
  isTuple,
  type Node,
  Pid,
  parse,
  Reference,
  type Term,
  tuple,
} from "../src/index.ts";
import type { RawNode } from "../test/support/raw-node.ts";
import { waitUntil } from "./index.ts";
import { connectRaw } from "./support/bare-peer.ts";
import { type ComparedNodes, startCompared } from "./support/compared.ts";
import { eachOtp } from "./support/vitest.ts";

/** The functions of `true.erl`. */
function serveTrue(node: Node): void {
  node.expose("true", {
    "false/0": () => false,
    "false/1": (term: Term) => tuple(true, term),
    "true/1": (reason: Term) => {
      throw ErlangError.exit(reason);
    },
    async "tell/2"(this: CallContext, pid: Pid, term: Term) {
      await this.self.send(pid, tuple(term, atom(node.name)));
      return true;
    },
  });
}

/** The server of `true.erl`. */
class TrueServer extends GenServer<Term[]> {
  override state: Term[] = [];
  override handleCall(request: Term) {
    if (request === atom("stop")) return { stop: true as Term, reply: true };
    return { reply: request === atom("seen") ? this.state : request };
  }
  override handleCast(message: Term): void {
    this.#see("cast", message);
  }
  override async handleInfo(message: Term): Promise<void> {
    const [from, what] = isTuple(message, 2) ? (message as readonly Term[]) : [];
    if (!isPid(from)) this.#see("info", message);
    else await this.self.send(from, tuple(true, this.self.pid.node, what as Term));
  }
  #see(how: string, message: Term): void {
    this.state = [tuple(atom(how), message), ...this.state];
  }
}

/** An expression that gives an exception as a term. */
const tried = (expression: string): string => `try ${expression} catch C:E -> {C, E} end`;

/** Expressions with `N`, the node asked. */
const EXPRESSIONS = [
  // Messages and calls by name.
  "{true, N} ! hello, {true, N} ! true, gen_server:cast({true, N}, false), gen_server:call({true, N}, seen)",
  "{false, N} ! hello, {undefined, N} ! hello, gen_server:call({true, N}, true)",
  tried("gen_server:call({false, N}, true)"),
  "gen_server:multi_call([N], true, {is, false})",
  "gen_server:abcast([N], true, a), gen_server:call({true, N}, seen)",
  "rpc:sbcast([N], true, a)",
  "rpc:sbcast([N], false, a)",
  "rpc:abcast([N], true, a), gen_server:call({true, N}, seen)",
  "rpc:multi_server_call([N], true, a)",
  "rpc:multi_server_call([N], false, a)",
  "rpc:server_call(N, true, true, a)",
  "sys:get_state({true, N})",
  "sys:suspend({true, N}), sys:resume({true, N})",
  "element(1, sys:get_status({true, N}))",
  `element(1, ${tried("sys:replace_state({true, N}, fun true:false/2)")})`,
  // Monitors by name.
  "R = monitor(process, {true, N}), true = gen_server:call({true, N}, stop), receive {'DOWN', R, T, O, W} -> {T, O, W} after 60000 -> late end",
  "R = monitor(process, {false, N}), receive {'DOWN', R, T, O, W} -> {T, O, W} after 60000 -> late end",
  "R = monitor(process, {true, N}), true = demonitor(R, [info]), true = gen_server:call({true, N}, stop), erldist_settle:settle([N]), receive {'DOWN', R, _, _, _} -> heard after 0 -> quiet end",
  // Calls.
  "rpc:call(N, true, false, [])",
  "rpc:call(N, true, false, [true])",
  "rpc:call(N, true, true, [false])",
  "rpc:call(N, true, false, [1, 2])",
  "rpc:call(N, false, true, [])",
  "rpc:block_call(N, true, false, [x])",
  "rpc:multicall([N], true, false, [x])",
  "rpc:pmap({true, false}, [], [])",
  tried("erpc:call(N, true, false, [x])"),
  tried("erpc:call(N, true, true, [false])"),
  tried("erpc:call(N, false, false, [false])"),
  "rpc:call(N, erlang, apply, [true, false, [x]])",
  "rpc:call(N, erlang, apply, [fun true:false/1, [x]])",
  "rpc:call(N, erlang, apply, [fun true:false/3, [x, y, z]])",
  "rpc:call(N, erlang, apply, [false, true, []])",
  "rpc:cast(N, true, tell, [self(), false]), receive M -> M after 60000 -> late end",
  "erpc:cast(N, true, tell, [self(), false]), receive M -> M after 60000 -> late end",
  // Spawns.
  "spawn(N, true, tell, [self(), true]), receive M -> M after 60000 -> late end",
  "{P, R} = spawn_monitor(N, true, true, [true]), receive {'DOWN', R, process, P, W} -> W after 60000 -> late end",
  "{P, R} = spawn_monitor(N, true, false, [1, 2]), receive {'DOWN', R, process, P, W} -> W after 60000 -> late end",
  "process_flag(trap_exit, true), P = spawn_link(N, true, true, [false]), receive {'EXIT', P, W} -> W after 60000 -> late end",
  // What operators ask.
  "rpc:call(N, erlang, whereis, [true])",
  "rpc:call(N, erlang, whereis, [false])",
  "rpc:call(N, erlang, whereis, [undefined])",
  "lists:member(true, rpc:call(N, erlang, registered, []))",
  "rpc:call(N, erlang, process_info, [rpc:call(N, erlang, whereis, [true]), registered_name])",
  "hd(rpc:call(N, erlang, process_info, [rpc:call(N, erlang, whereis, [true])]))",
  "rpc:call(N, erlang, send, [true, x]), gen_server:call({true, N}, seen)",
  "rpc:call(N, erlang, send, [{true, N}, x]), gen_server:call({true, N}, seen)",
  "rpc:call(N, erlang, send, [{false, N}, x])",
  "element(1, rpc:call(N, erlang, send, [false, x]))",
  "rpc:call(N, erlang, module_loaded, [true])",
  "rpc:call(N, erlang, module_loaded, [false])",
  "rpc:call(N, erlang, function_exported, [true, false, 1])",
  "rpc:call(N, erlang, function_exported, [true, false, 7])",
  "rpc:call(N, code, ensure_loaded, [true])",
  "element(1, rpc:call(N, code, is_loaded, [true]))",
  "lists:keymember(true, 1, rpc:call(N, code, all_loaded, []))",
  "rpc:call(N, code, module_status, [false])",
  "rpc:call(N, erlang, port_info, [true, name])",
  // Locks.
  "X = global:set_lock({true, self()}, [N], 0), Y = global:set_lock({true, other}, [N], 0), Z = global:del_lock({true, self()}, [N]), {X, Y, Z}",
  // Text on a device of the node, and its prompts.
  "io:format(rpc:call(N, erlang, whereis, [user]), true, [])",
  'io:format(rpc:call(N, erlang, whereis, [user]), "~s ~p~n", [true, fun true:false/0])',
  // Ends.
  "P = rpc:call(N, erlang, whereis, [true]), R = monitor(process, P), exit(P, false), receive {'DOWN', R, process, P, W} -> W after 60000 -> late end",
];

const { MONITOR_P, DEMONITOR_P, MONITOR_P_EXIT, PAYLOAD_MONITOR_P_EXIT, REG_SEND, REG_SEND_TT } =
  CONTROL;
const { ALTACT_SIG_SEND, SPAWN_REQUEST, SPAWN_REPLY, GROUP_LEADER } = CONTROL;

/** What a peer says with names that are booleans: control tuple and payload. */
const SAID: Readonly<
  Record<string, (me: Pid, ref: Reference) => readonly [control: Term, payload?: Term]>
> = {
  "REG_SEND to true": (me) => [tuple(REG_SEND.op, me, atom(""), true), atom("a")],
  "REG_SEND to false": (me) => [tuple(REG_SEND.op, me, atom(""), false), atom("b")],
  "REG_SEND_TT to true": (me) => [
    tuple(REG_SEND_TT.op, me, atom(""), true, tuple(0, true, 1, me, 0)),
    atom("c"),
  ],
  "MONITOR_P of true": (me, ref) => [tuple(MONITOR_P.op, me, true, ref)],
  "MONITOR_P of false": (me, ref) => [tuple(MONITOR_P.op, me, false, ref)],
  "DEMONITOR_P of false": (me, ref) => [tuple(DEMONITOR_P.op, me, false, ref)],
  "DEMONITOR_P of true": (me, ref) => [tuple(DEMONITOR_P.op, me, true, ref)],
  "SPAWN_REQUEST of true:tell/2": (me, ref) => [
    tuple(SPAWN_REQUEST.op, ref, me, me, tuple(true, atom("tell"), 2), [atom("monitor")]),
    [me, true],
  ],
  "SPAWN_REQUEST of false:true/0": (me, ref) => [
    tuple(SPAWN_REQUEST.op, ref, me, me, tuple(false, true, 0), [atom("monitor")]),
    [],
  ],
  "SPAWN_REQUEST with an option false": (me, ref) => [
    tuple(SPAWN_REQUEST.op, ref, me, me, tuple(true, false, 0), [false]),
    [],
  ],
};

eachOtp((otp) => {
  let nodes: ComparedNodes;
  beforeAll(async () => {
    nodes = await startCompared(otp, ["erldist_callee", "true"]);
    serveTrue(nodes.ours);
  });
  afterAll(async () => {
    await nodes[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await nodes.genuine.eval("true:serve()");
    nodes.ours.whereis("true")?.terminate(atom("normal"));
    await new TrueServer().start(nodes.ours, { name: "true" });
  });

  describe("as a caller on an Erlang node sees them", () => {
    const seen = (expression: string, node: string): Promise<string> =>
      nodes.caller.eval(`erldist_callee:shape((fun(N) -> ${expression} end)('${node}'))`);

    it.each(
      EXPRESSIONS.filter((each) => otp.release !== "23" || !each.includes("code, module_status")),
    )("%s", async (expression) => {
      const theirs = await seen(expression, nodes.genuine.name);
      expect(await seen(expression, nodes.ours.name)).toBe(theirs);
    });
  });

  describe("in control messages", () => {
    let toGenuine: RawNode & { readonly name: string };
    let toOurs: RawNode & { readonly name: string };
    beforeAll(async () => {
      toGenuine = await connectRaw(nodes.genuine.name);
      toOurs = await connectRaw(nodes.ours.name);
    });
    afterAll(() => {
      toGenuine.transport.destroy();
      toOurs.transport.destroy();
    });
    let made = 0;
    const newReference = (peer: typeof toOurs) => new Reference(peer.name, 7, [++made, 0, 0]);
    const answers = async (peer: typeof toOurs, said: (typeof SAID)[string]): Promise<string[]> => {
      const me = new Pid(peer.name, 1, 0, 7);
      const [ref, barrier] = [newReference(peer), newReference(peer)];
      const heardOf = (about: Reference) =>
        peer.heard.filter(({ control }) =>
          (control as readonly Term[]).some(
            (each) => each instanceof Reference && each.equals(about),
          ),
        );
      const [control, payload] = said(me, ref);
      peer.send(control, payload);
      // Whoever takes this as well has not ended the connection.
      peer.send(tuple(MONITOR_P.op, me, atom("nobody"), barrier));
      await waitUntil(() => heardOf(barrier).length > 0, { description: "the connection to live" });
      if ((control as readonly Term[])[0] === SPAWN_REQUEST.op) {
        const ended = (each: { control: Term }): boolean => {
          const [op, , , , result] = each.control as readonly Term[];
          return op === PAYLOAD_MONITOR_P_EXIT.op || !isPid(result);
        };
        await waitUntil(() => heardOf(ref).some(ended), {
          description: "the spawned process to end",
        });
      }
      return heardOf(ref).map(({ control: heard, payload: carried }) =>
        format(carried === undefined ? heard : tuple(heard, carried), { mode: "~0tp" })
          .replace(/#?(Ref)?<[^>]*>/g, "<>")
          .replace(/\b\w+@\w+/g, "node"),
      );
    };

    it.each(Object.entries(SAID))("%s", async (_, said) => {
      expect(await answers(toOurs, said)).toStrictEqual(await answers(toGenuine, said));
    });

    it("REG_SEND arrives", async () => {
      for (const [peer, node] of [
        [toGenuine, nodes.genuine.name],
        [toOurs, nodes.ours.name],
      ] as const) {
        const me = new Pid(peer.name, 1, 0, 7);
        peer.send(tuple(REG_SEND.op, me, atom(""), true), atom("by_name"));
        peer.send(tuple(REG_SEND_TT.op, me, atom(""), true, tuple(0, true, 1, me, 0)), true);
        await waitUntil(
          async () =>
            (await nodes.caller.eval(`gen_server:call({true, '${node}'}, seen)`)) ===
            "[{info,true},{info,by_name}]",
          { description: `the messages to arrive at ${node}` },
        );
      }
    });

    // Only these releases have the flag.
    if (Number(otp.release) >= 28) {
      it("ALTACT_SIG_SEND arrives", async () => {
        for (const [peer, node] of [
          [toGenuine, nodes.genuine.name],
          [toOurs, nodes.ours.name],
        ] as const) {
          const me = new Pid(peer.name, 1, 0, 7);
          peer.send(tuple(ALTACT_SIG_SEND.op, 8, me, false), atom("dropped"));
          peer.send(tuple(ALTACT_SIG_SEND.op, 8, me, true), atom("by_name"));
          await waitUntil(
            async () =>
              (await nodes.caller.eval(`gen_server:call({true, '${node}'}, seen)`)) ===
              "[{info,by_name}]",
            { description: `the message to arrive at ${node}` },
          );
        }
      });
    }

    it("answers with them are taken by us", async () => {
      const { ours } = nodes;
      const inbox: Term[] = [];
      const box = ours.spawn({ message: (message) => void inbox.push(message) });
      const monitor = box.monitor(["true", toOurs.name]);
      const request = box.spawnRequest(toOurs.name, true, "false", []);
      const theirs = new Pid(toOurs.name, 1, 0, 7);
      toOurs.send(tuple(MONITOR_P_EXIT.op, true, box.pid, monitor, true));
      toOurs.send(tuple(SPAWN_REPLY.op, request, box.pid, 0, true));
      toOurs.send(tuple(GROUP_LEADER.op, theirs, box.pid));
      await waitUntil(() => inbox.length === 2, { description: "both answers" });
      expect(inbox).toStrictEqual([
        tuple(atom("DOWN"), monitor, atom("process"), tuple(true, atom(toOurs.name)), true),
        tuple(atom("spawn_reply"), request, atom("error"), true),
      ]);
    });
  });

  describe("asked for by us", () => {
    it.each([
      [
        "rpc.call",
        (node: Node, of: string) => node.rpc.call(of, "true", "false", [true]),
        "{true,true}",
      ],
      [
        "rpc.call by booleans",
        (node: Node, of: string) => node.rpc.call(of, true, false, []),
        "false",
      ],
      ["erpc.call", (node: Node, of: string) => node.erpc.call(of, true, "false", [1]), "{true,1}"],
      [
        "rpc.blockCall",
        (node: Node, of: string) => node.rpc.blockCall(of, "true", false, [1]),
        "{true,1}",
      ],
      ["gen.call", (node: Node, of: string) => node.gen.call(["true", of], false), "false"],
      ["gen.call by a boolean", (node: Node, of: string) => node.gen.call([true, of], 1), "1"],
      [
        "rpc.multiServerCall",
        async (node: Node, of: string) =>
          (await node.rpc.multiServerCall([of], "true", true)).replies,
        "[true]",
      ],
      [
        "rpc.sbcast",
        async (node: Node, of: string) => {
          const { goodNodes, badNodes } = await node.rpc.sbcast([of], "false", 1);
          return [goodNodes.length, badNodes.length];
        },
        "[0,1]",
      ],
    ] as const)("%s", async (_, ask, answer) => {
      for (const of of [nodes.genuine.name, nodes.ours.name]) {
        expect(format(parse(answer))).toBe(format((await ask(nodes.ours, of)) as Term));
      }
    });

    it("a spawned process, and messages by name", async () => {
      const { ours } = nodes;
      const got: Term[] = [];
      const box = ours.spawn({ message: (message) => void got.push(message) });
      for (const of of [nodes.genuine.name, ours.name]) {
        await box.spawnOn(of, true, "tell", [box.pid, true]);
        await waitUntil(() => got.length === 1, { description: "the spawned process to tell" });
        expect(got.splice(0)).toStrictEqual([tuple(true, atom(of))]);
        await box.send(["true", of], tuple(box.pid, false));
        await waitUntil(() => got.length === 1, { description: "the server to answer" });
        expect((got.splice(0)[0] as unknown as Term[])[2]).toBe(false);
      }
    });
  });
});
