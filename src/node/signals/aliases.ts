/**
 * Process aliases: references by which a process receives, until they are taken back.
 *
 * Spec: erl_dist_protocol, ALIAS_SEND and ALTACT_SIG_SEND. A message to an alias that was taken back is
 * dropped, so a reply that comes after a time-out disturbs nobody.
 */
import type { Reference, Term } from "../../../etf/index.ts";
import type { Payload } from "../../distribution/payload.ts";
import { type Identifiers, ReferenceMap } from "../process/identifiers.ts";
import type { AliasPort } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import type { Alias, MonitorOptions, OutgoingMonitor } from "../process/ties.ts";

export class Aliases implements AliasPort {
  readonly #identifiers: Identifiers;
  readonly #demonitor: (process: Process, ref: Reference) => void;
  readonly #aliases = new ReferenceMap<Alias>();

  /** @param demonitor takes back the monitor with which an alias goes */
  constructor(identifiers: Identifiers, demonitor: (process: Process, ref: Reference) => void) {
    this.#identifiers = identifiers;
    this.#demonitor = demonitor;
  }

  /** A new alias of a process; `onMessage` takes what is sent to it instead of the process. */
  alias(process: Process, once: boolean, onMessage?: (message: Term) => void): Reference {
    const ref = this.#identifiers.newReference();
    this.#add(ref, { process, once, onMessage });
    return ref;
  }

  /** Makes a monitor's reference an alias as well, if the monitor's options say so. */
  ofMonitor(process: Process, ref: Reference, { alias }: MonitorOptions): void {
    if (alias === undefined) return;
    const once = alias === "reply_demonitor";
    this.#add(ref, { process, once, ofMonitor: alias !== "explicit_unalias" });
  }

  /** Takes an alias back; returns whether it was in force. */
  unalias(ref: Reference): boolean {
    const alias = this.#aliases.take(ref);
    alias?.process.aliases?.delete(ref);
    return alias !== undefined;
  }

  /** A monitor reported an end or was taken back: its alias may go with it. */
  monitorOver({ watcher, ref }: OutgoingMonitor): void {
    if (watcher.aliases?.get(ref)?.ofMonitor === true) this.unalias(ref);
  }

  /** Delivers a message of this node. */
  deliver(ref: Reference, message: Term): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(message);
    else alias?.process.deliver(message);
  }

  /** Delivers a message of a peer. */
  arrive(ref: Reference, payload: Payload): void {
    const alias = this.#reached(ref);
    if (alias?.onMessage !== undefined) alias.onMessage(payload.read());
    else alias?.process.arrive(payload);
  }

  /** The process of an alias in force. An exit signal to it leaves the alias as it is. */
  processOf(ref: Reference): Process | undefined {
    return this.#aliases.get(ref)?.process;
  }

  /** A process of this node has ended, and its aliases with it. */
  processEnded(process: Process): void {
    for (const ref of process.aliases?.keys() ?? []) this.#aliases.delete(ref);
    process.aliases = undefined;
  }

  #add(ref: Reference, alias: Alias): void {
    this.#aliases.set(ref, alias);
    alias.process.aliases ??= new ReferenceMap();
    alias.process.aliases.set(ref, alias);
  }

  /** The alias that a message is for; with this message it may be over. */
  #reached(ref: Reference): Alias | undefined {
    const alias = this.#aliases.get(ref);
    if (alias?.once === true) {
      this.unalias(ref);
      if (alias.ofMonitor === true) this.#demonitor(alias.process, ref);
    }
    return alias;
  }
}
