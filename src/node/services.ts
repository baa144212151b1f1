/**
 * The node's own servers (`rex`, `net_kernel`, `user` and others): each has a registered name and lives
 * as long as the node.
 *
 * If a service throws while it handles a message, the node emits a `log` event and the service continues
 * with the next message. If a service ends all the same, it is restarted under its name: at once, but at
 * most `MAX_RESTARTS` times within `PERIOD_MS`; after that once the period is over. An OTP supervisor
 * would give up instead and take the node down. The log reports, as Erlang terms:
 *   #{label => {service, exception}, name, class, reason, stacktrace, last_message}
 *   #{label => {service, ended}, name, reason}
 */
import { type Atom, atom, type Term } from "../../etf/index.ts";
import type { Clock, Timer } from "../transport/clock.ts";
import { type LogEvent, reportOf } from "./events.ts";
import { exceptionOf } from "./exceptions.ts";
import { type Behaviour, type Process, READY } from "./process/process.ts";

const MAX_RESTARTS = 10;
const PERIOD_MS = 10_000;
/** How long to wait before the next attempt if another process has taken the name. */
const NAME_TAKEN_MS = 1000;

/** What services need from their node. */
export interface ServiceHost {
  readonly clock: Clock;
  readonly stopped: boolean;
  newService(behaviour: Behaviour, endable: boolean): Process;
  whereis(name: Atom): Process | undefined;
  log(event: () => LogEvent): void;
}

/** The options of a service. */
export interface ServiceOptions {
  /** Whether exit signals end the service, as they end other processes; it is then restarted. Default false. */
  readonly endable?: boolean;
  /** Called with each process of the service before it handles a message. */
  readonly started?: (self: Process) => void;
}

interface Service {
  readonly name: Atom;
  readonly make: () => Behaviour;
  readonly options: ServiceOptions;
  /** The times of the latest `MAX_RESTARTS` restarts, by the node's clock. */
  readonly restarts: number[];
  timer: Timer | undefined;
}

/** Starts the services of a node, and restarts them until the node stops. */
export class Services {
  readonly #host: ServiceHost;
  /** The services that wait for their restart. */
  readonly #waiting = new Map<Atom, Service>();

  constructor(host: ServiceHost) {
    this.#host = host;
  }

  /**
   * Starts a service. `make` is called for each of its processes and returns what handles the messages.
   * @throws NodeError PROCESS_NAME_TAKEN
   */
  start(name: Atom, make: () => Behaviour, options: ServiceOptions = {}): Process {
    this.#waiting.get(name)?.timer?.cancel();
    this.#waiting.delete(name);
    return this.#run({ name, make, options, restarts: [], timer: undefined });
  }

  /** Starts a service that has no name and is not restarted. */
  startUnnamed(behaviour: Behaviour): Process {
    return this.#host.newService(this.#guarded([], behaviour), false);
  }

  /** Cancels all restarts. */
  stop(): void {
    for (const { timer } of this.#waiting.values()) timer?.cancel();
    this.#waiting.clear();
  }

  #run(service: Service): Process {
    const { name, options } = service;
    const behaviour = this.#guarded(name, service.make());
    const process = this.#host.newService(
      {
        message: behaviour.message,
        terminated: (reason) => {
          behaviour.terminated?.(reason);
          this.#ended(service, process, reason);
        },
      },
      options.endable ?? false,
    );
    process.register(name);
    options.started?.(process);
    return process;
  }

  #ended(service: Service, process: Process, reason: Term): void {
    const { clock } = this.#host;
    if (this.#host.stopped) return;
    this.#host.log(() => ({
      level: "error",
      report: reportOf("service", "ended", [
        ["name", service.name],
        ["reason", reason],
      ]),
      pid: process.pid,
    }));
    const { restarts } = service;
    const now = clock.now();
    const waitMs = restarts.length < MAX_RESTARTS ? 0 : restarts[0]! + PERIOD_MS - now;
    this.#restart(service, waitMs);
  }

  #restart(service: Service, waitMs: number): void {
    const { name, restarts } = service;
    const { clock } = this.#host;
    if (waitMs > 0) {
      this.#waiting.set(name, service);
      service.timer = clock.setTimer(waitMs, () => {
        this.#waiting.delete(name);
        this.#restart(service, 0);
      });
    } else if (this.#host.whereis(name) !== undefined) {
      this.#restart(service, NAME_TAKEN_MS);
    } else {
      restarts.push(clock.now());
      if (restarts.length > MAX_RESTARTS) restarts.shift();
      this.#run(service);
    }
  }

  /** The same behaviour, except that its exceptions are logged and do not end the process. */
  #guarded(name: Term, behaviour: Behaviour): Behaviour {
    const failed = (thrown: unknown, message: Term, self: Process): void => {
      this.#host.log(() => {
        const exception = exceptionOf(thrown);
        return {
          level: "error",
          report: reportOf("service", "exception", [
            ["name", name],
            ["class", atom(exception.class)],
            ["reason", exception.reason],
            ["stacktrace", exception.stack],
            ["last_message", message],
          ]),
          pid: self.pid,
        };
      });
    };
    return {
      message: (message, self) => {
        try {
          const done = behaviour.message(message, self);
          if (done === READY || !(done instanceof Promise)) return done;
          return done.catch((error: unknown) => failed(error, message, self));
        } catch (error) {
          failed(error, message, self);
          return READY;
        }
      },
      terminated: (reason) => behaviour.terminated?.(reason),
    };
  }
}
