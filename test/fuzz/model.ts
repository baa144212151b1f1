/**
 * Terms of the fuzzing's own, in code that shares nothing with the codec's: made of choices (make.ts),
 * written as bytes (write.ts) and compared (write.ts, order.ts). What the codec says of the same bytes
 * must agree.
 */
import {
  Atom,
  BitString,
  ExternalFun,
  Float,
  ImproperList,
  LocalFun,
  NativeRecord,
  OpaqueTerm,
  Pid,
  Port,
  Reference,
  type Term,
  TermMap,
  Tuple,
} from "../../etf/index.ts";

export type Model =
  | { readonly is: "integer"; readonly value: bigint }
  | { readonly is: "float"; readonly value: number }
  | { readonly is: "atom"; readonly name: string }
  | { readonly is: "bits"; readonly bytes: Uint8Array; readonly lastBits: number }
  | { readonly is: "list"; readonly items: readonly Model[]; readonly tail?: Model }
  | { readonly is: "tuple"; readonly items: readonly Model[] }
  | { readonly is: "map"; readonly pairs: readonly (readonly [Model, Model])[] }
  | PidModel
  | { readonly is: "port"; readonly node: string; readonly id: bigint; readonly creation: number }
  | {
      readonly is: "reference";
      readonly node: string;
      readonly creation: number;
      readonly ids: readonly number[];
    }
  | {
      readonly is: "export";
      readonly module: string;
      readonly name: string;
      readonly arity: number;
    }
  | {
      readonly is: "fun";
      readonly module: string;
      readonly arity: number;
      readonly uniq: Uint8Array;
      readonly index: number;
      readonly oldIndex: number;
      readonly oldUniq: number;
      readonly pid: PidModel;
      readonly free: readonly Model[];
    };

export interface PidModel {
  readonly is: "pid";
  readonly node: string;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
}

/** What the codec read, taken apart by the public properties of terms; undefined for what is opaque. */
export function modelOf(term: Term): Model | undefined {
  if (typeof term === "number") {
    return Number.isSafeInteger(term) && !Object.is(term, -0)
      ? { is: "integer", value: BigInt(term) }
      : undefined;
  }
  if (typeof term === "bigint") return { is: "integer", value: term };
  if (typeof term === "boolean") return { is: "atom", name: String(term) };
  if (term instanceof Float) return { is: "float", value: term.value };
  if (term instanceof Atom) return { is: "atom", name: term.name };
  if (term instanceof Uint8Array) return { is: "bits", bytes: term, lastBits: 8 };
  if (term instanceof BitString) return { is: "bits", bytes: term.bytes, lastBits: term.lastBits };
  if (term instanceof Pid) return pidOf(term);
  if (term instanceof Port) {
    return { is: "port", node: term.node.name, id: BigInt(term.id), creation: term.creation };
  }
  if (term instanceof Reference) {
    return { is: "reference", node: term.node.name, creation: term.creation, ids: term.ids };
  }
  if (term instanceof ExternalFun) {
    return { is: "export", module: term.module.name, name: term.function.name, arity: term.arity };
  }
  if (term instanceof LocalFun) {
    const free = modelsOf(term.freeVariables);
    if (free === undefined) return undefined;
    const { module, pid, arity, uniq, index, oldIndex, oldUniq } = term;
    const own = { arity, uniq, index, oldIndex, oldUniq };
    return { is: "fun", module: module.name, ...own, pid: pidOf(pid), free };
  }
  if (term instanceof OpaqueTerm || term instanceof NativeRecord) return undefined;
  if (term instanceof TermMap) {
    const pairs: [Model, Model][] = [];
    for (const pair of term) {
      const models = modelsOf(pair);
      if (models === undefined) return undefined;
      pairs.push(models as [Model, Model]);
    }
    return { is: "map", pairs };
  }
  if (term instanceof ImproperList) {
    const items = modelsOf(term.elements as Term[]);
    const tail = modelOf(term.tail);
    return items === undefined || tail === undefined ? undefined : { is: "list", items, tail };
  }
  const items = modelsOf(term as readonly Term[]);
  if (items === undefined) return undefined;
  return { is: term instanceof Tuple ? "tuple" : "list", items };
}

function modelsOf(terms: Iterable<Term>): Model[] | undefined {
  const models: Model[] = [];
  for (const term of terms) {
    const model = modelOf(term);
    if (model === undefined) return undefined;
    models.push(model);
  }
  return models;
}

function pidOf({ node, id, serial, creation }: Pid): PidModel {
  return { is: "pid", node: node.name, id, serial, creation };
}
