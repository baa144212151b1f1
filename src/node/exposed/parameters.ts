/**
 * How many arguments a JavaScript function takes, read from its own source text: `length` leaves out
 * optional and rest parameters and all behind them.
 *
 * The language says that the text is the function's source as it was written, so that its parameters can
 * be counted; bound and native functions have none. What cannot be told apart for certain without a whole
 * parser (a regular expression or a template in a default value) is not guessed at.
 */

/** Arities of an Erlang function. */
export const MAX_ARITY = 255;

/** From how many arguments to how many, both included. */
export interface Arities {
  readonly from: number;
  readonly to: number;
}

const NATIVE = /\{\s*\[native code\]\s*\}$/;

/** `not callable` is a class or a generator function: what a call of it gives is no term. */
export type FunctionKind = Arities | "uncounted" | "not callable";

type AnyFunction = (...args: never[]) => unknown;

const known = new WeakMap<AnyFunction, FunctionKind>();

/** Says how many arguments a function takes, whatever its source has. Returns the function. */
export function withArity<F extends AnyFunction>(run: F, arity: number): F {
  known.set(run, { from: arity, to: arity });
  return run;
}

/** A function that passes its arguments on to another takes what that takes. Returns the first. */
export function withKindOf<F extends AnyFunction>(run: F, other: AnyFunction): F {
  known.set(run, functionKind(other));
  return run;
}

/** How many arguments a function takes; `uncounted` when its source does not tell. */
export function functionKind(run: AnyFunction): FunctionKind {
  return known.get(run) ?? kindIn(sourceOf(run), run.length);
}

/** Whether there is no source: a function of the engine's, or a bound one. */
export function isNative(run: AnyFunction): boolean {
  return NATIVE.test(sourceOf(run));
}

function sourceOf(run: AnyFunction): string {
  return Function.prototype.toString.call(run);
}

function kindIn(source: string, length: number): FunctionKind {
  if (NATIVE.test(source)) return "uncounted";
  // A method may be called `class`.
  if (/^class(?!\s*\()[\s{/]/.test(source)) return "not callable";
  const parameters = parametersIn(source);
  if (parameters === undefined) return "uncounted";
  if (parameters === GENERATOR) return "not callable";
  const optional = parameters.findIndex(({ rest, optional }) => rest || optional);
  const from = optional < 0 ? parameters.length : optional;
  // Somebody has set `length`, perhaps for a reason.
  if (from !== length) return "uncounted";
  return { from, to: parameters.at(-1)?.rest === true ? MAX_ARITY : parameters.length };
}

interface Parameter {
  rest: boolean;
  optional: boolean;
}

const GENERATOR = "generator";

/**
 * Space, comments, text; brackets; arrow, ellipsis and what else matters at the top; anything else.
 * What a slash or a backquote begins, other than a comment, is not known.
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
    // One parameter without brackets.
    if (token === "=>") return word === "" ? undefined : [{ rest: false, optional: false }];
    if (token === "[") {
      // A computed name.
      if (!tokens.skipTo("]")) return undefined;
    } else if (token === "*") generator = true;
    else word = token;
  }
  return undefined;
}

/** The parameters up to the closing bracket. */
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

  /** The next token but space and comments; undefined at the end, and before what is not known. */
  next(): string | undefined {
    for (;;) {
      TOKEN.lastIndex = this.#at;
      const found = TOKEN.exec(this.#source);
      if (found === null) return undefined;
      this.#at = TOKEN.lastIndex;
      if (found[1] === undefined) return found[0];
    }
  }

  /** Goes behind the bracket that closes the one just read; returns whether there is one. */
  skipTo(closing: string): boolean {
    for (let token = this.next(); token !== closing; token = this.next()) {
      if (token === undefined) return false;
      const inner = CLOSING[token];
      if (inner !== undefined && !this.skipTo(inner)) return false;
    }
    return true;
  }
}
