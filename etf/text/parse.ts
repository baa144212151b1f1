/**
 * Erlang text to terms: every constant that a shell user can type, and what `format` prints.
 *
 * Nesting is read with an explicit stack, so its limit is an option. A pid, port or reference is
 * read where text says what it is: `<0.1.2>` is one of the node given by `node`, and
 * `<gandalf@host.1.2>` one of that node; their creation is that of the option. A fun with a body
 * cannot be read; `fun m:f/1` can.
 */
import { atomTerm, hasLoneSurrogate, internAtom, MAX_ATOM_CHARACTERS } from "../atom.ts";
import { utf8Bytes } from "../bytes.ts";
import type { TermSyntaxError, TermSyntaxErrorCode } from "../errors.ts";
import { TermMap } from "../term-map.ts";
import {
  charlist,
  ExternalFun,
  Float,
  ImproperList,
  isList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  tupleFrom,
} from "../terms.ts";
import { BinaryBuilder, type Room, type Segment, SegmentError } from "./bitsyntax.ts";
import { Lexer, type Token } from "./lex.ts";

export interface ParseOptions {
  /** The node of `<0.1.2>`, `#Port<0.1>` and `#Ref<0.1.2>`; nonode@nohost by default. */
  node?: string;
  /** The creation of pids, ports and references; 0 by default. */
  creation?: number;
  /** Levels of nesting; 2,000,000 by default. */
  maxDepth?: number;
  /**
   * Bytes of all large segments of binaries together, since text as short as `<<0:1000000000>>` asks
   * for many; 64 MiB by default.
   */
  maxBinaryBytes?: number;
}

/**
 * The term that the text is; a final dot may be there or not.
 *
 * @throws TermSyntaxError with line and column, and the line with a caret
 */
export function parse(text: string, options: ParseOptions = {}): Term {
  const parser = new Parser(text, options);
  const term = parser.term();
  parser.finish();
  return term;
}

/**
 * The terms of a text, a dot behind each, as `file:consult` reads them.
 *
 * @throws TermSyntaxError
 */
export function parseAll(text: string, options: ParseOptions = {}): Term[] {
  const parser = new Parser(text, options);
  const terms: Term[] = [];
  while (!parser.atEnd()) {
    terms.push(parser.term());
    parser.dot();
  }
  return terms;
}

/** A container that is being read. */
interface Frame {
  kind: "list" | "tuple" | "map" | "record";
  at: number;
  values: Term[];
  /** A list's tail is next, or read. */
  tail: boolean;
  module: string;
  name: string;
  fields: string[];
}

const CLOSING = { list: "]", tuple: "}", map: "}", record: "}" };
const NESTED = Symbol("nested");

class Parser {
  private readonly lexer: Lexer;
  private readonly node: string;
  private readonly creation: number;
  private readonly maxDepth: number;
  private readonly room: Room;
  private token: Token;
  private frames: Frame[] = [];

  constructor(text: string, options: ParseOptions) {
    this.lexer = new Lexer(text);
    this.node = options.node ?? "nonode@nohost";
    this.creation = options.creation ?? 0;
    this.maxDepth = options.maxDepth ?? 2_000_000;
    this.room = { bytes: options.maxBinaryBytes ?? 64 * 1024 * 1024 };
    this.token = this.lexer.next();
  }

  atEnd(): boolean {
    return this.token.kind === "end";
  }

  dot(): void {
    this.expect(".", "after a term");
  }

  finish(): void {
    if (this.is(".")) this.advance();
    if (!this.atEnd()) {
      throw this.unexpected("the term ends before it: is there a comma or a bracket missing?");
    }
  }

  term(): Term {
    this.frames = [];
    for (;;) {
      let value: Term | typeof NESTED = this.begin();
      for (;;) {
        const frame = this.frames[this.frames.length - 1];
        if (value !== NESTED) {
          if (frame === undefined) return value;
          frame.values.push(value);
        }
        if (!this.endsAfterValue(frame!, value === NESTED)) break;
        this.frames.pop();
        value = this.close(frame!);
      }
    }
  }

  private advance(): Token {
    const { token } = this;
    this.token = this.lexer.next();
    return token;
  }

  private is(value: string): boolean {
    return this.token.kind === "punctuation" && this.token.value === value;
  }

