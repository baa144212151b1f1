/** The well-known atoms, each made once here, and the names that programs pass where Erlang takes atoms. */
import { type Atom, atom, atomOf, atomTerm, namedAtom } from "../../etf/index.ts";

/** Results: `ok`, `{error, Reason}`, and the usual reasons. */
export const OK: Atom<"ok"> = atom("ok");
export const ERROR: Atom<"error"> = atom("error");
export const BADARG: Atom<"badarg"> = atom("badarg");
export const UNDEF: Atom<"undef"> = atom("undef");
export const UNDEFINED: Atom<"undefined"> = atom("undefined");

/** Exit reasons. */
export const NORMAL: Atom<"normal"> = atom("normal");
export const KILL: Atom<"kill"> = atom("kill");
export const KILLED: Atom<"killed"> = atom("killed");
export const SHUTDOWN: Atom<"shutdown"> = atom("shutdown");
export const NOPROC: Atom<"noproc"> = atom("noproc");
export const NOCONNECTION: Atom<"noconnection"> = atom("noconnection");

/** Parts of the messages `{'EXIT', Pid, Reason}` and `{'DOWN', Ref, process, Pid, Reason}`. */
export const EXIT: Atom<"EXIT"> = atom("EXIT");
export const DOWN: Atom<"DOWN"> = atom("DOWN");
export const PROCESS: Atom<"process"> = atom("process");

/** Options of a spawn request. */
export const LINK: Atom<"link"> = atom("link");
export const MONITOR: Atom<"monitor"> = atom("monitor");

/** Words of reports, stack traces and reasons. */
export const APPLY: Atom<"apply"> = atom("apply");
export const BADFUN: Atom<"badfun"> = atom("badfun");
export const ERLANG: Atom<"erlang"> = atom("erlang");
export const FILE: Atom<"file"> = atom("file");
export const FUNCTION_CLAUSE: Atom<"function_clause"> = atom("function_clause");
export const INFINITY: Atom<"infinity"> = atom("infinity");
export const LABEL: Atom<"label"> = atom("label");
export const NOTSUP: Atom<"notsup"> = atom("notsup");

/** The name of a process, module, function or node: an atom (`true` and `false` included) or its text. */
export type NameLike = Atom | boolean | string;

/** The atom for a name. @throws EtfEncodeError ETF_NOT_A_TERM, ETF_ATOM_TOO_LONG, ETF_BAD_TEXT */
export function asAtom(name: NameLike): Atom {
  return atomOf(name) ?? namedAtom(name as string);
}

/** Turns text into the term of that atom; returns anything else unchanged. @throws EtfEncodeError as `asAtom` */
export function asTerm<T>(value: T): Exclude<T, string> | Atom | boolean {
  return typeof value === "string" ? atomTerm(namedAtom(value)) : (value as Exclude<T, string>);
}
