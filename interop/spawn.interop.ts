/**
 * Processes started on other nodes, side by side: an Erlang node sees the same of a process on an erldist node as
 * of one on another Erlang node, and an erldist node sees what an Erlang node sees.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encode } from "../etf/index.ts";
import {
  type Atom,
  atom,
  ErlangError,
  isAtom,
  isTuple,
  type Pid,
  type Process,
  parse,
  type Reference,
  type SpawnError,
  type SpawnOnOptions,
  type SpawnRequestOptions,
  type Term,
  type TermInput,
  tuple,
} from "../src/index.ts";
import { serveCallee } from "./support/callee.ts";
import { type ComparedNodes, startCompared } from "./support/compared.ts";
import { eachOtp } from "./support/vitest.ts";

const NOBODY = "nobody@nowhere";
const CALLS = [
  "fail, [exit, oops]",
  "fail, [exit, normal]",
  "nothing, []",
  "no_such_function, [x]",
];

/** Options of spawn_request. */
const REQUEST_OPTIONS = [
  "[]",
  "[link]",
  "[monitor]",
  "[link, monitor]",
  "[{reply, no}]",
  "[{reply, no}, link, monitor]",
  "[{reply, success_only}]",
  "[{reply, error_only}]",
  "[{reply_tag, {my, tag}}]",
  "[{priority, high}, {fullsweep_after, 10}, {message_queue_data, off_heap}, {min_bin_vheap_size, 100}]",
  "[{max_heap_size, #{size => 1000000, kill => false}}, {min_heap_size, 1000}]",
];
/** Invalid options. */
const BAD_OPTIONS = [
  "[foo]",
  "[{foo, 1}, link]",
  "[{priority, foo}, monitor]",
  "[{min_heap_size, -1}, {reply, no}]",
  "[{max_heap_size, #{size => x}}, {reply, success_only}]",
  "[{message_queue_data, nowhere}, {reply_tag, t}]",
  "[{fullsweep_after, a, b}, {reply, error_only}]",
];
/** Options of a monitor came with OTP 24. */
const MONITOR_OPTIONS = [
  "[{monitor, [{tag, {my, down}}]}]",
  "[{monitor, [{alias, explicit_unalias}]}, link]",
  "[{monitor, [{alias, reply_demonitor}, {tag, t}]}]",
];

