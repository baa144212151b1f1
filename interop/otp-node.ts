/** An Erlang node of a chosen release: started from a test, it evaluates Erlang for it. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { compileErlang } from "./compile.ts";
import { ControlChannel } from "./control.ts";
import { untilForgotten } from "./epmd.ts";
import { InteropError } from "./errors.ts";
import type { NetworkHost } from "./namespaces.ts";
import { type Program, type ProgramEnd, startProgram } from "./program.ts";
import { hostPath, type OtpRelease, otpRelease, temporaryFolder } from "./releases.ts";
import { homeName, interopRun, removeLeftoverHomes, writeCookie } from "./run.ts";
import { waitUntil, within } from "./wait.ts";

/** What kind of node to start. */
export interface OtpNodeOptions {
  /** A release by name ("25", or "path" for the `erl` on the PATH), or the one that `eachOtp` passes. */
  otp: string | OtpRelease;
  /** The part before the `@`; default a name that no other node on this machine has. */
  name?: string;
  /** The part after the `@`; default the one that `erl` chooses for short names, `127.0.0.1` for long ones. */
  host?: string;
  /** `-name` instead of `-sname`. Default false. */
  longNames?: boolean;
  /** Default the run's. It is in `.erlang.cookie` in the node's own HOME, not on the command line. */
  cookie?: string;
  /** Default the run's. If no EPMD listens there, the node starts one, as `erl` does. */
  epmdPort?: number;
  /** `-hidden`. Default false. */
  hidden?: boolean;
  /** False for a node without distribution: no name, no EPMD. Default true. */
  distribution?: boolean;
  /** More arguments for `erl`, after those of the harness: `["-kernel", "net_ticktime", "4"]`. */
  args?: readonly string[];
  /** Added to the node's environment. */
  env?: Readonly<Record<string, string>>;
  /** Start it in one of two network namespaces; see `createNetworkHosts`. */
  namespace?: NetworkHost;
  /** Default 60,000. */
  startTimeoutMs?: number;
}

/** Variables and the time limit of an evaluation. */
export interface EvalOptions {
  /** Variables, by name, to bind to binaries. */
  bindings?: Readonly<Record<string, Uint8Array>>;
  /** Default 60,000. After that the evaluating process is killed. */
  timeoutMs?: number;
}

/** Evaluates in one Erlang process that lasts: it keeps variables, mailbox, links and monitors. */
export interface OtpSession extends AsyncDisposable {
  /** As `OtpNode.eval`; calls wait for those before. */
  eval(text: string, options?: EvalOptions): Promise<string>;
  /** As `OtpNode.evalBytes`; calls wait for those before. */
  evalBytes(text: string, options?: EvalOptions): Promise<Uint8Array>;
  /** Ends the process, with reason `killed`. */
  close(): void;
}

/** A running Erlang node. */
export interface OtpNode extends AsyncDisposable {
  /** `bilbo@host`; `nonode@nohost` without distribution. */
  readonly name: string;
  /** The release it runs. */
  readonly otp: OtpRelease;
  readonly cookie: string;
  /** The process id of the emulator on this machine. */
  readonly osPid: number;
  /** What the node printed. */
  readonly log: string;
  /** Resolves when the emulator has ended, for whatever reason. */
  readonly exited: Promise<ProgramEnd>;
  /**
   * Evaluates Erlang expressions, separated by commas, in a new process that ends with them, and returns the
   * value of the last as `~0tp` prints it. The full stop at the end is optional. What they print goes to the
   * log, and may get there after `eval` has returned: see `printed`.
   * @throws OtpEvalError INTEROP_EVAL with class, reason and stack; InteropError INTEROP_TIMEOUT, INTEROP_NODE_ENDED
   */
  eval(text: string, options?: EvalOptions): Promise<string>;
  /** As `eval`; returns the value in external term format, as `term_to_binary` writes it. */
  evalBytes(text: string, options?: EvalOptions): Promise<Uint8Array>;
  /** Starts a process that lasts, for tests in several steps. */
  session(): OtpSession;
  /** Compiles and loads a module: a path to an `.erl` file, or `kvs`, `erldist_echo` of `interop/erlang/`. */
  loadModule(module: string): Promise<void>;
  /**
   * Waits until the node has printed something that `pattern` matches, and returns the match. Output takes
   * another way than results: it may arrive after the result of the `eval` that printed it.
   * @throws InteropError INTEROP_TIMEOUT (default 60,000 ms)
   */
  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** Stops the emulator with SIGSTOP: its sockets stay open, and it does not answer. */
  freeze(): void;
  /** Continues a frozen emulator. */
  thaw(): void;
  /** Sends SIGKILL; resolves when the node is gone. `await using` does the same: a graceful stop takes a second. */
  kill(): Promise<void>;
  /** Calls `init:stop()`, and sends SIGKILL after 60 s; resolves when the node is gone. */
  stop(): Promise<void>;
}