  private error(code: TermSyntaxErrorCode, message: string, at = this.token.at): TermSyntaxError {
    return this.lexer.error(code, message, at);
  }

  private unexpected(message: string): TermSyntaxError {
    if (this.token.kind === "end") {
      return this.error("TERM_INCOMPLETE", `the text ends inside a term: ${message}`);
    }
    return this.error("TERM_UNEXPECTED", `unexpected ${describe(this.token)}: ${message}`);
  }

  private expect(value: string, where: string): void {
    if (!this.is(value)) throw this.unexpected(`${value} is expected ${where}`);
    this.advance();
  }

  /** A whole value, or the head of a container, which is then the top frame. */
  private begin(): Term | typeof NESTED {
    const { token } = this;
    switch (token.kind) {
      case "integer":
      case "character":
        this.advance();
        return token.value;
      case "float":
        this.advance();
        return new Float(token.value);
      case "string":
        return charlist(this.strings());
      case "sigil":
        this.advance();
        return token.binary ? utf8Bytes(token.value) : charlist(token.value);
      case "atom":
        return this.atomOrFun(token);
      case "variable":
        throw this.error(
          "TERM_NOT_CONSTANT",
          `${token.value} is a variable, which has no value here`,
        );
      case "end":
        throw this.unexpected("a term is expected");
    }
    switch (token.value) {
      case "[":
        return this.push("list");
      case "{":
        return this.push("tuple");
      case "#":
        return this.hash(token.at);
      case "<<":
        return this.binary();
      case "<":
        return this.pid();
      case "-":
      case "+":
        return this.signed();
      case "(":
        throw this.error("TERM_NOT_CONSTANT", "an expression in parentheses is no term by itself");
      default:
        throw this.unexpected("a term is expected");
    }
  }

  private push(kind: Frame["kind"], module = "", name = ""): typeof NESTED {
    if (this.frames.length >= this.maxDepth) {
      throw this.error("TERM_LIMIT", `nested deeper than maxDepth (${this.maxDepth}) allows`);
    }
    const { at } = this.token;
    this.frames.push({ kind, at, values: [], tail: false, module, name, fields: [] });
    this.advance();
    return NESTED;
  }

  /** Behind a value, or behind what opens a container: whether the container ends. */
  private endsAfterValue(frame: Frame, opened: boolean): boolean {
    const { kind } = frame;
    if (kind === "map" && frame.values.length % 2 === 1) {
      if (this.is(":=")) throw this.unexpected("in a new map a key is followed by =>");
      this.expect("=>", "after a map's key");
      return false;
    }
    if (this.is(CLOSING[kind])) {
      this.advance();
      return true;
    }
    if (!opened) {
      if (kind === "list" && !frame.tail && this.is("|")) {
        frame.tail = true;
        this.advance();
        return false;
      }
      if (frame.tail) throw this.unexpected("] is expected after a list's tail");
      if (!this.is(",")) throw this.unexpected(`a comma or ${CLOSING[kind]} is expected`);
      this.advance();
    }
    if (kind === "record") this.field(frame);
    return false;
  }

  private close(frame: Frame): Term {
    const { values } = frame;
    switch (frame.kind) {
      case "tuple":
        return tupleFrom(values);
      case "map": {
        const map = new TermMap();
        for (let i = 0; i < values.length; i += 2) map.set(values[i]!, values[i + 1]!);
        return map;
      }
      case "record":
        return this.record(frame);
      case "list":
        return frame.tail ? withTail(values) : values;
    }
  }

  private record(frame: Frame): Term {
    const fields = frame.fields.map(internAtom);
    if (new Set(fields).size !== fields.length) {
      throw this.error("TERM_BAD_VALUE", `record ${frame.name} has a field twice`, frame.at);
    }
    const [module, name] = [internAtom(frame.module), internAtom(frame.name)];
    return new NativeRecord(module, name, true, fields, frame.values);
  }

  private field(frame: Frame): void {
    const { token } = this;
    if (token.kind !== "atom") throw this.unexpected("the name of a field is expected");
    frame.fields.push(token.value);
    this.advance();
    this.expect("=", "after the name of a field");
  }

  /** Strings side by side are one. */
  private strings(): string {
    let text = "";
    while (this.token.kind === "string") text += this.advance().value;
    return text;
  }

