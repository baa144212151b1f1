/**
 * rpc, the caller's side, as in OTP 25 and later.
 *
 * Spec: kernel/src/rpc.erl.
 *   call, async_call, cast, multicall     on top of erpc
 *   block_call, eval_everywhere           a request to `rex`, see rex.ts
 *   sbcast          {self(), {sbcast, Name, Msg}} to rex -> {rex, Node, Node | {nonexisting_name, Name}}
 *   multi_server_call   {self(), Msg} to {Name, Node}    -> {Name, Node, Reply}
 * Where OTP's `call` returns `{badrpc, Reason}`, this one rejects, because a function may itself
 * return `{badrpc, _}`; `badrpcOf` gives the term OTP would have returned. A thrown term is a result,
 * as in OTP. Calls on several nodes take the nodes as an argument, because `nodes()` leaves out the
 * hidden ones.
 */
import {
  type Atom,
  atomOf,
  exactEquals,
  isAtom,
  isTuple,
  type Term,
  type TermInput,
  toTerm,
  tuple,
} from "../../../etf/index.ts";
import { asAtom, asTerm, type NameLike, NORMAL } from "../../node/atoms.ts";
import { CallError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import { BLOCK_CALL, CAST, NONEXISTING_NAME, REX, SBCAST } from "../gen/atoms.ts";
import { CallRequest } from "../gen/call-request.ts";
import { badrpcOf, callerEnded, RemoteError } from "../gen/errors.ts";
import type { GenClient } from "../gen/gen.ts";
import type { CallOptions, Erpc } from "./erpc.ts";

/** A function and its arguments, for `parallelEval`. */
export type FunctionCall = readonly [module: NameLike, name: NameLike, args: readonly TermInput[]];

/**
 * Calls functions on other nodes, as module `rpc`: `node.rpc`.
 *
 * ```ts
 * const release = await node.rpc.call("b@host", "erlang", "system_info", [atom("otp_release")]);
 * const { results, badNodes } = await node.rpc.multicall(node.nodes(), "erlang", "node", []);
 * ```
 */
export class Rpc {
  readonly #node: NodeCore;
  readonly #erpc: Erpc;
  readonly #gen: GenClient;

  constructor(node: NodeCore, erpc: Erpc, gen: GenClient) {
    this.#node = node;
    this.#erpc = erpc;
    this.#gen = gen;
  }

  /**
   * Applies a function on a node and resolves with what it returns or throws.
   *
   * @throws RemoteError REMOTE_EXIT, REMOTE_ERROR where OTP returns `{badrpc, {'EXIT', _}}`;
   *   CallError CALL_NO_CONNECTION (`{badrpc, nodedown}`), CALL_TIMEOUT (`{badrpc, timeout}`),
   *   CALL_NOT_SUPPORTED; EtfEncodeError when an argument is not a term; the signal's reason
   */
  async call(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<Term> {
    try {
      return refuseExit(await this.#erpc.call(node, module, name, args, options));
    } catch (error) {
      if (!(error instanceof RemoteError) || error.code !== "REMOTE_THROW") throw error;
      return refuseExit(error.reason);
    }
  }

  /**
   * As `call`, but the function blocks the other node's `rex`: further requests to it wait until the
   * function is done.
   * @throws as `call`; the class of an exception is not known
   */
  async blockCall(
    node: NameLike,
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<Term> {
    const { groupLeader = this.#node.groupLeader, timeoutMs = Number.POSITIVE_INFINITY } = options;
    const request = tuple(BLOCK_CALL, asTerm(module), asTerm(name), [...args], groupLeader);
    const { signal } = options;
    const result = await this.#gen.call([REX, node], request, {
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    if (isTuple(result, 2) && isAtom(result[0], "badrpc")) refuseExit(result[1]);
    return refuseExit(result);
  }

  /** As `call`, answered later: the request's `receive` is `yield`, its `wait` is `nb_yield`. */
  asyncCall(
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

  /** Applies a function on a node without waiting; its result and its errors are dropped. */
  cast(node: NameLike, module: NameLike, name: NameLike, args: readonly TermInput[]): void {
    this.#erpc.cast(node, module, name, args);
  }

  /**
   * Applies a function on several nodes at once. As in OTP, `results` follows the order of the nodes,
   * without those that could not be reached or did not answer in time, and an exception is a result
   * `{badrpc, _}`; `erpc.multicall` tells them apart.
   * @throws EtfEncodeError, NodeError NODE_STOPPED; the signal's reason
   */
  async multicall(
    nodes: readonly NameLike[],
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
    options: CallOptions = {},
  ): Promise<{ results: Term[]; badNodes: string[] }> {
    const calls = nodes.map((node) => this.call(node, module, name, args, options));
    const results: Term[] = [];
    const badNodes: string[] = [];
    for (const [index, answer] of (await Promise.allSettled(calls)).entries()) {
      if (answer.status === "fulfilled") results.push(answer.value);
      else if (isUnanswered(answer.reason)) badNodes.push(String(nodes[index]));
      else results.push(badrpcOf(answer.reason));
    }
    return { results, badNodes };
  }

  /** Casts to several nodes. */
  evalEverywhere(
    nodes: readonly NameLike[],
    module: NameLike,
    name: NameLike,
    args: readonly TermInput[],
  ): void {
    const { groupLeader } = this.#node;
    const request = tuple(CAST, asTerm(module), asTerm(name), [...args], groupLeader);
    for (const node of nodes) void this.#gen.cast([REX, node], request);
  }

  /** Sends a message to the process registered as `name` on each node. */
  abcast(nodes: readonly NameLike[], name: NameLike, message: TermInput): void {
    for (const node of nodes) void this.#node.send([name, node], message);
  }

  /**
   * As `abcast`, and reports which nodes have that name. When it resolves, the message is in the
   * mailboxes of those nodes' processes; they may not have read it yet.
   */
  async sbcast(
    nodes: readonly NameLike[],
    name: NameLike,
    message: TermInput,
  ): Promise<{ goodNodes: string[]; badNodes: string[] }> {
    const answers = await this.#serverCalls(nodes, REX, REX, tuple(SBCAST, asTerm(name), message));
    const isGood = (answer: Term | undefined): boolean =>
      answer !== undefined && !(isTuple(answer, 2) && answer[0] === NONEXISTING_NAME);
    const names = nodes.map(String);
    return {
      goodNodes: names.filter((_, index) => isGood(answers[index])),
      badNodes: names.filter((_, index) => !isGood(answers[index])),
    };
  }

  /**
   * Sends `{Pid, Message}` to the process registered as `name` on each node, which should answer
   * `{Name, Node, Reply}` to the pid. Nodes that do not have the name, or are lost, are `badNodes`.
   */
  async multiServerCall(
    nodes: readonly NameLike[],
    name: NameLike,
    message: TermInput,
  ): Promise<{ replies: Term[]; badNodes: string[] }> {
    const answers = await this.#serverCalls(nodes, asAtom(name), asTerm(name), message);
    return {
      replies: answers.filter((answer) => answer !== undefined),
      badNodes: nodes.map(String).filter((_, index) => answers[index] === undefined),
    };
  }

  /**
   * As `multiServerCall` with one node, whose answer begins with `replyWrapper` instead of the name.
   * @throws CallError CALL_NO_CONNECTION when the node does not have the name, or is lost
   */
  async serverCall(
    node: NameLike,
    name: NameLike,
    replyWrapper: Term,
    message: TermInput,
  ): Promise<Term> {
    const [answer] = await this.#serverCalls([node], asAtom(name), replyWrapper, message);
    if (answer !== undefined) return answer;
    const text = `${String(name)} on ${String(node)} does not exist, ended, or was lost.`;
    throw new CallError("CALL_NO_CONNECTION", text, true);
  }

  /**
   * Applies the functions all at once, distributed over the nodes in turn. Resolves with the results in
   * the order of the functions; an exception or a lost node is `{badrpc, _}`.
   * @throws EtfEncodeError, NodeError NODE_STOPPED
   */
  async parallelEval(nodes: readonly NameLike[], calls: readonly FunctionCall[]): Promise<Term[]> {
    return Promise.all(this.#spread(nodes, calls).map((call) => call.catch(badrpcOf)));
  }

  /**
   * As `lists:map/2`: applies the function to each element and the extra arguments, distributed over
   * the nodes in turn.
   * @throws as `call`, where OTP exits with `badrpc`
   */
  async pmap(
    nodes: readonly NameLike[],
    [module, name]: readonly [NameLike, NameLike],
    extraArgs: readonly TermInput[],
    list: readonly TermInput[],
  ): Promise<Term[]> {
    const calls = list.map((element) => [module, name, [element, ...extraArgs]] as const);
    return Promise.all(this.#spread(nodes, calls));
  }

  #spread(nodes: readonly NameLike[], calls: readonly FunctionCall[]): Promise<Term>[] {
    return calls.map(([module, name, args], index) =>
      this.call(nodes[index % nodes.length] as NameLike, module, name, args),
    );
  }

  /** The reply of each node to `{self(), Message}`; undefined for a node that will not reply. */
  #serverCalls(
    nodes: readonly NameLike[],
    name: Atom,
    replyWrapper: Term,
    message: TermInput,
  ): Promise<(Term | undefined)[]> {
    const term = toTerm(message);
    return new Promise((resolve, reject) => {
      const answers: (Term | undefined)[] = nodes.map(() => undefined);
      const waiting = new Map(
        nodes.map((node, index) => [index, { node: asAtom(node), ref: this.#node.newReference() }]),
      );
      const done = (index: number): void => {
        waiting.delete(index);
        if (waiting.size > 0) return;
        resolve(answers);
        caller.terminate(NORMAL);
      };
      const caller = this.#node.spawn({
        message: (reply) => {
          if (!isTuple(reply, 3) || !exactEquals(reply[0], replyWrapper)) return;
          for (const [index, { node, ref }] of waiting) {
            if (node !== atomOf(reply[1])) continue;
            caller.demonitor(ref);
            answers[index] = reply[2];
            done(index);
            return;
          }
        },
        terminated: () => reject(callerEnded(this.#node)),
      });
      if (waiting.size === 0) done(0);
      for (const [index, { node, ref }] of [...waiting]) {
        this.#node.runtime.monitorWith(caller, [name, node], ref, () => done(index));
        if (waiting.has(index)) void caller.send([name, node], tuple(caller.pid, term));
      }
    });
  }
}

/** A result `{'EXIT', Reason}` counts as an exit, as OTP's rpc has always had it. */
function refuseExit(result: Term): Term {
  if (isTuple(result, 2) && isAtom(result[0], "EXIT")) {
    throw new RemoteError("exit", result[1]);
  }
  return result;
}

/** Whether the node is one of multicall's bad nodes. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof CallError &&
    (error.code === "CALL_NO_CONNECTION" || error.code === "CALL_TIMEOUT")
  );
}
