/**
 * Maps in one order, whatever order they were made in: that of OTP's option `deterministic`
 * (24.1 and later), which is the term order of the keys.
 */
import { compareKeys } from "./compare.ts";

/** `[key, value, key, value ...]` with the keys in ascending order; the same array if they are. */
export function inKeyOrder(pairs: readonly unknown[]): readonly unknown[] {
  let ordered = true;
  for (let i = 2; i < pairs.length && ordered; i += 2) {
    ordered = compareKeys(pairs[i - 2], pairs[i]) < 0;
  }
  if (ordered) return pairs;
  const places: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) places.push(i);
  places.sort((a, b) => compareKeys(pairs[a], pairs[b]));
  return places.flatMap((at) => [pairs[at], pairs[at + 1]]);
}
