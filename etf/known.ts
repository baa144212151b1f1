/**
 * What one operation on terms has found out: hashes and orders of the maps it met, and that its
 * terms hold no cycle. Values of the program may change, so nothing of it outlives the operation.
 */
import { refuseCycle } from "./cycle.ts";
import { MapBase } from "./map-base.ts";

export class Known {
  private readonly left: unknown;
  private readonly right: unknown;
  private checked = false;
  /** Of maps, which may be keys of maps that are keys of maps: each is hashed once. */
  private hashes: Map<object, number> | null = null;
  /** Of small maps, of each key. */
  private keyHashes: Map<object, readonly number[]> | null = null;
  private orders: Map<object, readonly unknown[]> | null = null;
  private maps: Map<object, MapBase> | null = null;

  /** Of an operation on one or two values: a path to a cycle begins there. */
  constructor(left?: unknown, right?: unknown) {
    this.left = left;
    this.right = right;
  }

  /**
   * To be called by whoever goes deeper than most terms are.
   *
   * @throws EtfEncodeError ETF_CYCLE with the path
   */
  refuseCycles(): void {
    if (this.checked) return;
    refuseCycle(this.left);
    refuseCycle(this.right);
    this.checked = true;
  }

  /** For the next operation, of one that has no values to begin with. */
  forget(): void {
    this.hashes = null;
    this.keyHashes = null;
    this.orders = null;
    this.maps = null;
  }

  /** `MapBase.from`, which makes a map of a Map or an object once. */
  map(value: object): MapBase | null {
    if (value instanceof MapBase) return value;
    const before = this.maps?.get(value);
    if (before !== undefined) return before;
    let map: MapBase | null;
    try {
      map = MapBase.from(value);
    } catch (error) {
      this.refuseCycles(); // a key that contains itself, by the path from a root
      throw error;
    }
    if (map === null) return null;
    this.maps ??= new Map();
    this.maps.set(value, map);
    return map;
  }

  hashOf(map: object): number | undefined {
    return this.hashes?.get(map);
  }

  keepHash(map: object, hash: number): void {
    this.hashes ??= new Map();
    this.hashes.set(map, hash);
  }

  keyHashesOf(map: object): readonly number[] | undefined {
    return this.keyHashes?.get(map);
  }

  keepKeyHashes(map: object, hashes: readonly number[]): void {
    this.keyHashes ??= new Map();
    this.keyHashes.set(map, hashes);
  }

  orderOf(map: object): readonly unknown[] | undefined {
    return this.orders?.get(map);
  }

  keepOrder(map: object, order: readonly unknown[]): void {
    this.orders ??= new Map();
    this.orders.set(map, order);
  }
}
