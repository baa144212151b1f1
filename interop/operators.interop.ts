/**
 * What operators ask about a node from an Erlang node: the answers of an erldist node have the same shape as
 * those of an Erlang node, question by question, and failures are the same.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encode } from "../etf/index.ts";
import { atom, GenServer, type Node, type Process, type Term, tuple } from "../src/index.ts";
import { type OtpNode, startOtpNode, waitUntil } from "./index.ts";
import { startOurNode } from "./support/our-node.ts";
import { eachOtp } from "./support/vitest.ts";

/**
 * Module, function and arguments, and the release that the question came with. `N` is the node
 * asked; `P`, `UNNAMED` and `DEAD` are the subjects of `erldist_shape`.
 */
type Question = readonly [question: string, since?: number | undefined];

/** Questions whose answers have the same shape. */
const SHAPES: readonly Question[] = [
  ["erlang, process_info, [P]"],
  ...[
    "backtrace",
    "binary",
    "catchlevel",
    "current_function",
    "current_location",
    "current_stacktrace",
    "dictionary",
    "error_handler",
    "garbage_collection",
    "garbage_collection_info",
    "group_leader",
    "heap_size",
    "initial_call",
    "last_calls",
    "links",
    "max_heap_size",
    "memory",
    "message_queue_data",
    "message_queue_len",
    "messages",
    "min_bin_vheap_size",
    "min_heap_size",
    "monitored_by",
    "monitors",
    "priority",
    "reductions",
    "registered_name",
    "sequential_trace_token",
    "stack_size",
    "status",
    "suspending",
    "total_heap_size",
    "trace",
    "trap_exit",
    "fullsweep_after",
    "[]",
    "[registered_name, messages, message_queue_len, links, reductions, memory]",
    "[messages, messages]",
  ].map((item): Question => [`erlang, process_info, [P, ${item}]`]),
  ["erlang, process_info, [P, parent]", 25],
  ["erlang, process_info, [P, label]", 27],
  ["erlang, process_info, [P, async_dist]", 27],
  ["erlang, process_info, [P, {dictionary, '$initial_call'}]", 27],
  ["erlang, process_info, [P, priority_messages]", 29],
  ...[
    "atom_count",
    "atom_limit",
    "build_type",
    "compat_rel",
    "cpu_topology",
    "creation",
    "debug_compiled",
    "delayed_node_table_gc",
    "dirty_cpu_schedulers",
    "dirty_cpu_schedulers_online",
    "dirty_io_schedulers",
    "dist_buf_busy_limit",
    "dynamic_trace",
    "dynamic_trace_probes",
    "ets_count",
    "ets_limit",
    "kernel_poll",
    "lock_checking",
    "logical_processors",
    "logical_processors_available",
    "logical_processors_online",
    "machine",
    "message_queue_data",
    "multi_scheduling",
    "otp_release",
    "port_count",
    "port_limit",
    "process_count",
    "process_limit",
    "scheduler_bind_type",
    "scheduler_id",
    "schedulers",
    "schedulers_online",
    "smp_support",
    "start_time",
    "system_architecture",
    "system_version",
    "thread_pool_size",
    "threads",
    "time_correction",
    "time_offset",
    "time_warp_mode",
    "trace_control_word",
    "version",
    "wordsize",
    "{wordsize, internal}",
    "{wordsize, external}",
  ].map((item): Question => [`erlang, system_info, [${item}]`]),
  ["erlang, system_info, [emu_flavor]", 25],
  ["erlang, system_info, [emu_type]", 25],
  ["erlang, memory, []"],
  ["erlang, memory, [total]"],
  ["erlang, memory, [[total, processes, binary, ets]]"],
  ["erlang, memory, [[]]"],
  ...[
    "active_tasks",
    "active_tasks_all",
    "context_switches",
    "exact_reductions",
    "garbage_collection",
    "io",
    "reductions",
    "run_queue",
    "run_queue_lengths",
    "run_queue_lengths_all",
    "runtime",
    "scheduler_wall_time",
    "scheduler_wall_time_all",
    "total_active_tasks",
    "total_active_tasks_all",
    "total_run_queue_lengths",
    "total_run_queue_lengths_all",
    "wall_clock",
  ].map((item): Question => [`erlang, statistics, [${item}]`]),
  ["erlang, system_flag, [scheduler_wall_time, true]"],
  ...["", "second", "millisecond", "microsecond", "nanosecond", "1000"].flatMap(
    (unit): Question[] => [
      [`erlang, system_time, [${unit}]`],
      [`erlang, monotonic_time, [${unit}]`],
      [`erlang, time_offset, [${unit}]`],
      [`os, system_time, [${unit}]`],
    ],
  ),
  ["erlang, timestamp, []"],
  ["erlang, now, []"],
  ["erlang, localtime, []"],
  ["erlang, universaltime, []"],
  ["erlang, date, []"],
  ["erlang, time, []"],
  ["calendar, local_time, []"],
  ["calendar, universal_time, []"],
  ["os, timestamp, []"],
  ["os, type, []"],
  ["os, version, []"],
  ["os, getpid, []"],
  ["erlang, processes, []"],
  ["erlang, registered, []"],
  ["erlang, ports, []"],
  ["erlang, nodes, []"],
  ["erlang, nodes, [[this, hidden, visible]]"],
  ["erlang, whereis, [counter]"],
  ["erlang, self, []"],
  ["erlang, loaded, []"],
  ["code, is_loaded, [erlang]"],
  ["code, which, [erlang]"],
  ["code, get_mode, []"],
  ["code, get_path, []"],
  ["application, which_applications, []"],
  ["application, which_applications, [5000]"],
  ["application, loaded_applications, []"],
  ["application, get_key, [kernel, vsn]"],
  ["application, get_key, [stdlib, description]"],
  ["application, get_all_key, [stdlib]", 25],
  ["application, get_env, [kernel, net_ticktime]", 25],
  ["inet, gethostname, []"],
  ["net_adm, localhost, []"],
  ["c, memory, []"],
  ["observer_backend, vsn, []"],
  ["observer_backend, sys_info, []", 25],
  ["observer_backend, get_port_list, []"],
  ["observer_backend, get_table_list, [ets, []]"],
  ["observer_backend, get_socket_list, []", 25],
  ["observer_backend, socket_info, []", 25],
];

