/**
 * What equality needs to know of a map. It cannot import `TermMap`, whose keys rest on equality.
 */
import { EtfEncodeError } from "./errors.ts";

/**
 * What a built-in map's `values()` returns: `MapIterator` from TypeScript 5.6 on, which earlier
 * versions do not know.
 */
export type MapValues<T> = ReturnType<Map<unknown, T>["values"]>;

/** What `TermMap` is to the rest of the codec. */
export abstract class MapBase {
  abstract readonly size: number;
  abstract get(key: unknown): unknown;
  abstract has(key: unknown): boolean;
  abstract entries(): IterableIterator<[unknown, unknown]>;

  /**
   * `[key, value, key, value ...]` in order of insertion. The array is the map's own: callers do
   * not change it, and do not let it leave the codec.
   */
  abstract toPairs(): readonly unknown[];

  /**
   * Where in `toPairs()` the only key lies that can be `=:=` to this one, or -1. The caller compares
   * the two, since it can do so without recursion. `known` is the `Known` of its operation, a class
   * that this file does not import because `Known` rests on it.
   */
  abstract candidate(key: unknown, known: object): number;

  /** Makes a term map of a Map or a plain object; set where `TermMap` is defined. */
  static build: (pairs: Iterable<readonly [unknown, unknown]>) => MapBase;

  /** A value as a map, or null if it does not stand for one. */
  static from(value: object): MapBase | null {
    if (value instanceof MapBase) return value;
    if (value instanceof Map) return MapBase.build(value);
    return isPlainObject(value) ? MapBase.build(Object.entries(value)) : null;
  }

  /** @throws EtfEncodeError ETF_NOT_A_TERM unless the value stands for a map */
  static require(value: unknown): MapBase {
    const map = typeof value === "object" && value !== null ? MapBase.from(value) : null;
    if (map === null) {
      throw new EtfEncodeError("ETF_NOT_A_TERM", `${typeof value} is not a term`);
    }
    return map;
  }
}

/** Whether an object is `{...}`, and not an instance of some class. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
