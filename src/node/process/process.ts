/**
 * A process of this node: a pid, a mailbox (or a behaviour that takes messages as they come),
 * links, monitors, and the exit signals that reach it.
 *
 * A JavaScript function cannot be stopped from outside. A process that was killed is dead to all
 * others at once, and whatever its function does with the process next throws PROCESS_DEAD.
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
   * A token of seq_trace: one that came with a message, or one that `traceToken` made. It goes out
   * with this signal, with this process as its sender and its serial increased by one. Signals
   * within the node, and to a peer that cannot read its label, leave it out. Default: none.
   */
  traceToken?: Term;
}

export interface SendOptions extends SignalOptions {
  /**
   * `copy`, the default: the message is copied, so you may change its buffers after `send` returns.
   * `reference`: binaries of 32 KiB and more are not copied. Do not change them before the promise of
   * `send` settles: it does when the operating system has taken them, or the connection has ended.
   * A message that waits for a connection is copied in either case. A process of this node gets the
   * arrays and buffers themselves.
   */
  binaries?: "copy" | "reference";
}

/** What can be monitored: a pid, a name of this node, or `[name, node]`. */
export type MonitorTarget = Pid | NameLike | readonly [NameLike, NameLike];

/** Handles the messages of a process as they come, one at a time. It replaces a mailbox. */
export interface Behaviour {
  /**
   * Handles a message. Further messages wait until it has returned and the promise that it returned,
   * if any, has settled. An exception ends the process.
   */
  message(message: Term, self: Process): unknown;
  /** Called when the process has ended, with the reason that its links saw. Exceptions are ignored. */
  terminated?(reason: Term): void;
}

/** A settled promise, for operations that need no waiting. */
export const READY: Promise<void> = Promise.resolve();

/** What runs as a process: a function, which gets the process as its argument, or a behaviour. */
export type ProcessBody = Behaviour | ((self: Process) => unknown);

/** Options of `Process.messages`. */
export interface MessagesOptions {
  /** Which messages to take; the others stay in the mailbox. Default: all. */
  wanted?: Wanted;
  /** Ends the iteration: it throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A process of this node. `node.spawn` makes one; its function gets it as the argument.
 *
 * ```ts
 * node.spawn(async (self) => {
 *   self.register("echo");
 *   for await (const message of self) {
 *     if (isTuple(message, 2) && isPid(message[0])) await self.send(message[0], message[1]);
 *   }
 * });
 * ```
 */
export class Process {
  readonly pid: Pid;
  /** Gets the output of the code that this process runs on other nodes. */
  groupLeader: Pid;
  /** When true, exit signals of links arrive as `{'EXIT', Pid, Reason}` messages. */
  trapExit = false;
  /** How lists of processes show this process, as set by `proc_lib:set_label/1`. */
  label: Term | undefined;
  /** @internal Made when first needed, like the tables below: most processes live briefly. */
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
  /** The behaviour is handling a message, or its promise has not settled. */
  #busy = false;
  #exitReason: Term | undefined;
  #ended: AbortController | undefined;

  /** @internal @param service whether it is a service of the node, which exit signals do not end */
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

  /** Whether the process has not ended. */
  get alive(): boolean {
    return this.#exitReason === undefined;
  }

  /**
   * Aborts when the process has ended, with a NodeError PROCESS_DEAD. Hand it to whatever the process
   * starts elsewhere.
   */
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
   * Bytes of the messages that wait in the mailbox: their bytes on the wire, or their bytes of heap
   * once a receive has read them.
   */
  get messageBytes(): number {
    return this.#mailbox?.bytes ?? 0;
  }

  /**
   * Bytes of waiting messages above which this process ends with the reason `killed`, as by the flag
   * max_heap_size in OTP; the node emits the event `log` then. Default Infinity: only the node's
   * option `maxMailboxBytes` applies.
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

  /** @internal Messages received so far; erldist reports them as reductions. */
  get reductions(): number {
    return this.#delivered;
  }

