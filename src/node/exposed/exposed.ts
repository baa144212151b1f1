/** What an object that a program exposes lets others call: its functions, by name and arities. */
import { EventEmitter } from "node:events";
import { NodeError } from "../errors.ts";
import type { ExposedFunction, ExposedModule } from "./functions.ts";
import { type Arities, functionKind, isNative, MAX_ARITY, withKindOf } from "./parameters.ts";

export interface Exposed {
  readonly name: string;
  readonly arities: Arities;
  readonly run: ExposedFunction;
}

const KEY = /^([^/]+)(?:\/(\d{1,3}))?$/;

/**
 * The functions of a plain object, or the methods of an instance of a class, called with it as `this`.
 * Those whose key has an arity come last, so that they take the place of others.
 *
 * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
 */
export function exposedFunctions(module: string, functions: ExposedModule | object): Exposed[] {
  const found = isPlain(functions) ? Object.entries(functions) : methodsOf(module, functions);
  const byKey = ([key]: readonly [string, unknown]): boolean => key.includes("/");
  return [...found.filter((entry) => !byKey(entry)), ...found.filter(byKey)].map(([key, run]) =>
    exposedAs(module, key, run),
  );
}

/** Made by a literal, or a module's namespace: not of a class. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}

/** The methods of an instance, and those it inherits from classes of the program; of a class, the static ones. */
function methodsOf(module: string, instance: object): [string, ExposedFunction][] {
  const methods: [string, ExposedFunction][] = [];
  const seen = new Set<string>(["constructor"]);
  for (let owner = instance; !isForeign(owner); owner = Object.getPrototypeOf(owner) as object) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (seen.has(name)) continue;
      seen.add(name);
      // Of a getter there is no value.
      const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
      if (typeof method === "function" && !name.startsWith("_")) {
        methods.push([name, methodOf(instance, method as ExposedFunction)]);
      }
    }
  }
  if (methods.length > 0) return methods;
  throw new NodeError(
    "FUNCTION_NAME_INVALID",
    `What is to be exposed as ${module} has no function: a plain object of functions or an instance of a class is expected.`,
  );
}

/** The end of a chain of prototypes, or a part of it that is the engine's or Node's: nobody has exposed that. */
function isForeign(owner: object | null): boolean {
  if (owner === null) return true;
  const maker: unknown =
    typeof owner === "function"
      ? owner
      : Object.getOwnPropertyDescriptor(owner, "constructor")?.value;
  if (typeof maker !== "function") return false;
  const { name } = maker;
  const isGlobal = (globalThis as Readonly<Record<string, unknown>>)[name] === maker;
  return isGlobal || maker === EventEmitter || isNative(maker as ExposedFunction);
}

function methodOf(instance: object, method: ExposedFunction): ExposedFunction {
  const bound = (...args: unknown[]): unknown => Reflect.apply(method, instance, args);
  return withKindOf(bound, method);
}

/** @throws NodeError */
function exposedAs(module: string, key: string, run: unknown): Exposed {
  const [, name, digits] = KEY.exec(key) ?? [];
  const kind = typeof run === "function" ? functionKind(run as ExposedFunction) : undefined;
  const arity = Number(digits ?? 0);
  if (name === undefined || arity > MAX_ARITY || kind === undefined || kind === "not callable") {
    throw new NodeError(
      "FUNCTION_NAME_INVALID",
      `"${module}:${key}" cannot be exposed: a name such as "store", or "store/2" with an arity of 0 to ${MAX_ARITY}, and a function that is no class and no generator are expected.`,
    );
  }
  if (digits !== undefined) {
    return { name, arities: { from: arity, to: arity }, run: run as ExposedFunction };
  }
  if (kind === "uncounted") {
    throw new NodeError(
      "FUNCTION_ARITY_UNKNOWN",
      `How many arguments "${module}:${key}" takes cannot be read from its source. Say so in its key, as in "${key}/2", or expose a function with plain parameters, or one made by typed.`,
    );
  }
  return { name, arities: kind, run: run as ExposedFunction };
}