eachOtp((otp) => {
  let nodes: ComparedNodes;
  let caller: ComparedNodes["caller"];
  let genuine: ComparedNodes["genuine"];
  let ours: ComparedNodes["ours"];
  beforeAll(async () => {
    nodes = await startCompared(otp, ["erldist_callee"]);
    ({ caller, genuine, ours } = nodes);
    serveCallee(ours);
    expect(await caller.eval(`net_adm:ping('${ours.name}'), net_adm:ping('${genuine.name}')`)).toBe(
      "pong",
    );
    expect(await ours.ping(genuine.name)).toBe("pong");
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  /**
   * What an expression on N returns to an Erlang process that traps exits, and the messages that the process
   * has once `before` has been evaluated and all is settled.
   */
  const seen = (expression: string, node: string, before = "ok"): Promise<string> =>
    caller.eval(
      `process_flag(trap_exit, true),
       D = fun(D) -> receive X -> [X | D(D)] after 0 -> [] end end,
       R = (fun(N, M) -> try ${expression} catch C:W -> {caught, C, W} end end)('${node}', erldist_callee),
       ${before}, erldist_settle:settle([N || N <- ['${node}'], N =/= '']), erldist_callee:shape({R, D(D)})`,
    );
  const settle = () => caller.eval(`erldist_settle:settle(['${ours.name}', '${genuine.name}'])`);
  const monitorOptions = otp.release === "23" ? [] : MONITOR_OPTIONS;
  const requests = [
    ...CALLS.flatMap((call) =>
      ["[]", "[link]", "[monitor]", "[link, monitor]"].map(
        (options) => `spawn_request(N, M, ${call}, ${options})`,
      ),
    ),
    ...[...REQUEST_OPTIONS, ...BAD_OPTIONS, ...monitorOptions].map(
      (options) => `spawn_request(N, M, fail, [exit, oops], ${options})`,
    ),
  ];

  describe("processes of an Erlang node on an erldist node", () => {
    const spawns = CALLS.flatMap((call) => [
      `spawn(N, M, ${call})`,
      `spawn_link(N, M, ${call})`,
      `spawn_monitor(N, M, ${call})`,
      `spawn_opt(N, M, ${call}, [link, monitor, {priority, low}])`,
    ]);
    it.concurrent.each([
      ...requests,
      ...spawns,
      "spawn_opt(N, M, nothing, [], [{foo, 1}])",
      "spawn_opt(N, M, nothing, [], [{min_heap_size, -1}])",
      "spawn_request_abandon(spawn_request(N, M, report, [self()], [link]))",
      "node(spawn(N, M, nothing, [])) =:= N",
      "spawn(N, M, tell, [self(), hello])",
      // The link works both ways: the child is notified of its parent's end.
      "S = self(), Q = spawn(fun() -> spawn_link(N, M, report, [S]), receive go -> exit(gone) end end), receive {reporter, _} -> Q ! go end",
      "P = spawn_link(N, M, report, [self()]), receive {reporter, P} -> exit(P, hello) end",
      "P = spawn_link(N, M, report, [self()]), receive {reporter, P} -> exit(P, kill) end",
      "P = spawn_link(N, M, report, [self()]), unlink(P), receive {reporter, P} -> exit(P, kill) end",
      "{P, R} = spawn_opt(N, M, report, [self()], [monitor]), demonitor(R), receive {reporter, P} -> exit(P, kill) end",
    ])("%s", async (expression) => {
      const [mine, theirs] = await Promise.all(
        [ours.name, genuine.name].map((node) => seen(expression, node)),
      );
      expect(mine).toBe(theirs);
    });
  });

  describe("processes of an erldist node on an Erlang node", () => {
    const shape = (term: TermInput): Promise<string> =>
      caller.eval("erldist_callee:shape(binary_to_term(T))", { bindings: { T: encode(term) } });

    /** As `seen`, for an erldist process. */
    async function made(
      act: (self: Process) => TermInput | Promise<TermInput>,
      before: (self: Process) => unknown = () => {},
    ): Promise<string> {
      const messages: TermInput[] = [];
      const result = await new Promise<TermInput>((resolve, reject) => {
        ours.spawn(async (self) => {
          try {
            self.trapExit = true;
            const acted = await act(self);
            await before(self);
            await settle();
            while (self.messageQueueLength > 0) messages.push(await self.receive());
            resolve(acted);
          } catch (error) {
            reject(error);
          }
        });
      });
      return shape(tuple(result, messages));
    }

    it.concurrent.each(requests)("%s", async (expression) => {
      const [, name, args, options] = parse(
        `{${expression.slice(17, -1).replace("M", "m")}}`,
      ) as Term[];
      const mine = await made((self) =>
        self.spawnRequest(
          genuine.name,
          "erldist_callee",
          name as Atom,
          args as Term[],
          requestOptions(options as Term[]),
        ),
      );
      expect(mine).toBe(await seen(expression, genuine.name));
    });

    it.concurrent.each([
      "[]",
      "[link]",
      "[monitor]",
      "[link, monitor, {reply_tag, t}]",
      "[link, {reply, no}]",
    ])("on a node that does not exist: spawn_request with %s", async (options) => {
      // The monitor ends when the attempt to connect has failed; the other signals are under way by then.
      const [mine, theirs] = await Promise.all([
        made(
          (self) =>
            self.spawnRequest(NOBODY, "m", "f", [], requestOptions(parse(options) as Term[])),
          (self) => self.receive(self.monitor(["nobody", NOBODY])),
        ),
        seen(
          `spawn_request('${NOBODY}', m, f, [], ${options})`,
          "",
          `Ref = monitor(process, {nobody, '${NOBODY}'}), receive {'DOWN', Ref, _, _, _} -> ok end`,
        ),
      ]);
      expect(mine).toBe(theirs);
    });

    it.concurrent.each(CALLS)("spawn, spawn_link, spawn_monitor of %s", async (call) => {
      const [name, args] = parse(`{${call}}`) as unknown as [Atom, Term[]];
      const spawned = (options: SpawnOnOptions) => (self: Process) =>
        self.spawnOn(genuine.name, "erldist_callee", name, args, options as { link: boolean });
      expect(await made(spawned({}))).toBe(await seen(`spawn(N, M, ${call})`, genuine.name));
      expect(await made(spawned({ link: true }))).toBe(
        await seen(`spawn_link(N, M, ${call})`, genuine.name),
      );
      expect(
        await made(async (self) =>
          tuple(
            ...(await self.spawnOn(genuine.name, "erldist_callee", name, args, {
              link: true,
              monitor: true,
            })),
          ),
        ),
      ).toBe(await seen(`spawn_opt(N, M, ${call}, [link, monitor])`, genuine.name));
    });

    it("a failed spawn reports badopt or noconnection, and ends a linked parent", async () => {
      const refused = await ours
        .spawnOn(genuine.name, "m", "f", [], { emulatorOptions: [atom("foo")] })
        .catch((error: unknown) => error as SpawnError);
      expect(refused).toMatchObject({
        code: "SPAWN_FAILED",
        reason: atom("badopt"),
        class: "error",
      });
      const unreachable = await ours
        .spawnOn(NOBODY, "m", "f", [])
        .catch((error: unknown) => error as SpawnError);
      expect(unreachable).toMatchObject({ code: "SPAWN_FAILED", reason: atom("noconnection") });
      const ended = await made(async (self) => {
        const [, ref] = self.spawnMonitor(async (child) => {
          await child.spawnOn(NOBODY, "m", "f", [], { link: true });
        });
        return self.receive(ref);
      });
      const theirs = await seen(
        `{_, R} = spawn_monitor(fun() -> spawn_link('${NOBODY}', m, f, []), receive after infinity -> ok end end),
         receive Down when element(2, Down) =:= R -> Down end`,
        "",
      );
      expect(ended).toBe(theirs);
    });

    it("the group leader is the process's, or the one given", async () => {
      for (const groupLeader of [undefined, ours.whereis("user")!.pid]) {
        const reported = await made(async (self) => {
          const leader = ours.spawn({ message: () => {} }).pid;
          self.groupLeader = leader;
          const args = [self.pid];
          const pid = await self.spawnOn(genuine.name, "erldist_callee", "report", args, {
            ...(groupLeader === undefined ? {} : { groupLeader }),
          });
          const told = (await ours.rpc.call(genuine.name, "erlang", "process_info", [
            pid,
            atom("group_leader"),
          ])) as readonly Term[];
          await self.send(pid, 1);
          return (told[1] as Pid).equals(groupLeader ?? leader);
        });
        expect(reported).toBe("{true,[{reporter,identifier},{reported,1}]}");
      }
    });

    it("links work both ways, and an abandoned request ends its process", async () => {
      const parentEnds = await made((self) => {
        self.spawn(async (parent) => {
          await parent.spawnOn(genuine.name, "erldist_callee", "report", [self.pid], {
            link: true,
          });
          throw ErlangError.exit(atom("gone"));
        });
        return atom("ok");
      });
      expect(parentEnds).toBe(
        await caller.eval(
          `erldist_callee:shape({ok, [{reporter, self()}, {reported, {'EXIT', self(), gone}}]})`,
        ),
      );
      const abandoned = await made((self) => {
        const ref = self.spawnRequest(genuine.name, "erldist_callee", "report", [self.pid], {
          link: true,
          monitor: true,
        });
        return [self.abandonSpawnRequest(ref), self.abandonSpawnRequest(ref)];
      });
      const theirs = await seen(
        "R = spawn_request(N, M, report, [self()], [link, monitor]), [spawn_request_abandon(R), spawn_request_abandon(R)]",
        genuine.name,
      );
      expect(abandoned).toBe(theirs);
    });

    if (otp.release !== "23") {
      it("the child can use a monitor's alias", async () => {
        const mine = await made(async (self) => {
          const ref: Reference = self.spawnRequest(genuine.name, "erldist_callee", "never", [], {
            monitor: { alias: "reply_demonitor" },
          });
          const [, , , pid] = (await self.receive(ref)) as unknown as [Atom, Term, Atom, Pid];
          await ours.rpc.call(genuine.name, "erlang", "send", [ref, atom("hello")]);
          const got = await self.receive();
          self.sendExit(pid, atom("kill"));
          return [got, self.unalias(ref), self.demonitor(ref)];
        });
        expect(mine).toBe("{[hello,false,false],[]}");
      });
    }
  });
});

function requestOptions(options: readonly Term[]): SpawnRequestOptions {
  const emulatorOptions: Term[] = [];
  const given: SpawnRequestOptions = { emulatorOptions };
  for (const option of options) {
    const [name, value] = (isTuple(option, 2) ? option : [option]) as readonly Term[];
    if (isAtom(name, "link")) given.link = true;
    else if (isAtom(name, "monitor")) {
      given.monitor = Object.fromEntries(
        ((value ?? []) as readonly (readonly Term[])[]).map(([key, set]) => [
          (key as Atom).name,
          isAtom(key, "alias") ? (set as Atom).name : set,
        ]),
      );
    } else if (isAtom(name, "reply")) {
      given.reply = (value as Atom).name as NonNullable<SpawnRequestOptions["reply"]>;
    } else if (isAtom(name, "reply_tag")) given.replyTag = value as Term;
    else emulatorOptions.push(option);
  }
  return given;
}
