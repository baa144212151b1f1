/**
 * What `sys` watches of a server: trace, log, statistics and installed functions, switched by any
 * node with `sys:trace` and its kin.
 *
 * Spec: stdlib/src/sys.erl. Events are `{in, Msg}`, `{out, Reply, From, State}`, `{noreply, State}`
 * and others of the server's own. What OTP prints of them is logged here, as
 * `#{label => {sys,trace}, text => Binary}`, level debug. Functions given to `install` are run when
 * they are exposed (`fun M:F/3`); others are answered `unknown_debug`, as is what OTP does not know.
 * No file is written for anybody: `log_to_file` answers `{error, open_file}`. Reductions are 0.
 */
import {
  type Atom,
  atom,
  ExternalFun,
  exactEquals,
  isInteger,
  isTuple,
  type Term,
  TermMap,
  tuple,
} from "../../../etf/index.ts";
import { ERROR, LABEL, OK } from "../../node/atoms.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { GET, IN, LOG, NO_DEBUG, OUT, REDUCTIONS, STATISTICS, TRACE } from "../gen/atoms.ts";

const DONE: Atom<"done"> = atom("done");
const UNKNOWN_DEBUG: Atom<"unknown_debug"> = atom("unknown_debug");
const DEFAULT_LOGGED = 10;

/** Whose events they are, and how one reads. */
export interface Watched {
  readonly node: NodeCore;
  readonly self: Process;
  /** How the server is named in what is printed. */
  readonly name: Term;
  /** The text OTP prints of an event, without the line's end. */
  print(event: Term): string;
}

interface Installed {
  readonly id: Term;
  readonly fun: ExternalFun;
  state: Term;
}

export class SysDebug {
  #traced = false;
  #log: { readonly limit: number; readonly events: Term[] } | undefined;
  #statistics: { readonly start: Term; received: number; sent: number } | undefined;
  #installed: Installed[] = [];
  readonly #watched: Watched;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Whether any event is of interest; asked before one is made. */
  get active(): boolean {
    return (
      this.#traced ||
      this.#log !== undefined ||
      this.#statistics !== undefined ||
      this.#installed.length > 0
    );
  }

  /** Events logged, the oldest first. */
  get logged(): readonly Term[] {
    return this.#log?.events ?? [];
  }