  private atomOrFun(token: Token & { kind: "atom" }): Term {
    this.advance();
    if (!token.quoted) {
      if (token.value === "fun") return this.fun(token.at);
      if (EXPRESSION_WORDS.has(token.value)) {
        throw this.error(
          "TERM_NOT_CONSTANT",
          `${token.value} is a reserved word, no atom`,
          token.at,
        );
      }
    }
    if (this.is("(") || this.is(":")) {
      throw this.error(
        "TERM_NOT_CONSTANT",
        `a call of ${token.value} is no term by itself`,
        token.at,
      );
    }
    return this.atom(token);
  }

  private atom(token: Token & { kind: "atom" }): Term {
    const name = this.atomName(token);
    return atomTerm(internAtom(name));
  }

  private atomName(token: Token): string {
    const name = String(token.value);
    if (name.length > MAX_ATOM_CHARACTERS && [...name].length > MAX_ATOM_CHARACTERS) {
      const message = `an atom has at most ${MAX_ATOM_CHARACTERS} characters`;
      throw this.error("TERM_BAD_VALUE", message, token.at);
    }
    if (hasLoneSurrogate(name)) {
      throw this.error("TERM_BAD_VALUE", "an atom with a lone surrogate", token.at);
    }
    return name;
  }

  private name(what: string): string {
    if (this.token.kind !== "atom") throw this.unexpected(`${what} is expected`);
    return this.atomName(this.advance());
  }

  private integer(what: string): number {
    if (this.token.kind !== "integer") throw this.unexpected(`${what} is expected`);
    return Number(this.advance().value);
  }

  private fun(at: number): Term {
    // Names that Erlang reserves stand there without quotes where Erlang has printed them.
    const module = this.token.kind === "atom" ? this.atomName(this.advance()) : null;
    if (module === null || !this.is(":")) {
      throw this.error("TERM_NOT_CONSTANT", "of funs only fun Module:Function/Arity is a term", at);
    }
    this.advance();
    const fun = this.name("a function");
    this.expect("/", "after a fun's function");
    const place = this.token.at;
    const arity = this.integer("an arity");
    if (arity > 255)
      throw this.error("TERM_BAD_VALUE", `an arity is 0 to 255, not ${arity}`, place);
    return new ExternalFun(module, fun, arity);
  }

  private signed(): Term {
    const negative = this.advance().value === "-";
    const { token } = this;
    if (token.kind === "integer" || token.kind === "character") {
      this.advance();
      return negative && token.value !== 0 ? -token.value : token.value;
    }
    if (token.kind === "float") {
      this.advance();
      return new Float(negative ? -token.value : token.value);
    }
    throw this.unexpected("a number is expected after a sign");
  }

  /** `#{`, `#module:record{`, `#Port<`, `#Ref<`, `#Fun<`. */
  private hash(at: number): Term | typeof NESTED {
    this.advance();
    if (this.is("{")) return this.push("map");
    const { token } = this;
    if (token.kind === "variable") {
      const words = this.lexer.match(/<([^<>]*)>/y);
      if (words !== null) {
        this.advance();
        if (token.value === "Port") return this.port(words[1]!, at);
        if (token.value === "Ref") return this.reference(words[1]!, at);
        const what = `#${token.value}<...> is how a term is shown whose value text cannot hold`;
        throw this.error("TERM_NOT_CONSTANT", what, at);
      }
    }
    if (token.kind !== "atom") throw this.unexpected("# begins a map #{...} or a record");
    const module = this.name("a module");
    if (!this.is(":")) {
      const what = `what record #${module}{...} is, only a program's definitions say`;
      throw this.error("TERM_NOT_CONSTANT", what, at);
    }
    this.advance();
    const name = this.name("a record's name");
    if (!this.is("{")) throw this.unexpected("{ is expected after a record's name");
    return this.push("record", module, name);
  }

