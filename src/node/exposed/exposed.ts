/** Which functions of an exposed object other nodes can call, by name and arity. */
import { EventEmitter } from "node:events";
import { NodeError } from "../errors.ts";
import type { ExposedFunction, ExposedModule } from "./functions.ts";
import { type Arities, functionKind, isNative, MAX_ARITY, withKindOf } from "./parameters.ts";

/** One callable function, with all arities under which it can be called. */
export interface Exposed {
  readonly name: string;
  readonly arities: Arities;
  readonly run: ExposedFunction;
}

const KEY = /^([^/]+)(?:\/(\d{1,3}))?$/;

/**
 * The functions of a plain object, or the methods of an instance of a class, called with it as `this`.
 * Functions whose key names an arity come last, so that they replace the others.
 *
 * @param module the module's name, for error texts
 * @throws NodeError FUNCTION_NAME_INVALID, FUNCTION_ARITY_UNKNOWN
 */
export function exposedFunctions(module: string, functions: ExposedModule | object): Exposed[] {
  const found = isPlain(functions) ? Object.entries(functions) : methodsOf(module, functions);
  const byKey = ([key]: readonly [string, unknown]): boolean => key.includes("/");
  return [...found.filter((entry) => !byKey(entry)), ...found.filter(byKey)].map(([key, run]) =>
    exposedAs(module, key, run),
  );
}

/** Whether the object is a literal or the namespace of a module, as opposed to an instance of a class. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}

/**
 * The methods of an instance, including those inherited from the program's classes; for a class, its
 * static methods.
 */
function methodsOf(module: string, instance: object): [string, ExposedFunction][] {
  const methods: [string, ExposedFunction][] = [];
  const seen = new Set<string>(["constructor"]);
  for (let owner = instance; !isForeign(owner); owner = Object.getPrototypeOf(owner) as object) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (seen.has(name)) continue;
      seen.add(name);
      // A getter has no value.
      const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
      if (typeof method === "function" && !name.startsWith("_")) {
        methods.push([name, methodOf(instance, method as ExposedFunction)]);
      }
    }
  }
  if (methods.length > 0) return methods;
  throw new NodeError(
    "FUNCTION_NAME_INVALID",
    `The value passed to \`expose\` as ${module} has no functions. Pass a plain object of functions or an instance of a class.`,
  );
}

/** Whether the prototype chain has ended or reached a class of the engine or of Node, whose methods are not exposed. */
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
      `Cannot expose "${module}:${key}". The key must be a name such as "store", or "store/2" with an arity from 0 to ${MAX_ARITY}; the value must be a function, and not a class or a generator.`,
    );
  }
  if (digits !== undefined) {
    return { name, arities: { from: arity, to: arity }, run: run as ExposedFunction };
  }
  if (kind === "uncounted") {
    throw new NodeError(
      "FUNCTION_ARITY_UNKNOWN",
      `The source of "${module}:${key}" does not show how many arguments it takes. Add the arity to its key, as in "${key}/2", or expose a function with plain parameters, or one made by \`typed\`.`,
    );
  }
  return { name, arities: kind, run: run as ExposedFunction };
}
