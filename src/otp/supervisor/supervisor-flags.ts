/**
 * The flags of a supervisor, and the count of restarts that they limit.
 *
 * Spec: stdlib/src/supervisor.erl, "Supervisor flags".
 */
import { atom, tuple } from "../../../etf/index.ts";
import { shown } from "../behaviours/shown.ts";
import { type AutoShutdown, Invalid } from "./child-spec.ts";

export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";

export interface RestartLimits {
  /** Restarts allowed within `period`; one more ends the supervisor with `shutdown`. Default 1. */
  intensity?: number;
  /** Seconds. Default 5. */
  period?: number;
}

export interface SupervisorFlags extends RestartLimits {
  /**
   * What is started again when a child ended: that one, all, or it and those started after it.
   * Default `one_for_one`.
   */
  strategy?: Strategy;
  /**
   * Whether the supervisor ends, with `shutdown`, when a significant child, or the last of them,
   * has ended and is not started again. Default `never`; no child may be significant then.
   */
  autoShutdown?: AutoShutdown;
}

const STRATEGIES: ReadonlySet<unknown> = new Set(["one_for_one", "one_for_all", "rest_for_one"]);
const AUTO_SHUTDOWNS: ReadonlySet<unknown> = new Set([
  "never",
  "any_significant",
  "all_significant",
]);

/** The flags with their defaults, or what OTP says is wrong with them. */
export function checkFlags(flags: SupervisorFlags): Required<SupervisorFlags> | Invalid {
  const { strategy = "one_for_one", intensity = 1, period = 5, autoShutdown = "never" } = flags;
  if (!STRATEGIES.has(strategy)) return invalid("invalid_strategy", strategy);
  if (!Number.isSafeInteger(intensity) || intensity < 0) {
    return invalid("invalid_intensity", intensity);
  }
  if (!Number.isSafeInteger(period) || period <= 0) return invalid("invalid_period", period);
  if (!AUTO_SHUTDOWNS.has(autoShutdown)) return invalid("invalid_auto_shutdown", autoShutdown);
  return { strategy, intensity, period, autoShutdown };
}

/** Counts restarts. */
export class RestartCount {
  readonly #intensity: number;
  readonly #period: number;
  /** Seconds at which there were restarts, the latest last. */
  #restarts: number[] = [];

  constructor({ intensity, period }: Required<RestartLimits>) {
    this.#intensity = intensity;
    this.#period = period;
  }

  /** Notes a restart; false when it is one too many. As OTP, it counts in whole seconds. */
  add(nowMs: number): boolean {
    const now = Math.floor(nowMs / 1000);
    const recent = this.#restarts.filter((at) => at >= now - this.#period);
    recent.push(now);
    this.#restarts = recent;
    return recent.length <= this.#intensity;
  }
}

function invalid(what: string, value: unknown): Invalid {
  return new Invalid(tuple(atom(what), typeof value === "string" ? atom(value) : shown(value)));
}
