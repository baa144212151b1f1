/**
 * The loop of a GenServer: takes a message, calls the callback, does what it returned.
 *
 * Spec: stdlib/src/gen_server.erl. Logged when the server crashes or has no callback for a message:
 *   #{label => {gen_server,terminate}, name, last_message, state, log, reason, client_info}
 *   #{label => {gen_server,no_handle_info}, module, message}     (no_handle_cast for a cast)
 */
import { type Atom, atom, type Pid, type Term, TermMap, tuple } from "../../../etf/index.ts";
import { LABEL } from "../../node/atoms.ts";
import {
  type ErlangException,
  exceptionOf,
  exitReasonOf,
  UndefError,
} from "../../node/exceptions.ts";
import { CODE_CHANGE, GEN_SERVER, IN, MODULE, OUT, TERMINATE, TIMEOUT } from "../gen/atoms.ts";
import { StartError } from "../gen/errors.ts";
import { type From, genCallIn, genCastIn, genReply } from "../gen/gen.ts";
import { clientInfo } from "./client-info.ts";
import type { ServerCallbacks, ServerStatus } from "./gen-server-callbacks.ts";
import type { OtpNode } from "./otp-node.ts";
import { endWith, isQuiet } from "./proc-lib.ts";
import { asResult, type Result } from "./result.ts";
import { shown, text } from "./shown.ts";
import { data, SystemProcess, type Timer } from "./system-process.ts";

const NOREPLY: Atom<"noreply"> = atom("noreply");
const BAD_RETURN_VALUE: Atom<"bad_return_value"> = atom("bad_return_value");

/** What a callback was called with, for the report if the server ends in it. */
interface Given {
  readonly message: Term;
  /** The caller, if it was a call. */
  readonly from?: From;
}

const THEN_KEYS = ["noreply", "timeoutMs", "continue", "hibernate"];
const RESULT_KEYS: ReadonlySet<string> = new Set([...THEN_KEYS, "reply", "stop"]);
const INIT_KEYS: ReadonlySet<string> = new Set([...THEN_KEYS, "stop", "error", "ignore"]);

/** Runs a GenServer's callbacks in its process. */
export class GenServerLoop extends SystemProcess {
  protected override readonly module: Atom = GEN_SERVER;
  readonly #server: ServerCallbacks;
  #timer: Timer | undefined;
  /** The time-out of the wait for the next message. */
  #timeoutMs: number | undefined;

  constructor(node: OtpNode, callbackModule: Atom, server: ServerCallbacks) {
    super(node, callbackModule);
    this.#server = server;
  }

  protected override init(): unknown {
    let result: unknown;
    try {
      result = this.#server.init?.();
    } catch (error) {
      return this.#initThrew(error);
    }
    if (!(result instanceof Promise)) return this.#initDone(result);
    return result.then(
      (value) => this.#initDone(value),
      (error: unknown) => this.#initThrew(error),
    );
  }

