/** Names that a program may give as text where Erlang has atoms. */
import { type Atom, atom } from "../../etf/index.ts";

/** The atom of that name; what is no text is itself. */
export function asAtom<T>(value: T | string): T | Atom {
  return typeof value === "string" ? atom(value) : value;
}
