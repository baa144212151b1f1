/** Terms made of choices, and such that differ from another in one place. */
import type { Choices } from "./choices.ts";
import type { Model, PidModel } from "./model.ts";
import { canonical } from "./write.ts";

const ATOMS = [
  "ok",
  "true",
  "false",
  "undefined",
  "normal",
  "",
  "a",
  "b@c",
  "x@vm",
  "é",
  "日本",
  "'q",
];
const NODES = ["x@vm", "other@vm", "gandalf@vm"];
const INTEGERS = [
  0n,
  1n,
  -1n,
  255n,
  256n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 59n,
  -(2n ** 64n),
  2n ** 200n,
];
const FLOATS = [0, -0, 1, -1, 1.5, 2 ** 53, 1e308, 5e-324, -2.25];

/** A term; the deeper, the simpler. */
export function makeModel(choices: Choices, depth = 0): Model {
  const kind = choices.below(depth > 4 ? 9 : 16);
  switch (kind) {
    case 0:
      return { is: "integer", value: BigInt(choices.byte()) };
    case 1:
      return { is: "atom", name: choices.pick(ATOMS) };
    case 2:
      return makeNumber(choices);
    case 3:
      return { is: "bits", bytes: choices.bytes(choices.below(12)), lastBits: 8 };
    case 4:
      return { is: "atom", name: `a${choices.byte()}` };
    case 5:
      return makePid(choices);
    case 6:
      return makeReference(choices);
    case 7:
      return choices.oneIn(2)
        ? {
            is: "export",
            module: choices.pick(ATOMS),
            name: choices.pick(ATOMS),
            arity: choices.byte(),
          }
        : {
            is: "port",
            node: choices.pick(NODES),
            id: BigInt(choices.uint32() >>> 4),
            creation: choices.byte(),
          };
    case 8:
      return makeBits(choices);
    case 9:
    case 10:
      return { is: "tuple", items: makeModels(choices, choices.below(5), depth) };
    case 11:
      return { is: "list", items: makeModels(choices, choices.below(6), depth) };
    case 12:
      return makeImproper(choices, depth);
    case 13:
      return makeMap(choices, depth);
    case 14:
      return makeFun(choices, depth);
    default:
      return makeAlike(choices, depth);
  }
}

function makeModels(choices: Choices, count: number, depth: number): Model[] {
  return Array.from({ length: count }, () => makeModel(choices, depth + 1));
}

function makeNumber(choices: Choices): Model {
  switch (choices.below(3)) {
    case 0:
      return { is: "float", value: choices.pick(FLOATS) };
    case 1:
      return { is: "integer", value: choices.pick(INTEGERS) };
    default:
      return { is: "float", value: choices.byte() + choices.byte() / 8 };
  }
}

export function makePid(choices: Choices): PidModel {
  const node = choices.pick(NODES);
  return {
    is: "pid",
    node,
    id: choices.byte(),
    serial: choices.below(3),
    creation: choices.below(3),
  };
}

function makeReference(choices: Choices): Model {
  const count = 1 + choices.below(5);
  const ids = Array.from({ length: count }, () => choices.byte());
  return { is: "reference", node: choices.pick(NODES), creation: choices.below(3), ids };
}

function makeBits(choices: Choices): Model {
  const bytes = choices.bytes(1 + choices.below(9));
  const lastBits = 1 + choices.below(8);
  bytes[bytes.length - 1]! &= 0xff << (8 - lastBits);
  return { is: "bits", bytes, lastBits };
}

function makeImproper(choices: Choices, depth: number): Model {
  const items = makeModels(choices, 1 + choices.below(3), depth);
  const tail = makeModel(choices, 5);
  return { is: "list", items, tail };
}

function makeFun(choices: Choices, depth: number): Model {
  return {
    is: "fun",
    module: choices.pick(ATOMS),
    arity: choices.below(4),
    uniq: choices.bytes(16),
    index: choices.below(4),
    oldIndex: choices.below(4),
    oldUniq: choices.byte(),
    pid: makePid(choices),
    free: makeModels(choices, choices.below(3), depth),
  };
}

function makeMap(choices: Choices, depth: number): Model {
  const count = choices.below(6);
  return mapOf(
    Array.from({ length: count }, () => [makeModel(choices, depth + 1), makeModel(choices, 5)]),
  );
}

/** Many keys that differ in one place only, as tags of callers and closures do. */
function makeAlike(choices: Choices, depth: number): Model {
  // Not many of what is many already.
  const one = makeModel(choices, depth === 0 ? 3 : 5);
  const count = choices.below(depth === 0 && choices.oneIn(12) ? 200 : 12);
  const keys = Array.from({ length: count }, (_, index) => numbered(one, index));
  return choices.oneIn(4)
    ? { is: "list", items: keys }
    : mapOf(keys.map((key, index) => [key, { is: "integer", value: BigInt(index) }]));
}

/** A map without the pairs whose keys are there already. */
function mapOf(pairs: readonly (readonly [Model, Model])[]): Model {
  const seen = new Map<string, readonly [Model, Model]>();
  for (const pair of pairs) {
    const key = canonical(pair[0]);
    if (!seen.has(key)) seen.set(key, pair);
  }
  return { is: "map", pairs: [...seen.values()] };
}

