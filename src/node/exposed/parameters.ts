/**
 * How many arguments a JavaScript function takes, read from its source text. Its `length` does not count
 * optional and rest parameters, nor any parameter after them.
 *
 * The language guarantees that `toString` returns the source as written, so the parameters can be
 * counted; bound and native functions have no source. A regular expression or a template in a default
 * value needs a whole parser, so such functions count as uncounted instead of being guessed at.
 */

/** The highest arity of an Erlang function. */
export const MAX_ARITY = 255;

/** The lowest and the highest number of arguments, both inclusive. */
export interface Arities {
  readonly from: number;
  readonly to: number;
}

const NATIVE = /\{\s*\[native code\]\s*\}$/;

/** `not callable` is a class or a generator function, whose result is not a term. */
export type FunctionKind = Arities | "uncounted" | "not callable";

type AnyFunction = (...args: never[]) => unknown;

const known = new WeakMap<AnyFunction, FunctionKind>();

/** Sets how many arguments a function takes, whatever its source says. Returns the function. */
export function withArity<F extends AnyFunction>(run: F, arity: number): F {
  known.set(run, { from: arity, to: arity });
  return run;
}

/** Gives `run` the kind of `other`, to which it passes its arguments. Returns `run`. */
export function withKindOf<F extends AnyFunction>(run: F, other: AnyFunction): F {
  known.set(run, functionKind(other));
  return run;
}

/** How many arguments a function takes; `uncounted` if its source does not show it. */
export function functionKind(run: AnyFunction): FunctionKind {
  return known.get(run) ?? kindIn(sourceOf(run), run.length);
}

/** Whether a function has no source: one of the engine's, or a bound one. */
export function isNative(run: AnyFunction): boolean {
  return NATIVE.test(sourceOf(run));
}

function sourceOf(run: AnyFunction): string {
  return Function.prototype.toString.call(run);
}

function kindIn(source: string, length: number): FunctionKind {
  if (NATIVE.test(source)) return "uncounted";
  // A method may have the name `class`.
  if (/^class(?!\s*\()[\s{/]/.test(source)) return "not callable";
  const parameters = parametersIn(source);
  if (parameters === undefined) return "uncounted";
  if (parameters === GENERATOR) return "not callable";
  const optional = parameters.findIndex(({ rest, optional }) => rest || optional);
  const from = optional < 0 ? parameters.length : optional;
  // The program set `length`, perhaps for a reason.
  if (from !== length) return "uncounted";
  return { from, to: parameters.at(-1)?.rest === true ? MAX_ARITY : parameters.length };
}

interface Parameter {
  rest: boolean;
  optional: boolean;
}

const GENERATOR = "generator";

/**
 * White space and comments; strings; brackets, arrows, ellipses and other punctuation; anything else.
 * A slash that does not begin a comment, and a backquote, match nothing: their end is unknown.
 */
const TOKEN =
  /(\s+|\/\/.*|\/\*[\s\S]*?\*\/)|("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')|(=>|\.\.\.|[()[\]{},=*])|([^\s()[\]{},=*"'`/.]+|\.)/y;

function parametersIn(source: string): Parameter[] | typeof GENERATOR | undefined {
  const tokens = new Tokens(source);
  let word = "";
  let generator = false;
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
    if (token === "(") {
      return generator ? GENERATOR : parameterList(tokens);
    }
    // A single parameter without parentheses.
    if (token === "=>") return word === "" ? undefined : [{ rest: false, optional: false }];
    if (token === "[") {
      // A computed method name.
      if (!tokens.skipTo("]")) return undefined;
    } else if (token === "*") generator = true;
    else word = token;
  }
  return undefined;
}

/** The parameters up to the closing parenthesis. */
function parameterList(tokens: Tokens): Parameter[] | undefined {
  const parameters: Parameter[] = [];
  let current: Parameter | undefined;
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
    if (token === ")" || token === ",") {
      if (current !== undefined) parameters.push(current);
      current = undefined;
      if (token === ")") return parameters;
      continue;
    }
    current ??= { rest: token === "...", optional: false };
    if (token === "=") current.optional = true;
    const closing = CLOSING[token];
    if (closing !== undefined && !tokens.skipTo(closing)) return undefined;
  }
  return undefined;
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

class Tokens {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** The next token, skipping white space and comments; undefined at the end, or if nothing matches. */
  next(): string | undefined {
    for (;;) {
      TOKEN.lastIndex = this.#at;
      const found = TOKEN.exec(this.#source);
      if (found === null) return undefined;
      this.#at = TOKEN.lastIndex;
      if (found[1] === undefined) return found[0];
    }
  }

  /** Skips past the bracket that closes the one just read; returns whether it was found. */
  skipTo(closing: string): boolean {
    for (let token = this.next(); token !== closing; token = this.next()) {
      if (token === undefined) return false;
      const inner = CLOSING[token];
      if (inner !== undefined && !this.skipTo(inner)) return false;
    }
    return true;
  }
}
