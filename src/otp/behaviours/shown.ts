/** Values of the program as terms for reports and `sys`: states, results and requests. */
import { format, fromPlain, type Term, type TermInput, toTerm } from "../../../etf/index.ts";
import { UNDEFINED } from "../../node/atoms.ts";

/** The value itself if it is a term, else its plain form, else its text such as `[object Map]`. */
export function shown(value: unknown): Term {
  if (value === undefined) return UNDEFINED;
  for (const convert of [toTerm, fromPlain]) {
    try {
      return convert(value as TermInput);
    } catch {
      // Try the next conversion. The last one takes every value.
    }
  }
  return toTerm(Object.prototype.toString.call(value));
}

/** Whether a value is a term, and not only convertible to one. */
export function isTermItself(value: unknown): boolean {
  try {
    return toTerm(value as TermInput) === value;
  } catch {
    return false;
  }
}

/** A term as `~tp`, or another format, prints it. */
export function text(term: Term, mode: "~tp" | "~0tp" | "~tw" = "~tp"): string {
  return format(term, { mode });
}
