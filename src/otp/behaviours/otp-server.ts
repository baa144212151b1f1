/**
 * What `GenServer` and `GenStatem` have in common for their users: `start`, `start_link` and `reply` of
 * OTP's behaviours. Each makes the loop that runs it.
 */
import type { Atom, TermInput } from "../../../etf/index.ts";
import { asAtom } from "../../node/atoms.ts";
import type { Process } from "../../node/process/process.ts";
import { StartError } from "../gen/errors.ts";
import { type From, genReply } from "../gen/gen.ts";
import type { GenServerStartOptions } from "./gen-server-callbacks.ts";
import type { OtpNode } from "./otp-node.ts";
import type { SystemProcess } from "./system-process.ts";

/** The base of `GenServer` and `GenStatem`. */
export abstract class OtpServer {
  #loop: SystemProcess | undefined;

  /** @internal Makes the loop that runs this server; called once, by the start. */
  protected abstract newLoop(node: OtpNode, module: Atom): SystemProcess;

  /** The server's process, from before init runs. @throws TypeError before the start */
  get self(): Process {
    if (this.#loop === undefined) throw new TypeError("The server has not been started.");
    return this.#loop.self;
  }

  /**
   * Starts the server, as `start` of OTP's behaviours. An instance can be started once.
   * @throws StartError START_FAILED, START_IGNORED; NodeError NODE_STOPPED; the signal's reason
   */
  start(node: OtpNode, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, undefined, options);
  }

  /**
   * Starts the server linked to a parent, as `start_link`: it ends when its parent does, and the parent
   * gets its exit signal.
   * @throws as `start`; NodeError PROCESS_DEAD when the parent has ended
   */
  startLink(node: OtpNode, parent: Process, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, parent, options);
  }

  /** Replies to a call after its callback has returned, as `reply/2`. @throws EtfEncodeError */
  reply(from: From, reply: TermInput): void {
    genReply(this.self, from, reply);
  }

  async #start(
    node: OtpNode,
    parent: Process | undefined,
    options: GenServerStartOptions,
  ): Promise<Process> {
    if (this.#loop !== undefined) throw StartError.alreadyStarted(this.#loop.self.pid);
    const module = options.module ?? this.constructor.name;
    const loop = this.newLoop(node, asAtom(module));
    this.#loop = loop;
    return loop.start(options, parent);
  }
}