/** How long a node or a shell may take to start. */
export const START_TIMEOUT_MS = 60_000;
const EVAL_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;

/**
 * Starts an Erlang node. Resolves when it can evaluate and distribution is up.
 * @throws InteropError INTEROP_OTP_MISSING, INTEROP_START_FAILED (with its output), INTEROP_TIMEOUT
 */
export async function startOtpNode(options: OtpNodeOptions): Promise<OtpNode> {
  const prepared = await prepareNode(options);
  const { otp, name, cookie } = prepared;
  const harness = await compileErlang(otp, "erldist_harness");
  const program = await startProgram({
    otp,
    command: [
      "erl",
      "-noshell",
      "-noinput",
      ...prepared.args,
      ...(options.args ?? []),
      "-pa",
      harness.folder,
      "-s",
      "erldist_harness",
    ],
    env: prepared.env,
    namespace: options.namespace,
    channel: true,
    label: `OTP ${otp.release} node ${name}`,
  });
  void program.exited.then(prepared.ended);
  const channel = new ControlChannel(program.channel!, name);
  const early = program.exited.then(({ code, signal }) => {
    channel.end(
      new InteropError("INTEROP_NODE_ENDED", `${name} has ended (${signal ?? `code ${code}`})`),
    );
    throw new InteropError(
      "INTEROP_START_FAILED",
      `${program.label} ended before it was up (${signal ?? `code ${code}`}); its output:\n${program.log}`,
    );
  });
  early.catch(() => {});
  try {
    const ready = await within(
      Promise.race([channel.ready, early]),
      options.startTimeoutMs ?? START_TIMEOUT_MS,
      `${program.label} to start`,
    );
    return new RunningNode(program, channel, otp, ready.name, cookie);
  } catch (error) {
    await program.kill();
    throw error;
  }
}

/** What `erl` needs to start a node: a name, a HOME with the cookie, an EPMD port. */
export interface PreparedNode {
  otp: OtpRelease;
  /** The node's name, without its host if `erl` chooses that. */
  name: string;
  cookie: string;
  /** Name, cookie and the like for `erl`'s command line. */
  args: string[];
  env: Record<string, string>;
  /** To call when the node has ended: removes its HOME, and notes that its name becomes free. */
  ended: () => void;
}

/** The folders where a run has removed what others left. */
const tidied = new Set<string>();

/** Names of nodes that have ended, with the EPMD port: EPMD notices that a moment later. */
const endedNames = new Set<string>();

