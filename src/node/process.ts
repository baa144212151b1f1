/**
 * A process of this node: a pid, a mailbox (or a behaviour that takes messages as they come),
 * links, monitors, and the exit signals that reach it.
 *
 * A JavaScript function cannot be stopped from outside: a process that was killed is dead to
 * everybody else at once, and whatever its function does with the process next throws
 * PROCESS_DEAD.
 */
import type { Reference, Term, TermInput } from "../../etf/index.ts";
import {
  type Atom,
  atom,
  exactEquals,
  isReference,
  isTuple,
  type Pid,
  toTerm,
  tuple,
} from "../../etf/index.ts";
import { EncodedTerm } from "../distribution/encoded-term.ts";
import type { Clock } from "../transport/clock.ts";
import type { Alias } from "./aliases.ts";
import { ErlangError, NodeError } from "./errors.ts";
import type { PidMap, ReferenceMap } from "./identifiers.ts";
import type { Link } from "./links.ts";
import type { Matcher, ReceiveOptions } from "./mailbox.ts";
import { Mailbox, type Source } from "./mailbox.ts";
import type { IncomingMonitor, OutgoingMonitor } from "./monitors.ts";
import { exceptionOf, exitReasonOf } from "./reason.ts";

/** Where a message can go: a pid, an alias, a name of this node, or `[name, node]`. */
export type Destination = Pid | Reference | Atom | string | readonly [Atom | string, Atom | string];

/** What can be monitored. */
export type MonitorTarget = Pid | Atom | string | readonly [Atom | string, Atom | string];

/**
 * Takes messages as they come instead of a mailbox, one at a time. What it throws ends the
 * process. Until it has returned, and a promise that it returned is settled, further messages wait.
 */
export interface Behaviour {
  message(message: Term, self: Process): unknown;
  /** The process is dead; the reason is the one its links saw. Nobody hears what this throws. */
  terminated?(reason: Term): void;
}

/** What a process asks of its node. */
export interface Signals {
  send(from: Process, to: Destination, message: TermInput): Promise<void>;
  link(process: Process, to: Pid): void;
  unlink(process: Process, from: Pid): void;
  monitor(process: Process, target: MonitorTarget): Reference;
  demonitor(process: Process, ref: Reference): boolean;
  exit(process: Process, to: Pid, reason: Term): void;
  register(process: Process, name: Atom): void;
  /** Tells links and monitors, and forgets the process. */
  buried(process: Process, reason: Term, encoded?: EncodedTerm): void;
}

/** The promise of what need not be waited for. */
export const READY: Promise<void> = Promise.resolve();

export const NORMAL: Atom<"normal"> = atom("normal");
export const KILL: Atom<"kill"> = atom("kill");
export const KILLED: Atom<"killed"> = atom("killed");
export const SHUTDOWN: Atom<"shutdown"> = atom("shutdown");
export const NOPROC: Atom<"noproc"> = atom("noproc");
export const NOCONNECTION: Atom<"noconnection"> = atom("noconnection");
const EXIT: Atom<"EXIT"> = atom("EXIT");
export const DOWN: Atom<"DOWN"> = atom("DOWN");
export const PROCESS: Atom<"process"> = atom("process");

export interface ProcessOptions {
  pid: Pid;
  groupLeader: Pid;
  signals: Signals;
  clock: Clock;
  /** Bytes of waiting messages above which the connections that bring them are read no further. */
  maxMailboxBytes: number;
  behaviour?: Behaviour;
  /** One of the node's own, which exit signals do not end. Default false. */
  service?: boolean;
}

