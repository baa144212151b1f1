/**
 * `erl_scan:tokens`, which an I/O device applies for `io:read` and the like: the tokens up to a dot.
 *
 * Spec: stdlib, erl_scan:tokens/3. A token is `{Category, Location, Value}`, or `{Category, Location}`
 * for reserved words and punctuation; a location is a line, or `{Line, Column}`.
 *   {ok, Tokens, EndLocation} | {eof, EndLocation} | {error, {Location, erl_scan, Reason}, EndLocation}
 * Left out: erl_scan's options (white space, comments and text are never returned), words that are
 * reserved only with a feature enabled (`maybe`, `else`), and most reasons: text that cannot be read is
 * `{illegal, character}`, text that is not closed at its end `{illegal, string}`.
 */
import {
  atom,
  charlist,
  Float,
  isTuple,
  Lexer,
  RESERVED_WORDS,
  type Term,
  TermSyntaxError,
  type Token,
  tuple,
} from "../../../etf/index.ts";
import { ERROR, OK } from "../../node/atoms.ts";
import { EOF, ERL_SCAN } from "../gen/atoms.ts";
import type { Cut } from "./io-input.ts";

/** A dot ends a form before one of these characters, a `%`, or the end of the text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they count as blanks in Erlang
const BLANK = /[\x00-\x20\x80-\xa0]/;

/** Where a text begins: a line, or a line and a column, both from 1. */
export interface Location {
  readonly line: number;
  readonly column: number | undefined;
}

/** Reads a term as a location; undefined if it is not one. */
export function locationOf(term: Term): Location | undefined {
  if (isPosition(term)) return { line: term, column: undefined };
  if (!isTuple(term, 2)) return undefined;
  const [line, column] = term;
  return isPosition(line) && isPosition(column) ? { line, column } : undefined;
}

function isPosition(term: Term | undefined): term is number {
  return typeof term === "number" && term >= 1;
}

/**
 * Cuts the tokens of the next form, including its dot and one blank after it. Only whole lines are
 * scanned, so that no token is cut short.
 */
export function cutTokens(start: Location): Cut<Term> {
  return (text, ended) => {
    const lines = ended ? text : text.slice(0, text.lastIndexOf("\n") + 1);
    const places = new Places(lines, start);
    const lexer = new Lexer(lines);
    const tokens: Term[] = [];
    try {
      for (;;) {
        const token = lexer.next();
        if (token.kind === "end") {
          if (!ended) return undefined;
          const end = places.at(lines.length);
          const kind = tokens.length === 0 ? tuple(EOF, end) : okay(tokens, end);
          return { value: kind, rest: "" };
        }
        const next = lines[lexer.offset];
        if (isDot(token) && (next === undefined || next === "%" || BLANK.test(next))) {
          const end = lexer.offset + (next === undefined || next === "%" ? 0 : 1);
          tokens.push(tuple(atom("dot"), places.at(token.at)));
          return { value: okay(tokens, places.at(end)), rest: text.slice(end) };
        }
        tokens.push(...tokenTerms(token, places.at(token.at)));
      }
    } catch (error) {
      if (!(error instanceof TermSyntaxError)) throw error;
      const open = error.code === "TERM_INCOMPLETE";
      if (open && !ended) return undefined;
      const at = places.at(places.offsetOf(error.line, error.column));
      const info = tuple(at, ERL_SCAN, tuple(atom("illegal"), atom(open ? "string" : "character")));
      const end = open ? lines.length : lexer.offset;
      return {
        value: tuple(ERROR, info, places.at(end)),
        rest: text.slice(end),
      };
    }
  };
}

function isDot(token: Token): boolean {
  return token.kind === "punctuation" && token.value === ".";
}

function okay(tokens: Term[], end: Term): Term {
  return tuple(OK, tokens, end);
}

function tokenTerms(token: Token, at: Term): Term[] {
  const valued = (category: string, value: Term): Term => tuple(atom(category), at, value);
  switch (token.kind) {
    case "integer":
      return [valued("integer", token.value)];
    case "float":
      return [valued("float", new Float(token.value))];
    case "character":
      return [valued("char", token.value)];
    case "variable":
      return [valued("var", atom(token.value))];
    case "string":
      return [valued("string", charlist(token.value))];
    case "sigil":
      return [
        valued("sigil", atom(token.binary ? "b" : "s")),
        valued("string", charlist(token.value)),
        valued("sigil_suffix", []),
      ];
    case "atom":
      if (token.quoted || !RESERVED_WORDS.has(token.value)) {
        return [valued("atom", atomTerm(token.value))];
      }
      return [tuple(atom(token.value), at)];
    default:
      return [tuple(atom(token.value), at)];
  }
}

function atomTerm(name: string): Term {
  return name === "true" || name === "false" ? name === "true" : atom(name);
}

/** The locations of offsets in a text. In ascending order, all lookups together take one pass. */
class Places {
  readonly #text: string;
  readonly #start: Location;
  #offset = 0;
  #line: number;
  #column: number;

  constructor(text: string, start: Location) {
    this.#text = text;
    this.#start = start;
    this.#line = start.line;
    this.#column = start.column ?? 1;
  }

  at(offset: number): Term {
    while (this.#offset < offset) {
      const point = this.#text.codePointAt(this.#offset)!;
      this.#offset += point > 0xffff ? 2 : 1;
      if (point === 0x0a) {
        this.#line++;
        this.#column = 1;
      } else {
        this.#column++;
      }
    }
    if (this.#start.column === undefined) return this.#line;
    return tuple(this.#line, this.#column);
  }

  /** The offset of a line and a column, both from 1. */
  offsetOf(line: number, column: number): number {
    let offset = 0;
    for (let left = line; left > 1; left--) offset = this.#text.indexOf("\n", offset) + 1;
    for (let left = column; left > 1; left--) {
      offset += this.#text.codePointAt(offset)! > 0xffff ? 2 : 1;
    }
    return offset;
  }
}