  event(event: Term): void {
    if (this.#traced) this.#tell(event);
    if (this.#log !== undefined) {
      this.#log.events.push(event);
      if (this.#log.events.length > this.#log.limit) this.#log.events.shift();
    }
    if (this.#statistics !== undefined && isTuple(event)) {
      if (event[0] === IN) this.#statistics.received++;
      if (event[0] === OUT) this.#statistics.sent++;
    }
    this.#installed = this.#installed.filter((installed) => this.#run(installed, event));
  }

  /** Carries out `{debug, What}` and returns the answer. */
  command(what: Term): Term {
    if (what === NO_DEBUG) {
      this.#traced = false;
      this.#log = undefined;
      this.#statistics = undefined;
      this.#installed = [];
      return OK;
    }
    if (!isTuple(what, 2)) return UNKNOWN_DEBUG;
    const [item, flag] = what as readonly Term[] as [Term, Term];
    if (item === TRACE && typeof flag === "boolean") {
      this.#traced = flag;
      return OK;
    }
    if (item === LOG) return this.#commandLog(flag);
    if (item === STATISTICS) return this.#commandStatistics(flag);
    if (item === atom("log_to_file")) {
      return flag === false ? OK : tuple(ERROR, atom("open_file"));
    }
    if (item === atom("install")) return this.#install(flag);
    if (item === atom("remove")) {
      this.#installed = this.#installed.filter(({ id }) => !exactEquals(id, flag));
      return OK;
    }
    return UNKNOWN_DEBUG;
  }

  /** The debug options in a status, in the shape that `sys:get_log/1` reads. */
  options(): Term[] {
    const options: Term[] = this.#installed.map(({ id, fun, state }) =>
      tuple(id, tuple(fun, state)),
    );
    if (this.#statistics !== undefined) {
      const { start, received, sent } = this.#statistics;
      const data = tuple(start, tuple(REDUCTIONS, 0), received, sent);
      options.push(tuple(STATISTICS, data));
    }
    if (this.#log !== undefined) {
      const { limit, events } = this.#log;
      const print = new ExternalFun(atom("sys"), atom("print_log"), 1);
      const items = events.map((each) => tuple(each, this.#watched.name, print)).reverse();
      // Not full: the free places, then the items; full: the items as one list.
      const log = events.length < limit ? [limit - events.length, ...items] : [items];
      options.push(tuple(LOG, log));
    }
    if (this.#traced) options.push(tuple(TRACE, true));
    return options;
  }

  #commandLog(flag: Term): Term {
    if (flag === GET) return tuple(OK, [...this.logged]);
    if (flag === atom("print")) {
      for (const event of this.logged) this.#tell(event);
      return OK;
    }
    if (flag === false) {
      this.#log = undefined;
      return OK;
    }
    const limit = flag === true ? DEFAULT_LOGGED : isTuple(flag, 2) ? flag[1] : 0;
    if (!isInteger(limit) || limit < 1) return UNKNOWN_DEBUG;
    this.#log = { limit: Number(limit), events: this.logged.slice(-Number(limit)) };
    return OK;
  }

  #commandStatistics(flag: Term): Term {
    if (flag === true) this.#statistics ??= { start: localTime(), received: 0, sent: 0 };
    else if (flag === false) this.#statistics = undefined;
    else if (flag !== GET) return UNKNOWN_DEBUG;
    if (flag !== GET) return OK;
    if (this.#statistics === undefined) return tuple(OK, atom("no_statistics"));
    const { start, received, sent } = this.#statistics;
    return tuple(OK, [
      tuple(atom("start_time"), start),
      tuple(atom("current_time"), localTime()),
      tuple(REDUCTIONS, 0),
      tuple(atom("messages_in"), received),
      tuple(atom("messages_out"), sent),
    ]);
  }

  #install(what: Term): Term {
    if (!isTuple(what)) return UNKNOWN_DEBUG;
    const [id, fun, state] = what.length === 2 ? [what[0], what[0], what[1]] : what;
    if (!(fun instanceof ExternalFun) || id === undefined || state === undefined) {
      return UNKNOWN_DEBUG;
    }
    if (!this.#installed.some((each) => exactEquals(each.id, id))) {
      this.#installed.unshift({ id, fun, state });
    }
    return OK;
  }

  /** Returns whether the function stays installed: until it returns `done` or fails. */
  #run(installed: Installed, event: Term): boolean {
    const { node, self, name } = this.#watched;
    const { fun } = installed;
    try {
      const args = [installed.state, event, name];
      const next = node.runtime.functions.applyFun({ self, caller: undefined }, fun, args);
      if (next === DONE || next instanceof Promise) return false;
      installed.state = next as Term;
      return true;
    } catch {
      return false;
    }
  }

  #tell(event: Term): void {
    const { node, self, print } = this.#watched;
    node.runtime.log(() => ({
      level: "debug",
      report: new TermMap<Term, Term>([
        [LABEL, tuple(atom("sys"), TRACE)],
        [atom("text"), Buffer.from(`*DBG* ${print(event)}`)],
      ]),
      pid: self.pid,
    }));
  }
}

/** `{{Year, Month, Day}, {Hour, Minute, Second}}`, as `erlang:localtime/0`. */
function localTime(): Term {
  const now = new Date();
  return tuple(
    tuple(now.getFullYear(), now.getMonth() + 1, now.getDate()),
    tuple(now.getHours(), now.getMinutes(), now.getSeconds()),
  );
}
