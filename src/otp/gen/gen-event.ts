/**
 * A client of OTP's event managers, as module `gen_event`.
 *
 * Spec: stdlib/src/gen_event.erl. As Erlang terms:
 *   {notify, Event}                                    from any process; no answer
 *   {Pid, {Pid, Tag}, Request} -> {Tag, Answer}        a call of gen, labelled with the caller's pid
 * Requests: {sync_notify, Event}, {call, Handler, Query}, which_handlers,
 * {add_handler, Handler, Args}, {delete_handler, Handler, Args},
 * {swap_handler, Handler1, Args1, Handler2, Args2}. A handler is a module or `{Module, Id}`.
 * Supervised handlers are left out: they end with the process that adds them, and here that is a
 * process of the client and not of the program. erldist has no event managers of its own.
 */
import { type Atom, atom, isTuple, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import { asTerm, type NameLike } from "../../node/atoms.ts";
import type { MonitorTarget } from "../../node/process/process.ts";
import { CALL } from "./atoms.ts";
import type { GenCallOptions, GenClient } from "./gen.ts";

/** A module, or a module and an id: `[module, id]` is `{Module, Id}`. */
export type EventHandler = NameLike | readonly [module: NameLike, id: TermInput];

const NOTIFY: Atom<"notify"> = atom("notify");
const SYNC_NOTIFY: Atom<"sync_notify"> = atom("sync_notify");
const NO_LIMIT: GenCallOptions = { timeoutMs: Number.POSITIVE_INFINITY };

/**
 * Sends events to event managers and queries their handlers: `node.genEvent`.
 *
 * ```ts
 * await node.genEvent.notify(["alarms", "b@host"], tuple(atom("disk_full"), "/var"));
 * const handlers = await node.genEvent.whichHandlers(["alarms", "b@host"]);
 * ```
 */
export class GenEventClient {
  readonly #gen: GenClient;

  constructor(gen: GenClient) {
    this.#gen = gen;
  }

  /**
   * Sends an event to every handler, as `gen_event:notify/2`. Resolves when more may be sent.
   * @throws EtfEncodeError
   */
  notify(manager: MonitorTarget, event: TermInput): Promise<void> {
    return this.#gen.tell(manager, tuple(NOTIFY, event));
  }

  /**
   * As `notify`, but resolves once every handler has handled the event. Default: no time-out.
   * @throws as `GenClient.call`
   */
  async syncNotify(
    manager: MonitorTarget,
    event: TermInput,
    options: GenCallOptions = {},
  ): Promise<void> {
    await this.#ask(manager, tuple(SYNC_NOTIFY, event), options);
  }

  /**
   * Calls one handler, as `gen_event:call/3,4`; the default time-out is 5,000 ms. Resolves with the
   * reply or, as in OTP, with `{error, bad_module}` or `{error, {'EXIT', Reason}}`.
   * @throws as `GenClient.call`
   */
  call(
    manager: MonitorTarget,
    handler: EventHandler,
    query: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    const request = tuple(CALL, handlerTerm(handler), query);
    return this.#gen.callAs(undefined, manager, request, options);
  }

  /** Lists the handlers, as `gen_event:which_handlers/1`: modules, and `{Module, Id}`. */
  async whichHandlers(manager: MonitorTarget, options: GenCallOptions = {}): Promise<Term[]> {
    return (await this.#ask(manager, atom("which_handlers"), options)) as Term[];
  }

  /** Adds a handler, as `gen_event:add_handler/3`. Resolves with `ok`, or what its init returned. */
  addHandler(
    manager: MonitorTarget,
    handler: EventHandler,
    args: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    return this.#ask(manager, tuple(atom("add_handler"), handlerTerm(handler), args), options);
  }

  /** Removes a handler. Resolves with what its terminate returned, or with `{error, module_not_found}`. */
  deleteHandler(
    manager: MonitorTarget,
    handler: EventHandler,
    args: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    return this.#ask(manager, tuple(atom("delete_handler"), handlerTerm(handler), args), options);
  }

  /** Replaces one handler by another, as `gen_event:swap_handler/3`: init gets what terminate returned. */
  swapHandler(
    manager: MonitorTarget,
    [from, fromArgs]: readonly [EventHandler, TermInput],
    [to, toArgs]: readonly [EventHandler, TermInput],
    options: GenCallOptions = {},
  ): Promise<Term> {
    const swap = atom("swap_handler");
    const request = tuple(swap, handlerTerm(from), fromArgs, handlerTerm(to), toArgs);
    return this.#ask(manager, request, options);
  }

  #ask(manager: MonitorTarget, request: TermInput, options: GenCallOptions): Promise<Term> {
    return this.#gen.callAs(undefined, manager, request, { ...NO_LIMIT, ...options });
  }
}

function handlerTerm(handler: EventHandler): TermInput {
  if (!Array.isArray(handler) || isTuple(handler)) return asTerm(handler);
  const [module, id] = handler;
  return tuple(asTerm(module), id);
}
