/**
 * `erlang:system_info/1`: a description of this node in the terms of the emulator.
 *
 * Spec: the page of module erlang, OTP 29. `otp_release` is the newest release that the node supports;
 * `version`, `machine` and `system_version` show what actually runs. The one scheduler is the event
 * loop. The node has no ports, ets tables, tracing or allocators: their counts are 0, and items that
 * describe only them raise badarg, as unknown items do.
 */
import { availableParallelism, cpus } from "node:os";
import {
  type Atom,
  atom,
  atomTableSize,
  charlist,
  isAtom,
  isTuple,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { UNDEFINED } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import { VERSION } from "../../version.ts";
import { ON_HEAP } from "../gen/atoms.ts";
import { badarg, exposeBifs } from "./bifs.ts";
import { monotonicNanoseconds } from "./erlang-time.ts";
import { OTP_RELEASE } from "./version.ts";

/** Bytes of a word. All 32-bit platforms of Node.js are listed here. */
const WORD_SIZE = process.arch === "arm" || process.arch === "ia32" ? 4 : 8;
/** At most this many pids exist at a time, since a pid's number has 28 bits. */
const PROCESS_LIMIT = 2 ** 28 - 1;
const UNBOUND: Atom<"unbound"> = atom("unbound");

type Item = (node: NodeCore) => TermInput;

const ITEMS: ReadonlyMap<string, Item> = new Map<string, Item>([
  ["atom_count", () => atomTableSize()],
  ["atom_limit", () => 1_048_576],
  ["build_type", () => atom("opt")],
  ["compat_rel", () => Number(OTP_RELEASE)],
  ["cpu_topology", () => UNDEFINED],
  ["creation", (node) => node.creation],
  ["debug_compiled", () => false],
  ["delayed_node_table_gc", () => 0],
  ["dirty_cpu_schedulers", () => 0],
  ["dirty_cpu_schedulers_online", () => 0],
  ["dirty_io_schedulers", () => 0],
  ["dist_buf_busy_limit", (node) => node.highWaterMarkBytes],
  ["dynamic_trace", () => atom("none")],
  ["dynamic_trace_probes", () => false],
  ["emu_flavor", () => atom("jit")],
  ["emu_type", () => atom("opt")],
  ["ets_count", () => 0],
  ["ets_limit", () => 0],
  ["kernel_poll", () => true],
  ["lock_checking", () => false],
  ["logical_processors", () => cpus().length],
  ["logical_processors_available", () => availableParallelism()],
  ["logical_processors_online", () => cpus().length],
  ["machine", () => charlist("Node.js")],
  ["message_queue_data", () => ON_HEAP],
  ["multi_scheduling", () => atom("disabled")],
  ["otp_release", () => charlist(OTP_RELEASE)],
  ["port_count", () => 0],
  ["port_limit", () => 0],
  ["process_count", (node) => node.stats().processes],
  ["process_limit", () => PROCESS_LIMIT],
  ["scheduler_bind_type", () => UNBOUND],
  ["scheduler_bindings", () => tuple(UNBOUND)],
  ["scheduler_id", () => 1],
  ["schedulers", () => 1],
  ["schedulers_online", () => 1],
  ["smp_support", () => true],
  ["start_time", (node) => monotonicNanoseconds(node, node.startedAt)],
  ["system_architecture", () => charlist(`${process.arch}-${process.platform}`)],
  ["system_version", () => charlist(systemVersion())],
  ["thread_pool_size", () => Number(process.env.UV_THREADPOOL_SIZE ?? 4)],
  ["threads", () => true],
  ["time_correction", () => true],
  ["time_offset", () => atom("volatile")],
  ["time_warp_mode", () => atom("multi_time_warp")],
  ["trace_control_word", () => 0],
  ["version", () => charlist(process.versions.node)],
  ["wordsize", () => WORD_SIZE],
]);

/** Exposes `erlang:system_info/1`. */
export function serveSystemInfo(node: NodeCore): void {
  exposeBifs(node, "erlang", {
    "system_info/1": (_, item) => systemInfo(node, item),
  });
}

/** The result of `system_info/1`. @throws ErlangError error `badarg` for an unknown item */
export function systemInfo(node: NodeCore, item: Term): TermInput {
  if (isAtom(item)) {
    const value = ITEMS.get(item.name);
    if (value !== undefined) return value(node);
  } else if (isTuple(item, 2) && isAtom(item[0], "wordsize")) {
    if (isAtom(item[1], "internal") || isAtom(item[1], "external")) return WORD_SIZE;
  }
  throw badarg();
}

function systemVersion(): string {
  const bits = 8 * WORD_SIZE;
  return `Erlang/OTP ${OTP_RELEASE} [erldist-${VERSION}] [node-${process.versions.node}] [${bits}-bit]\n`;
}
