/** The processes of a node, by pid and by registered name. */

import type { Atom, Pid } from "../../../etf/index.ts";
import { UNDEFINED } from "../atoms.ts";
import { NodeError } from "../errors.ts";
import type { ThisNode } from "../identity/this-node.ts";
import { localPidKey } from "./identifiers.ts";
import type { Process } from "./process.ts";

export class ProcessTable {
  readonly #self: Pick<ThisNode, "node" | "creation">;
  readonly #byKey = new Map<number, Process>();
  readonly #byName = new Map<Atom, Process>();

  constructor(self: Pick<ThisNode, "node" | "creation">) {
    this.#self = self;
  }

  get node(): Atom {
    return this.#self.node;
  }

  get size(): number {
    return this.#byKey.size;
  }

  hasKey(key: number): boolean {
    return this.#byKey.has(key);
  }

  /** True for a pid of this node, in its present life or a former one. */
  isOfNode(pid: Pid): boolean {
    return pid.node === this.#self.node;
  }

  /** True for a pid of this node in its present life. */
  isLocal(pid: Pid): boolean {
    return pid.node === this.#self.node && pid.creation === this.#self.creation;
  }

  get(pid: Pid): Process | undefined {
    if (!this.isLocal(pid)) return undefined;
    const process = this.#byKey.get(localPidKey(pid));
    // A forged id beyond our bits could share another process's key.
    return process?.pid.id === pid.id ? process : undefined;
  }

  whereis(name: Atom): Process | undefined {
    return this.#byName.get(name);
  }

  /** The registered names, in the order of registration. */
  registered(): Atom[] {
    return [...this.#byName.keys()];
  }

  all(): Process[] {
    return [...this.#byKey.values()];
  }

  add(process: Process): void {
    this.#byKey.set(localPidKey(process.pid), process);
  }

  /** @throws NodeError PROCESS_NAME_INVALID, PROCESS_NAME_TAKEN */
  register(process: Process, name: Atom): void {
    if (name === UNDEFINED) {
      throw new NodeError("PROCESS_NAME_INVALID", 'No process can be registered as "undefined".');
    }
    if (this.#byName.has(name) || process.registeredName !== undefined) {
      throw new NodeError(
        "PROCESS_NAME_TAKEN",
        this.#byName.has(name)
          ? `The name ${name.name} is registered already.`
          : `The process ${process.pid} is registered as ${process.registeredName?.name} already.`,
      );
    }
    this.#byName.set(name, process);
    process.registeredName = name;
  }

  /** Returns whether the name was registered. */
  unregister(name: Atom): boolean {
    const process = this.#byName.get(name);
    if (process === undefined) return false;
    process.registeredName = undefined;
    return this.#byName.delete(name);
  }

  remove(process: Process): void {
    this.#byKey.delete(localPidKey(process.pid));
    if (process.registeredName !== undefined) this.unregister(process.registeredName);
  }
}
