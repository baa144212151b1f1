/**
 * What equality needs to know of a map, without knowing `TermMap`, whose keys rest on equality.
 */
import { EtfEncodeError } from "./errors.ts";
import type { Known } from "./known.ts";

export abstract class MapBase {
  abstract readonly size: number;
  abstract get(key: unknown): unknown;
  abstract has(key: unknown): boolean;
  abstract entries(): IterableIterator<[unknown, unknown]>;

  /**
   * @internal `[key, value, key, value ...]` in order of insertion: the map's own, which neither
   * change nor leave the codec.
   */
  abstract toPairs(): readonly unknown[];

  /**
   * @internal Where in `toPairs()` the only key lies that can be `=:=` to this one, or -1. To
   * compare the two is left to the caller, who can do so without recursion.
   */
  abstract candidate(key: unknown, known: Known): number;

  /** Makes a term map of a Map or a plain object; set where `TermMap` is defined. */
  static build: (pairs: Iterable<readonly [unknown, unknown]>) => MapBase;

  /** A value as a map, or null if it stands for none. */
  static from(value: object): MapBase | null {
    if (value instanceof MapBase) return value;
    if (value instanceof Map) return MapBase.build(value);
    return isPlainObject(value) ? MapBase.build(Object.entries(value)) : null;
  }

  /** @throws EtfEncodeError ETF_NOT_A_TERM unless the value stands for a map */
  static require(value: unknown): MapBase {
    const map = typeof value === "object" && value !== null ? MapBase.from(value) : null;
    if (map === null) {
      throw new EtfEncodeError("ETF_NOT_A_TERM", `${typeof value} is no term`);
    }
    return map;
  }
}

/** `{...}`, not an instance of some class. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