export class Process {
  readonly pid: Pid;
  /** Gets the output of code this process runs on other nodes. */
  groupLeader: Pid;
  /** When true, exit signals of links arrive as `{'EXIT', Pid, Reason}` messages. */
  trapExit = false;
  /** @internal Made when first needed, as are the tables below: most processes live briefly. */
  links: PidMap<Link> | undefined;
  /** @internal Monitors this process has set, by reference. */
  monitors: ReferenceMap<OutgoingMonitor> | undefined;
  /** @internal Monitors others have set on this process. */
  monitoredBy: ReferenceMap<IncomingMonitor> | undefined;
  /** @internal Aliases by which this process receives. */
  aliases: ReferenceMap<Alias> | undefined;
  /** @internal Kept by the process table. */
  registeredName: Atom | undefined;
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #maxMailboxBytes: number;
  readonly #behaviour: Behaviour | undefined;
  readonly #service: boolean;
  #mailbox: Mailbox | undefined;
  /** The behaviour is at a message, or its promise is open. */
  #busy = false;
  #exitReason: Term | undefined;

  constructor(options: ProcessOptions) {
    this.pid = options.pid;
    this.groupLeader = options.groupLeader;
    this.#signals = options.signals;
    this.#clock = options.clock;
    this.#maxMailboxBytes = options.maxMailboxBytes;
    this.#behaviour = options.behaviour;
    this.#service = options.service ?? false;
  }

  get alive(): boolean {
    return this.#exitReason === undefined;
  }

  /** Messages waiting in the mailbox. */
  get messageQueueLength(): number {
    return this.#mailbox?.length ?? 0;
  }

  /**
   * Sends a message. To a pid or name that does not exist it is dropped, as in Erlang; an
   * unknown node is connected to first. Resolves when more may be sent: at once, unless the
   * connection has more waiting than its high-water mark. Who sends on without waiting is refused
   * above `maxQueuedBytes`: that message is not sent, and all before it are.
   *
   * @throws EtfEncodeError when the message is no term, NodeError PROCESS_NAME_UNKNOWN for a
   *   name that is not registered on this node
   */
  send(to: Destination, message: TermInput): Promise<void> {
    this.#checkAlive();
    return this.#signals.send(this, to, message);
  }

  /**
   * Sends an answer: as `send`, but dropped where `send` would be refused, because its receiver
   * does not read what it has asked for. A service must live on then.
   * @throws EtfEncodeError
   */
  reply(to: Destination, message: TermInput): Promise<void> {
    try {
      return this.send(to, message);
    } catch (error) {
      if ((error as { code?: unknown }).code === "CONN_OVERLOADED") return READY;
      throw error;
    }
  }

  /**
   * The oldest message that matches; the others stay.
   * @throws NodeError PROCESS_RECEIVE_TIMEOUT, PROCESS_DEAD; the abort signal's reason
   */
  receive(matches?: Matcher, options?: ReceiveOptions): Promise<Term> {
    return this.#openMailbox().receive(matches, options);
  }

  /** Every message in turn, until the process ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Term, void, undefined> {
    while (this.alive) yield await this.receive();
  }

  /** Links this process to another, as `link/1`. */
  link(to: Pid): void {
    this.#checkAlive();
    this.#signals.link(this, to);
  }

  unlink(from: Pid): void {
    this.#checkAlive();
    this.#signals.unlink(this, from);
  }

  /** Monitors a process, as `monitor(process, Target)`; a `{'DOWN', Ref, …}` message tells of its end. */
  monitor(target: MonitorTarget): Reference {
    this.#checkAlive();
    return this.#signals.monitor(this, target);
  }

