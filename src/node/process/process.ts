/**
 * A process of this node: a pid, a mailbox (or a behaviour that takes messages as they come),
 * links, monitors, and the exit signals that reach it.
 *
 * A JavaScript function cannot be stopped from outside: a process that was killed is dead to
 * everybody else at once, and whatever its function does with the process next throws
 * PROCESS_DEAD.
 */

import type { Reference, Term, TermInput } from "../../../etf/index.ts";
import {
  type Atom,
  atomTerm,
  exactEquals,
  isReference,
  isTuple,
  type Pid,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { EncodedTerm } from "../../distribution/encoded-term.ts";
import type { MakesMessage, Payload } from "../../distribution/payload.ts";
import { asAtom, EXIT, KILL, KILLED, type NameLike, NORMAL, PROCESS } from "../atoms.ts";
import { deadError } from "../errors.ts";
import { ErlangError, exceptionOf, exitReasonOf } from "../exceptions.ts";
import type { PidMap, ReferenceMap } from "./identifiers.ts";
import type { Kernel } from "./kernel.ts";
import type { Pattern, ReceiveOptions, Wanted } from "./mailbox.ts";
import { Mailbox } from "./mailbox.ts";
import {
  remoteFunction,
  type SpawnOnOptions,
  type SpawnRequestOptions,
  spawnOn,
  spawnRequest,
} from "./spawn-on.ts";
import type {
  Alias,
  IncomingMonitor,
  Link,
  MonitorOptions,
  OnDown,
  OutgoingMonitor,
} from "./ties.ts";

/** Where a message can go: a pid, an alias, a name of this node, or `[name, node]`. */
export type Destination = Pid | Reference | NameLike | readonly [NameLike, NameLike];

export interface SignalOptions {
  /**
   * A token of seq_trace, as one came with a message or `traceToken` makes it: it goes out with this
   * signal, with this process as its sender and the serial gone on by one. Within a node nothing
   * takes it up, nor does a peer that cannot read its label. Default: none.
   */
  traceToken?: Term;
}

export interface SendOptions extends SignalOptions {
  /**
   * `copy`, the default: the message is what it was when it was sent, whatever becomes of its
   * buffers. `reference`: binaries of 32 KiB and more are not copied; they must not change before
   * the promise of `send` settles, which then is when the operating system has them, or the
   * connection has ended. What waits for a connection is copied in either case; a process of this
   * node gets the very arrays and buffers.
   */
  binaries?: "copy" | "reference";
}

/** What can be monitored. */
export type MonitorTarget = Pid | NameLike | readonly [NameLike, NameLike];

/**
 * Takes messages as they come instead of a mailbox, one at a time. What it throws ends the
 * process. Until it has returned, and a promise that it returned is settled, further messages wait.
 */
export interface Behaviour {
  message(message: Term, self: Process): unknown;
  /** The process is dead; the reason is the one its links saw. Nobody hears what this throws. */
  terminated?(reason: Term): void;
}

/** The promise of what need not be waited for. */
export const READY: Promise<void> = Promise.resolve();

/** What runs as a process: a function, which is given the process, or a behaviour. */
export type ProcessBody = Behaviour | ((self: Process) => unknown);

export interface MessagesOptions {
  /** Which messages; the others stay. Default: all. */
  wanted?: Wanted;
  signal?: AbortSignal;
}

export class Process {
  readonly pid: Pid;
  /** Gets the output of code this process runs on other nodes. */
  groupLeader: Pid;
  /** When true, exit signals of links arrive as `{'EXIT', Pid, Reason}` messages. */
  trapExit = false;
  /** What this process is called in lists of processes, as `proc_lib:set_label/1` sets it. */
  label: Term | undefined;
  /** @internal Made when first needed, as are the tables below: most processes live briefly. */
  links: PidMap<Link> | undefined;
  /** @internal Monitors this process has set, by reference. */
  monitors: ReferenceMap<OutgoingMonitor> | undefined;
  /** @internal Monitors others have set on this process. */
  monitoredBy: Set<IncomingMonitor> | undefined;
  /** @internal Aliases by which this process receives. */
  aliases: ReferenceMap<Alias> | undefined;
  /** @internal Kept by the process table. */
  registeredName: Atom | undefined;
  readonly #kernel: Kernel;
  readonly #behaviour: Behaviour | undefined;
  readonly #service: boolean;
  #mailbox: Mailbox | undefined;
  #delivered = 0;
  /** The behaviour is at a message, or its promise is open. */
  #busy = false;
  #exitReason: Term | undefined;
  #ended: AbortController | undefined;

  /** @internal @param service one of the node's own, which exit signals do not end */
  constructor(
    kernel: Kernel,
    pid: Pid,
    groupLeader: Pid,
    behaviour: Behaviour | undefined,
    service: boolean,
  ) {
    this.pid = pid;
    this.groupLeader = groupLeader;
    this.#kernel = kernel;
    this.#behaviour = behaviour;
    this.#service = service;
  }

  /** @internal The registered name, as a term. */
  get nameTerm(): Atom | boolean | undefined {
    return this.registeredName === undefined ? undefined : atomTerm(this.registeredName);
  }

  get alive(): boolean {
    return this.#exitReason === undefined;
  }

  /** Fires when the process has ended, with a NodeError PROCESS_DEAD; for what it started elsewhere. */
  get signal(): AbortSignal {
    if (this.#ended === undefined) {
      this.#ended = new AbortController();
      if (!this.alive) this.#ended.abort(deadError(this));
    }
    return this.#ended.signal;
  }

  /** Messages waiting in the mailbox. */
  get messageQueueLength(): number {
    return this.#mailbox?.length ?? 0;
  }

  /** @internal The messages waiting, oldest first. */
  get waitingMessages(): Term[] {
    return this.#mailbox?.messages ?? [];
  }

  /**
   * Bytes of messages waiting in the mailbox: as they came on the wire, or of heap once a receive
   * has looked at them.
   */
  get messageBytes(): number {
    return this.#mailbox?.bytes ?? 0;
  }

  /**
   * Bytes of waiting messages above which this process is ended with the reason `killed`, as by
   * the flag max_heap_size in OTP; the node's event `log` tells it. Default Infinity: only the
   * node's option `maxMailboxBytes` bounds it.
   */
  get maxMailboxBytes(): number {
    return this.#mailbox?.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  set maxMailboxBytes(bytes: number) {
    const mailbox = this.#openMailbox();
    mailbox.maxBytes = bytes;
    mailbox.onExceeded = () => this.#kernel.overfull(this, bytes);
    if (mailbox.bytes > bytes) mailbox.onExceeded();
  }

  /** @internal Messages that have come in so far: what stands for reductions here. */
  get reductions(): number {
    return this.#delivered;
  }

  /**
   * Sends a message. To a pid or name that does not exist it is dropped, as in Erlang; an
   * unknown node is connected to first. Resolves when more may be sent: at once, unless the
   * connection has more waiting than its high-water mark. Who sends on without waiting is refused
   * above `maxQueuedBytes`: that message is not sent, and all before it are. Who waits when the
   * connection ends, or does not come about, gets its error: of what was waiting, nobody knows how
   * much arrived. Who does not look at the promise misses that, and nothing else.
   *
   * @throws EtfEncodeError when the message is no term, NodeError PROCESS_NAME_UNKNOWN for a
   *   name that is not registered on this node and TRACE_TOKEN_INVALID, ConnectionClosedError
   *   CONN_OVERLOADED; the promise: what ended the connection, or kept it from coming about
   */
  send(to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    this.#checkAlive();
    return this.#kernel.signals.send(this, to, message, options);
  }

  /**
   * Sends an answer: as `send`, but dropped where `send` would be refused, because its receiver
   * does not read what it has asked for, and resolved where `send` fails later, because its receiver
   * is gone. A service must live on then.
   * @throws EtfEncodeError, NodeError TRACE_TOKEN_INVALID
   */
  reply(to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    try {
      const sent = this.send(to, message, options);
      return sent === READY ? READY : sent.catch(() => {});
    } catch (error) {
      if ((error as { code?: unknown }).code === "CONN_OVERLOADED") return READY;
      throw error;
    }
  }

  /**
   * The oldest message that matches; the others stay. Given a reference: the oldest that is a tuple
   * with it among its elements, or with `[alias | Ref]`. Messages older than a reference made by
   * this node are passed over; a `Pattern` is asked of each message once.
   * @throws NodeError PROCESS_RECEIVE_TIMEOUT, PROCESS_DEAD; the abort signal's reason
   */
  receive<T extends Term>(
    wanted: ((message: Term) => message is T) | Pattern<T>,
    options?: ReceiveOptions,
  ): Promise<T>;
  receive(wanted?: Wanted, options?: ReceiveOptions): Promise<Term>;
  receive(wanted?: Wanted, options?: ReceiveOptions): Promise<Term> {
    return this.#openMailbox().receive(wanted, options);
  }

  /**
   * The messages that match, each as it comes, until the process ends.
   * @throws NodeError PROCESS_DEAD when it ends meanwhile; the abort signal's reason
   */
  messages<T extends Term>(options: {
    wanted: ((message: Term) => message is T) | Pattern<T>;
    signal?: AbortSignal;
  }): AsyncGenerator<T, void, undefined>;
  messages(options?: MessagesOptions): AsyncGenerator<Term, void, undefined>;
  async *messages(options: MessagesOptions = {}): AsyncGenerator<Term, void, undefined> {
    while (this.alive) yield await this.receive(options.wanted, options);
  }

  /** Every message in turn, until the process ends. */
  [Symbol.asyncIterator](): AsyncGenerator<Term, void, undefined> {
    return this.messages();
  }

  /** Starts a process of this node, with this one's group leader; see `node.spawn`. */
  spawn(body: ProcessBody): Process {
    return this.#spawn(body, () => {});
  }

  /** As `spawn`, linked before it runs. */
  spawnLink(body: ProcessBody): Process {
    return this.#spawn(body, (child) => this.link(child.pid));
  }

  /** As `spawn`, monitored before it runs; returns the process and the monitor. */
  spawnMonitor(body: ProcessBody, options?: MonitorOptions): [Process, Reference] {
    let ref: Reference | undefined;
    const child = this.#spawn(body, (process) => {
      ref = this.monitor(process.pid, options);
    });
    return [child, ref as Reference];
  }

  /**
   * Starts a process on a node, which runs a function there, as `spawn`, `spawn_link`,
   * `spawn_monitor` and `spawn_opt` with a node; resolves with its pid, monitored with the monitor
   * too. On this node: a function that is exposed.
   * @throws SpawnError SPAWN_FAILED when the node makes none; CallError CALL_TIMEOUT;
   *   EtfEncodeError; NodeError PROCESS_DEAD; the signal's reason
   */
  spawnOn(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: SpawnOnOptions & { monitor: true | MonitorOptions },
  ): Promise<[Pid, Reference]>;
  spawnOn(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options?: SpawnOnOptions & { monitor?: false },
  ): Promise<Pid>;
  async spawnOn(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: SpawnOnOptions = {},
  ): Promise<Pid | [Pid, Reference]> {
    this.#checkAlive();
    const what = remoteFunction(module, name, args);
    const { pid, ref } = await spawnOn(this.#kernel, this, asAtom(node), what, options);
    return options.monitor === undefined || options.monitor === false ? pid : [pid, ref];
  }

  /**
   * As `spawnOn`, and goes on at once, as `spawn_request`: the answer is a message
   * `{spawn_reply, Ref, ok, Pid}` or `{spawn_reply, Ref, error, Reason}` with the reference returned.
   * @throws EtfEncodeError
   */
  spawnRequest(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: SpawnRequestOptions = {},
  ): Reference {
    this.#checkAlive();
    const what = remoteFunction(module, name, args);
    return spawnRequest(this.#kernel, this, asAtom(node), what, options);
  }

  /**
   * Gives a spawn request up, as `spawn_request_abandon`: a process that is made after all is not
   * monitored and ends with `abandoned` if it was to be linked. Returns whether it was unanswered.
   */
  abandonSpawnRequest(ref: Reference): boolean {
    return this.#kernel.spawner.abandonRequest(this, ref);
  }

  #spawn(body: ProcessBody, prepare: (child: Process) => void): Process {
    this.#checkAlive();
    const behaviour = typeof body === "function" ? undefined : body;
    const child = this.#kernel.newProcess(this.groupLeader, behaviour);
    prepare(child);
    if (typeof body === "function") child.run(() => body(child));
    return child;
  }

  /**
   * Links this process to another, as `link/1`. To one that is not there it is linked and told of its
   * end with `noproc`, but for one of this node, when exits are not trapped.
   * @throws ErlangError error `noproc`
   */
  link(to: Pid): void {
    this.#checkAlive();
    this.#kernel.links.link(this, to);
  }

  unlink(from: Pid): void {
    this.#checkAlive();
    this.#kernel.links.unlink(this, from);
  }

  /** Monitors a process, as `monitor(process, Target)`; a `{'DOWN', Ref, …}` message tells of its end. */
  monitor(target: MonitorTarget, options: MonitorOptions = {}): Reference {
    this.#checkAlive();
    return this.#kernel.monitors.monitor(this, target, options);
  }

  /**
   * Takes a monitor back. With `flush`, a DOWN message that came already is taken out too.
   * Returns whether the monitor was still there.
   */
  demonitor(ref: Reference, options: { flush?: boolean } = {}): boolean {
    this.#checkAlive();
    const found = this.#kernel.monitors.demonitor(this, ref);
    if (options.flush === true) {
      this.#mailbox?.flush(
        (message) =>
          isTuple(message) &&
          message.length === 5 &&
          message[2] === PROCESS &&
          isReference(message[1]) &&
          message[1].equals(ref),
        ref,
      );
    }
    return found;
  }

  /**
   * A reference by which this process receives until `unalias`, as `alias/1`; given to others as
   * the address of a reply that is not wanted any more after some time. With `reply`, the first
   * message takes it back.
   */
  alias(options: { reply?: boolean } = {}): Reference {
    this.#checkAlive();
    return this.#kernel.aliases.alias(this, options.reply ?? false);
  }

  /** Takes an alias of this process back; returns whether it was in force. */
  unalias(ref: Reference): boolean {
    return this.aliases?.get(ref) !== undefined && this.#kernel.aliases.unalias(ref);
  }

  /**
   * Sends an exit signal to another process, as `exit/2`.
   * @throws EtfEncodeError, NodeError TRACE_TOKEN_INVALID
   */
  sendExit(to: Pid, reason: Term, options?: SignalOptions): void {
    this.#checkAlive();
    this.#kernel.signals.exit(this, to, reason, options?.traceToken);
  }

  /** Ends this process with a reason, as `exit/1`, by throwing through its function. */
  exit(reason: Term): never {
    throw ErlangError.exit(reason);
  }

  /**
   * Registers this process under a name of this node.
   * @throws NodeError PROCESS_NAME_INVALID for `undefined`, PROCESS_NAME_TAKEN
   */
  register(name: NameLike): void {
    this.#checkAlive();
    this.#kernel.signals.register(this, asAtom(name));
  }

  /** @internal Monitors a process without a message. */
  watch(target: Pid, onDown: OnDown): void {
    this.#kernel.monitors.monitorWith(this, target, this.#kernel.newReference(), onDown);
  }

  /** @internal A message of this node arrived, or one whose parts were read already. */
  deliver(message: Term, heapBytes?: number): void {
    if (!this.alive) return;
    this.#delivered++;
    if (this.#behaviour === undefined || this.#busy) {
      this.#openMailbox().push(message, heapBytes);
    } else this.#take(this.#behaviour, message);
  }

  /**
   * @internal A peer's message arrived, or what `makes` makes of its payload: read at once only if
   * this process takes it at once.
   * @throws DistProtocolError, EtfDecodeError when it is read and malformed
   */
  arrive(payload: Payload, makes?: MakesMessage): void {
    if (!this.alive) return;
    this.#delivered++;
    if (this.#behaviour === undefined || this.#busy) {
      this.#openMailbox().arrive(payload, makes);
      return;
    }
    const term = payload.read();
    this.#take(this.#behaviour, makes === undefined ? term : makes(term));
  }

  /** The behaviour takes a message, and those that come meanwhile. */
  #take(behaviour: Behaviour, message: Term): void {
    this.#handle(behaviour, message);
    this.#handleWaiting(behaviour);
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

  /** @internal As `exitFromLink`, with a reason that a peer sent. */
  exitFromPeer(from: Pid, reason: Payload): void {
    if (!this.alive || this.#service) return;
    if (this.trapExit) this.arrive(reason, exitMessage(from));
    else this.exitFromLink(from, reason.read());
  }

  /** @internal An `exit/2` signal arrived. */
  exitSignal(from: Pid, reason: Term): void {
    if (!this.alive || this.#service) return;
    if (reason === KILL) this.terminate(KILLED);
    else if (this.trapExit) this.deliver(tuple(EXIT, from, reason));
    else if (reason !== NORMAL || from.equals(this.pid)) this.terminate(reason);
  }

  /** @internal As `exitSignal`, with a reason that a peer sent. */
  exitSignalFromPeer(from: Pid, reason: Payload): void {
    if (!this.alive || this.#service) return;
    // Larger than any encoding of `kill`, a reason can wait to be read.
    if (this.trapExit && reason.bytes > KILL_BYTES) this.arrive(reason, exitMessage(from));
    else this.exitSignal(from, reason.read());
  }

  /**
   * @internal Ends the process: everybody else hears of it at once. `encoded` is the reason's
   * encoding, if it was made already.
   */
  terminate(reason: Term, encoded?: EncodedTerm): void {
    if (!this.alive) return;
    this.#exitReason = reason;
    this.#mailbox?.close(deadError(this));
    this.#kernel.signals.processEnded(this, reason, encoded);
    this.#ended?.abort(deadError(this));
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
      const { clock, mailboxBudget, references } = this.#kernel;
      this.#mailbox = new Mailbox(clock, mailboxBudget, references);
      if (!this.alive) this.#mailbox.close(deadError(this));
    }
    return this.#mailbox;
  }

  #checkAlive(): void {
    if (!this.alive) throw deadError(this);
  }
}

/** Bytes of the atom `kill` in its longest form. */
const KILL_BYTES = 7;

function exitMessage(from: Pid): MakesMessage {
  return (reason) => tuple(EXIT, from, reason);
}
