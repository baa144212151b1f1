/** Names as a program gives them where Erlang has atoms. */
import { type Atom, atomOf, atomTerm, namedAtom } from "../../etf/index.ts";

/** The name of a process, module, function or node: an atom, `true` and `false` among them, or its text. */
export type NameLike = Atom | boolean | string;

/** The atom that the name is. @throws EtfEncodeError ETF_NOT_A_TERM, ETF_ATOM_TOO_LONG, ETF_BAD_TEXT */
export function asAtom(name: NameLike): Atom {
  return atomOf(name) ?? namedAtom(name as string);
}

/** The term that is the atom of that name; what is no text is itself. @throws EtfEncodeError as `asAtom` */
export function asTerm<T>(value: T): Exclude<T, string> | Atom | boolean {
  return typeof value === "string" ? atomTerm(namedAtom(value)) : (value as Exclude<T, string>);
}
