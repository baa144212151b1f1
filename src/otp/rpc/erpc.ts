/**
 * erpc, caller and callee: the function runs in a process spawned for it, whose exit reason is the
 * answer.
 *
 * Spec: kernel/src/erpc.erl of OTP 23 to 29.
 *   caller -> callee   SPAWN_REQUEST of erpc:execute_call(ResRef, M, F, Args), monitored by ReqId
 *   callee -> caller   the process's exit reason: {ResRef, return, V}, {ResRef, throw, R},
 *                      {ResRef, exit, R}, {ResRef, error, R, Stack} or {ResRef, error, {erpc, R}}
 *   cast               SPAWN_REQUEST of erpc:execute_cast(M, F, Args), not monitored
 * `rpc:call` of OTP 25 and later uses this too. Request ids are objects, see call-request.ts; a
 * multicall returns results and errors as `Promise.allSettled` does.
 */
import {
  type Atom,
  atom,
  isReference,
  isTuple,
  type Pid,
  type Reference,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { asTerm, BADARG, ERROR, type NameLike } from "../../node/atoms.ts";
import { CallError, timeoutError } from "../../node/errors.ts";
import { ErlangError, type ErlangException, exceptionOf } from "../../node/exceptions.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { limitWait } from "../../node/process/wait-limits.ts";
import { ERPC, EXCEPTION } from "../gen/atoms.ts";
import { type Answer, CallRequest, CallRequests } from "../gen/call-request.ts";
import { callerEnded, lostError, RemoteError } from "../gen/errors.ts";

/** Options of a call to a function. */
export interface CallOptions {
  /** Milliseconds to wait for the answer. Default: no limit. */
  timeoutMs?: number;
  /** Abandons the call when it fires. The function may still run. */
  signal?: AbortSignal;
  /** The process that gets what the function prints. Default: the node's group leader. */
  groupLeader?: Pid;
}

const EXECUTE_CALL: Atom<"execute_call"> = atom("execute_call");
const EXECUTE_CAST: Atom<"execute_cast"> = atom("execute_cast");
const RETURN: Atom<"return"> = atom("return");
const THROW: Atom<"throw"> = atom("throw");
const EXIT: Atom<"exit"> = atom("exit");

/**
 * Calls functions on other nodes, as module `erpc`: `node.erpc`.
 *
 * ```ts
 * const sum = await node.erpc.call("b@host", "lists", "sum", [[1, 2, 3]], { timeoutMs: 5000 });
 * ```
 */
export class Erpc {
  readonly #node: NodeCore;
  /** Sends the requests. Answers are matched by reference, so it handles no messages. */
  #caller: Process;
  /** Fails each pending call. */
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(node: NodeCore) {
    this.#node = node;
    this.#caller = this.#newCaller();
  }

  /**
   * Applies a function on a node and resolves with what it returns.
   *
   * @throws RemoteError REMOTE_EXIT, REMOTE_ERROR, REMOTE_THROW when the function ends with an
   *   exception; CallError CALL_NO_CONNECTION, CALL_TIMEOUT, CALL_NOT_SUPPORTED;
   *   NodeError NODE_STOPPED; EtfEncodeError when an argument is not a term; the signal's reason
   */
  async call(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<Term> {
    options.signal?.throwIfAborted();
    const nodeName = String(node);
    return new Promise((resolve, reject) => {
      const resRef = this.#node.newReference();
      let over = false;
      let release: (() => void) | undefined;
      const settled = (): void => {
        over = true;
        this.#waiting.delete(giveUp);
        release?.();
      };
      const giveUp = (error: unknown): void => {
        settled();
        this.#node.runtime.abandonSpawn(request);
        reject(error);
      };
      const request = this.#node.runtime.requestSpawn(
        this.#liveCaller(),
        nodeName,
        {
          module: ERPC,
          function: EXECUTE_CALL,
          args: [resRef, asTerm(module), asTerm(name), [...args]],
        },
        {
          groupLeader: options.groupLeader ?? this.#node.groupLeader,
          onError: (reason, lost) => {
            settled();
            reject(lost === undefined ? spawnError(nodeName, reason) : lostError(nodeName, lost));
          },
          onDown: (reason, lost) => {
            settled();
            try {
              if (lost !== undefined) throw lostError(nodeName, lost);
              resolve(resultIn(reason, resRef));
            } catch (error) {
              reject(error);
            }
          },
        },
      );
      // This node, or a peer that cannot spawn, may have answered already.
      if (over) return;
      this.#waiting.add(giveUp);
      const timedOut = (timeoutMs: number): void => giveUp(timeoutError(nodeName, timeoutMs));
      release = limitWait(this.#node.clock, options, timedOut, giveUp);
    });
  }

  /** Applies a function on a node without waiting; its result and its errors are dropped. */
  cast(node: NameLike, module: NameLike, name: NameLike, args: readonly TermInput[]): void {
    this.#node.runtime.requestSpawn(
      this.#liveCaller(),
      String(node),
      { module: ERPC, function: EXECUTE_CAST, args: [asTerm(module), asTerm(name), [...args]] },
      { groupLeader: this.#node.groupLeader, onError: () => {} },
    );
  }

  /** Sends a call and returns at once; read the answer from the request. Only reading it can time out. */
  sendRequest(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: Pick<CallOptions, "groupLeader"> = {},
  ): CallRequest {
    return new CallRequest(this.#node.clock, (signal) =>
      this.call(node, module, name, args, { ...options, signal }),
    );
  }

  /** Makes an empty collection of requests; it takes those of `gen` too. */
  requests<Label = undefined>(): CallRequests<Label> {
    return new CallRequests(this.#node.clock);
  }

  /**
   * Applies a function on several nodes at once. Resolves with the outcomes in the order of the nodes.
   * One time-out holds for all of them.
   */
  async multicall(
    nodes: readonly NameLike[],
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<Answer[]> {
    return Promise.allSettled(nodes.map((node) => this.call(node, module, name, args, options)));
  }

  /** Casts to several nodes. */
  multicast(
    nodes: readonly NameLike[],
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
  ): void {
    for (const node of nodes) this.cast(node, module, name, args);
  }

  #newCaller(): Process {
    return this.#node.spawn({
      message: () => {},
      terminated: () => {
        const error = callerEnded(this.#node);
        for (const giveUp of [...this.#waiting]) giveUp(error);
      },
    });
  }

  /** Any node may end the caller by an exit signal; then a new one takes its place. */
  #liveCaller(): Process {
    if (!this.#caller.alive) this.#caller = this.#newCaller();
    return this.#caller;
  }
}

/** Lets other nodes apply this node's exposed functions with erpc, and so with rpc. */
export function serveErpc({ core: node }: { core: NodeCore }): undefined {
  node.runtime.functions.exposeProcess("erpc", "execute_call", 4, (self, args, caller) => {
    const [resRef, module, name, callArgs] = args as [Term, Term, Term, Term];
    const returned = (value: TermInput): void => self.answer(tuple(resRef, RETURN, value));
    const failed = (error: unknown): void => self.answer(failure(resRef, exceptionOf(error)));
    return attempt(() => applyList(node, self, caller, module, name, callArgs), returned, failed);
  });
  node.runtime.functions.exposeProcess("erpc", "execute_cast", 3, (self, args, caller) => {
    const [module, name, callArgs] = args as [Term, Term, Term];
    const failed = (error: unknown): void => {
      const { class: exceptionClass, reason, stack } = exceptionOf(error);
      if (exceptionClass !== "error") throw error;
      throw ErlangError.error(tuple(EXCEPTION, tuple(reason, stack)));
    };
    return attempt(
      () => applyList(node, self, caller, module, name, callArgs),
      () => {},
      failed,
    );
  });
}

/** Applies an exposed function. @throws ErlangError error `badarg` when `args` is not a list */
export function applyList(
  node: NodeCore,
  self: Process,
  caller: Pid,
  module: Term,
  name: Term,
  args: Term,
): TermInput | Promise<TermInput> {
  if (!Array.isArray(args) || isTuple(args)) throw ErlangError.error(BADARG);
  return node.runtime.functions.apply({ self, caller }, module, name, args);
}

/** Runs a function whose result may be a promise, and passes the result or the error on. */
export function attempt(
  run: () => TermInput | Promise<TermInput>,
  returned: (value: TermInput) => void,
  failed: (error: unknown) => void,
): void | Promise<void> {
  let result: TermInput | Promise<TermInput>;
  try {
    result = run();
    if (!(result instanceof Promise)) {
      returned(result);
      return;
    }
  } catch (error) {
    failed(error);
    return;
  }
  return result.then(returned).catch(failed);
}

function failure(resRef: Term, exception: ErlangException): Term {
  const { reason, stack } = exception;
  switch (exception.class) {
    case "throw":
      return tuple(resRef, THROW, reason);
    case "exit":
      return tuple(resRef, EXIT, reason);
    case "error":
      return tuple(resRef, ERROR, reason, stack);
  }
}

/**
 * The result in the exit reason of the process that ran the function.
 * @throws RemoteError
 */
function resultIn(reason: Term, resRef: Reference): Term {
  if (isTuple(reason) && isReference(reason[0]) && reason[0].equals(resRef)) {
    const [, kind, value = false, stack] = reason;
    if (reason.length === 3) {
      if (kind === RETURN) return value;
      if (kind === THROW) throw new RemoteError("throw", value);
      if (kind === EXIT) throw new RemoteError("exit", value);
    }
    if (kind === ERROR) throw new RemoteError("error", value, stack);
  }
  // An exit signal ended the process: its reason is the answer.
  throw new RemoteError("exit", reason, undefined, { signal: true });
}

function spawnError(node: string, reason: Atom): CallError {
  return new CallError(
    "CALL_NOT_SUPPORTED",
    `${node} did not run the function: it answered ${reason.name} to the spawn request.`,
    false,
  );
}