  /**
   * Takes a monitor back. With `flush`, a DOWN message that came already is taken out too.
   * Returns whether the monitor was still there.
   */
  demonitor(ref: Reference, options: { flush?: boolean } = {}): boolean {
    this.#checkAlive();
    const found = this.#signals.demonitor(this, ref);
    if (options.flush === true) {
      this.#mailbox?.flush(
        (message) =>
          isTuple(message) &&
          message.length === 5 &&
          message[0] === DOWN &&
          isReference(message[1]) &&
          message[1].equals(ref),
      );
    }
    return found;
  }

  /** Sends an exit signal to another process, as `exit/2`. */
  sendExit(to: Pid, reason: Term): void {
    this.#checkAlive();
    this.#signals.exit(this, to, reason);
  }

  /** Ends this process with a reason, as `exit/1`, by throwing through its function. */
  exit(reason: Term): never {
    throw ErlangError.exit(reason);
  }

  /**
   * Registers this process under a name of this node.
   * @throws NodeError PROCESS_NAME_TAKEN
   */
  register(name: Atom | string): void {
    this.#checkAlive();
    this.#signals.register(this, typeof name === "string" ? atom(name) : name);
  }

  /** @internal A message arrived; `bytes` and `source` are those of a connection that brought it. */
  deliver(message: Term, bytes?: number, source?: Source): void {
    if (!this.alive) return;
    if (this.#behaviour === undefined || this.#busy) {
      this.#openMailbox().push(message, bytes, source);
    } else {
      this.#handle(this.#behaviour, message);
      this.#handleWaiting(this.#behaviour);
    }
  }

  #handle(behaviour: Behaviour, message: Term): void {
    this.#busy = true;
    try {
      const done = behaviour.message(message, this);
      if (done !== READY && done instanceof Promise) {
        done.then(
          () => {
            this.#busy = false;
            this.#handleWaiting(behaviour);
          },
          (error: unknown) => this.#crashed(error),
        );
        return;
      }
    } catch (error) {
      this.#crashed(error);
    }
    this.#busy = false;
  }

  /** The behaviour is done with a message: it takes those that came meanwhile. */
  #handleWaiting(behaviour: Behaviour): void {
    while (!this.#busy && this.alive) {
      const message = this.#mailbox?.shift();
      if (message === undefined) return;
      this.#handle(behaviour, message);
    }
  }

  /** @internal The end of a linked process, or of the connection to it, arrived. */
  exitFromLink(from: Pid, reason: Term): void {
    if (!this.alive || this.#service) return;
    if (this.trapExit) this.deliver(tuple(EXIT, from, reason));
    else if (!exactEquals(reason, NORMAL)) this.terminate(reason);
  }

  /** @internal An `exit/2` signal arrived. */
  exitSignal(from: Pid, reason: Term): void {
    if (!this.alive || this.#service) return;
    if (reason === KILL) this.terminate(KILLED);
    else if (this.trapExit) this.deliver(tuple(EXIT, from, reason));
    else if (reason !== NORMAL || from.equals(this.pid)) this.terminate(reason);
  }

  /**
   * @internal Ends the process: everybody else hears of it at once. `encoded` is the reason's
   * encoding, if it was made already.
   */
  terminate(reason: Term, encoded?: EncodedTerm): void {
    if (!this.alive) return;
    this.#exitReason = reason;
    this.#mailbox?.close(this.#deadError());
    this.#signals.buried(this, reason, encoded);
    try {
      this.#behaviour?.terminated?.(reason);
    } catch {
      // Nobody is linked to it any more, and whoever ended it is not to blame.
    }
  }

  /**
   * @internal Ends the process with a reason that another node waits for as an answer.
   * @throws EtfEncodeError when it is no term; the process lives on then
   */
  answer(reason: TermInput): void {
    const encoded = new EncodedTerm(reason);
    this.terminate(toTerm(reason), encoded);
  }

  /** @internal Runs the process's function; the process ends when it does. */
  run(body: () => unknown): void {
    try {
      const result = body();
      if (result instanceof Promise) {
        result.then(
          () => this.terminate(NORMAL),
          (error: unknown) => this.#crashed(error),
        );
      } else {
        this.terminate(NORMAL);
      }
    } catch (error) {
      this.#crashed(error);
    }
  }

  #crashed(thrown: unknown): void {
    if (this.alive) this.terminate(exitReasonOf(exceptionOf(thrown)));
  }

  #openMailbox(): Mailbox {
    if (this.#mailbox === undefined) {
      this.#mailbox = new Mailbox(this.#clock, this.#maxMailboxBytes);
      if (!this.alive) this.#mailbox.close(this.#deadError());
    }
    return this.#mailbox;
  }

  #checkAlive(): void {
    if (!this.alive) throw this.#deadError();
  }

  #deadError(): NodeError {
    return new NodeError("PROCESS_DEAD", `The process ${this.pid} has ended.`);
  }
}