  /**
   * Sends a message. A message to a pid or name that does not exist is dropped, as in Erlang. A
   * message to an unknown node connects to it first.
   *
   * Await the promise to keep pace with the receiver's node: it resolves at once, unless more than
   * the high-water mark waits on the connection. If you keep sending without awaiting, `send` throws
   * CONN_OVERLOADED once more than `maxQueuedBytes` wait: that message is not sent, all before it are.
   * The promise rejects when the connection ends or cannot be established while it waits; how much
   * of the waiting messages arrived is unknown then. You may ignore the promise.
   *
   * @throws EtfEncodeError when the message is not a term; NodeError PROCESS_NAME_UNKNOWN for a name
   *   that is not registered on this node, TRACE_TOKEN_INVALID; ConnectionClosedError CONN_OVERLOADED.
   *   The promise: the error that ended or prevented the connection
   */
  send(to: Destination, message: TermInput, options?: SendOptions): Promise<void> {
    this.#checkAlive();
    return this.#kernel.signals.send(this, to, message, options);
  }

  /**
   * Sends an answer from a service that must outlive its clients. It is like `send`, but drops the
   * answer where `send` throws CONN_OVERLOADED, and resolves where the promise of `send` rejects.
   * @throws EtfEncodeError, NodeError PROCESS_NAME_UNKNOWN, TRACE_TOKEN_INVALID
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
   * Resolves with the oldest message that matches, and takes it out of the mailbox; others stay.
   * @param wanted default: every message. A reference matches a tuple that has the reference, or
   *   `[alias | Ref]`, among its elements; messages older than a reference of this node are skipped. A
   *   `Pattern` is tried once for each message
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
   * Iterates over the messages that match, as they come, until the process ends.
   * @throws NodeError PROCESS_DEAD when it ends during the iteration; the abort signal's reason
   */
  messages<T extends Term>(options: {
    wanted: ((message: Term) => message is T) | Pattern<T>;
    signal?: AbortSignal;
  }): AsyncGenerator<T, void, undefined>;
  messages(options?: MessagesOptions): AsyncGenerator<Term, void, undefined>;
  async *messages(options: MessagesOptions = {}): AsyncGenerator<Term, void, undefined> {
    while (this.alive) yield await this.receive(options.wanted, options);
  }

  /** Iterates over all messages, until the process ends. */
  [Symbol.asyncIterator](): AsyncGenerator<Term, void, undefined> {
    return this.messages();
  }

  /** Starts a process of this node, with this process's group leader; see `node.spawn`. */
  spawn(body: ProcessBody): Process {
    return this.#spawn(body, () => {});
  }

  /** Like `spawn`, and links the new process before it runs. */
  spawnLink(body: ProcessBody): Process {
    return this.#spawn(body, (child) => this.link(child.pid));
  }