/** Questions whose answers are the same: what a call returns, or why it fails. */
const SAME: readonly Question[] = [
  ["erlang, process_info, [self(), status]"],
  ["erlang, process_info, [counter, status]"],
  ["erlang, process_info, [P, bogus]"],
  ["erlang, process_info, [P, [status, bogus]]"],
  ["erlang, process_info, [P, {bogus, key}]"],
  ["erlang, process_info, [P, [status | bogus]]"],
  ["erlang, process_info, [DEAD]"],
  ["erlang, process_info, [DEAD, status]"],
  ["erlang, process_info, [DEAD, [status]]"],
  ["erlang, process_info, [DEAD, bogus]"],
  ["erlang, process_info, [P, trap_exit]"],
  ["erlang, process_info, [P, registered_name]"],
  ["erlang, process_info, [P, [registered_name, message_queue_len, messages, status]]"],
  ["erlang, process_info, [P, initial_call]"],
  ["erlang, process_info, [P, {dictionary, bogus}]", 27],
  ["erlang, process_info, [UNNAMED, registered_name]"],
  ["erlang, process_info, [UNNAMED, [registered_name]]"],
  ["erlang, process_info, [UNNAMED, initial_call]"],
  ["erlang, process_info, [UNNAMED, messages]"],
  ["erlang, process_info, [UNNAMED, message_queue_len]"],
  ["erlang, process_info, [UNNAMED, dictionary]"],
  ["erlang, process_info, [UNNAMED, label]", 27],
  ["erlang, process_info, [UNNAMED, status]"],
  ["erlang, is_process_alive, [P]"],
  ["erlang, is_process_alive, [DEAD]"],
  ["erlang, is_process_alive, [self()]"],
  ["erlang, is_process_alive, [counter]"],
  ["erlang, whereis, [bogus]"],
  ["erlang, whereis, [1]"],
  ["erlang, node, [self()]"],
  ["erlang, node, [bogus]"],
  ["erlang, is_alive, []"],
  ["erlang, nodes, [bogus]"],
  ["erlang, nodes, [[this, bogus]]"],
  ["erlang, nodes, [[]]"],
  ["erlang, group_leader, []"],
  ["erlang, port_info, [bogus]"],
  ["erlang, port_info, [self()]"],
  ["erlang, system_info, [bogus]"],
  ["erlang, system_info, [{wordsize, bogus}]"],
  ["erlang, system_info, [1]"],
  ["erlang, memory, [bogus]"],
  ["erlang, memory, [[total, bogus]]"],
  ["erlang, statistics, [bogus]"],
  ["erlang, system_time, [bogus]"],
  ["erlang, monotonic_time, [0]"],
  ["erlang, monotonic_time, [-1]"],
  ["os, system_time, [bogus]"],
  ["erlang, send, [P, {bogus, 1}]"],
  ["erlang, send, [bogus, 1]"],
  ["erlang, send, [{bogus, N}, 1]"],
  ["erlang, send, [1, 1]"],
  ["erlang, '!', [P, {bogus, 2}]"],
  ["erlang, exit, [DEAD, oops]"],
  ["erlang, exit, [bogus, oops]"],
  ["erlang, module_loaded, [erlang]"],
  ["erlang, module_loaded, [bogus]"],
  ["erlang, module_loaded, [1]"],
  ["erlang, function_exported, [erlang, bogus, 1]"],
  ["erlang, function_exported, [erlang, bogus, x]"],
  ["erlang, bogus, [1, 2]"],
  ["code, is_loaded, [bogus]"],
  ["code, which, [bogus]"],
  ["code, ensure_loaded, [erlang]"],
  ["code, ensure_loaded, [bogus]"],
  ["code, module_status, [bogus]"],
  ["code, is_sticky, [bogus]"],
  ["application, get_key, [bogus, vsn]"],
  ["application, get_key, [kernel, bogus]"],
  ["application, get_all_key, [bogus]"],
  ["application, get_env, [bogus, key]"],
  ["application, get_env, [bogus, key, default]"],
  ["application, get_all_env, [bogus]"],
  ["init, get_status, []"],
  ["init, get_argument, [bogus]"],
  ["net_kernel, get_net_ticktime, []"],
];

