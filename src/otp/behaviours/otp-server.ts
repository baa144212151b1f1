/**
 * What a `GenServer` and a `GenStatem` have in common to those who start them: `start`, `start_link` and
 * `reply` of OTP's behaviours. What runs them is the loop that each makes of itself.
 */
import type { Atom, TermInput } from "../../../etf/index.ts";
import { asAtom } from "../../node/atoms.ts";
import type { Process } from "../../node/process/process.ts";
import { type From, genReply } from "../gen/gen.ts";
import { StartError } from "../gen/start-error.ts";
import type { GenServerStartOptions } from "./gen-server-callbacks.ts";
import type { OtpNode } from "./otp-node.ts";
import type { SystemProcess } from "./system-process.ts";

export abstract class OtpServer {
  #loop: SystemProcess | undefined;

  /** @internal What runs this; made once, when it is started. */
  protected abstract newLoop(node: OtpNode, module: Atom): SystemProcess;

  /** The process that this runs as. Set before init runs. */
  get self(): Process {
    if (this.#loop === undefined) throw new TypeError("This has not been started.");
    return this.#loop.self;
  }

  /**
   * Starts it, as `start` of OTP's behaviours. Each start takes an instance of its own.
   * @throws StartError START_FAILED, START_IGNORED; NodeError NODE_STOPPED; the signal's reason
   */
  start(node: OtpNode, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, undefined, options);
  }

  /**
   * Starts it linked to its parent, as `start_link`: it ends when its parent does, and its parent hears
   * of its end.
   * @throws as `start`; NodeError PROCESS_DEAD when the parent is
   */
  startLink(node: OtpNode, parent: Process, options: GenServerStartOptions = {}): Promise<Process> {
    return this.#start(node, parent, options);
  }

  /** Answers a call that was not answered when it was handled, as `reply/2`. */
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
