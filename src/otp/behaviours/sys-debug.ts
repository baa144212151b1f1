/**
 * The debug facilities of `sys` for a server: trace, log, statistics and installed functions, which
 * any node may switch on with `sys:trace` and the like.
 *
 * Spec: stdlib/src/sys.erl. Events are `{in, Msg}`, `{out, Reply, From, State}`, `{noreply, State}`
 * and others that depend on the server. Where OTP prints them, erldist logs them as
 * `#{label => {sys,trace}, text => Binary}`, level debug. A function given to `install` runs if it is
 * exposed (`fun M:F/3`); any other gets the answer `unknown_debug`, as do unknown requests in OTP.
 * Other nodes cannot make this one write files: `log_to_file` answers `{error, open_file}`. Reductions
 * are 0.
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

/** The server whose events these are, and how it prints one. */
export interface Watched {
  readonly node: NodeCore;
  readonly self: Process;
  /** The server's name in the printed text. */
  readonly name: Term;
  /** The text that OTP prints for an event, without the newline. */
  print(event: Term): string;
}

interface Installed {
  readonly id: Term;
  readonly fun: ExternalFun;
  state: Term;
}

/** The debug state of one server. */
export class SysDebug {
  #traced = false;
  #log: { readonly limit: number; readonly events: Term[] } | undefined;
  #statistics: { readonly start: Term; received: number; sent: number } | undefined;
  #installed: Installed[] = [];
  readonly #watched: Watched;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Whether any facility is on. Check it before making an event. */
  get active(): boolean {
    return (
      this.#traced ||
      this.#log !== undefined ||
      this.#statistics !== undefined ||
      this.#installed.length > 0
    );
  }

  /** The logged events, the oldest first. */
  get logged(): readonly Term[] {
    return this.#log?.events ?? [];
  }

  /** Passes an event to the facilities that are on. */
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

  /** The debug options of a status, in the form that `sys:get_log/1` reads. */
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
      // A log with room left: the number of free places, then the items. A full one: a list of the items.
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
