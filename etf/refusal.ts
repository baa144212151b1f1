/**
 * Why a value is not a term, and where in the whole it lies.
 */
import { Atom } from "./atom.ts";
import { EtfEncodeError, unsafeInteger } from "./errors.ts";
import { MapBase } from "./map-base.ts";
import { ImproperList, LocalFun, NativeRecord } from "./terms.ts";
import { utf8Text } from "./utf8.ts";

/** A container being walked, and the number of its values that were begun. */
export interface Frame {
  value: unknown;
  items: readonly unknown[];
  next: number;
  /** What the value was made of, if it is not what the walk met. */
  source?: unknown;
  /** The step to the item of that place, where the items are not simply what the value holds. */
  step?: ((place: number) => string) | undefined;
}

/** Steps of a path that are shown; a deeper one is cut in the middle. */
const PATH_STEPS = 16;

export function pathOf(frames: readonly Frame[]): string {
  const steps = frames.map(stepOf);
  if (steps.length <= PATH_STEPS) return steps.join("");
  const half = PATH_STEPS / 2;
  return `${steps.slice(0, half).join("")}...${steps.slice(-half).join("")}`;
}

function stepOf({ value, items, next, step }: Frame): string {
  const at = next - 1;
  if (step !== undefined) return step(at);
  if (Array.isArray(value) || value instanceof ImproperList) {
    return !Array.isArray(value) && at === items.length - 1 ? ".tail" : `[${at}]`;
  }
  if (value instanceof LocalFun) return `.freeVariables[${at}]`;
  if (value instanceof NativeRecord) return `.values[${at}]`;
  if (at % 2 === 0) return `.key(${at >> 1})`;
  return entryStep(value, items[at - 1], at >> 1);
}

/** The step to the value of a key in a map or an object. */
export function entryStep(map: unknown, key: unknown, place: number): string {
  if (map instanceof MapBase || map instanceof Map) return `.get(${keyText(key, place)})`;
  const name = String(textKey(key));
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** A string key is bytes once the object has been made a map. */
function textKey(key: unknown): unknown {
  return key instanceof Uint8Array ? (utf8Text(key) ?? key) : key;
}

function keyText(given: unknown, place: number): string {
  const key = textKey(given);
  if (typeof key === "string") return JSON.stringify(key);
  if (key instanceof Atom || typeof key === "number") return String(key);
  return `key ${place}`;
}

export function notATerm(value: unknown): EtfEncodeError {
  if (Number.isInteger(value)) return unsafeInteger(value as number);
  return new EtfEncodeError("ETF_NOT_A_TERM", refusal(value));
}

function refusal(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "undefined is not a term: leave it out, or write atom('undefined')";
    case "number":
      return `${value} is not a term: Erlang's floats are finite; write an atom if you need the value`;
    case "symbol":
      return "a symbol is not a term: write atom('name')";
    case "function":
      return "a function is not a term: for a fun of a module write new ExternalFun(module, function, arity)";
    case "object":
      if (value === null)
        return "null is not a term: write atom('null'), atom('nil') or atom('undefined')";
  }
  const name = (value as object).constructor?.name ?? "object";
  if (value instanceof Promise) return "a Promise is not a term: await it";
  if (value instanceof Date) return "a Date is not a term: write its getTime() or toISOString()";
  if (value instanceof Set) return "a Set is not a term: write [...set]";
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `${name} is not a term: write a Uint8Array of its bytes`;
  }
  return `an instance of ${name} is not a term: write a plain object, a Map or a tuple of its fields`;
}
