/** Who is asked, as a destination of messages, and in the words of errors. */
import { type Atom, isPid } from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";

/** A name that does not exist is no error of the sender: the monitor tells of it. */
export function asDestination(
  target: MonitorTarget,
  ownNode: string,
): Exclude<MonitorTarget, string | Atom> {
  if (isPid(target) || Array.isArray(target)) {
    return target as Exclude<MonitorTarget, string | Atom>;
  }
  return [target as string | Atom, ownNode];
}

/** As messages of errors name it. */
export function describeTarget(target: MonitorTarget): string {
  if (!Array.isArray(target)) return String(target);
  const [name, node] = target as readonly [NameLike, NameLike];
  return `{${String(name)}, ${String(node)}}`;
}
