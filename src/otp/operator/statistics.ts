/**
 * `erlang:memory/0,1` and `erlang:statistics/1`, from what Node.js measures of the program.
 *
 * Spec: the page of module erlang, OTP 29. What is counted here, where the emulator counts otherwise:
 *   memory       total: what the program occupies; processes: V8's heap; binary: memory outside of
 *                it; code: compiled code; the rest of total is system, so that the two add up
 *   reductions   microseconds of processor time
 *   runtime      processor time in milliseconds; wall_clock counts from the start of the node
 *   io           bytes of the node's connections
 *   scheduler_wall_time    the event loop, always measured: the system flag changes nothing
 * There is no queue of processes that are ready to run: its lengths are 0. Garbage collections are
 * not counted.
 */
import { getHeapCodeStatistics } from "node:v8";
import {
  type Atom,
  atom,
  isAtom,
  isList,
  type Term,
  type TermInput,
  type Tuple,
  tuple,
} from "../../../etf/index.ts";
import { UNDEFINED } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import { badarg, exposeBifs } from "./bifs.ts";

/** Serves `erlang:memory/0,1`, `statistics/1` and `system_flag(scheduler_wall_time, _)`. */
export function serveStatistics(node: NodeCore): Statistics {
  const statistics = new Statistics(node);
  exposeBifs(node, "erlang", {
    "memory/0": () => memory(),
    "memory/1": (_, types) => memoryOf(types),
    "statistics/1": (_, item) => statistics.item(item),
    "system_flag/2": (_, flag, value) => {
      if (!isAtom(flag, "scheduler_wall_time") || typeof value !== "boolean") throw badarg();
      return true;
    },
  });
  exposeBifs(node, "c", { "memory/0": () => memory(), "memory/1": (_, types) => memoryOf(types) });
  return statistics;
}

/** What the program occupies, in bytes, as `erlang:memory/0` lists it. */
export function memory(): Tuple<readonly [Atom, number]>[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const code = getHeapCodeStatistics().code_and_metadata_size;
  const sizes = {
    total: rss,
    processes: heapTotal,
    processes_used: heapUsed,
    system: Math.max(0, rss - heapTotal),
    atom: 0,
    atom_used: 0,
    binary: external,
    code,
    ets: 0,
  };
  return Object.entries(sizes).map(([type, size]) => tuple(atom(type), size));
}

/** @throws ErlangError error `badarg` for a type that is not known */
export function memoryOf(types: Term): TermInput {
  const all = memory();
  const sizeOf = (type: Term): number => {
    const found = all.find(([known]) => known === type);
    if (found === undefined) throw badarg();
    return found[1];
  };
  if (isList(types)) return types.map((type) => tuple(type, sizeOf(type)));
  return sizeOf(types);
}

/** Statistics of one node: some tell what has changed since they were asked for last. */
export class Statistics {
  readonly #node: NodeCore;
  readonly #last = new Map<string, number>();

  constructor(node: NodeCore) {
    this.#node = node;
  }

  /** @throws ErlangError error `badarg` for an item that is not known */
  item(item: Term): TermInput {
    switch (isAtom(item) ? item.name : "") {
      case "active_tasks":
      case "run_queue_lengths":
        return [0, 0];
      case "active_tasks_all":
      case "run_queue_lengths_all":
        return [0, 0, 0];
      case "total_active_tasks":
      case "total_active_tasks_all":
      case "total_run_queue_lengths":
      case "total_run_queue_lengths_all":
      case "run_queue":
        return 0;
      case "run_queues":
        return tuple(0, 0, 0);
      case "context_switches": {
        const { voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage();
        return tuple(voluntaryContextSwitches + involuntaryContextSwitches, 0);
      }
      case "garbage_collection":
        return tuple(0, 0, 0);
      case "io":
        return this.io();
      case "microstate_accounting":
        return UNDEFINED;
      case "reductions":
      case "exact_reductions":
        return this.#sinceLast((item as Atom).name, processorMicroseconds());
      case "runtime":
        return this.#sinceLast("runtime", Math.floor(processorMicroseconds() / 1000));
      case "scheduler_wall_time":
      case "scheduler_wall_time_all":
        return this.schedulerWallTime();
      case "wall_clock":
        return this.#sinceLast("wall_clock", this.wallClockMs());
      default:
        throw badarg();
    }
  }

  /** `{{input, Bytes}, {output, Bytes}}` */
  io(): Tuple<readonly [Tuple<readonly [Atom, number]>, Tuple<readonly [Atom, number]>]> {
    const { bytesIn, bytesOut } = this.#node.runtime.traffic();
    return tuple(tuple(atom("input"), bytesIn), tuple(atom("output"), bytesOut));
  }

  /** Milliseconds since the node started. */
  wallClockMs(): number {
    return Math.floor(this.#node.clock.now() - this.#node.startedAt);
  }

  /** `[{1, ActiveTime, TotalTime}]`, in nanoseconds. */
  schedulerWallTime(): TermInput {
    const { active, idle } = performance.eventLoopUtilization();
    return [tuple(1, Math.floor(active * 1e6), Math.floor((active + idle) * 1e6))];
  }

  /** `{Total, SinceLastCall}` */
  #sinceLast(item: string, total: number): TermInput {
    const last = this.#last.get(item) ?? 0;
    this.#last.set(item, total);
    return tuple(total, total - last);
  }
}

function processorMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
