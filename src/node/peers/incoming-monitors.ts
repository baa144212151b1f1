/** Monitors set from another node. Specification: erl_dist_protocol, MONITOR_P and DEMONITOR_P. */
import type { Reference } from "../../../etf/index.ts";
import { ReferenceMap } from "../process/identifiers.ts";
import type { Process } from "../process/process.ts";
import type { IncomingMonitor } from "../process/ties.ts";

/** Monitors with one reference. In the order in which they were set. */
interface SameReference {
  readonly byTarget: Map<Process, Set<IncomingMonitor>>;
  readonly byName: Set<IncomingMonitor>;
}

/**
 * The monitors that processes of one peer have set on processes of this node.
 *
 * The peer chooses their references, so several may have the same one. As in OTP, each is a monitor
 * of its own, and DEMONITOR_P removes one of them: the oldest with that reference on the process that
 * it names, or, when it names a registered name, the oldest that was set on any name. It does not
 * matter which process of the peer asks.
 */
export class IncomingMonitors {
  readonly #monitors = new ReferenceMap<IncomingMonitor | SameReference>();
  #size = 0;

  /** How many monitors are set. */
  get size(): number {
    return this.#size;
  }

  add(monitor: IncomingMonitor): void {
    this.#size++;
    const { ref } = monitor;
    const known = this.#monitors.get(ref);
    if (known === undefined) {
      this.#monitors.set(ref, monitor);
      return;
    }
    if (!isOne(known)) {
      addTo(known, monitor);
      return;
    }
    const several: SameReference = { byTarget: new Map(), byName: new Set() };
    addTo(several, known);
    addTo(several, monitor);
    this.#monitors.set(ref, several);
  }

  /** Removes exactly this monitor. Returns whether it was set. */
  delete(monitor: IncomingMonitor): boolean {
    const { ref, target } = monitor;
    const known = this.#monitors.get(ref);
    if (known === undefined) return false;
    if (isOne(known)) {
      if (known !== monitor) return false;
      this.#monitors.delete(ref);
    } else {
      const onTarget = known.byTarget.get(target);
      if (onTarget?.delete(monitor) !== true) return false;
      known.byName.delete(monitor);
      if (onTarget.size === 0) known.byTarget.delete(target);
      if (known.byTarget.size === 0) this.#monitors.delete(ref);
    }
    this.#size--;
    return true;
  }

  /**
   * Removes and returns the monitor that DEMONITOR_P means.
   * @param target undefined when the message names a registered name
   */
  takeBack(ref: Reference, target: Process | undefined): IncomingMonitor | undefined {
    const known = this.#monitors.get(ref);
    if (known === undefined) return undefined;
    const found = isOne(known) ? oneIf(known, target) : oldestOf(known, target);
    if (found !== undefined) this.delete(found);
    return found;
  }

  /** Removes and returns all monitors. */
  takeAll(): IncomingMonitor[] {
    const all = this.#monitors
      .values()
      .flatMap((known) =>
        isOne(known) ? known : [...known.byTarget.values()].flatMap((onTarget) => [...onTarget]),
      );
    this.#monitors.clear();
    this.#size = 0;
    return all;
  }
}

function isOne(known: IncomingMonitor | SameReference): known is IncomingMonitor {
  return "ref" in known;
}

function addTo({ byTarget, byName }: SameReference, monitor: IncomingMonitor): void {
  const { target, name } = monitor;
  const onTarget = byTarget.get(target);
  if (onTarget === undefined) byTarget.set(target, new Set([monitor]));
  else onTarget.add(monitor);
  if (name !== undefined) byName.add(monitor);
}

function oneIf(monitor: IncomingMonitor, target: Process | undefined): IncomingMonitor | undefined {
  const meant = target === undefined ? monitor.name !== undefined : monitor.target === target;
  return meant ? monitor : undefined;
}

function oldestOf(
  { byTarget, byName }: SameReference,
  target: Process | undefined,
): IncomingMonitor | undefined {
  const [oldest] = (target === undefined ? byName : byTarget.get(target)) ?? [];
  return oldest;
}
