/**
 * The flags of a supervisor, and the count of restarts, which they limit.
 *
 * Spec: stdlib/src/supervisor.erl, "Supervisor flags".
 */
import { atom, tuple } from "../../../etf/index.ts";
import { shown } from "../behaviours/shown.ts";
import { type AutoShutdown, Invalid } from "./child-spec.ts";

/** Which children are restarted when one ends: that one, all, or it and those started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";

/** How many restarts a supervisor allows. */
export interface RestartLimits {
  /** Restarts allowed within `period`; one more ends the supervisor with `shutdown`. Default: 1. */
  intensity?: number;
  /** The period in seconds. Default: 5. */
  period?: number;
}

/** The flags of a Supervisor. */
export interface SupervisorFlags extends RestartLimits {
  /** Which children are restarted when one ends. Default: `one_for_one`. */
  strategy?: Strategy;
  /**
   * Whether the supervisor ends, with `shutdown`, when one significant child, or the last of them, has
   * ended and is not restarted. Default: `never`, with which no child may be significant.
   */
  autoShutdown?: AutoShutdown;
}

const STRATEGIES: ReadonlySet<unknown> = new Set(["one_for_one", "one_for_all", "rest_for_one"]);
const AUTO_SHUTDOWNS: ReadonlySet<unknown> = new Set([
  "never",
  "any_significant",
  "all_significant",
]);

/** Checks flags: returns them with their defaults, or OTP's reason why they are invalid. */
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

/** Counts the restarts within the period. */
export class RestartCount {
  readonly #intensity: number;
  readonly #period: number;
  /** The times of recent restarts in seconds, the latest last. */
  #restarts: number[] = [];

  constructor({ intensity, period }: Required<RestartLimits>) {
    this.#intensity = intensity;
    this.#period = period;
  }

  /** Adds a restart; returns false if it is one too many. As in OTP, times are whole seconds. */
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
