/**
 * Event managers of OTP, asked and told as `gen_event` does.
 *
 * Spec: stdlib/src/gen_event.erl. As Erlang terms:
 *   {notify, Event}                                    from anybody; no answer
 *   {Pid, {Pid, Tag}, Request} -> {Tag, Answer}        a call of gen, labelled with the caller's pid
 * Requests: {sync_notify, Event}, {call, Handler, Query}, which_handlers,
 * {add_handler, Handler, Args}, {delete_handler, Handler, Args},
 * {swap_handler, Handler1, Args1, Handler2, Args2}. A handler is a module or `{Module, Id}`.
 * Supervised handlers are left out: they end with the process that adds them, which is none of the
 * program's here. So are event managers of ours.
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

export class GenEventClient {
  readonly #gen: GenClient;

  constructor(gen: GenClient) {
    this.#gen = gen;
  }

  /**
   * Tells an event to every handler, as `gen_event:notify/2`. Resolves when more may be sent.
   * @throws EtfEncodeError
   */
  notify(manager: MonitorTarget, event: TermInput): Promise<void> {
    return this.#gen.tell(manager, tuple(NOTIFY, event));
  }

  /**
   * As `notify`, and resolves when every handler has handled it. No time-out unless given one.
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
   * Asks one handler, as `gen_event:call/3,4`; 5 seconds unless told otherwise. Resolves with the
   * reply, or with `{error, bad_module}` or `{error, {'EXIT', Reason}}`, as there.
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

  /** The handlers, as `gen_event:which_handlers/1`: modules, and `{Module, Id}`. */
  async whichHandlers(manager: MonitorTarget, options: GenCallOptions = {}): Promise<Term[]> {
    return (await this.#ask(manager, atom("which_handlers"), options)) as Term[];
  }

  /** Adds a handler, as `gen_event:add_handler/3`, and resolves with `ok` or what its init said. */
  addHandler(
    manager: MonitorTarget,
    handler: EventHandler,
    args: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    return this.#ask(manager, tuple(atom("add_handler"), handlerTerm(handler), args), options);
  }

  /** Takes a handler away, and resolves with what its terminate returned, or `{error, module_not_found}`. */
  deleteHandler(
    manager: MonitorTarget,
    handler: EventHandler,
    args: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    return this.#ask(manager, tuple(atom("delete_handler"), handlerTerm(handler), args), options);
  }

  /** Replaces a handler by another, as `gen_event:swap_handler/3`: what terminate returns goes to init. */
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
