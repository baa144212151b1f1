/** The results of callbacks: nothing, or a plain object with keys that are allowed there. */

/** A checked result. */
export type Result = Readonly<Record<string, unknown>>;

/** Checks what a callback returned; undefined if it is invalid. Nothing counts as an empty result. */
export function asResult(returned: unknown, allowed: ReadonlySet<string>): Result | undefined {
  if (returned === undefined) return {};
  if (typeof returned !== "object" || returned === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(returned);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return Object.keys(returned).every((key) => allowed.has(key)) ? (returned as Result) : undefined;
}
