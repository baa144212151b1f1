/**
 * Calls between processes, as OTP's `gen` makes them for `gen_server:call` and the like. The calls
 * of `gen_statem` are the same messages.
 *
 *   caller -> server   {'$gen_call', {CallerPid, [alias | Ref]}, Request}, after a monitor with Ref
 *   server -> caller   {[alias | Ref], Reply} to the alias Ref; OTP 23, which has no aliases, sends it
 *                      to CallerPid
 * A server is called by pid or name. The default time-out is OTP's, 5 seconds.
 */
import {
  type Atom,
  atom,
  ImproperList,
  isList,
  isPid,
  isReference,
  isTuple,
  type Pid,
  type Reference,
  type Term,
  type TermInput,
  type Tuple,
  tuple,
} from "../../../etf/index.ts";
import type { NameLike } from "../../node/atoms.ts";
import { CallError } from "../../node/errors.ts";
import type { NodeCore } from "../../node/node.ts";
import type { MonitorTarget, Process } from "../../node/process/process.ts";
import { GEN_CAST } from "./atoms.ts";
import { CallRequest } from "./call-request.ts";
import { RemoteError } from "./errors.ts";
import { MonitoredRequests, type RequestForm } from "./monitored-requests.ts";

/** Limits of a call. */
export interface GenCallOptions {
  /** Milliseconds to wait for the reply. Default 5,000, as in OTP; Infinity for no limit. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** The outcome of a call on several nodes. */
export interface GenMultiCallResult {
  /** In the order of the nodes. */
  readonly replies: readonly { readonly node: string; readonly reply: Term }[];
  /** Nodes whose server does not exist, ended, or did not reply in time. */
  readonly badNodes: readonly string[];
}

const GEN_CALL: Atom<"$gen_call"> = atom("$gen_call");
const ALIAS: Atom<"alias"> = atom("alias");
const DEFAULT_TIMEOUT_MS = 5000;

/** The caller and its reply's tag, as `gen` sends them with a call. */
export type From = Tuple<[pid: Pid, tag: Term]>;

/** A call, as its server receives it. */
export interface GenCall {
  readonly request: Term;
  readonly from: From;
}

/** Reads a message as a call; undefined if it is not one. */
export function genCallIn(message: Term): GenCall | undefined {
  if (!isTuple(message, 3) || message[0] !== GEN_CALL) return undefined;
  const [, from, request] = message;
  return isFrom(from) ? { request, from } : undefined;
}

function isFrom(term: Term): term is From {
  return isTuple(term, 2) && isPid(term[0]);
}

/** Reads the request of a cast; undefined if the message is not one. */
export function genCastIn(message: Term): Term | undefined {
  if (!isTuple(message, 2) || message[0] !== GEN_CAST) return undefined;
  return message[1];
}

/** Replies to a call, as `gen_server:reply/2`. @throws EtfEncodeError */
export function genReply(self: Process, from: Term, reply: TermInput): void {
  if (!isTuple(from, 2)) return;
  const [pid, tag] = from;
  const to = aliasOf(tag) ?? pid;
  if (isPid(to) || isReference(to)) void self.reply(to, tuple(tag, reply));
}

/** The alias in a tag `[alias | Ref]` or `[[alias | Ref] | Label]`, where Label may be a list. */
function aliasOf(tag: Term): Reference | undefined {
  const first = isList(tag) ? tag[0] : tag instanceof ImproperList ? tag.elements[0] : undefined;
  const inner = first instanceof ImproperList ? first : tag;
  if (!(inner instanceof ImproperList) || inner.elements.length !== 1) return undefined;
  return inner.elements[0] === ALIAS && isReference(inner.tail) ? inner.tail : undefined;
}

/**
 * Calls and casts to servers of any node: `node.gen`.
 *
 * ```ts
 * const count = await node.gen.call(["counter", "b@host"], atom("get"), { timeoutMs: 1000 });
 * await node.gen.cast(["counter", "b@host"], tuple(atom("add"), 5));
 * ```
 */
export class GenClient {
  readonly #node: NodeCore;
  readonly #requests: MonitoredRequests;

  constructor(node: NodeCore) {
    this.#node = node;
    this.#requests = new MonitoredRequests(node, answerIn);
  }

