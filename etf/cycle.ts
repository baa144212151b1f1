/**
 * Values that contain themselves. Everything that goes through a value looks for them when it gets
 * deeper than most terms are, since only a cycle or a very deep term leads there.
 */
import { Atom } from "./atom.ts";
import { EtfEncodeError } from "./errors.ts";
import { isPlainObject, MapBase } from "./map-base.ts";
import { type Frame, pathOf } from "./refusal.ts";
import { ImproperList, LocalFun, NativeRecord } from "./terms.ts";

/**
 * A value that is reached twice, but not from inside itself, is not a cycle.
 *
 * @throws EtfEncodeError ETF_CYCLE with the path to where the value first contains itself
 */
export function refuseCycle(root: unknown): void {
  const first = itemsOf(root);
  if (first === null) return;
  /** False for those that were left again. */
  const open = new Map<unknown, boolean>([[root, true]]);
  const frames: Frame[] = [{ value: root, items: first, next: 0 }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.items.length) {
      open.set(frame.value, false);
      frames.pop();
      continue;
    }
    const value = frame.items[frame.next++];
    if (typeof value !== "object" || value === null) continue;
    const state = open.get(value);
    if (state === true) {
      throw new EtfEncodeError("ETF_CYCLE", "the value contains itself", pathOf(frames));
    }
    const items = state === undefined ? itemsOf(value) : null;
    if (items === null) continue;
    open.set(value, true);
    frames.push({ value, items, next: 0 });
  }
}

/** Open containers from which on a cycle is looked for. */
const MIN_WATCHED = 256;

/**
 * Whether the container just opened is open already, compared with one of those around it: that at the
 * largest power of two. Inside a cycle the containers come again and again, so once that is as long as
 * the cycle, it is met (Brent's algorithm).
 */
export function isCycle(frames: readonly { readonly value: unknown }[]): boolean {
  const last = frames.length - 1;
  if (last < MIN_WATCHED) return false;
  const mark = 1 << (31 - Math.clz32(last));
  return last !== mark && frames[last]!.value === frames[mark]!.value;
}

/**
 * Finds a cycle of up to 255 containers, or none: a term that is only deep is not gone through, so
 * that one which grows level by level does not cost the square of its depth.
 *
 * @throws EtfEncodeError ETF_CYCLE
 */
export function refuseShortCycle(root: unknown): void {
  if (isShallow(root, MIN_WATCHED)) return;
  const first = itemsOf(root);
  if (first === null) return;
  const frames: Frame[] = [{ value: root, items: first, next: 0 }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.next === frame.items.length) {
      frames.pop();
      continue;
    }
    const value = frame.items[frame.next++];
    const items = itemsOf(value);
    if (items === null) continue;
    frames.push({ value, items, next: 0 });
    if (frames.length === MIN_WATCHED) {
      if (isCycle(frames)) refuseCycle(root);
      return;
    }
  }
}

/** Whether a value has no more than so many levels. */
function isShallow(value: unknown, levels: number): boolean {
  const items = itemsOf(value);
  if (items === null) return true;
  if (levels === 0) return false;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "object" && !isShallow(item, levels - 1)) return false;
  }
  return true;
}

/** What a container holds, keys before their values and a tail last; null for anything else. */
export function itemsOf(value: unknown): readonly unknown[] | null {
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value)) return value;
  if (value instanceof Atom || value instanceof Uint8Array) return null;
  if (value instanceof MapBase) return value.toPairs();
  if (value instanceof ImproperList) return [...value.elements, value.tail];
  if (value instanceof LocalFun) return value.freeVariables;
  if (value instanceof NativeRecord) return value.values;
  if (value instanceof Map) return [...value].flat();
  return isPlainObject(value) ? Object.entries(value).flat() : null;
}
