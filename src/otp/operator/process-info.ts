/**
 * `erlang:process_info/1,2`: information about a process of this node.
 *
 * Spec: the page of module erlang, OTP 29; callers of any release may ask for newer items. As Erlang
 * terms:
 *   process_info(Pid)         -> [{Item, Value}] | undefined
 *   process_info(Pid, Item)   -> {Item, Value} | [] | undefined        [] for no registered_name
 *   process_info(Pid, Items)  -> [{Item, Value}] | undefined
 * Processes here have no heaps, stacks or garbage collections of their own: these sizes and counts are 0.
 * `memory` is the size on the wire of the waiting messages from other nodes, and `reductions` the number
 * of received messages. JavaScript does not reveal where a process is in its code, so
 * `current_function` is the loop of an OTP behaviour, or else the value of `initial_call`. Asking for
 * more than 1,000 items raises `badarg`.
 */
import {
  type Atom,
  atom,
  atomTerm,
  isAtom,
  isList,
  isPid,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { APPLY, ERLANG, KILL, NORMAL, PROCESS, UNDEFINED } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { ancestryOf, dictionaryOf, type Mfa } from "../behaviours/proc-lib.ts";
import { DICTIONARY, INIT_P, ON_HEAP, PROC_LIB } from "../gen/atoms.ts";
import { badarg, exposeBifs } from "./bifs.ts";

/** The most items in one request. Fewer exist, but a request may repeat them. */
const MAX_ITEMS = 1000;

/** Returns the value of an item. `asking` is the process of the call. */
type Item = (process: Process, asking: Process) => TermInput;

const zero: Item = () => 0;
const nothing: Item = () => [];

const ITEMS: ReadonlyMap<string, Item> = new Map<string, Item>([
  ["async_dist", () => false],
  ["backtrace", () => ""],
  ["binary", nothing],
  ["catchlevel", zero],
  ["current_function", (process) => tuple(...currentFunction(process))],
  ["current_location", (process) => tuple(...currentFunction(process), [])],
  ["current_stacktrace", (process) => [tuple(...currentFunction(process), [])]],
  [DICTIONARY.name, dictionaryOf],
  ["error_handler", () => atom("error_handler")],
  ["fullsweep_after", zero],
  ["garbage_collection", () => garbageCollection()],
  ["garbage_collection_info", () => GARBAGE_COLLECTION_INFO.map((key) => tuple(atom(key), 0))],
  ["group_leader", (process) => process.groupLeader],
  ["heap_size", zero],
  ["initial_call", (process) => tuple(...initialCall(process))],
  ["label", (process) => process.label ?? UNDEFINED],
  ["last_calls", () => false],
  ["links", links],
  ["max_heap_size", () => maxHeapSize()],
  ["memory", (process) => process.messageBytes],
  ["message_queue_data", () => ON_HEAP],
  ["message_queue_len", (process) => process.messageQueueLength],
  ["messages", (process) => process.waitingMessages],
  ["min_bin_vheap_size", zero],
  ["min_heap_size", zero],
  ["monitored_by", (process) => [...(process.monitoredBy ?? [])].map(({ watcher }) => watcher)],
  ["monitors", monitors],
  ["parent", (process) => ancestryOf(process)?.parent ?? UNDEFINED],
  ["priority", () => NORMAL],
  ["priority_messages", () => false],
  ["reductions", (process) => process.reductions],
  ["registered_name", (process) => process.nameTerm ?? []],
  ["sequential_trace_token", nothing],
  ["stack_size", zero],
  // A call runs without interruption, so every other process is waiting.
  ["status", (process, asking) => atom(process === asking ? "running" : "waiting")],
  ["suspending", nothing],
  ["total_heap_size", zero],
  ["trace", zero],
  ["trap_exit", (process) => process.trapExit],
]);

/** The items of `process_info/1` in order, after `registered_name` if the process has one. */
const SUMMARY: readonly string[] = [
  "current_function",
  "initial_call",
  "status",
  "message_queue_len",
  "links",
  "dictionary",
  "trap_exit",
  "error_handler",
  "priority",
  "group_leader",
  "total_heap_size",
  "heap_size",
  "stack_size",
  "reductions",
  "garbage_collection",
  "suspending",
];

const GARBAGE_COLLECTION_INFO: readonly string[] = [
  "old_heap_block_size",
  "heap_block_size",
  "mbuf_size",
  "recent_size",
  "stack_size",
  "old_heap_size",
  "heap_size",
  "bin_vheap_size",
  "bin_vheap_block_size",
  "bin_old_vheap_size",
  "bin_old_vheap_block_size",
];

/** Exposes `erlang:process_info/1,2`. */
export function serveProcessInfo(node: NodeCore): void {
  exposeBifs(node, "erlang", {
    "process_info/1": ({ self }, pid) => {
      const process = localProcess(node, pid);
      if (process === undefined) return UNDEFINED;
      const names = process.registeredName === undefined ? [] : ["registered_name"];
      return infoOf(process, self, [...names, ...SUMMARY].map(atom));
    },
    "process_info/2": ({ self }, pid, what) => {
      const items = isList(what) ? what : [what];
      if (items.length > MAX_ITEMS || !items.every(isItem)) throw badarg();
      const process = localProcess(node, pid);
      if (process === undefined) return UNDEFINED;
      if (isAtom(what, "registered_name") && process.registeredName === undefined) return [];
      const info = infoOf(process, self, items);
      return isList(what) ? info : info[0];
    },
  });
}

/**
 * The items of a process, as a list of pairs.
 * @param items known names, as `process_info/2` takes them
 */
export function infoOf(process: Process, asking: Process, items: readonly Term[]): Term[] {
  const values = new Map<string, TermInput>();
  return items.map((item) => {
    if (isTuple(item)) return tuple(item, dictionaryEntry(process, item[1] as Term));
    const { name } = item as Atom;
    const value = values.get(name) ?? ITEMS.get(name)!(process, asking);
    values.set(name, value);
    return tuple(item, value) as Term;
  });
}

/**
 * The process with a pid; undefined if it has ended.
 * @throws ErlangError error `badarg` if the term is not a pid of this node
 */
export function localProcess(node: NodeCore, pid: Term): Process | undefined {
  if (!isPid(pid) || pid.node.name !== node.name) throw badarg();
  return node.processOf(pid);
}

/** The function that the process started with, as `process_info/2` returns it. */
function initialCall(process: Process): Mfa {
  return ancestryOf(process) === undefined ? [ERLANG, APPLY, 2] : [PROC_LIB, INIT_P, 5];
}

/** The function that the process started with, as `proc_lib:translate_initial_call/1` returns it. */
export function translatedInitialCall(process: Process): Mfa {
  return ancestryOf(process)?.initialCall ?? initialCall(process);
}

function currentFunction(process: Process): Mfa {
  const behaviour = ancestryOf(process)?.behaviour;
  return behaviour === undefined ? initialCall(process) : [behaviour, atom("loop"), 5];
}

function isItem(item: Term): boolean {
  if (isTuple(item, 2)) return item[0] === DICTIONARY;
  return isAtom(item) && ITEMS.has(item.name);
}

function dictionaryEntry(process: Process, key: Term): Term {
  const entries = dictionaryOf(process) as readonly (readonly Term[])[];
  return entries.find(([known]) => known === key)?.[1] ?? UNDEFINED;
}

function links(process: Process): Pid[] {
  const all = process.links?.values() ?? [];
  return all.filter(({ unlinkId }) => unlinkId === undefined).map(({ other }) => other);
}

function monitors(process: Process): TermInput[] {
  const all = process.monitors?.values() ?? [];
  return all.map(({ target }) =>
    tuple(PROCESS, isPid(target) ? target : tuple(atomTerm(target.name), atomTerm(target.node))),
  );
}

function garbageCollection(): TermInput {
  return [
    tuple(atom("max_heap_size"), maxHeapSize()),
    ...["min_bin_vheap_size", "min_heap_size", "fullsweep_after", "minor_gcs"].map((key) =>
      tuple(atom(key), 0),
    ),
  ];
}

/** No limit. */
function maxHeapSize(): TermInput {
  return new TermMap<Term, Term>([
    [atom("error_logger"), false],
    [atom("include_shared_binaries"), false],
    [KILL, false],
    [atom("size"), 0],
  ]);
}
