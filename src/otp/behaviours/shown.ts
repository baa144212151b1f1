/** Values of the program as terms to be looked at: states, results and requests in reports. */
import { format, fromPlain, type Term, type TermInput, toTerm } from "../../../etf/index.ts";
import { UNDEFINED } from "../../node/atoms.ts";

/** The value itself when it is a term, else its plain form, else what it prints as. */
export function shown(value: unknown): Term {
  if (value === undefined) return UNDEFINED;
  for (const convert of [toTerm, fromPlain]) {
    try {
      return convert(value as TermInput);
    } catch {
      // The next way can show more kinds of values, and the last one all of them.
    }
  }
  return toTerm(Object.prototype.toString.call(value));
}

/** Whether a value is a term as it stands, and not something that one is made of. */
export function isTermItself(value: unknown): boolean {
  try {
    return toTerm(value as TermInput) === value;
  } catch {
    return false;
  }
}

/** As `~tp`, or `~tw`, prints it. */
export function text(term: Term, mode: "~tp" | "~0tp" | "~tw" = "~tp"): string {
  return format(term, { mode });
}
