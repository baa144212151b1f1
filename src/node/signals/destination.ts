/** Registered names, as programs address them. */
import type { Atom } from "../../../etf/index.ts";
import { asAtom, type NameLike } from "../atoms.ts";

/** A registered name and the node it is on. */
export interface NameAndNode {
  readonly name: Atom;
  readonly node: Atom;
}

/** @param own the node that a name without one is on */
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