  /**
   * Calls a server, as `gen_server:call/3`, and resolves with its reply. The default time-out is
   * 5,000 ms; `gen_statem:call/2` has none, so pass `Infinity` to do the same.
   *
   * @throws CallError CALL_TIMEOUT, CALL_NO_CONNECTION; RemoteError REMOTE_EXIT when the server
   *   does not exist (`noproc`) or ends before it replies; NodeError NODE_STOPPED; EtfEncodeError;
   *   the signal's reason
   */
  call(server: MonitorTarget, request: TermInput, options: GenCallOptions = {}): Promise<Term> {
    return this.callAs(GEN_CALL, server, request, options);
  }

  /** @internal Makes a call with another label: `{Label, From, Request}`. Default: the caller's pid. */
  callAs(
    label: Atom | undefined,
    server: MonitorTarget,
    request: TermInput,
    options: GenCallOptions = {},
  ): Promise<Term> {
    const form: RequestForm = {
      message: (caller, ref) =>
        tuple(label ?? caller, tuple(caller, new ImproperList<Term>([ALIAS], ref)), request),
      ended: (reason) => new RemoteError("exit", reason),
      aliased: true,
    };
    return this.#requests.ask(server, form, { timeoutMs: DEFAULT_TIMEOUT_MS, ...options });
  }

  /** Sends a call and returns at once; read the reply from the request. Only reading it can time out. */
  sendRequest(server: MonitorTarget, request: TermInput): CallRequest {
    return new CallRequest(this.#node.clock, (signal) =>
      this.call(server, request, { timeoutMs: Number.POSITIVE_INFINITY, signal }),
    );
  }

  /**
   * Casts to a server, as `gen_server:cast/2`. Resolves when more may be sent. A cast to a name that
   * does not exist is dropped.
   * @throws EtfEncodeError
   */
  cast(server: MonitorTarget, request: TermInput): Promise<void> {
    return this.tell(server, tuple(GEN_CAST, request));
  }

  /** @internal Sends a message of gen's protocol; to a name that does not exist it is dropped. */
  tell(server: MonitorTarget, message: TermInput): Promise<void> {
    return this.#requests.tell(server, message);
  }

  /**
   * Calls the servers of one name on several nodes, as `gen_server:multi_call/4`. One time-out holds
   * for all of them; the default is none. Later replies are dropped.
   * @throws NodeError NODE_STOPPED; EtfEncodeError; the signal's reason
   */
  async multiCall(
    nodes: readonly NameLike[],
    name: NameLike,
    request: TermInput,
    options: GenCallOptions = {},
  ): Promise<GenMultiCallResult> {
    const limits = { timeoutMs: Number.POSITIVE_INFINITY, ...options };
    const calls = nodes.map((node) => this.call([name, node], request, limits));
    const answers = await Promise.allSettled(calls);
    const replies: { node: string; reply: Term }[] = [];
    const badNodes: string[] = [];
    for (const [index, answer] of answers.entries()) {
      const node = String(nodes[index]);
      if (answer.status === "fulfilled") replies.push({ node, reply: answer.value });
      else if (isOfServer(answer.reason)) badNodes.push(node);
      else throw answer.reason;
    }
    return { replies, badNodes };
  }

  /**
   * Casts to the servers of one name on several nodes, as `gen_server:abcast/3`. Resolves when more
   * may be sent to all of them.
   * @throws EtfEncodeError
   */
  async abcast(nodes: readonly NameLike[], name: NameLike, request: TermInput): Promise<void> {
    await Promise.all(nodes.map((node) => this.cast([name, node], request)));
  }
}

/** Reads an answer: `{[alias | Ref], Reply}`, or `{Ref, Reply}`. */
function answerIn(message: Term): readonly [Reference, Term] | undefined {
  if (!isTuple(message, 2)) return undefined;
  const [tag, reply] = message;
  const ref = isReference(tag) ? tag : aliasOf(tag);
  return ref === undefined ? undefined : [ref, reply];
}

/** Whether a call failed because of its server, and not because of the caller. */
function isOfServer(error: unknown): boolean {
  return error instanceof RemoteError || error instanceof CallError;
}
