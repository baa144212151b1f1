/** What callbacks return: nothing, or a plain object of the keys that mean something there. */

export type Result = Readonly<Record<string, unknown>>;

/** What a callback returned, if that is a result; nothing is an empty one. */
export function asResult(returned: unknown, allowed: ReadonlySet<string>): Result | undefined {
  if (returned === undefined) return {};
  if (typeof returned !== "object" || returned === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(returned);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return Object.keys(returned).every((key) => allowed.has(key)) ? (returned as Result) : undefined;
}