  protected override handle(message: Term): unknown {
    this.#stopTimer();
    if (this.debug.active) this.debug.event(tuple(IN, message));
    const server = this.#server;
    const call = genCallIn(message);
    if (call !== undefined) {
      const { request } = call;
      const from = call.from as From;
      return this.#dispatch({ message: request, from }, () => {
        if (server.handleCall !== undefined) return server.handleCall(request, from);
        throw new UndefError(this.callbackModule, atom("handle_call"), [
          request,
          from as Term,
          this.state(),
        ]);
      });
    }
    const cast = genCastIn(message);
    if (cast !== undefined) {
      return this.#dispatch({ message }, () =>
        server.handleCast === undefined
          ? this.#unhandled("no_handle_cast", cast)
          : server.handleCast(cast),
      );
    }
    return this.#dispatch({ message }, () =>
      server.handleInfo === undefined
        ? this.#unhandled("no_handle_info", message)
        : server.handleInfo(message),
    );
  }

  protected override stop(reason: Term, message: Term): unknown {
    return this.#terminate({ class: "exit", reason, stack: [] }, { message });
  }

  protected override pause(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  protected override resume(): void {
    if (this.#timeoutMs !== undefined) this.#startTimer(this.#timeoutMs);
  }

  protected override state(): Term {
    return shown(this.#server.state);
  }

  protected override replaceState(state: Term): Term {
    this.#server.replaceState(state);
    return this.state();
  }

  protected override changeCode(oldVsn: Term, extra: Term): unknown {
    if (this.#server.codeChange !== undefined) return this.#server.codeChange(oldVsn, extra);
    throw new UndefError(this.callbackModule, CODE_CHANGE, [oldVsn, this.state(), extra]);
  }

  protected override statusItems(state: Atom, parent: Term): Term[] {
    const status = this.#formatted({ state: this.#server.state });
    return [
      this.header("generic server"),
      this.generalData(state, parent),
      data([["State", status.state]]),
    ];
  }

  protected override printEvent(event: Term): string {
    const name = text(this.name);
    const [kind, what, to, state] = event as [Term, Term, Term, Term];
    if (kind === NOREPLY) return `${name} new state ${text(what)}`;
    if (kind === OUT) {
      const [pid] = to as [Pid];
      return `${name} sent ${text(what)} to ${text(pid, "~tw")}, new state ${text(state)}`;
    }
    if (kind !== IN) return `${name} dbg  ${text(event)}`;
    const call = genCallIn(what);
    if (call !== undefined) {
      const [pid] = call.from as readonly Term[] as [Pid];
      return `${name} got call ${text(call.request)} from ${text(pid, "~tw")}`;
    }
    const cast = genCastIn(what);
    return `${name} got ${cast === undefined ? text(what) : `cast ${text(cast)}`}`;
  }

  #initDone(result: unknown): unknown {
    const given = asResult(result, INIT_KEYS);
    if (given === undefined) {
      const reason = tuple(BAD_RETURN_VALUE, shown(result));
      return this.refused(StartError.failed(reason), reason);
    }
    if (this.refusedBy(given)) return;
    this.started();
    return this.#then(given);
  }

  #initThrew(error: unknown): unknown {
    const exception = exceptionOf(error);
    if (exception.class === "throw") return this.#initDone(exception.reason);
    return this.notStarted(StartError.failed(exitReasonOf(exception)), exception);
  }

  #dispatch(given: Given, callback: () => unknown): unknown {
    let result: unknown;
    try {
      result = callback();
    } catch (error) {
      return this.#threw(error, given);
    }
    if (!(result instanceof Promise)) return this.#done(result, given);
    return result.then(
      (value) => this.#done(value, given),
      (error: unknown) => this.#threw(error, given),
    );
  }

  #done(returned: unknown, given: Given): unknown {
    if (!this.self.alive) return;
    const result = asResult(returned, RESULT_KEYS);
    if (result === undefined || ("reply" in result && given.from === undefined)) {
      const reason = tuple(BAD_RETURN_VALUE, shown(returned));
      return this.#terminate({ class: "exit", reason, stack: [] }, given);
    }
    if ("stop" in result) {
      const reason = shown(result.stop);
      return this.#terminate({ class: "exit", reason, stack: [] }, given, result);
    }
    try {
      this.#answer(result, given);
    } catch (error) {
      return this.#threw(error, given);
    }
    return this.#then(result);
  }

  /** Sends the reply of a result, if it has one. @throws EtfEncodeError */
  #answer(result: Result, given: Given): void {
    const replies = "reply" in result && given.from !== undefined;
    if (replies) genReply(this.self, given.from as Term, result.reply as Term);
    if (!this.debug.active) return;
    const event = replies
      ? tuple(OUT, shown(result.reply), given.from as Term, this.state())
      : tuple(NOREPLY, this.state());
    this.debug.event(event);
  }

  #then(result: Result): unknown {
    if (result.timeoutMs !== undefined) this.#startTimer(Number(result.timeoutMs));
    if (result.continue === undefined) return;
    const server = this.#server;
    const continuation = result.continue;
    const message = tuple(atom("continue"), shown(continuation));
    if (this.debug.active) this.debug.event(message);
    return this.#dispatch({ message }, () => {
      if (server.handleContinue !== undefined) return server.handleContinue(continuation);
      const args = [shown(continuation), this.state()];
      throw new UndefError(this.callbackModule, atom("handle_continue"), args);
    });
  }

  #threw(error: unknown, given: Given): unknown {
    if (!this.self.alive) return;
    const exception = exceptionOf(error);
    // As in OTP, a thrown value counts as a returned one.
    if (exception.class === "throw") return this.#done(exception.reason, given);
    return this.#terminate(exception, given);
  }

  #terminate(exception: ErlangException, given: Given, result?: Result): unknown {
    this.#stopTimer();
    const end = (last: ErlangException): void => {
      if (!this.self.alive) return;
      if (last.class !== "exit" || !isQuiet(last.reason)) this.#report(last, given);
      try {
        if (result !== undefined) this.#answer(result, given);
      } catch {
        // The reply is not a term: the caller is notified of the server's end instead.
      }
      endWith(this.node, this.self, last);
    };
    let done: unknown;
    try {
      done = this.#server.terminate?.(exitReasonOf(exception));
    } catch (error) {
      return end(exceptionOf(error));
    }
    if (!(done instanceof Promise)) return end(exception);
    return done.then(
      () => end(exception),
      (error: unknown) => end(exceptionOf(error)),
    );
  }

  #report(exception: ErlangException, { message, from }: Given): void {
    const { class: exceptionClass, reason, stack } = exception;
    // A `stop` result has no stack trace, unlike a raised exit.
    const stopped = exceptionClass === "exit" && stack.length === 0;
    this.node.runtime.log(() => {
      const status = this.#formatted({ state: this.#server.state, reason, message });
      const why = shown(status.reason);
      const rows: [string, Term][] = [
        ["label", tuple(this.module, TERMINATE)],
        ["name", this.name],
        ["last_message", shown(status.message)],
        ["state", shown(status.state)],
        ["log", [...this.debug.logged]],
        ["reason", stopped ? why : tuple(why, stack)],
        ["client_info", clientInfo(this.node, from?.[0])],
      ];
      const report = new TermMap<Term, Term>(rows.map(([key, value]) => [atom(key), value]));
      return { level: "error", report, pid: this.self.pid };
    });
  }

  #formatted(status: ServerStatus): ServerStatus {
    try {
      return this.#server.formatStatus?.({ ...status }) ?? status;
    } catch {
      return { ...status, state: `${this.callbackModule.name}:format_status/1 crashed` };
    }
  }

  #unhandled(label: string, message: Term): void {
    const { callbackModule: module, self } = this;
    this.node.runtime.log(() => {
      const report = new TermMap<Term, Term>([
        [LABEL, tuple(this.module, atom(label))],
        [MODULE, module],
        [atom("message"), message],
      ]);
      return { level: "warning", report, pid: self.pid };
    });
  }

  #startTimer(timeoutMs: number): void {
    if (!Number.isFinite(timeoutMs)) return;
    this.#timeoutMs = timeoutMs;
    this.#timer = this.node.clock.setTimer(timeoutMs, () => this.self.deliver(TIMEOUT));
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timeoutMs = undefined;
  }
}
