/**
 * `observer_backend`: what observer and etop run on the observed node.
 *
 * Spec: runtime_tools/src/observer_backend.erl of OTP 23 to 29. As Erlang terms:
 *   etop_collect(Pid)        {self(), #etop_info{}} to Pid
 *   procs_info(Pid)          {procs_info, self(), [#etop_proc_info{}]} to Pid, 10,000 at a time
 *   fetch_stats(Pid, Time)   {stats, 1, SchedulerWallTime, Io, Memory} to Pid every Time
 *                            milliseconds, until it gets any message
 *   sys_info(), get_port_list(), get_table_list(_, _), get_socket_list(), socket_info(), vsn()
 * The lists of ports, tables and sockets are empty. The contents of tables (get_table) and ttb are left
 * out.
 */
import {
  type Atom,
  atom,
  charlist,
  isPid,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { OK, UNDEFINED } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { receiveWithin } from "../gen/receive-within.ts";
import { badarg, exposeBifs } from "./bifs.ts";
import { timestampNow } from "./erlang-time.ts";
import { infoOf, translatedInitialCall } from "./process-info.ts";
import { memory, memoryOf, type Statistics } from "./statistics.ts";
import { systemInfo } from "./system-info.ts";
import { RUNTIME_TOOLS_VERSION } from "./version.ts";

const CHUNK = 10_000;
/** How many processes are inspected before other work gets its turn. */
const AT_ONCE = 2000;
const CURRENT_FUNCTION: Atom<"current_function"> = atom("current_function");

/** The items of `system_info/1` that sys_info contains, by their names there. */
const SYSTEM_ITEMS: readonly string[] = [
  "logical_processors",
  "logical_processors_online",
  "logical_processors_available",
  "schedulers",
  "schedulers_online",
  "schedulers_available",
  "otp_release",
  "version",
  "system_architecture",
  "kernel_poll",
  "smp_support",
  "threads",
  "thread_pool_size",
  "wordsize_internal",
  "wordsize_external",
  "alloc_info",
  "process_count",
  "atom_limit",
  "atom_count",
  "process_limit",
  "process_count",
  "port_limit",
  "port_count",
  "ets_limit",
  "ets_count",
  "dist_buf_busy_limit",
];

/** Exposes the functions of `observer_backend`. */
export function serveObserverBackend(node: NodeCore, statistics: Statistics): void {
  exposeBifs(node, "observer_backend", {
    "vsn/0": () => tuple(OK, charlist(RUNTIME_TOOLS_VERSION)),
    "sys_info/0": () => sysInfo(node, statistics),
    "get_port_list/0": () => [],
    "get_socket_list/0": () => [],
    "get_table_list/2": () => [],
    "socket_info/0": () => [],
    "etop_collect/1": async ({ self }, collector) => {
      if (!isPid(collector)) throw badarg();
      await self.send(collector, tuple(self.pid, await etopInfo(node, self, statistics)));
    },
    "procs_info/1": async ({ self }, collector) => {
      if (!isPid(collector)) throw badarg();
      const all = await processInfos(node, self);
      for (let start = 0; start === 0 || start < all.length; start += CHUNK) {
        const chunk = all.slice(start, start + CHUNK);
        await self.send(collector, tuple(atom("procs_info"), self.pid, chunk));
        await turn(node);
      }
    },
    "fetch_stats/2": async ({ self }, parent, time) => {
      if (!isPid(parent) || typeof time !== "number") throw badarg();
      // Any message ends the loop, and so does the end of the caller, which is a message too.
      self.trapExit = true;
      while ((await receiveWithin(self, undefined, time)) === undefined) {
        const wallTime = statistics.schedulerWallTime();
        const stats = tuple(atom("stats"), 1, wallTime, statistics.io(), memory());
        await self.send(parent, stats);
      }
    },
  });
}

function sysInfo(node: NodeCore, statistics: Statistics): TermInput {
  const [[, input], [, output]] = statistics.io();
  const rows: [string, TermInput][] = [
    ["uptime", statistics.wallClockMs()],
    ["run_queue", 0],
    ["io_input", input],
    ["io_output", output],
    ...SYSTEM_ITEMS.map((item): [string, TermInput] => [item, systemItem(node, item)]),
  ];
  return [...rows.map(([key, value]) => tuple(atom(key), value)), ...memory()];
}

function systemItem(node: NodeCore, item: string): TermInput {
  if (item === "alloc_info") return [];
  if (item === "schedulers_available") return systemInfo(node, atom("schedulers_online"));
  if (item.startsWith("wordsize_")) return systemInfo(node, atom("wordsize"));
  return systemInfo(node, atom(item));
}

/** `#etop_info{}` */
async function etopInfo(node: NodeCore, self: Process, statistics: Statistics): Promise<TermInput> {
  const processes = await processInfos(node, self);
  const memoryTypes = ["total", "processes", "ets", "atom", "code", "binary"].map((type) =>
    atom(type),
  );
  const runQueue = 0;
  // Only older tools set wall_clock and alloc_areas; these are the record's defaults.
  return tuple(
    atom("etop_info"),
    timestampNow(),
    processes.length,
    UNDEFINED,
    statistics.schedulerWallTime(),
    runQueue,
    [],
    memoryOf(memoryTypes),
    processes,
  );
}

/** `#etop_proc_info{}` of each process except the asking one. Other work gets its turn meanwhile. */
async function processInfos(node: NodeCore, self: Process): Promise<TermInput[]> {
  const infos: TermInput[] = [];
  for (const process of node.runtime.table.all()) {
    if (process === self || !process.alive) continue;
    if (infos.length % AT_ONCE === AT_ONCE - 1) await turn(node);
    infos.push(processInfo(process, self));
  }
  return infos;
}

function turn(node: NodeCore): Promise<void> {
  return new Promise((resolve) => node.clock.defer(resolve));
}

function processInfo(process: Process, self: Process): TermInput {
  const [current] = infoOf(process, self, [CURRENT_FUNCTION]) as readonly (readonly Term[])[];
  const name = process.nameTerm ?? tuple(...translatedInitialCall(process));
  const runtime = 0;
  return tuple(
    atom("etop_proc_info"),
    process.pid,
    process.messageBytes,
    process.reductions,
    name,
    runtime,
    current![1] as Term,
    process.messageQueueLength,
  );
}