  private pid(): Term {
    const { at } = this.token;
    // The lexer has read the token `<` and nothing beyond.
    const found = this.lexer.match(/((?:[^<>\s'"]+|'[^']*'))\.(\d+)\.(\d+)>/y);
    if (found === null) throw this.unexpected("a pid looks like <0.1.2>");
    this.advance();
    const [id, serial] = [this.word(found[2]!, at), this.word(found[3]!, at)];
    return new Pid(this.nodeOf(found[1]!, at), id, serial, this.creation);
  }

  private port(words: string, at: number): Term {
    const found = /^(.+)\.(\d+)$/.exec(words);
    if (found === null) throw this.error("TERM_BAD_VALUE", "a port looks like #Port<0.1>", at);
    const id = BigInt(found[2]!);
    if (id >= 2n ** 64n) throw this.error("TERM_BAD_VALUE", `${id} is no port's number`, at);
    return new Port(this.nodeOf(found[1]!, at), id, this.creation);
  }

  private reference(words: string, at: number): Term {
    const found = /^(.+?)((?:\.\d+){1,5})$/.exec(words);
    if (found === null)
      throw this.error("TERM_BAD_VALUE", "a reference looks like #Ref<0.1.2.3>", at);
    const ids = found[2]!
      .slice(1)
      .split(".")
      .map((id) => this.word(id, at));
    return new Reference(this.nodeOf(found[1]!, at), this.creation, ids.reverse());
  }

  private word(digits: string, at: number): number {
    const value = Number(digits);
    if (value > 0xffffffff) throw this.error("TERM_BAD_VALUE", `${digits} is above 32 bits`, at);
    return value;
  }

  private nodeOf(text: string, at: number): string {
    if (text === "0") return this.node;
    if (/^\d+$/.test(text)) {
      const message = `which node number ${text} is, only the node knows that printed it`;
      throw this.error("TERM_BAD_VALUE", message, at);
    }
    return text.replace(/^'(.*)'$/, "$1");
  }

  private binary(): Term {
    const start = this.advance().at;
    const builder = new BinaryBuilder(this.room);
    while (!this.is(">>")) {
      const at = this.token.at;
      const segment = this.segment();
      try {
        builder.add(segment);
      } catch (error) {
        if (error instanceof SegmentError) throw this.error("TERM_BAD_VALUE", error.message, at);
        throw error;
      }
      if (this.is(",")) {
        this.advance();
        if (this.is(">>")) throw this.unexpected("a number or a string is expected after a comma");
      } else if (!this.is(">>")) throw this.unexpected("a comma or >> is expected in a binary");
    }
    this.advance();
    try {
      return builder.finish();
    } catch (error) {
      if (error instanceof SegmentError) throw this.error("TERM_BAD_VALUE", error.message, start);
      throw error;
    }
  }

  /** `Value:Size/type-type-unit:Unit`. */
  private segment(): Segment {
    const segment: Segment = { value: this.segmentValue(), size: null, types: [], unit: null };
    if (this.is(":")) {
      this.advance();
      segment.size = this.integer("a size");
    }
    if (this.is("/")) {
      do {
        this.advance();
        const type = this.name("the type of a segment");
        if (type === "unit") {
          this.expect(":", "after unit");
          segment.unit = this.integer("a unit");
        } else segment.types.push(type);
      } while (this.is("-"));
    }
    return segment;
  }

  private segmentValue(): Segment["value"] {
    const { token } = this;
    if (token.kind === "string") return this.strings();
    if (token.kind === "integer" || token.kind === "character") {
      this.advance();
      return token.value;
    }
    if (token.kind === "float") {
      this.advance();
      return new Float(token.value);
    }
    if (this.is("-") || this.is("+")) return this.signed() as number | bigint | Float;
    if (token.kind === "variable" || this.is("(") || this.is("<<")) {
      throw this.error("TERM_NOT_CONSTANT", "in a binary only numbers and strings are constants");
    }
    throw this.unexpected("a number or a string is expected in a binary");
  }
}

/** Words that begin or continue an expression. */
const EXPRESSION_WORDS: ReadonlySet<string> = new Set(
  (
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div end if let not of or " +
    "orelse receive rem try when xor"
  ).split(" "),
);

function withTail(values: Term[]): Term {
  const tail = values.pop()!;
  if (tail instanceof ImproperList)
    return new ImproperList([...values, ...tail.elements], tail.tail);
  if (isList(tail)) return values.concat(tail);
  return new ImproperList(values, tail);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "string":
    case "sigil":
      return "string";
    case "character":
      return "character";
    case "atom":
      return `atom ${token.value.slice(0, 40)}`;
    default:
      return String(token.value).slice(0, 40);
  }
}
