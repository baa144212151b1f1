/**
 * Process aliases: references through which a process receives messages until they are removed.
 *
 * Spec: erl_dist_protocol, ALIAS_SEND and ALTACT_SIG_SEND. A message to a removed alias is dropped, so a
 * reply that arrives after a timeout does no harm.
 */
import type { Reference, Term } from "../../../etf/index.ts";
import type { Payload } from "../../distribution/payload.ts";
import { type Identifiers, ReferenceMap } from "../process/identifiers.ts";
import type { AliasPort } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import type { Alias, MonitorOptions, OutgoingMonitor } from "../process/ties.ts";

/** The aliases of all processes of a node. */
export class Aliases implements AliasPort {
  readonly #identifiers: Identifiers;
  readonly #demonitor: (process: Process, ref: Reference) => void;
  readonly #aliases = new ReferenceMap<Alias>();

  /** @param demonitor removes the monitor that an alias belongs to */
  constructor(identifiers: Identifiers, demonitor: (process: Process, ref: Reference) => void) {
    this.#identifiers = identifiers;
    this.#demonitor = demonitor;
  }

  /**
   * Makes a new alias of a process.
   * @param once whether the first message removes it
   * @param onMessage gets its messages in place of the process
   */
  alias(process: Process, once: boolean, onMessage?: (message: Term) => void): Reference {
    const ref = this.#identifiers.newReference();
    this.#add(ref, { process, once, onMessage });
    return ref;
  }

  /** Makes the reference of a monitor an alias as well, if the options of the monitor say so. */
  ofMonitor(process: Process, ref: Reference, { alias }: MonitorOptions): void {
    if (alias === undefined) return;
    const once = alias === "reply_demonitor";
    this.#add(ref, { process, once, ofMonitor: alias !== "explicit_unalias" });
  }

  /** Removes an alias; returns whether it was in force. */
  unalias(ref: Reference): boolean {
    const alias = this.#aliases.take(ref);
    alias?.process.aliases?.delete(ref);
    return alias !== undefined;
  }

  /** A monitor has fired or was removed: removes its alias if it belongs to the monitor. */
  monitorOver({ watcher, ref }: OutgoingMonitor): void {
    if (watcher.aliases?.get(ref)?.ofMonitor === true) this.unalias(ref);
  }

  /** Delivers a message from this node. */
  deliver(ref: Reference, message: Term): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(message);
    else alias?.process.deliver(message);
  }

  /** Delivers a message from a peer. */
  arrive(ref: Reference, payload: Payload): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(payload.read());
    else alias?.process.arrive(payload);
  }

  /** The process of an alias, for an exit signal, which does not remove the alias. */
  processOf(ref: Reference): Process | undefined {
    return this.#aliases.get(ref)?.process;
  }

  /** A process of this node has ended: removes its aliases. */
  processEnded(process: Process): void {
    for (const ref of process.aliases?.keys() ?? []) this.#aliases.delete(ref);
    process.aliases = undefined;
  }

  #add(ref: Reference, alias: Alias): void {
    this.#aliases.set(ref, alias);
    alias.process.aliases ??= new ReferenceMap();
    alias.process.aliases.set(ref, alias);
  }

  /** The alias that a message is for; removes it if this is its only message. */
  #reached(ref: Reference): Alias | undefined {
    const alias = this.#aliases.get(ref);
    if (alias?.once === true) {
      this.unalias(ref);
      if (alias.ofMonitor === true) this.#demonitor(alias.process, ref);
    }
    return alias;
  }
}
