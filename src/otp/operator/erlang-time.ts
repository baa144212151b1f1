/**
 * The time functions of modules `erlang`, `os` and `calendar`.
 *
 * Spec: the page of module erlang, "Time and Time Correction". The native unit is the nanosecond.
 * Monotonic time counts from the start of the program. System time has the resolution of JavaScript's
 * clock, a millisecond. A unit is a name, including those of OTP 17 to 20, or a number of parts per
 * second.
 */
import { isAtom, isInteger, type Term, type TermInput, tuple } from "../../../etf/index.ts";
import type { NodeCore } from "../../node/node.ts";
import { badarg, exposeBifs } from "./bifs.ts";

const NANOSECONDS = 1_000_000_000n;

/** Parts per second. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["second", 1n],
  ["millisecond", 1_000n],
  ["microsecond", 1_000_000n],
  ["nanosecond", NANOSECONDS],
  ["native", NANOSECONDS],
  ["perf_counter", NANOSECONDS],
  ["seconds", 1n],
  ["milli_seconds", 1_000n],
  ["micro_seconds", 1_000_000n],
  ["nano_seconds", NANOSECONDS],
]);

/** Exposes the time functions of `erlang`, `os` and `calendar`. */
export function serveTime(node: NodeCore): void {
  const offset = (): bigint => systemNanoseconds() - monotonicNanoseconds(node);
  let lastNow = 0n;
  const times = {
    "timestamp/0": () => timestamp(systemNanoseconds()),
    "system_time/0": () => systemNanoseconds(),
    "system_time/1": (_: unknown, unit: Term) => inUnit(systemNanoseconds(), unit),
  };
  exposeBifs(node, "os", times);
  exposeBifs(node, "erlang", {
    ...times,
    "monotonic_time/0": () => monotonicNanoseconds(node),
    "monotonic_time/1": (_, unit) => inUnit(monotonicNanoseconds(node), unit),
    "time_offset/0": () => offset(),
    "time_offset/1": (_, unit) => inUnit(offset(), unit),
    "now/0": () => {
      // Unlike a timestamp, it never returns the same value twice.
      const now = systemNanoseconds();
      lastNow = now > lastNow ? now : lastNow + 1_000n;
      return timestamp(lastNow);
    },
    "localtime/0": () => localTime(new Date()),
    "universaltime/0": () => universalTime(new Date()),
    "date/0": () => localTime(new Date())[0],
    "time/0": () => localTime(new Date())[1],
  });
  exposeBifs(node, "calendar", {
    "local_time/0": () => localTime(new Date()),
    "universal_time/0": () => universalTime(new Date()),
  });
}

/** Erlang monotonic time in nanoseconds. @param at milliseconds of the node's clock. Default: now */
export function monotonicNanoseconds(node: NodeCore, at: number = node.clock.now()): bigint {
  return BigInt(Math.floor(at * 1e6));
}

/** The current time as `{MegaSecs, Secs, MicroSecs}`. */
export function timestampNow(): TermInput {
  return timestamp(systemNanoseconds());
}

function systemNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** @throws ErlangError error `badarg` for an invalid unit */
function inUnit(nanoseconds: bigint, unit: Term): bigint {
  const parts = partsOf(unit);
  if (parts === undefined || parts <= 0n) throw badarg();
  const scaled = nanoseconds * parts;
  const quotient = scaled / NANOSECONDS;
  // Rounded down, even below zero, as in the emulator.
  return scaled < 0n && quotient * NANOSECONDS !== scaled ? quotient - 1n : quotient;
}

function partsOf(unit: Term): bigint | undefined {
  if (isInteger(unit)) return BigInt(unit);
  return isAtom(unit) ? UNITS.get(unit.name) : undefined;
}

function timestamp(nanoseconds: bigint): TermInput {
  const microseconds = nanoseconds / 1_000n;
  const seconds = microseconds / 1_000_000n;
  return tuple(seconds / 1_000_000n, seconds % 1_000_000n, microseconds % 1_000_000n);
}

function localTime(at: Date) {
  return tuple(
    tuple(at.getFullYear(), at.getMonth() + 1, at.getDate()),
    tuple(at.getHours(), at.getMinutes(), at.getSeconds()),
  );
}

function universalTime(at: Date) {
  return tuple(
    tuple(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()),
    tuple(at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()),
  );
}
