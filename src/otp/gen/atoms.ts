/** Atoms that several files of src/otp share, each made once. Those of the node itself are in node/atoms.ts. */
import { type Atom, atom } from "../../../etf/index.ts";

// Shared by several folders.
export const GEN_CAST: Atom<"$gen_cast"> = atom("$gen_cast");
export const ALREADY_STARTED: Atom<"already_started"> = atom("already_started");
export const CALL: Atom<"call"> = atom("call");
export const DICTIONARY: Atom<"dictionary"> = atom("dictionary");
export const ERPC: Atom<"erpc"> = atom("erpc");
export const EXCEPTION: Atom<"exception"> = atom("exception");
export const GEN_SERVER: Atom<"gen_server"> = atom("gen_server");
export const IGNORE: Atom<"ignore"> = atom("ignore");
export const INIT: Atom<"init"> = atom("init");
export const INIT_P: Atom<"init_p"> = atom("init_p");
export const MODULE: Atom<"module"> = atom("module");
export const PID: Atom<"pid"> = atom("pid");
export const PROC_LIB: Atom<"proc_lib"> = atom("proc_lib");
export const RUNNING: Atom<"running"> = atom("running");
export const STARTED: Atom<"started"> = atom("started");
export const TIMEOUT: Atom<"timeout"> = atom("timeout");

// `rpc` and `erpc`.
export const BLOCK_CALL: Atom<"block_call"> = atom("block_call");
export const CAST: Atom<"cast"> = atom("cast");
export const NONEXISTING_NAME: Atom<"nonexisting_name"> = atom("nonexisting_name");
export const REX: Atom<"rex"> = atom("rex");
export const SBCAST: Atom<"sbcast"> = atom("sbcast");

// The I/O protocol.
export const EOF: Atom<"eof"> = atom("eof");
export const ERL_SCAN: Atom<"erl_scan"> = atom("erl_scan");
export const IO_REPLY: Atom<"io_reply"> = atom("io_reply");
export const IO_REQUEST: Atom<"io_request"> = atom("io_request");
export const PUT_CHARS: Atom<"put_chars"> = atom("put_chars");
export const REQUESTS: Atom<"requests"> = atom("requests");
export const UNICODE: Atom<"unicode"> = atom("unicode");

// Behaviours and `sys`.
export const CODE_CHANGE: Atom<"code_change"> = atom("code_change");
export const DEBUG: Atom<"debug"> = atom("debug");
export const GET: Atom<"get"> = atom("get");
export const IN: Atom<"in"> = atom("in");
export const LOG: Atom<"log"> = atom("log");
export const NO_DEBUG: Atom<"no_debug"> = atom("no_debug");
export const OUT: Atom<"out"> = atom("out");
export const REDUCTIONS: Atom<"reductions"> = atom("reductions");
export const STATISTICS: Atom<"statistics"> = atom("statistics");
export const STATUS: Atom<"status"> = atom("status");
export const SYSTEM: Atom<"system"> = atom("system");
export const TERMINATE: Atom<"terminate"> = atom("terminate");
export const TRACE: Atom<"trace"> = atom("trace");

// Supervisors.
export const AUTO_SHUTDOWN: Atom<"auto_shutdown"> = atom("auto_shutdown");
export const BAD_COMBINATION: Atom<"bad_combination"> = atom("bad_combination");
export const COUNT_CHILDREN: Atom<"count_children"> = atom("count_children");
export const ID: Atom<"id"> = atom("id");
export const NOT_FOUND: Atom<"not_found"> = atom("not_found");
export const RESTARTING: Atom<"restarting"> = atom("restarting");
export const SIGNIFICANT: Atom<"significant"> = atom("significant");
export const START_CHILD: Atom<"start_child"> = atom("start_child");
export const START_SPEC: Atom<"start_spec"> = atom("start_spec");
export const STRATEGY: Atom<"strategy"> = atom("strategy");
export const SUPERVISOR_DATA: Atom<"supervisor_data"> = atom("supervisor_data");
export const WHICH_CHILDREN: Atom<"which_children"> = atom("which_children");

// Functions that operators call.
export const ON_HEAP: Atom<"on_heap"> = atom("on_heap");
