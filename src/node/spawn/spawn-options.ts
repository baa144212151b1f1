/**
 * The options of a spawn request, as `erlang:spawn_opt/5` takes them.
 *
 * Only `link` and `monitor` have an effect. The others tune the emulator; they are checked as the
 * emulator checks them and then ignored. Spec: erl_dist_protocol, SPAWN_REQUEST, and `spawn_opt/4`.
 */
import { isAtom, isList, isTuple, type Term, TermMap } from "../../../etf/index.ts";
import { LINK, MONITOR } from "../atoms.ts";

/** Whether the new process is linked to its parent, and monitored by it. */
export interface SpawnWishes {
  readonly link: boolean;
  readonly monitor: boolean;
}

const isCount = (value: Term): boolean => typeof value === "number" && value >= 0;
const oneOf =
  (...names: string[]) =>
  (value: Term): boolean =>
    isAtom(value) && names.includes(value.name);
const isBoolean = (value: Term): boolean => typeof value === "boolean";

/** The checks of Value in `{Name, Value}`, by Name. */
const VALUES: Readonly<Record<string, (value: Term) => boolean>> = {
  monitor: (value) => isList(value) && value.every(isMonitorOption),
  priority: oneOf("low", "normal", "high", "max"),
  fullsweep_after: isCount,
  min_heap_size: isCount,
  min_bin_vheap_size: isCount,
  max_heap_size: (value) => isCount(value) || isMaxHeapSize(value),
  message_queue_data: oneOf("on_heap", "off_heap", "mixed"),
  scheduler: isCount,
  async_dist: isBoolean,
};

/** Reads a list of options; undefined if it is not a list or an option is invalid, for which the reply is `badopt`. */
export function spawnWishes(options: Term | readonly Term[]): SpawnWishes | undefined {
  if (!Array.isArray(options) || isTuple(options)) return undefined;
  let link = false;
  let monitor = false;
  for (const option of options) {
    if (option === LINK) link = true;
    else if (option === MONITOR) monitor = true;
    else {
      if (!isTuple(option, 2)) return undefined;
      const [name, value] = option;
      if (!isAtom(name)) return undefined;
      if (!Object.hasOwn(VALUES, name.name) || !VALUES[name.name]!(value)) return undefined;
      if (name === MONITOR) monitor = true;
    }
  }
  return { link, monitor };
}

/** `{alias, How}` and `{tag, Term}`, which matter only to the requesting node. */
function isMonitorOption(option: Term): boolean {
  if (!isTuple(option, 2)) return false;
  const [name, value] = option;
  if (isAtom(name, "tag")) return true;
  return (
    isAtom(name, "alias") &&
    oneOf("explicit_unalias", "demonitor", "reply_demonitor", "noalias")(value)
  );
}

function isMaxHeapSize(value: Term): boolean {
  if (!(value instanceof TermMap)) return false;
  for (const [key, setting] of value) {
    if (isAtom(key, "size")) {
      if (!isCount(setting)) return false;
    } else if (!oneOf("kill", "error_logger", "include_shared_binaries")(key)) return false;
    else if (!isBoolean(setting)) return false;
  }
  return true;
}
