/** How programs address a registered name: `name`, or `[name, node]`. */
import type { Atom } from "../../../etf/index.ts";
import { asAtom, type NameLike } from "../atoms.ts";

/** A registered name and the node it is on. */
export interface NameAndNode {
  readonly name: Atom;
  readonly node: Atom;
}

/** The name and the node of a target. @param own the node to use if the target names none */
export function nameAndNode(
  target: NameLike | readonly [NameLike, NameLike],
  own: Atom,
): NameAndNode {
  if (Array.isArray(target)) {
    const [name, node] = target as readonly [NameLike, NameLike];
    return { name: asAtom(name), node: asAtom(node) };
  }
  return { name: asAtom(target as NameLike), node: own };
}
