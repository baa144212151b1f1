/**
 * The bytes of the fuzzing's own terms. Two terms are `=:=` when their canonical bytes are the same:
 * each number, atom and identifier in one form, the pairs of a map in the order of their keys' bytes.
 */
import type { Choices } from "./choices.ts";
import type { Model, PidModel } from "./model.ts";

const NOBODY: PidModel = { is: "pid", node: "", id: 0, serial: 0, creation: 0 };
/** Writes bytes of any number. */
class Bytes {
  #bytes = Buffer.alloc(256);
  #at = 0;

  byte(...bytes: number[]): this {
    this.#room(bytes.length);
    for (const byte of bytes) this.#bytes[this.#at++] = byte;
    return this;
  }
  uint16(value: number): this {
    return this.byte(value >> 8, value);
  }
  uint32(value: number): this {
    return this.byte(value >>> 24, value >> 16, value >> 8, value);
  }
  put(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
  float(value: number): this {
    this.#room(8);
    this.#bytes.writeDoubleBE(value, this.#at);
    this.#at += 8;
    return this;
  }
  taken(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = Buffer.alloc(2 * (this.#at + length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** The bytes of a term, without a version byte; with choices, in one of the forms that OTP reads. */
export function write(model: Model, choices?: Choices): Buffer {
  const out = new Bytes();
  put(model, out, choices);
  const bytes = out.taken();
  if (choices !== undefined) choices.given += bytes.length;
  return bytes;
}

function put(model: Model, out: Bytes, choices: Choices | undefined): Bytes {
  const odd = choices?.oneIn(4) ?? false;
  switch (model.is) {
    case "integer":
      return putInteger(model.value, out, odd);
    case "float":
      out.byte(70);
      return out.float(model.value);
    case "atom":
      return putAtom(model.name, out, odd);
    case "bits":
      if (model.lastBits === 8) {
        out.byte(109);
        out.uint32(model.bytes.length);
      } else {
        out.byte(77);
        out.uint32(model.bytes.length);
        out.byte(model.lastBits);
      }
      return out.put(model.bytes);
    case "list":
      return putList(model.items, model.tail, out, choices, odd);
    case "tuple":
      if (model.items.length < 256 && !odd) out.byte(104, model.items.length);
      else {
        out.byte(105);
        out.uint32(model.items.length);
      }
      for (const item of model.items) put(item, out, choices);
      return out;
    case "map":
      out.byte(116);
      out.uint32(model.pairs.length);
      for (const [key, value] of inOrder(model.pairs, choices)) {
        put(key, out, choices);
        put(value, out, choices);
      }
      return out;
    case "pid":
      out.byte(88);
      putAtom(model.node, out, odd);
      out.uint32(model.id);
      out.uint32(model.serial);
      return out.uint32(model.creation);
    case "port":
      out.byte(89);
      putAtom(model.node, out, odd);
      out.uint32(Number(model.id));
      return out.uint32(model.creation);
    case "reference":
      return putReference(model, out, choices, odd);
    case "export":
      out.byte(113);
      putAtom(model.module, out, odd);
      putAtom(model.name, out, odd);
      return out.byte(97, model.arity);
    case "fun":
      return putFun(model, out, choices);
  }
}

/** Canonical bytes have the pairs in the order of their keys' bytes. */
function inOrder(
  pairs: readonly (readonly [Model, Model])[],
  choices: Choices | undefined,
): readonly (readonly [Model, Model])[] {
  if (choices !== undefined) return pairs;
  const keyed = pairs.map((pair) => ({ key: canonical(pair[0]), pair }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ pair }) => pair);
}

function putInteger(value: bigint, out: Bytes, odd: boolean): Bytes {
  if (value >= 0n && value < 256n && !odd) return out.byte(97, Number(value));
  if (value >= -(2n ** 31n) && value < 2n ** 31n && !odd) {
    out.byte(98);
    return out.uint32(Number(BigInt.asUintN(32, value)));
  }
  const digits: number[] = [];
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n)
    digits.push(Number(rest & 255n));
  if (odd) digits.push(0);
  return out.byte(110, digits.length, value < 0n ? 1 : 0, ...digits);
}

function putAtom(name: string, out: Bytes, odd: boolean): Bytes {
  const text = Buffer.from(name);
  if (!odd) out.byte(119, text.length);
  else if (/^[ -~]*$/.test(name)) {
    out.byte(100);
    out.uint16(text.length);
  } else {
    out.byte(118);
    out.uint16(text.length);
  }
  return out.put(text);
}

function putList(
  items: readonly Model[],
  tail: Model | undefined,
  out: Bytes,
  choices: Choices | undefined,
  odd: boolean,
): Bytes {
  if (items.length === 0) return tail === undefined ? out.byte(106) : put(tail, out, choices);
  // A tail that is a list is part of the list, in the canonical form.
  if (choices === undefined && tail?.is === "list") {
    return putList([...items, ...tail.items], tail.tail, out, choices, odd);
  }
  const text = odd && tail === undefined && items.every(isByte);
  if (text) {
    out.byte(107);
    out.uint16(items.length);
    for (const item of items) out.byte(Number((item as { value: bigint }).value));
    return out;
  }
  out.byte(108);
  out.uint32(items.length);
  for (const item of items) put(item, out, choices);
  return tail === undefined ? out.byte(106) : put(tail, out, choices);
}

function isByte(model: Model): boolean {
  return model.is === "integer" && model.value >= 0n && model.value < 256n;
}

function putReference(
  model: Model & { is: "reference" },
  out: Bytes,
  choices: Choices | undefined,
  odd: boolean,
): Bytes {
  let { ids } = model;
  // Words of 0 at the end mean nothing.
  while (choices === undefined && ids.length > 1 && ids.at(-1) === 0) ids = ids.slice(0, -1);
  out.byte(90);
  out.uint16(ids.length);
  putAtom(model.node, out, odd);
  out.uint32(model.creation);
  for (const id of ids) out.uint32(id);
  return out;
}

function putFun(model: Model & { is: "fun" }, out: Bytes, choices: Choices | undefined): Bytes {
  const body = new Bytes();
  body.byte(model.arity);
  body.put(model.uniq);
  body.uint32(model.index);
  body.uint32(model.free.length);
  putAtom(model.module, body, false);
  // Who made a fun, and its index of old, do not tell it from another.
  putInteger(BigInt(choices === undefined ? 0 : model.oldIndex), body, false);
  putInteger(BigInt(model.oldUniq), body, false);
  put(choices === undefined ? NOBODY : model.pid, body, undefined);
  for (const term of model.free) put(term, body, choices);
  const bytes = body.taken();
  out.byte(112);
  out.uint32(4 + bytes.length);
  return out.put(bytes);
}

/** Canonical bytes as text: the same for terms that are `=:=`, and only for these. */
export function canonical(model: Model): string {
  return write(model).toString("latin1");
}