  /** Like `spawn`, and monitors the new process before it runs. Returns the process and the monitor. */
  spawnMonitor(body: ProcessBody, options?: MonitorOptions): [Process, Reference] {
    let ref: Reference | undefined;
    const child = this.#spawn(body, (process) => {
      ref = this.monitor(process.pid, options);
    });
    return [child, ref as Reference];
  }

  /**
   * Starts a process on a node, which runs a function there, as Erlang's `spawn`, `spawn_link`,
   * `spawn_monitor` and `spawn_opt` with a node. On this node, the function must be exposed.
   * Resolves with the pid; with the option `monitor`, with the pid and the monitor.
   * @throws SpawnError SPAWN_FAILED when the node did not start it; CallError CALL_TIMEOUT;
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
   * Like `spawnOn`, without waiting, as `spawn_request`. The answer comes as a message
   * `{spawn_reply, Ref, ok, Pid}` or `{spawn_reply, Ref, error, Reason}` with the returned reference.
   * @throws EtfEncodeError, NodeError PROCESS_DEAD
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
   * Abandons a spawn request, as `spawn_request_abandon`. If the process starts all the same, it is
   * not monitored, and it ends with `abandoned` if it should have been linked. Returns whether the
   * request was still unanswered.
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
   * Links this process to another, as `link/1`. If that process does not exist, an exit signal with
   * `noproc` follows, unless it would be a process of this node and this process does not trap exits.
   * @throws ErlangError error `noproc` in that case; NodeError PROCESS_DEAD
   */
  link(to: Pid): void {
    this.#checkAlive();
    this.#kernel.links.link(this, to);
  }

  /** Removes the link to another process, as `unlink/1`. Its exit signal does not arrive afterwards. */
  unlink(from: Pid): void {
    this.#checkAlive();
    this.#kernel.links.unlink(this, from);
  }

  /**
   * Monitors a process, as `monitor(process, Target)`: when it ends, or does not exist, the message
   * `{'DOWN', Ref, process, Target, Reason}` arrives once.
   */
  monitor(target: MonitorTarget, options: MonitorOptions = {}): Reference {
    this.#checkAlive();
    return this.#kernel.monitors.monitor(this, target, options);
  }

  /**
   * Removes a monitor. With `flush`, also removes its DOWN message if that has arrived already.
   * Returns whether the monitor was still active.
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
   * Makes an alias, as `alias/1`: a reference under which this process receives messages until
   * `unalias`. Use it as the address of a reply that you may stop waiting for. With `reply`, the
   * first message ends it.
   */
  alias(options: { reply?: boolean } = {}): Reference {
    this.#checkAlive();
    return this.#kernel.aliases.alias(this, options.reply ?? false);
  }

  /** Ends an alias of this process. Returns whether it was active. */
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

  /** Ends this process with a reason, as `exit/1`: it throws an ErlangError through your function. */
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

  /** @internal Monitors a process; calls `onDown` instead of sending a message. */
  watch(target: Pid, onDown: OnDown): void {
    this.#kernel.monitors.monitorWith(this, target, this.#kernel.newReference(), onDown);
  }

  /** @internal Takes a message of this node, or one that has been read already. */
  deliver(message: Term, heapBytes?: number): void {
    if (!this.alive) return;
    this.#delivered++;
    if (this.#behaviour === undefined || this.#busy) {
      this.#openMailbox().push(message, heapBytes);
    } else this.#take(this.#behaviour, message);
  }

  /**
   * @internal Takes a peer's message, or what `makes` makes of its payload. Reads it now only if the
   * behaviour can handle it now.
   * @throws DistProtocolError, EtfDecodeError when it reads a malformed one
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

  /** Has the behaviour handle a message, and those that arrive meanwhile. */
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

  /** Has the behaviour handle the messages that arrived while it was busy. */
  #handleWaiting(behaviour: Behaviour): void {
    while (!this.#busy && this.alive) {
      const message = this.#mailbox?.shift();
      if (message === undefined) return;
      this.#handle(behaviour, message);
    }
  }

  /** @internal Takes the exit signal of a link. */
  exitFromLink(from: Pid, reason: Term): void {
    if (!this.alive || this.#service) return;
    if (this.trapExit) this.deliver(tuple(EXIT, from, reason));
    else if (!exactEquals(reason, NORMAL)) this.terminate(reason);
  }

  /** @internal Like `exitFromLink`, with a reason that a peer sent. */
  exitFromPeer(from: Pid, reason: Payload): void {
    if (!this.alive || this.#service) return;
    if (this.trapExit) this.arrive(reason, exitMessage(from));
    else this.exitFromLink(from, reason.read());
  }

  /** @internal Takes an exit signal of `exit/2`. */
  exitSignal(from: Pid, reason: Term): void {
    if (!this.alive || this.#service) return;
    if (reason === KILL) this.terminate(KILLED);
    else if (this.trapExit) this.deliver(tuple(EXIT, from, reason));
    else if (reason !== NORMAL || from.equals(this.pid)) this.terminate(reason);
  }

  /** @internal Like `exitSignal`, with a reason that a peer sent. */
  exitSignalFromPeer(from: Pid, reason: Payload): void {
    if (!this.alive || this.#service) return;
    // A reason that is too long to be `kill` need not be read yet.
    if (this.trapExit && reason.bytes > KILL_BYTES) this.arrive(reason, exitMessage(from));
    else this.exitSignal(from, reason.read());
  }

  /**
   * @internal Ends the process, and notifies its links and monitors at once.
   * @param encoded the encoding of the reason, if it exists already
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
      // No links are left to see it, and the caller, which ended the process, is not to blame.
    }
  }

  /**
   * @internal Ends the process with a reason for which another node waits as an answer.
   * @throws EtfEncodeError when it is not a term; the process does not end then
   */
  answer(reason: TermInput): void {
    const encoded = new EncodedTerm(reason);
    this.terminate(toTerm(reason), encoded);
  }

  /** @internal Runs the function of the process, which ends with it. */
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
