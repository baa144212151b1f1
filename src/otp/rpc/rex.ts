/**
 * The server `rex`, which answers rpc's functions other than `call`, and `rpc:call` from nodes
 * without erpc (OTP 22, C nodes, Jinterface).
 *
 * Spec: kernel/src/rpc.erl of OTP 23 to 29. As Erlang terms:
 *   {From, {call, M, F, Args, GroupLeader}}             -> {rex, Result} to From
 *   '$gen_call' {call | block_call, M, F, Args, GL}     -> Result
 *   '$gen_cast' {cast, M, F, Args, GL}
 *   {From, {sbcast, Name, Msg}}                         -> {rex, Node, Node | {nonexisting_name, Name}}
 *   {From, {send, Name, Msg}}                           -> Name gets {From, Msg}
 *   {From, features_request}                            -> {features_reply, Node, [erpc]}
 * GroupLeader is a pid. `user` and `send_stdout_to_caller` stand for this node's group leader, since
 * exposed functions do not print to it. While the function of a block_call runs, rex takes no other
 * request.
 */
import {
  type Atom,
  atom,
  atomOf,
  isPid,
  isTuple,
  type Pid,
  type Term,
  type TermInput,
  tuple,
} from "../../../etf/index.ts";
import { exceptionOf } from "../../node/exceptions.ts";
import type { NodeCore } from "../../node/node.ts";
import type { Process } from "../../node/process/process.ts";
import { BLOCK_CALL, CALL, CAST, ERPC, NONEXISTING_NAME, REX, SBCAST } from "../gen/atoms.ts";
import { badrpcOf, RemoteError } from "../gen/errors.ts";
import {
  type GenCaller,
  type GenHandlers,
  genService,
  type ServiceProcess,
} from "../gen/gen-service.ts";
import { applyList, attempt } from "./erpc.ts";

const SEND: Atom<"send"> = atom("send");
const FEATURES_REQUEST: Atom<"features_request"> = atom("features_request");
const FEATURES_REPLY: Atom<"features_reply"> = atom("features_reply");

/** Makes the server `rex`. */
export function serveRex({ core }: { core: NodeCore }): ServiceProcess {
  return { make: () => genService(new Rex(core)) };
}

class Rex implements GenHandlers {
  readonly #node: NodeCore;

  constructor(node: NodeCore) {
    this.#node = node;
  }

  call(request: Term, caller: GenCaller, self: Process): void | Promise<void> {
    const done = this.#run(self, request, caller.pid, [CALL, BLOCK_CALL], (result) =>
      caller.reply(result),
    );
    return isTuple(request) && request[0] === BLOCK_CALL ? done : undefined;
  }

  cast(request: Term, self: Process): void {
    void this.#run(self, request, self.pid, [CAST], () => {});
  }

  info(message: Term, self: Process): void {
    if (!isTuple(message, 2) || !isPid(message[0])) return;
    const [from, request] = message;
    this.#info(self, from, request);
  }

  #info(self: Process, from: Pid, request: Term): void {
    if (request === FEATURES_REQUEST) {
      void self.reply(from, tuple(FEATURES_REPLY, atom(this.#node.name), [ERPC]));
      return;
    }
    if (!isTuple(request)) return;
    const [kind, nameTerm, payload] = request;
    const name = request.length === 3 ? atomOf(nameTerm) : undefined;
    if (kind === SBCAST && name !== undefined) {
      const ownName = atom(this.#node.name);
      const sent = this.#deliver(self, name, payload as Term);
      const answer = sent ? ownName : tuple(NONEXISTING_NAME, nameTerm as Term);
      void self.reply(from, tuple(REX, ownName, answer));
    } else if (kind === SEND && name !== undefined) {
      if (!this.#deliver(self, name, tuple(from, payload as Term))) {
        const answer = tuple(NONEXISTING_NAME, nameTerm as Term);
        void self.reply(from, tuple(REX, atom(this.#node.name), answer));
      }
    } else {
      void this.#run(
        self,
        request,
        from,
        [CALL],
        (result) => void self.reply(from, tuple(REX, result)),
      );
    }
  }

  #deliver(self: Process, name: Atom, message: TermInput): boolean {
    if (this.#node.whereis(name) === undefined) return false;
    void self.send(name, message);
    return true;
  }

  /**
   * Applies the function of `{Kind, M, F, Args, GroupLeader}` in a new process; resolves when that has
   * ended. If an exit signal ends it, the caller gets that reason.
   */
  #run(
    self: Process,
    request: Term,
    caller: Pid,
    kinds: readonly Atom[],
    answer: (result: TermInput) => void,
  ): Promise<void> | undefined {
    if (!isTuple(request, 5)) return undefined;
    const [kind, module, name, args, leader] = request;
    if (!kinds.includes(kind as Atom)) return undefined;
    const process = this.#node.runtime.newProcess(isPid(leader) ? leader : this.#node.groupLeader);
    return new Promise((resolve) => {
      let answered = false;
      const once = (result: TermInput): void => {
        answer(result);
        answered = true;
      };
      this.#node.runtime.monitorWith(self, process.pid, this.#node.newReference(), (reason) => {
        if (!answered) answer(badrpcOf(new RemoteError("exit", reason)));
        resolve();
      });
      process.run(() =>
        attempt(
          () => applyList(this.#node, process, caller, module, name, args),
          once,
          (error) => once(badrpc(error)),
        ),
      );
    });
  }
}

/** What `rpc:call` returns for an exception: a thrown term itself, else `{badrpc, {'EXIT', _}}`. */
function badrpc(thrown: unknown): Term {
  const { class: exceptionClass, reason, stack } = exceptionOf(thrown);
  if (exceptionClass === "throw") return reason;
  return new RemoteError(exceptionClass, reason, exceptionClass === "error" ? stack : undefined)
    .badrpc;
}
