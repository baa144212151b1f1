/** The target of a request: as a destination of messages, and as error texts name it. */
import { type Atom, isPid } from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";

/**
 * The destination for messages to `target`. A name of this node becomes `[name, node]`, because a send
 * to that form does not fail when the name is not registered; the monitor reports it.
 */
export function asDestination(
  target: MonitorTarget,
  ownNode: string,
): Exclude<MonitorTarget, string | Atom> {
  if (isPid(target) || Array.isArray(target)) {
    return target as Exclude<MonitorTarget, string | Atom>;
  }
  return [target as string | Atom, ownNode];
}

/** The target as error texts name it. */
export function describeTarget(target: MonitorTarget): string {
  if (!Array.isArray(target)) return String(target);
  const [name, node] = target as readonly [NameLike, NameLike];
  return `{${String(name)}, ${String(node)}}`;
}
