/** The processes of a node, by pid and by registered name. */
import type { Atom, Pid } from "../../../etf/index.ts";
import { UNDEFINED } from "../atoms.ts";
import { NodeError } from "../errors.ts";
import type { ThisNode } from "../identity/this-node.ts";
import { localPidKey } from "./identifiers.ts";
import type { Process } from "./process.ts";

/** All live processes of a node. */
export class ProcessTable {
  readonly #self: Pick<ThisNode, "node" | "creation">;
  readonly #byKey = new Map<number, Process>();
  readonly #byName = new Map<Atom, Process>();

  constructor(self: Pick<ThisNode, "node" | "creation">) {
    this.#self = self;
  }

  /** The name of the node. */
  get node(): Atom {
    return this.#self.node;
  }

  /** How many processes there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Whether a process has this `localPidKey`. */
  hasKey(key: number): boolean {
    return this.#byKey.has(key);
  }

  /** Whether a pid belongs to this node, with its present creation or an earlier one. */
  isOfNode(pid: Pid): boolean {
    return pid.node === this.#self.node;
  }

  /** Whether a pid belongs to this node with its present creation. */
  isLocal(pid: Pid): boolean {
    return pid.node === this.#self.node && pid.creation === this.#self.creation;
  }

  /** The process with that pid, if it is alive. */
  get(pid: Pid): Process | undefined {
    if (!this.isLocal(pid)) return undefined;
    const process = this.#byKey.get(localPidKey(pid));
    // A forged id with more bits than this node uses could share the key of another process.
    return process?.pid.id === pid.id ? process : undefined;
  }

  /** The process registered under a name. */
  whereis(name: Atom): Process | undefined {
    return this.#byName.get(name);
  }

  /** The registered names, in the order of registration. */
  registered(): Atom[] {
    return [...this.#byName.keys()];
  }

  /** All processes, in the order they started. */
  all(): Process[] {
    return [...this.#byKey.values()];
  }

  /** Adds a new process. */
  add(process: Process): void {
    this.#byKey.set(localPidKey(process.pid), process);
  }

  /** Registers a process under a name. @throws NodeError PROCESS_NAME_INVALID, PROCESS_NAME_TAKEN */
  register(process: Process, name: Atom): void {
    if (name === UNDEFINED) {
      throw new NodeError("PROCESS_NAME_INVALID", 'A process cannot be registered as "undefined".');
    }
    if (this.#byName.has(name) || process.registeredName !== undefined) {
      throw new NodeError(
        "PROCESS_NAME_TAKEN",
        this.#byName.has(name)
          ? `The name ${name.name} is already registered.`
          : `The process ${process.pid} is already registered as ${process.registeredName?.name}.`,
      );
    }
    this.#byName.set(name, process);
    process.registeredName = name;
  }

  /** Removes a name; returns whether it was registered. */
  unregister(name: Atom): boolean {
    const process = this.#byName.get(name);
    if (process === undefined) return false;
    process.registeredName = undefined;
    return this.#byName.delete(name);
  }

  /** Removes a process that has ended, and its name. */
  remove(process: Process): void {
    this.#byKey.delete(localPidKey(process.pid));
    if (process.registeredName !== undefined) this.unregister(process.registeredName);
  }
}