/** The term with a number worked into the place that is looked at last. */
function numbered(model: Model, index: number): Model {
  const number: Model = { is: "integer", value: BigInt(index) };
  switch (model.is) {
    case "reference":
      return { ...model, ids: [...model.ids.slice(0, -1), index] };
    case "fun":
      return { ...model, free: [...model.free, number] };
    case "export":
      return { ...model, arity: index % 256 };
    case "list":
      if (model.items.length === 0) return { is: "list", items: [number] };
      return { is: "list", items: model.items, tail: number };
    case "tuple":
      return { is: "tuple", items: [...model.items, number] };
    case "pid":
      return { ...model, creation: index };
    case "port":
      return { ...model, creation: index };
    case "map":
      return mapOf([...model.pairs, [{ is: "atom", name: "number" }, number]]);
    case "float":
      return { is: "float", value: index / 4 };
    case "atom":
      return { is: "atom", name: `${model.name}${index}` };
    case "bits":
      return {
        is: "bits",
        bytes: Buffer.concat([model.bytes, Buffer.of(index >> 8, index)]),
        lastBits: 8,
      };
    default:
      return number;
  }
}

/** A term that differs from this one in a single place, or in none that counts. */
export function near(model: Model, choices: Choices): Model {
  const inside = choices.below(4);
  switch (model.is) {
    case "integer":
      if (inside === 0) return { is: "float", value: Number(model.value) };
      return {
        is: "integer",
        value: inside === 1 ? -model.value : model.value + BigInt(choices.below(2)),
      };
    case "float":
      if (inside === 0 && Number.isInteger(model.value))
        return { is: "integer", value: BigInt(model.value) };
      return { is: "float", value: inside === 3 ? model.value + 1 : -model.value };
    case "atom":
      if (inside < 2) return { is: "atom", name: choices.pick(ATOMS) };
      return { is: "bits", bytes: Buffer.from(model.name), lastBits: 8 };
    case "bits":
      return nearBits(model.bytes, model.lastBits, choices);
    case "list":
      return nearList(model.items, model.tail, choices);
    case "tuple":
      if (inside === 0) return { is: "list", items: model.items };
      return { is: "tuple", items: nearItems(model.items, choices) };
    case "map": {
      if (model.pairs.length === 0) return { is: "tuple", items: [] };
      if (inside === 0) return { is: "map", pairs: [...model.pairs].reverse() };
      if (inside === 1) return { is: "map", pairs: model.pairs.slice(1) };
      const at = choices.byte() % model.pairs.length;
      const changed = model.pairs.map(([key, value], index): readonly [Model, Model] => {
        if (index !== at) return [key, value];
        return inside === 2 ? [near(key, choices), value] : [key, near(value, choices)];
      });
      return mapOf(changed);
    }
    case "pid":
      return { ...model, [choices.pick(["id", "serial", "creation"] as const)]: choices.byte() };
    case "port":
      return inside === 0
        ? { ...model, creation: choices.byte() }
        : { ...model, id: model.id + 1n };
    case "reference": {
      const ids = [...model.ids];
      ids[choices.byte() % ids.length] = choices.byte();
      return inside === 0 ? { ...model, ids: [...ids, 1].slice(0, 5) } : { ...model, ids };
    }
    case "export":
      if (inside === 0) return { ...model, arity: choices.byte() };
      return { ...model, [choices.pick(["module", "name"] as const)]: choices.pick(ATOMS) };
    case "fun":
      if (inside === 0) return { ...model, index: model.index + 1 };
      return {
        ...model,
        free: model.free.length === 0 ? [model.pid] : nearItems(model.free, choices),
      };
  }
}

function nearItems(items: readonly Model[], choices: Choices): Model[] {
  if (items.length === 0) return [{ is: "integer", value: 0n }];
  const at = choices.byte() % items.length;
  return items.map((item, index) => (index === at ? near(item, choices) : item));
}

function nearList(items: readonly Model[], tail: Model | undefined, choices: Choices): Model {
  switch (choices.below(3)) {
    case 0:
      if (tail === undefined || tail.is === "list" || items.length === 0) break;
      return { is: "list", items: [...items, tail] };
    case 1:
      if (tail === undefined || tail.is === "list") break;
      return { is: "list", items, tail: atomOnly(near(tail, choices)) };
  }
  const changed = nearItems(items, choices);
  return tail === undefined ? { is: "list", items: changed } : { is: "list", items: changed, tail };
}

/** As a tail: a list would be part of the list itself. */
function atomOnly(model: Model): Model {
  return model.is === "list" ? { is: "atom", name: "tail" } : model;
}

function nearBits(bytes: Uint8Array, lastBits: number, choices: Choices): Model {
  const made = Buffer.from(bytes);
  if (made.length === 0) return { is: "bits", bytes: Buffer.of(0), lastBits: 8 };
  const last = made.length - 1;
  if (choices.oneIn(2)) {
    const bits = 1 + choices.below(8);
    made[last]! &= 0xff << (8 - bits);
    return { is: "bits", bytes: made, lastBits: bits };
  }
  made[choices.byte() % made.length]! ^= 0x80;
  return { is: "bits", bytes: made, lastBits };
}