/** Prepares what a node and an interactive shell have in common; waits until EPMD has freed a name used before. */
export async function prepareNode(options: OtpNodeOptions): Promise<PreparedNode> {
  const run = await interopRun();
  const otp = typeof options.otp === "string" ? otpRelease(options.otp) : options.otp;
  const alive = options.name ?? run.uniqueName(`otp${otp.release}`);
  const longNames = options.longNames ?? false;
  const host = options.host ?? (longNames ? "127.0.0.1" : undefined);
  const name = host === undefined ? alive : `${alive}@${host}`;
  const cookie = options.cookie ?? run.cookie;

  const temporary = temporaryFolder(otp);
  const home = join(temporary, homeName(run.mark));
  const homeHere = hostPath(otp, home);
  const tidy = `${run.mark} ${hostPath(otp, temporary)}`;
  if (!tidied.has(tidy)) {
    tidied.add(tidy);
    removeLeftoverHomes(hostPath(otp, temporary));
  }
  const epmdPort = options.epmdPort ?? run.epmdPort;
  const registered = `${alive} ${epmdPort}`;
  if (options.namespace === undefined && endedNames.delete(registered)) {
    await untilForgotten(alive, epmdPort);
  }
  writeCookie(homeHere, cookie);
  const forget = run.atEnd(() => rmSync(homeHere, { recursive: true, force: true }));

  const args: string[] = [];
  if (options.distribution !== false) {
    args.push(longNames ? "-name" : "-sname", name);
    if (options.hidden === true) args.push("-hidden");
  }
  return {
    otp,
    name,
    cookie,
    args,
    env: {
      HOME: home,
      ERL_EPMD_PORT: String(epmdPort),
      ...options.env,
    },
    ended() {
      forget();
      rmSync(homeHere, { recursive: true, force: true });
      endedNames.add(registered);
    },
  };
}

class RunningNode implements OtpNode {
  readonly name: string;
  readonly otp: OtpRelease;
  readonly cookie: string;
  readonly #program: Program;
  readonly #channel: ControlChannel;
  #sessions = 0;
  #frozen = false;

  constructor(
    program: Program,
    channel: ControlChannel,
    otp: OtpRelease,
    name: string,
    cookie: string,
  ) {
    this.#program = program;
    this.#channel = channel;
    this.otp = otp;
    this.name = name;
    this.cookie = cookie;
  }

  get osPid(): number {
    return this.#program.child.pid!;
  }

  get log(): string {
    return this.#program.log;
  }

  get exited(): Promise<ProgramEnd> {
    return this.#program.exited;
  }

  async eval(text: string, options?: EvalOptions): Promise<string> {
    return (await this.#request(0, text, "text", options)).toString("utf8");
  }

  evalBytes(text: string, options?: EvalOptions): Promise<Uint8Array> {
    return this.#request(0, text, "external", options);
  }

  session(): OtpSession {
    const session = ++this.#sessions;
    // One request at a time, as the process answers them one by one.
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = (text: string, form: "text" | "external", options?: EvalOptions) => {
      const answer = last.then(() => this.#request(session, text, form, options));
      last = answer.catch(() => {});
      return answer;
    };
    const close = () => this.#channel.endSession(session);
    return {
      eval: async (text, options) => (await inTurn(text, "text", options)).toString("utf8"),
      evalBytes: (text, options) => inTurn(text, "external", options),
      close,
      [Symbol.asyncDispose]: async () => close(),
    };
  }

  async #request(
    session: number,
    text: string,
    form: "text" | "external",
    options: EvalOptions = {},
  ): Promise<Buffer> {
    const { id, answer } = this.#channel.eval({
      session,
      text,
      bindings: options.bindings ?? {},
      form,
    });
    try {
      return await within(
        answer,
        options.timeoutMs ?? EVAL_TIMEOUT_MS,
        `${this.name} to evaluate ${JSON.stringify(text.slice(0, 200))}`,
      );
    } catch (error) {
      if (error instanceof InteropError && error.code === "INTEROP_TIMEOUT") {
        this.#channel.cancel(id);
      }
      throw error;
    }
  }

  async loadModule(module: string): Promise<void> {
    const { name, folder } = await compileErlang(this.otp, module);
    await this.eval(
      `code:purge('${name}'), {module, '${name}'} = code:load_abs("${folder}/${name}")`,
    );
  }

  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray> {
    return waitUntil(() => this.log.match(pattern), {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      description: `${this.name} to print ${pattern}`,
    });
  }

  freeze(): void {
    this.#frozen = true;
    this.#program.signal("SIGSTOP");
  }

  thaw(): void {
    this.#frozen = false;
    this.#program.signal("SIGCONT");
  }

  async kill(): Promise<void> {
    await this.#program.kill();
  }

  async stop(): Promise<void> {
    if (this.#program.end !== undefined) return;
    if (this.#frozen) this.thaw();
    this.#channel.stop();
    try {
      await within(this.exited, STOP_TIMEOUT_MS, `${this.name} to stop`);
    } catch {
      await this.kill();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
