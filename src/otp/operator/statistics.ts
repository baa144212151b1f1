/**
 * `erlang:memory/0,1` and `erlang:statistics/1`, from what Node.js measures of the program.
 *
 * Spec: the page of module erlang, OTP 29. Where this differs from the emulator:
 *   memory       total: the memory of the program; processes: V8's heap; binary: memory outside of
 *                it; code: compiled code; system: the rest of total, so that the two add up
 *   reductions   microseconds of processor time
 *   runtime      processor time in milliseconds; wall_clock counts from the start of the node
 *   io           bytes of the node's connections
 *   scheduler_wall_time    the event loop, always measured: the system flag has no effect
 * The node has no run queues, so their lengths are 0. Garbage collections are not counted.
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

/** Exposes `erlang:memory/0,1`, `statistics/1` and `system_flag(scheduler_wall_time, _)`. */
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

/** The memory of the program in bytes, as `erlang:memory/0` lists it. */
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

/** The result of `erlang:memory/1`. @throws ErlangError error `badarg` for an unknown type */
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

/** The statistics of one node. Some include the change since the previous request. */
export class Statistics {
  readonly #node: NodeCore;
  readonly #last = new Map<string, number>();

  constructor(node: NodeCore) {
    this.#node = node;
  }

  /** The result of `statistics/1`. @throws ErlangError error `badarg` for an unknown item */
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

  /** Bytes of all connections: `{{input, Bytes}, {output, Bytes}}`. */
  io(): Tuple<readonly [Tuple<readonly [Atom, number]>, Tuple<readonly [Atom, number]>]> {
    const { bytesIn, bytesOut } = this.#node.runtime.traffic();
    return tuple(tuple(atom("input"), bytesIn), tuple(atom("output"), bytesOut));
  }

  /** Milliseconds since the node started. */
  wallClockMs(): number {
    return Math.floor(this.#node.clock.now() - this.#node.startedAt);
  }

  /** The times of the event loop in nanoseconds: `[{1, ActiveTime, TotalTime}]`. */
  schedulerWallTime(): TermInput {
    const { active, idle } = performance.eventLoopUtilization();
    return [tuple(1, Math.floor(active * 1e6), Math.floor((active + idle) * 1e6))];
  }

  /** A total and its change: `{Total, SinceLastCall}`. */
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
