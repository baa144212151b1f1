/** Erlang's term order on the fuzzing's own terms. */
import type { Model } from "./model.ts";
import { canonical, write } from "./write.ts";

const RANKS = ["atom", "reference", "fun", "port", "pid", "tuple", "map", "nil", "list", "bits"];

function rankOf(model: Model): number {
  switch (model.is) {
    case "integer":
    case "float":
      return -1;
    case "export":
      return RANKS.indexOf("fun");
    case "list":
      return RANKS.indexOf(model.items.length === 0 ? "nil" : "list");
    default:
      return RANKS.indexOf(model.is);
  }
}

/**
 * Erlang's term order: -1, 0 or 1, with 0 for what is `==`; undefined where it turns on identifiers or
 * funs, of which only `=:=` is told here.
 */
export function orderOf(a: Model, b: Model, asKey = false): number | undefined {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return Math.sign(rank);
  if (a.is === "integer" || a.is === "float") return numbers(a, b as typeof a, asKey);
  if (a.is === "atom")
    return Math.sign(Buffer.compare(Buffer.from(a.name), Buffer.from((b as typeof a).name)));
  if (a.is === "tuple") {
    const other = (b as typeof a).items;
    return Math.sign(a.items.length - other.length) || each(a.items, other, asKey);
  }
  if (a.is === "list") return lists(a, b as typeof a, asKey);
  if (a.is === "map") return maps(a.pairs, (b as typeof a).pairs, asKey);
  if (a.is === "bits") return bits(a, b as typeof a);
  return canonical(a) === canonical(b) ? 0 : undefined;
}

function numbers(a: Model, b: Model, asKey: boolean): number {
  const [x, y] = [a, b] as { is: string; value: number | bigint }[] as [
    { is: string; value: number | bigint },
    { is: string; value: number | bigint },
  ];
  if (asKey && x.is !== y.is) return x.is === "float" ? 1 : -1;
  if (x.value < y.value) return -1;
  if (x.value > y.value) return 1;
  if (!asKey || x.is !== "float") return 0;
  return Math.sign(1 / Number(x.value) - 1 / Number(y.value)) || 0;
}

function each(a: readonly Model[], b: readonly Model[], asKey: boolean): number | undefined {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = orderOf(a[i]!, b[i]!, asKey);
    if (order !== 0) return order;
  }
  return 0;
}

const NIL: Model = { is: "list", items: [] };
type ListModel = Model & { is: "list" };

/** The list as cells have it: a tail that is a list is part of it. */
function flat(list: ListModel): ListModel {
  if (list.tail?.is !== "list") return list;
  const tail = flat(list.tail);
  const items = [...list.items, ...tail.items];
  return tail.tail === undefined ? { is: "list", items } : { is: "list", items, tail: tail.tail };
}

function lists(left: ListModel, right: ListModel, asKey: boolean): number | undefined {
  if (left.items.length === 0) return 0;
  const [a, b] = [flat(left), flat(right)];
  const order = each(a.items, b.items, asKey);
  if (order !== 0) return order;
  const same = Math.min(a.items.length, b.items.length);
  return orderOf(rest(a, same), rest(b, same), asKey);
}

function rest(list: ListModel, from: number): Model {
  if (from === list.items.length) return list.tail ?? NIL;
  return { ...list, items: list.items.slice(from) };
}

type Pairs = readonly (readonly [Model, Model])[];

function maps(a: Pairs, b: Pairs, asKey: boolean): number | undefined {
  if (a.length !== b.length) return Math.sign(a.length - b.length);
  const [left, right] = [sorted(a), sorted(b)];
  if (left === undefined || right === undefined) {
    // Without an order of the keys only sameness can be told.
    return write({ is: "map", pairs: a }).equals(write({ is: "map", pairs: b })) ? 0 : undefined;
  }
  const keys = each(
    left.map(([key]) => key),
    right.map(([key]) => key),
    true,
  );
  if (keys !== 0) return keys;
  return each(
    left.map(([, value]) => value),
    right.map(([, value]) => value),
    asKey,
  );
}

function sorted(pairs: Pairs): Pairs | undefined {
  let known = true;
  const made = [...pairs].sort(([a], [b]) => {
    const order = orderOf(a, b, true);
    known &&= order !== undefined;
    return order ?? 0;
  });
  return known ? made : undefined;
}

function bits(a: Model & { is: "bits" }, b: Model & { is: "bits" }): number {
  const order = Buffer.compare(a.bytes, b.bytes);
  const length = (model: typeof a): number =>
    model.bytes.length === 0 ? 0 : 8 * (model.bytes.length - 1) + model.lastBits;
  const [x, y] = [length(a), length(b)];
  // Unused bits are 0, so that the bytes decide unless one is the beginning of the other.
  return order === 0 ? Math.sign(x - y) : order;
}