/** The server of the subjects (interop/erlang/erldist_shape.erl) on an erldist node. */
class Counter extends GenServer<number> {
  readonly #parent: Process;
  constructor(parent: Process) {
    super();
    this.#parent = parent;
  }
  override init(): void {
    this.state = 0;
    this.self.monitor(this.#parent.pid);
    this.self.monitor("rex");
  }
  override handleInfo(): void {}
}

/** `{Server, Parent, Dead}` as that module has them. */
async function subjects(node: Node, release: number): Promise<Term> {
  const parent = node.spawn((self) => self.receive(() => false));
  if (release >= 27) parent.label = atom("idler");
  const server = await new Counter(parent).startLink(node, parent, {
    name: "counter",
    module: "erldist_shape",
  });
  await node.send(parent.pid, atom("hello"));
  const dead = node.spawn(() => {});
  return tuple(server.pid, parent.pid, dead.pid);
}

eachOtp((otp) => {
  const release = Number(otp.release);
  const knownTo = ([, since = 0]: Question): boolean => release >= since;
  let caller: OtpNode;
  let genuine: OtpNode;
  let ours: Awaited<ReturnType<typeof startOurNode>>;
  /** A call on a node, in Erlang; `F` is what asks. */
  const asked = (node: string, question: string, ask = "rpc:call"): string =>
    `(fun(N) ->
        {P, UNNAMED, DEAD} = persistent_term:get(N), _ = {P, UNNAMED, DEAD},
        ${ask}(N, ${question})
      end)('${node}')`;
  const compared = (a: string, b: string): Promise<string> =>
    caller.eval(`erldist_shape:compare(${a}, ${b})`);

  beforeAll(async () => {
    [caller, genuine, ours] = await Promise.all([
      startOtpNode({ otp }),
      startOtpNode({ otp }),
      // Visible, as what goes through all nodes goes through those alone.
      startOurNode({ hidden: false }),
    ]);
    for (const node of [caller, genuine]) await node.loadModule("erldist_shape");
    await caller.eval(
      `persistent_term:put('${genuine.name}', rpc:call('${genuine.name}', erldist_shape, subjects, [])),
       persistent_term:put('${ours.name}', binary_to_term(T))`,
      { bindings: { T: encode(await subjects(ours, release)) } },
    );
  });
  afterAll(async () => {
    await ours.stop();
    await genuine.kill();
    await caller.kill();
  });

  describe("the shape of an answer is that of an Erlang node", () => {
    it.each(SHAPES.filter(knownTo).map(([question]) => question))("%s", async (question) => {
      const theirs = asked(genuine.name, question);
      expect(await compared(theirs, asked(ours.name, question))).toBe("same");
    });
  });

  describe("the answer is that of an Erlang node", () => {
    const answers = async (question: string): Promise<string[]> => {
      const named = ([node, text]: [string, string]): Promise<string> =>
        caller
          .eval(`erldist_shape:failure(${asked(node, text)})`)
          .then((answer) => answer.replaceAll(node, "NODE").replace(/<\d+\.\d+\.\d+>/g, "PID"));
      return Promise.all([named([genuine.name, question]), named([ours.name, question])]);
    };
    it.each(SAME.filter(knownTo).map(([question]) => question))("%s", async (question) => {
      const [theirs, answer] = await answers(question);
      expect(answer).toBe(theirs);
    });
  });

  describe("tools of an Erlang node", () => {
    it("what c:ni asks of all nodes prints our processes", async () => {
      // Not c:ni itself: when there are many processes it wants to be told to go on.
      const from = caller.log.length;
      await caller.eval(
        `c:i([P || N <- nodes(), N =:= '${ours.name}', P <- rpc:call(N, erlang, processes, [])])`,
      );
      const text = (): string => caller.log.slice(from);
      await expect.poll(text).toMatch(/Total/);
      expect(text()).toMatch(/erldist_shape:init\/1 .*\ncounter +gen_server:loop\/5/);
      expect(text()).toMatch(/rpc:init\/1 .*\nrex +gen_server:loop\/5/);
      if (release >= 27) expect(text()).toMatch(/idler/);
    });

    it("c:nregs prints our names among those of all nodes", async () => {
      const from = caller.log.length;
      await caller.eval("c:nregs()");
      const registered = (): string =>
        caller.log.slice(from).split(`** Registered procs on node ${ours.name} **`)[1] ?? "";
      await expect.poll(registered).toMatch(/\ncounter +<\d+\.\d+\.0> +erldist_shape:init\/1/);
      await expect.poll(registered).toMatch(/\nuser +</);
    });

    it("c:i/3 and proc_lib describe a pid", async () => {
      const pid = `(element(1, persistent_term:get('${ours.name}')))`;
      const parts = `[list_to_integer(X) || X <- string:tokens(pid_to_list(${pid}), "<.>")]`;
      expect(await caller.eval(`proplists:get_value(status, apply(c, i, ${parts}))`)).toBe(
        "waiting",
      );
      expect(await caller.eval(`proc_lib:translate_initial_call(${pid})`)).toBe(
        "{erldist_shape,init,1}",
      );
    });

    /** What the function sends to who has spawned it, as etop and observer do. */
    const collected = (node: string, name: string, args: string, pattern: string): string =>
      `(fun() ->
          Pid = spawn_link('${node}', observer_backend, ${name}, [self()${args}]),
          receive ${pattern} -> unlink(Pid), exit(Pid, kill), Got after 60000 -> nothing end
        end)()`;
    it("etop collects", async () => {
      // The first time, an Erlang node does not measure its schedulers yet.
      const collect = (node: string): string => {
        const once = collected(node, "etop_collect", "", "{Pid, Got}");
        return `begin ${once}, ${once} end`;
      };
      expect(await compared(collect(genuine.name), collect(ours.name))).toBe("same");
      expect(await caller.eval(`element(1, ${collect(ours.name)})`)).toBe("etop_info");
    });

    it("observer lists the processes", async () => {
      const list = (node: string): string =>
        collected(node, "procs_info", "", "{procs_info, Pid, Got}");
      expect(await compared(list(genuine.name), list(ours.name))).toBe("same");
      const names = `lists:sort([X || X <- [element(5, I) || I <- ${list(ours.name)}], is_atom(X)])`;
      expect(await caller.eval(names)).toBe("[counter,global_name_server,net_kernel,rex,user]");
    });

    it("observer gets statistics until it stops them", async () => {
      const stats = (node: string): string =>
        `(fun() ->
            Pid = spawn('${node}', observer_backend, fetch_stats, [self(), 20]),
            Monitor = monitor(process, Pid),
            Got = [receive {stats, 1, _, _, _} = Stats -> Stats after 60000 -> nothing end || _ <- [1, 2]],
            Pid ! stop,
            {Got, (fun Ended() -> receive
               {'DOWN', Monitor, process, Pid, Reason} -> Reason;
               {stats, _, _, _, _} -> Ended()
             after 60000 -> never end end)()}
          end)()`;
      expect(await compared(stats(genuine.name), stats(ours.name))).toBe("same");
      expect(await caller.eval(`element(2, ${stats(ours.name)})`)).toBe("normal");
    });
  });

  it("modules without a file are preloaded", async () => {
    for (const node of [genuine.name, ours.name]) {
      const loaded = `rpc:call('${node}', code, all_loaded, [])`;
      expect(await caller.eval(`lists:keyfind(erlang, 1, ${loaded})`)).toBe("{erlang,preloaded}");
    }
  });

  it("erpc gets the same answers", async () => {
    const question = "erlang, process_info, [P, [registered_name, status]]";
    expect(await caller.eval(asked(ours.name, question, "erpc:call"))).toBe(
      "[{registered_name,counter},{status,waiting}]",
    );
  });

  it("signals reach processes of the node, and no process of another node", async () => {
    const victim = ours.spawn((self) => self.receive(() => false));
    const bindings = { T: encode(victim.pid) };
    const at = (call: string): Promise<string> =>
      caller.eval(`erldist_shape:failure(rpc:call('${ours.name}', erlang, ${call}))`, { bindings });
    expect(await at("send, [binary_to_term(T), hello]")).toBe("hello");
    await waitUntil(() => victim.messageQueueLength === 1);
    expect(await at("exit, [binary_to_term(T), oops]")).toBe("true");
    expect(victim.alive).toBe(false);
    expect(await at(`send, [{rex, '${genuine.name}'}, hello]`)).toMatch(/^\{failed,notsup,/);
    const theirs = `rpc:call('${genuine.name}', erlang, whereis, [counter])`;
    expect(await at(`exit, [${theirs}, kill]`)).toMatch(/^\{failed,notsup,/);
    expect(await at("get_cookie, []")).toMatch(/^\{failed,undef,/);
    expect(await at("halt, []")).toMatch(/^\{failed,undef,/);
  });

  it("`operator: false` turns all of it off", async () => {
    await using silent = await startOurNode({ operator: false });
    for (const question of ["erlang, processes, []", "observer_backend, sys_info, []"]) {
      const answer = await caller.eval(
        `erldist_shape:failure(rpc:call('${silent.name}', ${question}))`,
      );
      expect(answer).toMatch(/^\{failed,undef/);
    }
  });
});
